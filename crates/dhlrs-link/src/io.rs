//! What goes into the machine and what comes out.

use std::sync::Arc;

use bytes::Bytes;
use dhlrs_identity::PublicKey;

use crate::{Capability, Ending, LinkId, Peer};

/// Who opened a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Side {
    /// We did.
    Connected {
        /// The key that must answer; any if `None`.
        key: Option<PublicKey>,
        /// Who answered here the last time, so that its session can go on.
        last: Option<Arc<Peer>>,
    },
    /// The peer did.
    Accepted {
        /// Whether the listener takes anybody, listed or not.
        open: bool,
    },
}

impl Side {
    /// We connected, to whoever answers, for the first time.
    #[must_use]
    pub const fn connected() -> Self {
        Self::Connected {
            key: None,
            last: None,
        }
    }
}

/// What happened.
#[derive(Clone, Debug)]
pub enum LinkInput {
    /// A channel is open.
    Opened {
        /// Its number, new.
        link: LinkId,
        /// What it promises.
        capability: Capability,
        /// Who opened it.
        side: Side,
    },
    /// A frame came.
    Frame {
        /// From where.
        link: LinkId,
        /// All of it.
        bytes: Bytes,
    },
    /// Frames left the driver's queue.
    Sent {
        /// Which queue.
        link: LinkId,
        /// How many, the oldest first.
        frames: usize,
    },
    /// A channel is closed or lost.
    Closed {
        /// Which.
        link: LinkId,
    },
    /// The time of [`Links::deadline`](crate::Links::deadline) has come. Early or needless ones do no harm.
    Tick,
}

/// What to do, or to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkOutput {
    /// Put a frame into the driver's queue and report when it has left.
    Send {
        /// Which queue.
        link: LinkId,
        /// The frame.
        frame: Bytes,
    },
    /// Close the channel, once what was put into its queue has left.
    Close {
        /// Which.
        link: LinkId,
    },
    /// A connection is established. Comes once for a link, before its messages.
    Up {
        /// The link.
        link: LinkId,
        /// Who is there.
        peer: Arc<Peer>,
        /// The peer's wall clock when it greeted, in milliseconds.
        clock_ms: u64,
        /// Whether the session of an earlier connection goes on; else it is a new one.
        resumed: bool,
    },
    /// A message came: in order, once.
    Message {
        /// From whom.
        peer: Arc<Peer>,
        /// The message.
        message: Bytes,
    },
    /// A connection has ended. Comes once for each one that was opened.
    Down {
        /// The link.
        link: LinkId,
        /// Who was there, if it was proven.
        peer: Option<Arc<Peer>>,
        /// Whether [`Up`](Self::Up) came before.
        was_up: bool,
        /// How.
        ending: Ending,
    },
    /// A link session has ended, and with it all that it held.
    SessionLost {
        /// With whom.
        peer: Arc<Peer>,
        /// Messages that were sent and not acknowledged: the peer may have taken them or not.
        unknown_messages: u64,
        /// Messages that were never sent.
        unsent_messages: u64,
    },
    /// A session that refused a message as [`Full`](crate::SendErrorKind::Full) has room again.
    Writable {
        /// With whom.
        peer: Arc<Peer>,
    },
}
