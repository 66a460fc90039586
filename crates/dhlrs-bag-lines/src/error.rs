//! The error classes of the protocol, and what becomes of the errors of the crates below.

use std::fmt;

use dhlrs_bag::{BranchError, EditError, EditErrorKind, PositionError, ValueError, ValueErrorKind};
use dhlrs_path::ParsePathError;

/// Why a request was refused; in the reply its word is `err`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub enum ErrorClass {
    /// The node has a resolver, which has to be replaced or removed in the same request; or
    /// parameters were given to a node without one.
    ResolverGuard,
    /// Several attributes are written, and the values are not as many.
    AttrArity,
    /// A node cannot be made by an index or a search.
    IndexCreate,
    /// An index or a search on the way finds nothing.
    IndexMissing,
    /// The position is none, or names a sibling that is not there.
    BadPosition,
    /// A path is needed, and it is empty.
    EmptyPath,
    /// A path, a label or a value is none, or beyond a limit.
    Value,
    /// A value is of a type that does not fit.
    Type,
    /// What is there cannot be written in that format.
    Serialize,
    /// A handle, a node, a bag or a field of the request is missing.
    Missing,
    /// A resolver failed.
    Callback,
    /// A scalar stands on the way; `overwrite` makes a bag of it.
    ThroughScalar,
    /// The reference has no defined behaviour here.
    Internal,
    /// No such operation.
    UnknownOp,
    /// The line is no JSON object.
    BadJson,
}

impl ErrorClass {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ResolverGuard => "resolver-guard",
            Self::AttrArity => "attr-arity",
            Self::IndexCreate => "index-create",
            Self::IndexMissing => "index-missing",
            Self::BadPosition => "bad-position",
            Self::EmptyPath => "empty-path",
            Self::Value => "value",
            Self::Type => "type",
            Self::Serialize => "serialize",
            Self::Missing => "missing",
            Self::Callback => "callback",
            Self::ThroughScalar => "through-scalar",
            Self::Internal => "internal",
            Self::UnknownOp => "unknown-op",
            Self::BadJson => "bad-json",
        }
    }
}

impl fmt::Display for ErrorClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl std::error::Error for ErrorClass {}

impl From<EditError> for ErrorClass {
    fn from(error: EditError) -> Self {
        match error.kind() {
            EditErrorKind::Missing | EditErrorKind::NotABag => Self::Missing,
            EditErrorKind::ThroughScalar => Self::ThroughScalar,
            EditErrorKind::BadPosition => Self::BadPosition,
            EditErrorKind::ResolverGuard => Self::ResolverGuard,
            _ => Self::Value,
        }
    }
}

impl From<ParsePathError> for ErrorClass {
    fn from(_: ParsePathError) -> Self {
        Self::Value
    }
}

impl From<PositionError> for ErrorClass {
    fn from(_: PositionError) -> Self {
        Self::BadPosition
    }
}

impl From<BranchError> for ErrorClass {
    fn from(_: BranchError) -> Self {
        Self::Value
    }
}

impl From<ValueError> for ErrorClass {
    fn from(error: ValueError) -> Self {
        match error.kind() {
            ValueErrorKind::NestedList => Self::Type,
            _ => Self::Value,
        }
    }
}
