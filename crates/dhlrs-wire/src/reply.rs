//! What comes back.

use dhlrs_bag::NodeId;
use serde::{Deserialize, Serialize};

use crate::drafts::Drafts;
use crate::feeds::FeedsStatus;
use crate::history::HistoryPage;
use crate::intent::Written;
use crate::read::Page;
use crate::revision::Revision;
use crate::status::Status;

/// The answer to a [`Request`](crate::Request) that was not refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Reply {
    /// The session is open and on disk.
    Session {
        /// Names the session; chosen by the store.
        session: [u8; 16],
    },
    /// The change is on disk, or there was nothing to change.
    Written(Written),
    /// A page of a read.
    Page(Box<Page>),
    /// The watch is active: every revision from here on is delivered.
    Watching {
        /// The first revision that the stream will tell of.
        from: Revision,
        /// The node that a `#` step bound the watch to.
        node: Option<NodeId>,
    },
    /// The process's state.
    Status(Box<Status>),
    /// Done; there is nothing to tell.
    Done,
    /// What a replica holds.
    Feeds(Box<FeedsStatus>),
    /// The drafts, or what became of them.
    Drafts(Box<Drafts>),
    /// What happened to a node.
    History(Box<HistoryPage>),
}
