//! Why a run was refused.

use core::fmt;

use dhlrs_codec::{DecodeError, EncodeError};
use dhlrs_identity::VerifyError;

use crate::{EventError, EventErrorKind, RUN_BYTES_MAX, RUN_EVENTS_MAX};

/// Why a run was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RunErrorKind {
    /// It is over a limit of bytes or events.
    TooLarge,
    /// The bytes are no run, or another spelling of one.
    Malformed,
    /// The author did not sign it, not here, or not for this store.
    BadSignature,
    /// An event's stamp is not above that of the event before.
    StampNotRising,
    /// What was logged does not continue what was logged before.
    OutOfPlace,
}

/// A run was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunError {
    reason: Reason,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Reason {
    Bytes(usize),
    Events(u64),
    Malformed(usize),
    Value { at: usize, source: DecodeError },
    Encode(EncodeError),
    Event(EventError),
    Signature(VerifyError),
    StampNotRising,
    OutOfPlace(u64),
}

impl RunError {
    const fn of(reason: Reason) -> Self {
        Self { reason }
    }

    pub(crate) const fn bytes(length: usize) -> Self {
        Self::of(Reason::Bytes(length))
    }

    pub(crate) const fn events(count: u64) -> Self {
        Self::of(Reason::Events(count))
    }

    pub(crate) const fn malformed(at: usize) -> Self {
        Self::of(Reason::Malformed(at))
    }

    pub(crate) const fn value(at: usize, source: DecodeError) -> Self {
        Self::of(Reason::Value { at, source })
    }

    pub(crate) const fn encode(source: EncodeError) -> Self {
        Self::of(Reason::Encode(source))
    }

    pub(crate) const fn event(source: EventError) -> Self {
        Self::of(Reason::Event(source))
    }

    pub(crate) const fn signature(source: VerifyError) -> Self {
        Self::of(Reason::Signature(source))
    }

    pub(crate) const fn stamp_not_rising() -> Self {
        Self::of(Reason::StampNotRising)
    }

    pub(crate) const fn out_of_place(seq: u64) -> Self {
        Self::of(Reason::OutOfPlace(seq))
    }

    /// What was wrong.
    #[must_use]
    pub fn kind(&self) -> RunErrorKind {
        match &self.reason {
            Reason::Bytes(_) | Reason::Events(_) | Reason::Encode(_) => RunErrorKind::TooLarge,
            Reason::Event(source) if source.kind() == EventErrorKind::TooLarge => {
                RunErrorKind::TooLarge
            }
            Reason::Malformed(_) | Reason::Value { .. } | Reason::Event(_) => {
                RunErrorKind::Malformed
            }
            Reason::Signature(_) => RunErrorKind::BadSignature,
            Reason::StampNotRising => RunErrorKind::StampNotRising,
            Reason::OutOfPlace(_) => RunErrorKind::OutOfPlace,
        }
    }
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reason {
            Reason::Bytes(length) => {
                write!(f, "run too large: {length} bytes, limit {RUN_BYTES_MAX}")
            }
            Reason::Events(count) => {
                write!(f, "run of {count} events, limit {RUN_EVENTS_MAX}")
            }
            Reason::Malformed(at) => write!(f, "malformed run: byte {at}"),
            Reason::Value { at, .. } => write!(f, "malformed value in a run: byte {at}"),
            Reason::Encode(_) => f.write_str("value not encoded"),
            Reason::Event(_) => f.write_str("event refused"),
            Reason::Signature(_) => f.write_str("run not signed by its author"),
            Reason::StampNotRising => {
                f.write_str("event refused: its stamp is not above the one before")
            }
            Reason::OutOfPlace(seq) => {
                write!(f, "logged events do not continue the feed: event {seq}")
            }
        }
    }
}

impl core::error::Error for RunError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match &self.reason {
            Reason::Value { source, .. } => Some(source),
            Reason::Encode(source) => Some(source),
            Reason::Event(source) => Some(source),
            Reason::Signature(source) => Some(source),
            _ => None,
        }
    }
}
