//! Why a document could not be read or written.

use std::{borrow::Cow, error::Error, fmt, io};

/// What is wrong with a document, and where.
#[derive(Debug)]
pub struct FormatError {
    kind: FormatErrorKind,
    line: Option<u64>,
    byte: Option<u64>,
    pointer: Option<Box<str>>,
    detail: Cow<'static, str>,
    source: Option<io::Error>,
}

/// The kinds of [`FormatError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FormatErrorKind {
    /// The input could not be read.
    Io,
    /// The bytes are not of the format: a syntax error, or they end too early.
    Syntax,
    /// The format's own syntax, used for what this crate never reads: an XML document type, say.
    Refused,
    /// A string, a number, a list, a node or the whole document is over its limit.
    TooLarge,
    /// More nodes than the limit of the read.
    TooManyNodes,
    /// Nested deeper than a tree may be.
    TooDeep,
    /// A number that neither an integer nor a float of 64 bits holds.
    BadNumber,
    /// A text that is no value of the type that is named beside it: no number, no time, no base64.
    BadValue,
    /// A value of a type that there is none of here: a calendar date, a map, a list in a list.
    NoType,
    /// A text that cannot be a label, or the name of an attribute.
    BadLabel,
    /// Two children of one bag have the same label.
    DuplicateLabel,
    /// A record lacks the field that should be its label.
    MissingKey,
    /// Two records have the same text in the field that should be their label.
    DuplicateKey,
    /// The syntax is right, but it does not say a tree.
    BadShape,
    /// The document is one value, where a bag is wanted.
    NotABag,
    /// Written by a later version of this format.
    UnknownVersion,
}

impl FormatError {
    /// An error without a place; for readers of further formats, which hand out
    /// `Item`s too.
    pub fn new(kind: FormatErrorKind, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind,
            line: None,
            byte: None,
            pointer: None,
            detail: detail.into(),
            source: None,
        }
    }

    /// That the input could not be read.
    pub fn io(source: io::Error) -> Self {
        Self {
            source: Some(source),
            ..Self::new(FormatErrorKind::Io, "cannot be read")
        }
    }

    /// The error, with the line that it is on, counted from 1.
    #[must_use]
    pub fn on_line(self, line: u64) -> Self {
        Self {
            line: Some(line),
            ..self
        }
    }

    /// The error, with the byte that it is at, counted from 0.
    #[must_use]
    pub fn at_byte(self, byte: u64) -> Self {
        Self {
            byte: Some(byte),
            ..self
        }
    }

    /// The error, with a pointer (RFC 6901) to the value.
    #[must_use]
    pub fn at_pointer(self, pointer: &str) -> Self {
        Self {
            pointer: Some(pointer.into()),
            ..self
        }
    }

    /// What kind of mistake it is.
    pub const fn kind(&self) -> FormatErrorKind {
        self.kind
    }

    /// The line of the document, counted from 1, where the format has lines.
    pub const fn line(&self) -> Option<u64> {
        self.line
    }

    /// About which byte of the document it was, counted from 0.
    pub const fn byte(&self) -> Option<u64> {
        self.byte
    }

    /// The JSON pointer (RFC 6901) of the value.
    pub fn pointer(&self) -> Option<&str> {
        self.pointer.as_deref()
    }
}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.line, self.byte) {
            (Some(line), _) => write!(f, "line {line}: ")?,
            (None, Some(byte)) => write!(f, "byte {byte}: ")?,
            (None, None) => {}
        }
        match self.pointer.as_deref() {
            None => {}
            Some("") => f.write_str("the document: ")?,
            Some(pointer) => write!(f, "{pointer}: ")?,
        }
        f.write_str(&self.detail)
    }
}

impl Error for FormatError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|source| source as _)
    }
}
