//! Why a checkpoint was refused.

use core::fmt;

use dhlrs_codec::{DecodeError, EncodeError};

/// Why a checkpoint was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CheckpointErrorKind {
    /// It is longer than [`CHECKPOINT_BYTES_MAX`](crate::CHECKPOINT_BYTES_MAX).
    TooLarge,
    /// The bytes are none.
    Malformed,
}

/// A checkpoint was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckpointError {
    reason: Reason,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Reason {
    Encode(EncodeError),
    Decode(DecodeError),
    Tree,
}

impl CheckpointError {
    pub(crate) const fn encode(source: EncodeError) -> Self {
        Self {
            reason: Reason::Encode(source),
        }
    }

    pub(crate) const fn decode(source: DecodeError) -> Self {
        Self {
            reason: Reason::Decode(source),
        }
    }

    pub(crate) const fn tree() -> Self {
        Self {
            reason: Reason::Tree,
        }
    }

    /// What was wrong.
    #[must_use]
    pub const fn kind(&self) -> CheckpointErrorKind {
        match self.reason {
            Reason::Encode(_) => CheckpointErrorKind::TooLarge,
            Reason::Decode(_) | Reason::Tree => CheckpointErrorKind::Malformed,
        }
    }
}

impl fmt::Display for CheckpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.reason {
            Reason::Encode(_) => "checkpoint not encoded",
            Reason::Decode(_) => "no checkpoint in these bytes",
            Reason::Tree => "no checkpoint in these bytes: a bag node stands outside the tree",
        })
    }
}

impl core::error::Error for CheckpointError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match &self.reason {
            Reason::Encode(source) => Some(source),
            Reason::Decode(source) => Some(source),
            Reason::Tree => None,
        }
    }
}
