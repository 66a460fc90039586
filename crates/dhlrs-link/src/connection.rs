//! One open channel, and what its timers wait for.

use std::sync::Arc;

use bytes::Bytes;

use crate::handshake::{Handshake, Role};
use crate::outbox::Outbox;
use crate::{Additions, Config, LinkId, Peer, RETRANSMIT_MS_MIN, Side};

/// One open channel.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) side: Side,
    pub(crate) additions: Additions,
    pub(crate) outbox: Outbox,
    pub(crate) phase: Phase,
    /// When the last frame came, or the channel was opened.
    pub(crate) heard_ms: u64,
    /// When the peer was last asked whether it is there.
    pub(crate) asked_ms: u64,
    pub(crate) repeat: Option<Repeat>,
    /// The earliest time at which the timer of this connection stands.
    pub(crate) armed_ms: Option<u64>,
}

#[derive(Debug)]
pub(crate) enum Phase {
    Handshake(Handshake),
    Up(Arc<Peer>),
}

/// Frames of the greeting that nothing has answered yet, where they may be lost.
#[derive(Debug)]
pub(crate) struct Repeat {
    pub(crate) frames: Vec<Bytes>,
    pub(crate) wait_ms: u64,
    pub(crate) due_ms: u64,
}

impl Repeat {
    pub(crate) fn new(frames: Vec<Bytes>, now_ms: u64) -> Self {
        Self {
            frames,
            wait_ms: RETRANSMIT_MS_MIN,
            due_ms: now_ms + RETRANSMIT_MS_MIN,
        }
    }
}

impl Connection {
    pub(crate) fn new(
        link: LinkId,
        side: Side,
        additions: Additions,
        handshake: Handshake,
        now_ms: u64,
    ) -> Self {
        Self {
            side,
            additions,
            outbox: Outbox::new(link),
            phase: Phase::Handshake(handshake),
            heard_ms: now_ms,
            asked_ms: now_ms,
            repeat: None,
            armed_ms: None,
        }
    }

    pub(crate) fn role(&self) -> Role {
        match self.side {
            Side::Connected { .. } => Role::Connecting,
            Side::Accepted { .. } => Role::Accepting,
        }
    }

    /// Whether a frame that makes no sense may be the channel's fault and not the peer's.
    pub(crate) fn is_lossy(&self) -> bool {
        self.additions.retransmission
    }

    pub(crate) fn peer(&self) -> Option<&Arc<Peer>> {
        match &self.phase {
            Phase::Up(peer) => Some(peer),
            Phase::Handshake(_) => None,
        }
    }

    /// When something is to be done though nothing happens, apart from what the session wants.
    pub(crate) fn deadline_ms(&self, config: &Config) -> u64 {
        let own = match &self.phase {
            Phase::Handshake(handshake) => handshake.deadline_ms,
            Phase::Up(_) => self
                .question_ms(config)
                .min(self.heard_ms + config.silence_ms_max),
        };
        self.repeat
            .as_ref()
            .map_or(own, |repeat| own.min(repeat.due_ms))
    }

    pub(crate) fn question_ms(&self, config: &Config) -> u64 {
        self.heard_ms.max(self.asked_ms) + config.idle_ms_max
    }
}
