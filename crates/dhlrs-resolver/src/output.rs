//! What a read comes to, and what the owner has to carry out.

use std::fmt;
use std::sync::Arc;

use dhlrs_bag::Content;

use crate::call::{Call, Slot};
use crate::error::ResolveError;

/// One resolution, from its first call to its answer. Never used twice by one
/// [`Resolvers`](crate::Resolvers).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlightId(pub(crate) u64);

impl fmt::Display for FlightId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "flight {}", self.0)
    }
}

/// What a read gets.
pub type Resolution = Result<Arc<Content>, ResolveError>;

/// What a read comes to at once.
#[derive(Clone, Debug, PartialEq)]
pub enum Read {
    /// The answer: from the cache, or why there will be none.
    Ready(Resolution),
    /// An [`Output::Answer`] will follow.
    Pending,
}

/// What the owner has to carry out, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Run the resolver. Its end comes back through
    /// [`Resolvers::resolved`](crate::Resolvers::resolved). A retry starts the same flight again,
    /// never while its last call is out.
    Start {
        /// The flight.
        flight: FlightId,
        /// What to run.
        call: Call,
    },
    /// Nobody waits for the call any more. Its result will be ignored.
    Cancel {
        /// The flight.
        flight: FlightId,
    },
    /// A pending read has its answer.
    Answer {
        /// Who asked.
        reader: u64,
        /// What it gets.
        result: Resolution,
    },
    /// The result enters the tree as an overlay on the node.
    Store {
        /// The node.
        slot: Slot,
        /// The overlay.
        content: Arc<Content>,
    },
    /// The overlay of the last `Store` is no longer the node's value: it was invalidated, its
    /// parameters changed, it was evicted, or forgotten. It may be gone from the tree already.
    Unstore {
        /// The node.
        slot: Slot,
    },
    /// The refresh interval of the node is over. Call
    /// [`Resolvers::revalidate`](crate::Resolvers::revalidate) with what the node is now.
    Due {
        /// The node.
        slot: Slot,
    },
    /// A flight failed for good, whoever was waiting. For logs and counters; the readers were
    /// answered.
    Failed {
        /// The node.
        slot: Slot,
        /// Why.
        error: ResolveError,
    },
}
