//! Why a store cannot use what it was given.

use std::error::Error;
use std::fmt;

/// What the caller can do about a [`StoreError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// What came back from the log is not what a store wrote. Verify the directory.
    Corrupt,
    /// Over a limit.
    TooLarge,
    /// The configuration cannot work.
    Config,
}

/// A log that is no store's, or a configuration that cannot work.
#[derive(Debug)]
pub struct StoreError {
    kind: StoreErrorKind,
    what: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl StoreError {
    pub(crate) fn new(kind: StoreErrorKind, what: impl Into<String>) -> Self {
        Self {
            kind,
            what: what.into(),
            source: None,
        }
    }

    pub(crate) fn with_source(
        kind: StoreErrorKind,
        what: &str,
        source: impl Error + Send + Sync + 'static,
    ) -> Self {
        Self {
            kind,
            what: what.to_owned(),
            source: Some(Box::new(source)),
        }
    }

    /// What the caller can do.
    #[must_use]
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            StoreErrorKind::Corrupt => {
                write!(f, "the store's log cannot be replayed: {}", self.what)?
            }
            StoreErrorKind::TooLarge => write!(f, "too large: {}", self.what)?,
            StoreErrorKind::Config => write!(f, "{}", self.what)?,
        }
        match &self.source {
            Some(source) => write!(f, ": {source}"),
            None => Ok(()),
        }
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn Error + 'static))
    }
}
