//! Why something is refused: a kind for code, and for people the place and the limit.

use std::{error, fmt};

use dhlrs_path::{DEPTH_MAX, PATH_BYTES_MAX, ParsePathError, Path};

use crate::{
    ATTRIBUTES_MAX, BRANCH_NODES_MAX, LIST_ITEMS_MAX, Label, NODE_BYTES_MAX, SORT_TERMS_MAX,
    VALUE_BYTES_MAX,
};

/// Why an edit was refused. Nothing has changed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EditError {
    kind: EditErrorKind,
    path: Path<'static>,
    source: Option<ParsePathError>,
}

/// The kinds of [`EditError`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum EditErrorKind {
    /// A node that the edit needs is not there.
    Missing,
    /// Another node has that path already.
    Exists,
    /// A bag cannot be moved into itself.
    Cycle,
    /// The precondition does not hold. Read again, then decide.
    PreconditionFailed,
    /// A scalar stands on the way; `overwrite` makes a bag of it.
    ThroughScalar,
    /// The position names a sibling or an index that is not there.
    BadPosition,
    /// Only a bag can be sorted, cleared or replaced; only a bag or a Null can be moved into.
    NotABag,
    /// A value, or a node with its attributes, is too large.
    TooLarge,
    /// The node, or one below it, would be too deep.
    TooDeep,
    /// The path of the node, or of one below it, would be too long.
    PathTooLong,
    /// The node would have too many attributes.
    TooManyAttributes,
    /// The node has a resolver; replace or remove that in the same edit.
    ResolverGuard,
    /// The node is an overlay or lies below one; materialise that first.
    UnderOverlay,
    /// The path cannot be used so: a query where none belongs, the root where a node is meant.
    BadPath,
    /// Something else is beyond its limit.
    Limit,
}

impl EditError {
    pub(crate) fn new(kind: EditErrorKind, path: Path<'static>) -> Self {
        Self {
            kind,
            path,
            source: None,
        }
    }

    pub(crate) fn from_path(error: ParsePathError) -> Self {
        Self {
            kind: EditErrorKind::BadPath,
            path: Path::default(),
            source: Some(error),
        }
    }

    /// What can be done about it.
    pub const fn kind(&self) -> EditErrorKind {
        self.kind
    }

    /// The node that is in the way, not always the one that was asked for.
    pub const fn path(&self) -> &Path<'static> {
        &self.path
    }

    // What a path cannot be used for, if it is one.
    fn misuse(&self) -> &'static str {
        if self.path.query().is_some() {
            "this names attributes: only one at a time can be written, and only bag nodes can be moved, renamed or \
             invalidated"
        } else if self.path.is_root() {
            "takes no value and no resolver, and cannot be moved, renamed or removed"
        } else {
            "its last step must be a label, and nothing is above the root"
        }
    }
}

impl fmt::Display for EditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(source) = &self.source {
            return write!(f, "not a path: {source}");
        }
        match self.path.as_str() {
            "" => f.write_str("the root: ")?,
            path => write!(f, "{path}: ")?,
        }
        match self.kind {
            EditErrorKind::Missing => f.write_str("missing"),
            EditErrorKind::Exists => f.write_str("exists already"),
            EditErrorKind::Cycle => f.write_str("cannot be moved into itself"),
            EditErrorKind::PreconditionFailed => f.write_str("the precondition does not hold"),
            EditErrorKind::ThroughScalar => {
                f.write_str("holds a scalar and has no children; overwrite makes a bag of it")
            }
            EditErrorKind::BadPosition => {
                f.write_str("the position names a sibling that is not there")
            }
            EditErrorKind::NotABag => {
                f.write_str("holds a value and is no bag; choose a bag, or remove the value first")
            }
            EditErrorKind::TooLarge => write!(
                f,
                "too large: a value may take {VALUE_BYTES_MAX} bytes, \
                 a node with its attributes {NODE_BYTES_MAX}"
            ),
            EditErrorKind::TooDeep => write!(f, "too deep, limit {DEPTH_MAX}"),
            EditErrorKind::PathTooLong => write!(f, "path too long, limit {PATH_BYTES_MAX} bytes"),
            EditErrorKind::TooManyAttributes => {
                write!(f, "too many attributes, limit {ATTRIBUTES_MAX}")
            }
            EditErrorKind::ResolverGuard => {
                f.write_str("has a resolver; replace or remove it in the same edit")
            }
            EditErrorKind::UnderOverlay => {
                f.write_str("is resolved or derived; materialise it before writing there")
            }
            EditErrorKind::BadPath => f.write_str(self.misuse()),
            EditErrorKind::Limit => write!(
                f,
                "beyond a limit: {BRANCH_NODES_MAX} nodes a branch, {SORT_TERMS_MAX} sort terms"
            ),
        }
    }
}

impl error::Error for EditError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.source.as_ref().map(|source| source as _)
    }
}

/// Why a transaction was refused: one of its edits was. Nothing has changed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TransactionError {
    /// Which edit, from 0.
    pub index: usize,
    /// Why.
    pub error: EditError,
}

impl fmt::Display for TransactionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "edit {} of the transaction: {}", self.index, self.error)
    }
}

impl error::Error for TransactionError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        Some(&self.error)
    }
}

/// Why a draft was not committed: its bag has changed since it began, or is not its bag.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CommitError;

impl fmt::Display for CommitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the bag has changed since the draft began; begin again")
    }
}

impl error::Error for CommitError {}

