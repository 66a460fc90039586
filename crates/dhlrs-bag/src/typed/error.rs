//! Why a value is not of a type, or cannot be written.

use std::{error, fmt};

use dhlrs_path::{ParsePathError, Path};
use serde::{de, ser};

use crate::EditError;

/// What went wrong between a tree and a serde type, and at which path.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TypedError {
    kind: TypedErrorKind,
    path: Option<Path<'static>>,
    expected: Option<Box<str>>,
    detail: Box<str>,
    source: Option<Box<Source>>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Source {
    Path(ParsePathError),
    Edit(EditError),
}

/// The kinds of [`TypedError`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum TypedErrorKind {
    /// What is there is of another type.
    WrongType,
    /// A number that the type, or a tree, has no room for; a sequence of another length.
    OutOfRange,
    /// A field that the type wants is not there.
    MissingField,
    /// A field that the type does not have and does not ignore.
    UnknownField,
    /// No variant of the enum.
    UnknownVariant,
    /// A key that cannot be a label.
    BadLabel,
    /// Deeper or larger than a tree may be.
    TooLarge,
    /// The text is no path, or asks for several attributes.
    BadPath,
    /// The bag refused the write; see [`source`](std::error::Error::source).
    Refused,
    /// The type itself refused; the message is its own.
    Custom,
}

impl TypedError {
    pub(super) fn new(kind: TypedErrorKind, detail: impl fmt::Display) -> Self {
        Self {
            kind,
            path: None,
            expected: None,
            detail: detail.to_string().into(),
            source: None,
        }
    }

    fn expecting(self, expected: impl fmt::Display) -> Self {
        Self {
            expected: Some(expected.to_string().into()),
            ..self
        }
    }

    pub(super) fn of_path(cause: ParsePathError) -> Self {
        Self {
            source: Some(Box::new(Source::Path(cause))),
            ..Self::new(TypedErrorKind::BadPath, "this is no path")
        }
    }

    pub(super) fn many_attributes(path: &Path<'_>) -> Self {
        Self::new(TypedErrorKind::BadPath, "one attribute is read at a time").at(path)
    }

    pub(super) fn refused(cause: EditError) -> Self {
        Self {
            source: Some(Box::new(Source::Edit(cause))),
            ..Self::new(TypedErrorKind::Refused, "the bag refused it")
        }
    }

    /// The error, at this path unless it has one.
    pub(super) fn at(mut self, path: &Path<'_>) -> Self {
        if self.path.is_none() {
            self.path = Some(path.clone().into_owned());
        }
        self
    }

    /// The error, its path seen from a tree in which its top is at `base`.
    pub(super) fn below(mut self, base: &Path<'_>) -> Self {
        let base = base.without_query();
        let inner = self.path.take().unwrap_or_default();
        let whole = match (base.is_root(), inner.is_root()) {
            (true, _) => inner.as_str().to_owned(),
            (_, true) => base.as_str().to_owned(),
            _ => format!("{base}.{inner}"),
        };
        // Too long a path is told as far as its base.
        let whole = Path::parse(&whole).map(Path::into_owned);
        self.path = Some(whole.unwrap_or_else(|_| base.into_owned()));
        self
    }

    /// What kind of mistake it is.
    pub const fn kind(&self) -> TypedErrorKind {
        self.kind
    }

    /// Where in the tree.
    pub fn path(&self) -> Path<'static> {
        self.path.clone().unwrap_or_default()
    }

    /// What the type expected, where it said so.
    pub fn expected(&self) -> Option<&str> {
        self.expected.as_deref()
    }
}

impl fmt::Display for TypedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.path {
            Some(path) if !path.is_root() => write!(f, "{path}: ")?,
            _ => {}
        }
        f.write_str(&self.detail)?;
        match &self.expected {
            Some(expected) => write!(f, ", expected {expected}"),
            None => Ok(()),
        }
    }
}

impl error::Error for TypedError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self.source.as_deref() {
            Some(Source::Path(cause)) => Some(cause),
            Some(Source::Edit(cause)) => Some(cause),
            None => None,
        }
    }
}

impl de::Error for TypedError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(TypedErrorKind::Custom, message)
    }

    fn invalid_type(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::new(TypedErrorKind::WrongType, format_args!("there is {found}")).expecting(expected)
    }

    fn invalid_value(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::new(TypedErrorKind::OutOfRange, format_args!("there is {found}")).expecting(expected)
    }

    fn invalid_length(len: usize, expected: &dyn de::Expected) -> Self {
        Self::new(TypedErrorKind::OutOfRange, format_args!("there are {len}")).expecting(expected)
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self::new(
            TypedErrorKind::UnknownVariant,
            format_args!("there is the variant `{variant}`"),
        )
        .expecting(format_args!("one of {}", expected.join(", ")))
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self::new(
            TypedErrorKind::UnknownField,
            format_args!("there is the field `{field}`"),
        )
        .expecting(format_args!("one of {}", expected.join(", ")))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(
            TypedErrorKind::MissingField,
            format_args!("the field `{field}` is missing"),
        )
    }
}

impl ser::Error for TypedError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(TypedErrorKind::Custom, message)
    }
}
