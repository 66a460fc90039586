//! Why a file could not be imported.

use std::{error::Error, fmt, io};

/// What is wrong with a file, and where.
#[derive(Debug)]
pub struct ImportError {
    kind: ImportErrorKind,
    line: Option<u64>,
    pointer: Option<String>,
    detail: String,
    source: Option<io::Error>,
}

/// The kinds of [`ImportError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ImportErrorKind {
    /// The file could not be read.
    Io,
    /// The text is no JSON.
    NotJson,
    /// The text is no CSV, or its rows do not fit its header.
    NotCsv,
    /// A string, a number, a list or a record is over its limit.
    TooLarge,
    /// Nested deeper than a tree may be.
    TooDeep,
    /// A number that neither an integer nor a float of 64 bits holds.
    BadNumber,
    /// A key or a cell that cannot be a label.
    BadLabel,
    /// Two children of one bag have the same label.
    DuplicateLabel,
    /// A record lacks the field that should be its label.
    MissingKey,
    /// The document is JSON, but not of the typed form.
    BadShape,
}

impl ImportError {
    pub(crate) fn new(kind: ImportErrorKind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            line: None,
            pointer: None,
            detail: detail.into(),
            source: None,
        }
    }

    pub(super) fn io(source: io::Error) -> Self {
        Self {
            source: Some(source),
            ..Self::new(ImportErrorKind::Io, "cannot be read")
        }
    }

    pub(super) fn on_line(self, line: u64) -> Self {
        Self {
            line: Some(line),
            ..self
        }
    }

    pub(super) fn at_pointer(self, pointer: String) -> Self {
        Self {
            pointer: Some(pointer),
            ..self
        }
    }

    /// What kind of mistake it is.
    #[must_use]
    pub const fn kind(&self) -> ImportErrorKind {
        self.kind
    }

    /// The line of the file, counted from 1.
    #[must_use]
    pub const fn line(&self) -> Option<u64> {
        self.line
    }

    /// The JSON pointer (RFC 6901) of the value.
    #[must_use]
    pub fn pointer(&self) -> Option<&str> {
        self.pointer.as_deref()
    }
}

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        match self.pointer.as_deref() {
            None => {}
            Some("") => f.write_str("the document: ")?,
            Some(pointer) => write!(f, "{pointer}: ")?,
        }
        f.write_str(&self.detail)?;
        match &self.source {
            Some(source) => write!(f, ": {source}"),
            None => Ok(()),
        }
    }
}

impl Error for ImportError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|source| source as _)
    }
}
