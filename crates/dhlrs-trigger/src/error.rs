//! Why a subscription, a list of kinds or a place in the window was refused.

use std::error::Error;
use std::fmt;

use crate::kinds::Kinds;
use crate::triggers::SUBSCRIPTIONS_MAX;

/// A subscription that was not made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscribeError {
    kind: SubscribeErrorKind,
}

/// Why the subscription was not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SubscribeErrorKind {
    /// There are [`SUBSCRIPTIONS_MAX`] already.
    TooMany,
    /// The key is in use.
    KeyInUse,
}

impl SubscribeError {
    pub(crate) const fn new(kind: SubscribeErrorKind) -> Self {
        Self { kind }
    }

    /// Why it was not made.
    pub const fn kind(&self) -> SubscribeErrorKind {
        self.kind
    }
}

impl fmt::Display for SubscribeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            SubscribeErrorKind::TooMany => {
                write!(
                    f,
                    "too many subscriptions: limit {SUBSCRIPTIONS_MAX} a store"
                )
            }
            SubscribeErrorKind::KeyInUse => f.write_str("the key of the subscription is in use"),
        }
    }
}

impl Error for SubscribeError {}

/// A text that is no list of kinds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KindsError {
    at: usize,
}

impl KindsError {
    pub(crate) const fn new(at: usize) -> Self {
        Self { at }
    }

    /// The byte at which the first unknown word begins.
    pub const fn at(&self) -> usize {
        self.at
    }
}

impl fmt::Display for KindsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "unknown kind of change (at byte {}); known: {}",
            self.at,
            Kinds::ALL
        )
    }
}

impl Error for KindsError {}

/// What a window could not take or give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WindowError {
    kind: WindowErrorKind,
}

/// What the window could not take or give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WindowErrorKind {
    /// The revision to begin at is no longer kept. Begin at `oldest` or later, and read the tree.
    Compacted {
        /// The oldest revision that is kept.
        oldest: u64,
    },
    /// The revision to begin at is beyond the next one: it belongs to another history.
    Beyond {
        /// The next revision.
        next: u64,
    },
    /// What was pushed is older than what is kept.
    OutOfOrder {
        /// The next revision.
        next: u64,
        /// The revision that was pushed.
        found: u64,
    },
}

impl WindowError {
    pub(crate) const fn new(kind: WindowErrorKind) -> Self {
        Self { kind }
    }

    /// What is wrong.
    pub const fn kind(&self) -> WindowErrorKind {
        self.kind
    }
}

impl fmt::Display for WindowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            WindowErrorKind::Compacted { oldest } => {
                write!(f, "compacted: the oldest revision that is kept is {oldest}")
            }
            WindowErrorKind::Beyond { next } => {
                write!(f, "the revision is beyond the next one, which is {next}")
            }
            WindowErrorKind::OutOfOrder { next, found } => {
                write!(
                    f,
                    "revision {found} came after it was due: the next one is {next}"
                )
            }
        }
    }
}

impl Error for WindowError {}
