//! The control log of a store with a root, as records; who signs them and how they travel is told elsewhere.

use dhlrs_bag::Label;
use dhlrs_identity::PublicKey;
use dhlrs_path::DEPTH_MAX;
use serde::{Deserialize, Serialize};

use crate::{EventError, FeedEnd, FeedId};

/// The most feeds that one Mark lists.
pub const MARK_FEEDS_MAX: usize = 65_536;

/// One record of the control log. Records are numbered from 1; the first opens the root's own feed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum ControlRecord {
    /// Opens a feed of an author that has none open; the record's number is its epoch.
    Open {
        /// The author.
        author: PublicKey,
        /// What it may write.
        capability: Capability,
    },
    /// Ends a feed: what stands above is void.
    Close {
        /// The feed.
        feed: FeedId,
        /// Its last event that counts; `None` if none does.
        end: Option<FeedEnd>,
        /// How many events the branches of a forked feed share; a dependency on a lost branch counts to there.
        fork: Option<u64>,
    },
    /// The point of history at which every replica compacts.
    Mark {
        /// The feeds that have advanced since the Mark before, and their ends.
        #[serde(deserialize_with = "dhlrs_codec::bounded_vec::<_, _, MARK_FEEDS_MAX>")]
        ends: Vec<(FeedId, FeedEnd)>,
    },
}

impl ControlRecord {
    /// The bytes of it.
    ///
    /// # Errors
    ///
    /// When it is too large.
    pub fn encode(&self) -> Result<Vec<u8>, EventError> {
        dhlrs_codec::encode(self, CONTROL_RECORD_BYTES_MAX).map_err(EventError::encode)
    }

    /// The record of these bytes. Never panics; memory and time are in proportion to the input.
    ///
    /// # Errors
    ///
    /// When they are none.
    pub fn decode(bytes: &[u8]) -> Result<Self, EventError> {
        dhlrs_codec::decode(bytes, CONTROL_RECORD_BYTES_MAX).map_err(EventError::decode)
    }
}

// A feed id, a length and a hash for each feed that a Mark may list.
const CONTROL_RECORD_BYTES_MAX: usize = MARK_FEEDS_MAX * 128;

/// What an author may write, judged by home paths, never by where something shows at the moment.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Capability {
    /// The labels with which the home path of what is written begins; none: everywhere.
    #[serde(deserialize_with = "dhlrs_codec::bounded_vec::<_, _, DEPTH_MAX>")]
    pub prefix: Vec<Label>,
}
