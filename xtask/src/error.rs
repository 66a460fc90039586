//! What can go wrong with a command, as one line for a person.

use std::{fmt, io, path::Path};

/// A command could not do its work. (A check that found something is no error but `false`.)
#[derive(Debug)]
pub struct XtaskError {
    message: String,
    source: Option<io::Error>,
}

impl XtaskError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            source: None,
        }
    }

    pub(crate) fn io(doing: &str, path: &Path, source: io::Error) -> Self {
        let message = format!("{doing} {}", path.display());
        Self {
            message,
            source: Some(source),
        }
    }
}

impl fmt::Display for XtaskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Some(source) => write!(f, "{}: {source}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for XtaskError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| source as _)
    }
}
