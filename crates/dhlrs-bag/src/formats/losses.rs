//! What a format had no room for: counted, and the first of it by path.

use std::fmt;

use dhlrs_path::Path;

use crate::{Label, branch::RowRef};

/// How many losses [`Losses`] lists by path; the others are counted.
pub const LOSSES_LISTED_MAX: usize = 32;

/// What a written document lacks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Losses {
    /// Attributes that are not in it.
    pub attributes: u64,
    /// Resolvers that are not in it.
    pub resolvers: u64,
    /// Values and attributes that are in it as text, without their type.
    pub values: u64,
    /// Texts in which characters were replaced that the format cannot hold.
    pub characters: u64,
    /// The first [`LOSSES_LISTED_MAX`] of them.
    pub first: Vec<Loss>,
}

/// One thing that a written document lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// The node, seen from the top of the document.
    pub path: Path<'static>,
    /// What of it.
    pub kind: LossKind,
}

/// The kinds of [`Loss`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LossKind {
    /// An attribute is left out.
    Attribute,
    /// The resolver is left out.
    Resolver,
    /// The value, or an attribute, became text.
    Type,
    /// Characters were replaced by U+FFFD.
    Characters,
}

impl Losses {
    /// Whether the document has everything.
    pub fn is_empty(&self) -> bool {
        self.attributes + self.resolvers + self.values + self.characters == 0
    }

    #[inline]
    pub(super) fn add(&mut self, kind: LossKind, count: u64, path: impl FnOnce() -> Path<'static>) {
        if count > 0 {
            self.count(kind, count, path);
        }
    }

    #[cold]
    fn count(&mut self, kind: LossKind, count: u64, path: impl FnOnce() -> Path<'static>) {
        let counter = match kind {
            LossKind::Attribute => &mut self.attributes,
            LossKind::Resolver => &mut self.resolvers,
            LossKind::Type => &mut self.values,
            LossKind::Characters => &mut self.characters,
        };
        *counter += count;
        if self.first.len() < LOSSES_LISTED_MAX {
            self.first.push(Loss { path: path(), kind });
        }
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            LossKind::Attribute => "attributes are left out",
            LossKind::Resolver => "the resolver is left out",
            LossKind::Type => "the type is lost",
            LossKind::Characters => "characters were replaced",
        };
        match self.path.is_root() {
            true => write!(f, "the top: {what}"),
            false => write!(f, "{}: {what}", self.path),
        }
    }
}

/// The open bags of a writer.
#[derive(Debug, Default)]
pub(super) struct Trail {
    above: Vec<Label>,
}

impl Trail {
    /// Takes note of the next row. Those that are no bags can be left out for [`Trail::path_of`].
    pub(super) fn row(&mut self, row: RowRef<'_>) {
        self.above.truncate(usize::from(row.depth));
        self.above.push(row.label.clone());
    }

    /// The path of the next row.
    pub(super) fn path_of(&self, row: RowRef<'_>) -> Path<'static> {
        let above = self.above.iter().take(usize::from(row.depth));
        Path::from_labels(above.chain([row.label])).unwrap_or_default()
    }

    /// The path of the last row.
    #[cfg(feature = "xml")]
    pub(super) fn path(&self) -> Path<'static> {
        // Within the limits of a tree these are a path; beyond them the place is not told.
        Path::from_labels(&self.above).unwrap_or_default()
    }
}
