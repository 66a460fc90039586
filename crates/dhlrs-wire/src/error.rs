//! Why bytes are no message, or a message does not fit a frame.

use std::error::Error;
use std::fmt;

use dhlrs_codec::{DecodeError, EncodeError};

/// What the caller can do about a [`WireError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WireErrorKind {
    /// The bytes are no message of this version. Retrying cannot help.
    Malformed,
    /// The message is over [`MESSAGE_BYTES_MAX`](crate::MESSAGE_BYTES_MAX). Send less at once.
    TooLarge,
    /// A count inside the message is over its limit.
    OverLimit,
}

/// Bytes that are no message, or a message that cannot be sent.
#[derive(Debug)]
pub struct WireError {
    kind: WireErrorKind,
    what: &'static str,
    found: usize,
    limit: usize,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl WireError {
    pub(crate) fn over(what: &'static str, found: usize, limit: usize) -> Self {
        Self {
            kind: WireErrorKind::OverLimit,
            what,
            found,
            limit,
            source: None,
        }
    }

    pub(crate) fn decode(error: DecodeError, found: usize, limit: usize) -> Self {
        let kind = if found > limit {
            WireErrorKind::TooLarge
        } else {
            WireErrorKind::Malformed
        };
        Self {
            kind,
            what: "message",
            found,
            limit,
            source: Some(Box::new(error)),
        }
    }

    pub(crate) fn encode(error: EncodeError, limit: usize) -> Self {
        Self {
            kind: WireErrorKind::TooLarge,
            what: "message",
            found: 0,
            limit,
            source: Some(Box::new(error)),
        }
    }

    /// What the caller can do.
    #[must_use]
    pub fn kind(&self) -> WireErrorKind {
        self.kind
    }
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            what, found, limit, ..
        } = self;
        match self.kind {
            WireErrorKind::Malformed => write!(f, "not a message: {found} bytes")?,
            WireErrorKind::TooLarge => write!(f, "message too large: limit {limit} bytes")?,
            WireErrorKind::OverLimit => write!(f, "too many {what}: {found}, limit {limit}")?,
        }
        match &self.source {
            Some(source) => write!(f, ": {source}"),
            None => Ok(()),
        }
    }
}

impl Error for WireError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn Error + 'static))
    }
}
