//! What the driver is told, through one bounded queue.

use bytes::Bytes;
use dhlrs_engine::{CallId, Engine, Local};
use dhlrs_link::{LinkId, Side};
use dhlrs_transport::{Channel, TransportError};
use dhlrs_wire::{Delivery, Refusal, Reply};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

use crate::dialer::DialEnd;

/// Commands that wait for the driver.
pub(crate) const COMMANDS_MAX: usize = 1_024;

pub(crate) enum Command {
    /// A call of the process's own code.
    Call {
        call: CallId,
        local: Box<Local>,
        waiter: Waiter,
    },
    /// Runs between two inputs; it must not block.
    With(Box<dyn FnOnce(&mut Engine) + Send>),
    /// A channel was opened. `dial` is told how it ended, if we connected.
    Opened {
        channel: Box<dyn Channel>,
        side: Side,
        dial: Option<oneshot::Sender<DialEnd>>,
    },
    /// A frame came. The permit is the room that it takes in this queue.
    Frame {
        link: LinkId,
        bytes: Bytes,
        permit: OwnedSemaphorePermit,
    },
    /// Frames left a connection's queue.
    Sent { link: LinkId, frames: usize },
    /// A connection is closed or lost; `fault` is what the peer did wrong, if it did.
    Gone {
        link: LinkId,
        fault: Option<TransportError>,
    },
    /// Somebody asked for a connection who cannot have one.
    TurnedAway(TransportError),
    /// The node stops; answered when all that it owns has ended.
    Shutdown(oneshot::Sender<()>),
}

/// Who waits for a call.
#[derive(Debug)]
pub(crate) enum Waiter {
    Read(oneshot::Sender<Result<Reply, Refusal>>),
    Write(oneshot::Sender<Result<Reply, Refusal>>),
    Watch {
        began: Option<oneshot::Sender<Result<Reply, Refusal>>>,
        pieces: mpsc::Sender<Delivery>,
    },
}

impl Waiter {
    /// Nobody waits any more, and nothing is lost if the call never begins.
    pub(crate) fn is_moot(&self) -> bool {
        match self {
            Self::Read(sender) => sender.is_closed(),
            Self::Write(_) => false,
            Self::Watch { pieces, .. } => pieces.is_closed(),
        }
    }

    pub(crate) fn refuse(self, refusal: Refusal) {
        let sender = match self {
            Self::Read(sender) | Self::Write(sender) => Some(sender),
            Self::Watch { began, .. } => began,
        };
        if let Some(sender) = sender {
            let _ = sender.send(Err(refusal));
        }
    }
}

impl std::fmt::Debug for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Call { .. } => "Call",
            Self::With(_) => "With",
            Self::Opened { .. } => "Opened",
            Self::Frame { .. } => "Frame",
            Self::Sent { .. } => "Sent",
            Self::Gone { .. } => "Gone",
            Self::TurnedAway(_) => "TurnedAway",
            Self::Shutdown(_) => "Shutdown",
        })
    }
}
