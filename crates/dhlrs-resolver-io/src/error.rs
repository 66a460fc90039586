//! Why something could not be read.

use std::error::Error;
use std::fmt;

use dhlrs_resolver::{ResolveError, ResolveErrorKind};

/// Why something could not be read, or a configuration is refused.
#[derive(Debug)]
pub struct IoError {
    kind: IoErrorKind,
    message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// What a caller can do about an [`IoError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum IoErrorKind {
    /// The configuration cannot work.
    Config,
    /// A parameter is missing or is no text.
    Parameter,
    /// The configuration does not allow it: a variable, a path that leaves the root, a host, an
    /// address.
    NotAllowed,
    /// It is not there.
    NotFound,
    /// It is over a limit.
    TooLarge,
    /// It took longer than it may.
    Timeout,
    /// The other side could not be reached, or broke off. It may help to try again.
    Unavailable,
    /// The server answered, but not with success.
    Status,
    /// What came is not of the format that was asked for.
    BadContent,
    /// The operating system refused.
    Io,
}

impl IoError {
    pub(crate) fn new(kind: IoErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            source: None,
        }
    }

    pub(crate) fn because(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What can be done.
    #[must_use]
    pub fn kind(&self) -> IoErrorKind {
        self.kind
    }
}

impl fmt::Display for IoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.source {
            Some(source) => write!(f, ": {source}"),
            None => Ok(()),
        }
    }
}

impl Error for IoError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn Error + 'static))
    }
}

impl From<IoError> for ResolveError {
    fn from(error: IoError) -> Self {
        let kind = match error.kind {
            IoErrorKind::NotAllowed => ResolveErrorKind::Denied,
            IoErrorKind::Parameter => ResolveErrorKind::MissingAttribute,
            IoErrorKind::TooLarge => ResolveErrorKind::TooLarge,
            IoErrorKind::Timeout => ResolveErrorKind::Timeout,
            IoErrorKind::Unavailable => ResolveErrorKind::Unavailable,
            _ => ResolveErrorKind::Failed,
        };
        Self::new(kind, &error.to_string()).with_source(error)
    }
}
