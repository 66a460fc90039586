//! What a channel lacks, and why a message was not taken.

use core::fmt;

use bytes::Bytes;

use crate::{MESSAGE_BYTES_MAX, Missing};

/// A channel lacks what is required, and the link cannot add it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingError {
    list: Vec<Missing>,
}

impl MissingError {
    pub(crate) fn new(list: Vec<Missing>) -> Self {
        Self { list }
    }

    /// Everything that is missing; at least one thing.
    #[must_use]
    pub fn list(&self) -> &[Missing] {
        &self.list
    }
}

impl fmt::Display for MissingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the transport lacks what is required: ")?;
        for (at, missing) in self.list.iter().enumerate() {
            if at > 0 {
                f.write_str("; ")?;
            }
            match missing {
                Missing::FrameBytes {
                    needed,
                    frame_bytes_max,
                } => {
                    write!(f, "frames of {needed} bytes (limit {frame_bytes_max})")?;
                }
                Missing::Encryption => f.write_str("encryption")?,
                Missing::PointToPoint => f.write_str("a channel for each peer")?,
            }
        }
        Ok(())
    }
}

impl core::error::Error for MissingError {}

/// Why a message was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendErrorKind {
    /// There is no link session with this peer.
    NoSession,
    /// The session holds as much as it may. Wait for [`Writable`](crate::LinkOutput::Writable).
    Full,
    /// The message is longer than [`MESSAGE_BYTES_MAX`]. Retrying cannot help.
    TooLarge,
}

/// A message was not taken; nothing of it was or will be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendError {
    kind: SendErrorKind,
    message: Bytes,
}

impl SendError {
    pub(crate) const fn new(kind: SendErrorKind, message: Bytes) -> Self {
        Self { kind, message }
    }

    /// What can be done about it.
    #[must_use]
    pub const fn kind(&self) -> SendErrorKind {
        self.kind
    }

    /// The message, back.
    #[must_use]
    pub fn into_message(self) -> Bytes {
        self.message
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            SendErrorKind::NoSession => f.write_str("no link session with this peer"),
            SendErrorKind::Full => f.write_str("the link session holds as much as it may"),
            SendErrorKind::TooLarge => {
                write!(
                    f,
                    "message too large: {} bytes, limit {MESSAGE_BYTES_MAX}",
                    self.message.len()
                )
            }
        }
    }
}

impl core::error::Error for SendError {}
