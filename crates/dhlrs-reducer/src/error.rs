//! Why a checkpoint or an intent was refused.

use core::fmt;

use dhlrs_bag::{EditError, EditErrorKind, Label};
use dhlrs_feed::{RunError, TRANSACTION_EVENTS_MAX};
use dhlrs_path::{DEPTH_MAX, Path};

use crate::TRANSACTION_BYTES_MAX;

use dhlrs_codec::{DecodeError, EncodeError};

/// Why a checkpoint or an image was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CheckpointErrorKind {
    /// It is longer than [`CHECKPOINT_BYTES_MAX`](crate::CHECKPOINT_BYTES_MAX).
    TooLarge,
    /// The bytes are none.
    Malformed,
}

/// A checkpoint or an image was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckpointError {
    reason: Reason,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Reason {
    Encode(EncodeError),
    Decode(DecodeError),
    Tree,
    Image(&'static str),
    Event(RunError),
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

    pub(crate) const fn event(source: RunError) -> Self {
        Self {
            reason: Reason::Event(source),
        }
    }

    pub(crate) const fn image(what: &'static str) -> Self {
        Self {
            reason: Reason::Image(what),
        }
    }

    /// What was wrong.
    #[must_use]
    pub const fn kind(&self) -> CheckpointErrorKind {
        match self.reason {
            Reason::Encode(_) => CheckpointErrorKind::TooLarge,
            Reason::Decode(_) | Reason::Tree | Reason::Image(_) | Reason::Event(_) => {
                CheckpointErrorKind::Malformed
            }
        }
    }
}

impl fmt::Display for CheckpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reason {
            Reason::Encode(_) => f.write_str("checkpoint not encoded"),
            Reason::Decode(_) => f.write_str("no checkpoint in these bytes"),
            Reason::Tree => {
                f.write_str("no checkpoint in these bytes: a bag node stands outside the tree")
            }
            Reason::Event(_) => f.write_str("no image of a reducer in these bytes: a stored event"),
            Reason::Image(what) => write!(f, "no image of a reducer in these bytes: {what}"),
        }
    }
}

impl core::error::Error for CheckpointError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match &self.reason {
            Reason::Encode(source) => Some(source),
            Reason::Decode(source) => Some(source),
            Reason::Event(source) => Some(source),
            Reason::Tree | Reason::Image(_) => None,
        }
    }
}

/// Why an intent becomes no events. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IntentErrorKind {
    /// The edit cannot be done, in a store of any kind.
    Edit(EditErrorKind),
    /// It takes more events or bytes than one transaction holds. Write it in parts.
    TooLarge,
    /// The bag node would be at home too deep, wherever it shows.
    TooDeep,
    /// A label ends in `~` and an id, as those of displaced bag nodes do.
    Reserved,
    /// Resolvers are not part of replicated stores: bind them where they are to run.
    Resolver,
    /// The bag is not the one that the reducer keeps up to date.
    Stale,
}

/// An intent was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IntentError {
    refusal: Refusal,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Refusal {
    Edit(EditError),
    TooLarge { events: usize, bytes: usize },
    TooDeep(Path<'static>),
    Reserved(Path<'static>, Label),
    Resolver(Path<'static>),
    Stale(Path<'static>),
}

impl IntentError {
    pub(crate) const fn edit(source: EditError) -> Self {
        Self {
            refusal: Refusal::Edit(source),
        }
    }

    pub(crate) const fn too_large(events: usize, bytes: usize) -> Self {
        Self {
            refusal: Refusal::TooLarge { events, bytes },
        }
    }

    pub(crate) const fn too_deep(bag: Path<'static>) -> Self {
        Self {
            refusal: Refusal::TooDeep(bag),
        }
    }

    pub(crate) const fn reserved(at: Path<'static>, label: Label) -> Self {
        Self {
            refusal: Refusal::Reserved(at, label),
        }
    }

    pub(crate) const fn resolver(at: Path<'static>) -> Self {
        Self {
            refusal: Refusal::Resolver(at),
        }
    }

    pub(crate) const fn stale(at: Path<'static>) -> Self {
        Self {
            refusal: Refusal::Stale(at),
        }
    }

    /// Why.
    #[must_use]
    pub const fn kind(&self) -> IntentErrorKind {
        match &self.refusal {
            Refusal::Edit(source) => IntentErrorKind::Edit(source.kind()),
            Refusal::TooLarge { .. } => IntentErrorKind::TooLarge,
            Refusal::TooDeep(_) => IntentErrorKind::TooDeep,
            Refusal::Reserved(..) => IntentErrorKind::Reserved,
            Refusal::Resolver(_) => IntentErrorKind::Resolver,
            Refusal::Stale(_) => IntentErrorKind::Stale,
        }
    }

    /// The refused edit as the tree says it.
    #[must_use]
    pub const fn as_edit(&self) -> Option<&EditError> {
        match &self.refusal {
            Refusal::Edit(source) => Some(source),
            _ => None,
        }
    }
}

impl fmt::Display for IntentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.refusal {
            Refusal::Edit(source) => source.fmt(f),
            Refusal::TooLarge { events, bytes } => write!(
                f,
                "too much for one transaction: {events} events and {bytes} bytes, limits {TRANSACTION_EVENTS_MAX} and {TRANSACTION_BYTES_MAX}"
            ),
            Refusal::TooDeep(bag) => write!(
                f,
                "too deep in {bag}: what is made there would be at home below {DEPTH_MAX} steps"
            ),
            Refusal::Reserved(at, label) => write!(
                f,
                "label {label:?} at {at}: a `~` and an id at the end are for what has lost its label"
            ),
            Refusal::Resolver(at) => {
                write!(
                    f,
                    "no resolver in a replicated store: {at}; bind one instead"
                )
            }
            Refusal::Stale(at) => write!(f, "not the tree that is kept up to date: {at}"),
        }
    }
}

impl core::error::Error for IntentError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match &self.refusal {
            // It is printed whole.
            Refusal::Edit(source) => source.source(),
            _ => None,
        }
    }
}
