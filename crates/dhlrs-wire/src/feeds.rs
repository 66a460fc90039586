//! What a replica says of its feeds.

use dhlrs_clock::Stamp;
use dhlrs_codec::bounded_vec;
use dhlrs_feed::{EventId, FeedId, StoreId};
use dhlrs_identity::PublicKey;
use dhlrs_path::NodeName;
use serde::{Deserialize, Serialize};

use crate::text;

/// Feeds on one page.
pub const FEEDS_ROWS_MAX: usize = 1_024;
/// Peers that one page tells of.
pub const FEED_PEERS_MAX: usize = 1_024;

/// The state of one replica of a store, and a page of its feeds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FeedsStatus {
    /// The store's id, the same for all who open it.
    pub store: StoreId,
    /// The feed that this replica writes, once it has written.
    pub own: Option<FeedId>,
    /// Equal on all replicas that have reduced the same events.
    pub state_hash: [u8; 32],
    /// All feeds that are held.
    pub feeds: u64,
    /// All events that are held.
    pub events: u64,
    /// Own writes that were voided and wait for a decision.
    pub drafts: u64,
    /// Bytes of signed events that wait for those before them.
    pub pending_bytes: u64,
    /// The replica takes no new feeds: it has as many as it may.
    pub is_full: bool,
    /// How far the clock in the middle is ahead of the own one, in milliseconds, where that is too far.
    pub clock_ahead_ms: Option<i64>,
    /// Messages of peers that were refused, of every kind, since the start.
    pub refused: u64,
    /// Feeds in the order of their names, at most [`FEEDS_ROWS_MAX`].
    #[serde(deserialize_with = "bounded_vec::<_, _, FEEDS_ROWS_MAX>")]
    pub rows: Vec<FeedRow>,
    /// Where to go on: the feed of the last row, while there are more.
    pub next: Option<FeedId>,
    /// The neighbours that hold the store too, at most [`FEED_PEERS_MAX`].
    #[serde(deserialize_with = "bounded_vec::<_, _, FEED_PEERS_MAX>")]
    pub peers: Vec<FeedPeer>,
}

/// One feed as a replica holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedRow {
    /// Whose it is, and which.
    pub feed: FeedId,
    /// Events that are on disk, own ones that are not signed yet included.
    pub held: u64,
    /// How many of them are reduced.
    pub reduced: u64,
    /// The id of the last one that is held.
    pub head: EventId,
    /// The greatest stamp of those that are reduced.
    pub stamp: Stamp,
    /// Events that a peer says it has above those.
    pub lag: u64,
    /// Whether it takes more.
    pub standing: FeedStanding,
    /// Events that wait until their stamps are no longer in the future.
    pub future: u64,
    /// Events that have no effect.
    pub void: u64,
    /// The clock of its author when it signed last, in milliseconds since 1970; 0 before.
    pub wall_ms: u64,
}

/// Whether a feed takes more events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FeedStanding {
    /// It does.
    Open,
    /// Its author has gone on in another one.
    Closed,
    /// Its author's key was used twice; there is a proof.
    Forked,
}

impl FeedStanding {
    /// The standing's name, as programs see it in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Forked => "forked",
        }
    }
}

/// A neighbour that holds the store too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedPeer {
    /// Its name.
    #[serde(with = "text")]
    pub node: NodeName,
    /// Its key.
    pub key: PublicKey,
    /// Whether it has said what it holds; until then the rest says nothing.
    pub is_known: bool,
    /// Events that it says it has and this replica has not.
    pub ahead: u64,
    /// Events that this replica has and it has not said it has.
    pub behind: u64,
}
