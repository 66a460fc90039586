//! What a caller wants changed, before anybody has judged it.

use dhlrs_bag::{GuardedEdit, MsgId, SubscriberId};
use dhlrs_clock::Stamp;
use dhlrs_codec::bounded_vec;
use serde::{Deserialize, Serialize};

use crate::other_event::OtherEvent;
use crate::refusal::Refusal;
use crate::revision::{Incarnation, Revision};

/// A reason is a note for people and filters.
pub const REASON_BYTES_MAX: usize = 256;
/// Subscribers that an intent may have passed on its way, on all nodes. One more is a loop.
pub const CAUSE_MAX: usize = 16;
/// Edits of one intent.
pub const EDITS_MAX: usize = 4_096;
/// Events of other kinds in one intent.
pub const EMITTED_MAX: usize = 4_096;
/// Refusals that the answer to a batch lists.
pub const FIRST_SKIPPED_MAX: usize = 8;

/// An envelope around edits of one store.
///
/// With [`atomic`](Self::atomic) the edits are a transaction: each is judged on the state that the
/// previous ones left, and one refusal refuses all. Without, refused edits are skipped and counted
/// (how an import travels). Either way they make one revision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Intent {
    /// Names the intent for ever: session and counter. Applied once, however often it arrives.
    pub msg_id: MsgId,
    /// What to do to the tree, at most [`EDITS_MAX`]. An intent without edits has events.
    #[serde(deserialize_with = "bounded_vec::<_, _, EDITS_MAX>")]
    pub edits: Vec<GuardedEdit>,
    /// All or nothing, or as many as can be.
    pub atomic: bool,
    /// The incarnation that `if_revision` counts in; with another one it does not hold.
    pub incarnation: Option<Incarnation>,
    /// A note that travels with the change, at most [`REASON_BYTES_MAX`].
    pub reason: Option<String>,
    /// When the source made the intent, by its own clock.
    pub stamp: Stamp,
    /// The subscribers whose reaction this is, oldest first, at most [`CAUSE_MAX`].
    #[serde(deserialize_with = "bounded_vec::<_, _, CAUSE_MAX>")]
    pub cause: Vec<SubscriberId>,
    /// Events of kinds that the tree does not know, after the edits, at most [`EMITTED_MAX`]. Only replicated stores
    /// take them.
    #[serde(deserialize_with = "bounded_vec::<_, _, EMITTED_MAX>")]
    pub emitted: Vec<OtherEvent>,
}

/// How an intent ended that was not refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Written {
    /// The revision that the intent made, or the present one if it had no effect.
    pub revision: Revision,
    /// Nodes of a batch that were refused and skipped; 0 where the intent was atomic.
    pub skipped: u64,
    /// The first of those refusals, at most [`FIRST_SKIPPED_MAX`]; each names its path.
    #[serde(deserialize_with = "bounded_vec::<_, _, FIRST_SKIPPED_MAX>")]
    pub first_skipped: Vec<Refusal>,
}
