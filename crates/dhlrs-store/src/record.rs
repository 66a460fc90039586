//! What a store writes to its log, and what it reads back.

use dhlrs_bag::{Meta, NodeId, Op};
use dhlrs_codec as codec;
use dhlrs_feed::{Epoch, FeedEnd, FeedId, ForkProof, OwnRecord, SealRecord, StoreId};
use dhlrs_wire::Incarnation;
use serde::{Deserialize, Serialize};

use crate::error::{StoreError, StoreErrorKind};
use crate::forward::ForwardId;
use crate::replica::drafts::{Draft, DraftId};
use crate::session::{Opener, SessionId};

/// One encoded record. An intent of 1 MiB becomes ops and an answer of somewhat more.
pub const RECORD_BYTES_MAX: usize = 4 << 20;

/// One step of a store's history. Replaying all of them rebuilds head, sessions and forwards.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Record {
    /// A new life of the log begins: sessions are forgotten, revisions go on.
    Incarnation(Incarnation),
    /// A change, with the answer to whoever asked for it.
    Change {
        meta: Meta,
        transaction: bool,
        ops: Vec<Op>,
        /// Bound nodes that are their own from here on.
        materialised: Vec<NodeId>,
        answer: Option<SessionAnswer>,
    },
    /// A request that changed nothing: refused, or without effect. Its counter is used all the same.
    Answer(SessionAnswer),
    /// Bound nodes became their own, and nothing that is stored changed.
    Materialised(Vec<NodeId>),
    SessionOpened {
        session: SessionId,
        opener: Opener,
    },
    SessionClosed {
        session: SessionId,
    },
    /// A forward was configured for the first time and begins after this revision.
    ForwardBegan {
        forward: ForwardId,
        revision: u64,
    },
    /// The forward's messages are counted in this session from here on.
    ForwardSession {
        forward: ForwardId,
        session: SessionId,
    },
    /// Every message of the forward up to this place has been answered.
    ForwardAnswered {
        forward: ForwardId,
        counter: u64,
        revision: u64,
        sent_of_next: u64,
        answered_ahead: u64,
        refused: u64,
    },
    /// More waited for the forward's target than may be kept.
    ForwardStopped {
        forward: ForwardId,
    },
    /// The forward is configured no longer, and its cursor forgotten.
    ForwardEnded {
        forward: ForwardId,
    },
    /// The store is a replica of this one. Right after the first incarnation.
    Replica(StoreId),
    /// Events of the replica's own, with the answer to whoever asked for them.
    Own(Box<OwnChange>),
    /// Own events logged before were signed as a run.
    Sealed(SealRecord),
    /// What other replicas sent, or what became of it when time had passed.
    Merged {
        /// Of what it changed; the present one if it changed nothing.
        revision: u64,
        /// The time at which it was reduced: a replay then holds the same events.
        now_ms: u64,
        parts: Vec<Merged>,
    },
    /// All drafts that there were are forgotten.
    DraftsDropped,
}

/// What became of an intent of a replicated store.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct OwnChange {
    pub(crate) meta: Meta,
    pub(crate) transaction: bool,
    /// The time at which it was reduced.
    pub(crate) now_ms: u64,
    /// The first event begins a feed.
    pub(crate) begins: Option<Epoch>,
    pub(crate) written: Vec<OwnWritten>,
    /// Bound nodes that are their own from here on.
    pub(crate) materialised: Vec<NodeId>,
    pub(crate) answer: Option<SessionAnswer>,
    /// Drafts that were written again with it.
    pub(crate) applies: Vec<DraftId>,
}

/// One transaction of own events, after the run that had to be signed before it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct OwnWritten {
    pub(crate) sealed: Option<SealRecord>,
    pub(crate) record: OwnRecord,
}

/// One thing that a replica takes in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Merged {
    /// A run, whole.
    Run { feed: FeedId, bytes: Vec<u8> },
    /// The proof of a fork.
    Proof(Box<ForkProof>),
    /// What is kept of own events that are void, from a log that was damaged.
    Draft { id: DraftId, draft: Box<Draft> },
    /// The own feed takes no more events: the next one begins another. What was not signed yet, and
    /// with an end all above that, is void.
    Left(Left),
}

/// The own feed is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Left {
    pub(crate) why: Leaving,
    /// Where the next feed is to close it, if it is.
    pub(crate) end: Option<Option<FeedEnd>>,
    /// The first event that cannot have left this process.
    pub(crate) unsent: u64,
}

/// Why a replica goes on in another feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Leaving {
    /// A backup was put back, or the log has lost something.
    Restored,
    /// Somebody has signed events of the feed that this replica does not know.
    Overtaken,
    /// The feed was forked.
    Forked,
    /// Its last stamps are from the future: the clock was wrong.
    ClockMended,
}

/// The answer to one counter of a request session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SessionAnswer {
    pub(crate) session: SessionId,
    pub(crate) counter: u64,
    pub(crate) answer: Vec<u8>,
}

impl Record {
    /// The revision of a record that may change the tree.
    pub(crate) fn changes_to(&self) -> Option<u64> {
        match self {
            Self::Change { meta, .. } => Some(meta.revision),
            Self::Own(change) => Some(change.meta.revision),
            Self::Merged { revision, .. } => Some(*revision),
            _ => None,
        }
    }

    pub(crate) fn encode(&self) -> Result<Vec<u8>, StoreError> {
        codec::encode(self, RECORD_BYTES_MAX)
            .map_err(|error| StoreError::with_source(StoreErrorKind::TooLarge, "log record", error))
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, StoreError> {
        codec::decode(bytes, RECORD_BYTES_MAX)
            .map_err(|error| StoreError::with_source(StoreErrorKind::Corrupt, "log record", error))
    }
}
