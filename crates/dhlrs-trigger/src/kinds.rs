//! Which kinds of change a subscriber wants.

use std::fmt;
use std::str::FromStr;

use dhlrs_bag::ChangeKind;

use crate::error::KindsError;

/// A set of kinds of change.
///
/// Of a transaction, the kinds of its changes are tested; the kind `transaction` takes every
/// change of any transaction.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Kinds(u16);

const TRANSACTION_WORD: &str = "transaction";

const fn bit(kind: ChangeKind) -> u16 {
    1 << kind as u16
}

impl Kinds {
    /// No kind.
    pub const NONE: Self = Self(0);

    /// Every change of a transaction, and nothing else.
    pub const TRANSACTION: Self = Self(1 << ChangeKind::ALL.len());

    /// Every kind.
    pub const ALL: Self = Self((1 << (ChangeKind::ALL.len() + 1)) - 1);

    /// This kind alone.
    pub const fn of(kind: ChangeKind) -> Self {
        Self(bit(kind))
    }

    /// These kinds and those.
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether this kind is in the set.
    pub const fn contains(self, kind: ChangeKind) -> bool {
        self.0 & bit(kind) != 0
    }

    /// Whether a change of this kind is wanted, alone or as a part of a transaction.
    pub const fn wants(self, kind: ChangeKind, in_transaction: bool) -> bool {
        self.contains(kind) || in_transaction && self.0 & Self::TRANSACTION.0 != 0
    }
}

impl Default for Kinds {
    fn default() -> Self {
        Self::ALL
    }
}

impl From<ChangeKind> for Kinds {
    fn from(kind: ChangeKind) -> Self {
        Self::of(kind)
    }
}

impl FromIterator<ChangeKind> for Kinds {
    fn from_iter<I: IntoIterator<Item = ChangeKind>>(kinds: I) -> Self {
        kinds
            .into_iter()
            .fold(Self::NONE, |set, kind| set.and(kind.into()))
    }
}

/// Reads words with commas between them: `value,attrs`.
impl FromStr for Kinds {
    type Err = KindsError;

    fn from_str(text: &str) -> Result<Self, KindsError> {
        let mut kinds = Self::NONE;
        let mut at = 0;
        for word in text.split(',') {
            let kind = ChangeKind::ALL
                .into_iter()
                .find(|kind| kind.as_str() == word);
            kinds = kinds.and(match kind {
                Some(kind) => kind.into(),
                None if word == TRANSACTION_WORD => Self::TRANSACTION,
                None => return Err(KindsError::new(at)),
            });
            at += word.len() + 1;
        }
        Ok(kinds)
    }
}

impl fmt::Display for Kinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = ChangeKind::ALL
            .into_iter()
            .filter(|kind| self.contains(*kind));
        let transaction = (self.0 & Self::TRANSACTION.0 != 0).then_some(TRANSACTION_WORD);
        let words: Vec<_> = kinds.map(ChangeKind::as_str).chain(transaction).collect();
        f.pad(&words.join(","))
    }
}

impl fmt::Debug for Kinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kinds({self})")
    }
}