/// Why something is no [`Value`](crate::Value).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ValueError {
    kind: ValueErrorKind,
}

/// The kinds of [`ValueError`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum ValueErrorKind {
    /// A list has too many items.
    ListTooLong,
    /// A list holds a list.
    NestedList,
    /// Not a decimal number, or one with too many digits.
    BadDecimal,
    /// Not a time of RFC 3339, or one beyond 1677 to 2262.
    BadTimestamp,
}

impl ValueError {
    pub(crate) const fn new(kind: ValueErrorKind) -> Self {
        Self { kind }
    }

    /// What is wrong with it.
    pub const fn kind(&self) -> ValueErrorKind {
        self.kind
    }
}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            ValueErrorKind::ListTooLong => write!(f, "list too long, limit {LIST_ITEMS_MAX} items"),
            ValueErrorKind::NestedList => f.write_str("a list cannot hold a list"),
            ValueErrorKind::BadDecimal => {
                f.write_str("not a decimal number of at most 96 bits and 28 decimal places")
            }
            ValueErrorKind::BadTimestamp => {
                f.write_str("not a time like 2026-01-31T12:00:00Z between the years 1677 and 2262")
            }
        }
    }
}

impl error::Error for ValueError {}

/// Why a row cannot stand where it is in a branch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BranchError {
    kind: BranchErrorKind,
    row: usize,
    label: Label,
}

/// The kinds of [`BranchError`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum BranchErrorKind {
    /// The bag has a node of that label already.
    DuplicateLabel,
    /// The row is more than one level deeper than the one before it.
    DepthSkipped,
    /// The row before it holds a value, so it has no children.
    BelowValue,
    /// Deeper than a tree may be.
    TooDeep,
    /// The branch is full.
    TooManyNodes,
}

impl BranchError {
    pub(crate) fn new(kind: BranchErrorKind, row: usize, label: Label) -> Self {
        Self { kind, row, label }
    }

    /// What is wrong with it.
    pub const fn kind(&self) -> BranchErrorKind {
        self.kind
    }

    /// Which row, from 0.
    pub const fn row(&self) -> usize {
        self.row
    }
}

impl fmt::Display for BranchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "row {} ({:?}): ", self.row, self.label)?;
        match self.kind {
            BranchErrorKind::DuplicateLabel => f.write_str("its bag has that label already"),
            BranchErrorKind::DepthSkipped => f.write_str("a level is missing above it"),
            BranchErrorKind::BelowValue => f.write_str("the row above it holds a value"),
            BranchErrorKind::TooDeep => write!(f, "too deep, limit {DEPTH_MAX}"),
            BranchErrorKind::TooManyNodes => write!(f, "too many nodes, limit {BRANCH_NODES_MAX}"),
        }
    }
}

impl error::Error for BranchError {}

/// Why a text is no [`Position`](crate::Position).
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum PositionError {
    /// It begins with none of `<`, `>`, `#`.
    Form,
    /// The index is no whole number without leading zeros.
    Index,
    /// The sibling's label is none.
    Label(ParsePathError),
}

impl fmt::Display for PositionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form => f.write_str("a position is <, >, #n, <label, >label, <#n or >#n"),
            Self::Index => f.write_str("an index is a whole number such as 0, 12 or -1"),
            Self::Label(_) => f.write_str("the sibling's label is not valid"),
        }
    }
}

impl error::Error for PositionError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Label(error) => Some(error),
            _ => None,
        }
    }
}

/// Why a text is no [`Column`](crate::Column).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ColumnError {
    /// It is none of the forms that there are.
    Form,
    /// The name of the attribute is none.
    Name(ParsePathError),
}

impl fmt::Display for ColumnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Form => "a column is #k, #v, #a, #a.NAME, #p or #n",
            Self::Name(_) => "the attribute's name is not valid",
        })
    }
}

impl error::Error for ColumnError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Name(error) => Some(error),
            Self::Form => None,
        }
    }
}

/// A text is no [`MsgId`](crate::MsgId).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MsgIdError;

impl fmt::Display for MsgIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a message id is 32 hex digits, a hyphen and a counter")
    }
}

impl error::Error for MsgIdError {}

/// Why rows are no image of a tree.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ImageError {
    kind: ImageErrorKind,
    row: usize,
}

/// The kinds of [`ImageError`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum ImageErrorKind {
    /// The first row must be the root, and no other may be.
    Root,
    /// The row's depth does not follow from the row before it, or is beyond the limit.
    Depth,
    /// The bag has a node of that label already.
    DuplicateLabel,
    /// A node of that id came before, or the id is of the space of overlays.
    BadId,
    /// The counter of the image has not yet given out the row's id.
    Counter,
}

impl ImageError {
    pub(crate) const fn new(kind: ImageErrorKind, row: usize) -> Self {
        Self { kind, row }
    }

    /// What is wrong with it.
    pub const fn kind(&self) -> ImageErrorKind {
        self.kind
    }

    /// Which row, from 0.
    pub const fn row(&self) -> usize {
        self.row
    }
}

impl fmt::Display for ImageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "row {} of the image: ", self.row)?;
        f.write_str(match self.kind {
            ImageErrorKind::Root => "the root must come first, and once",
            ImageErrorKind::Depth => "its depth does not follow from the row before it",
            ImageErrorKind::DuplicateLabel => "its bag has that label already",
            ImageErrorKind::BadId => "its id is taken or reserved",
            ImageErrorKind::Counter => "its id is beyond the counter",
        })
    }
}

impl error::Error for ImageError {}
