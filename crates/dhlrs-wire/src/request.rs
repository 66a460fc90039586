//! What can be asked of a process or of one of its stores.

use dhlrs_feed::FeedId;
use dhlrs_path::Path;
use serde::{Deserialize, Serialize};

use crate::drafts::DraftsRequest;
use crate::history::HistoryRequest;
use crate::intent::Intent;
use crate::read::{PageCursor, Read};
use crate::text;
use crate::watch::Watch;

/// One request. Writes go through a session, so that each is applied once, in order; reads do not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Request {
    /// Opens a request session with the store. Answered by [`Reply::Session`](crate::Reply::Session) once it is on disk.
    OpenSession,
    /// Ends a session and forgets its answers.
    CloseSession {
        /// The session's name.
        session: [u8; 16],
    },
    /// Changes the store. Answered by [`Reply::Written`](crate::Reply::Written).
    Write(Box<Intent>),
    /// Reads, at one revision. Answered by [`Reply::Page`](crate::Reply::Page).
    Read(Box<Read>),
    /// The next page of a read that is still held.
    NextPage(PageCursor),
    /// Lets go of a read before its last page.
    EndRead {
        /// The read's name, as its pages give it.
        read: u64,
    },
    /// Resets a node's resolver and runs it again, at the process that holds the store.
    Refresh {
        /// The node.
        #[serde(with = "text")]
        path: Path<'static>,
    },
    /// Opens a stream of changes.
    Watch(Box<Watch>),
    /// What the process is and sees.
    Status,
    /// What a replica holds of each feed. Answered by [`Reply::Feeds`](crate::Reply::Feeds).
    Feeds {
        /// The feed of the last row of the page before.
        after: Option<FeedId>,
    },
    /// About own writes that were voided. Answered by [`Reply::Drafts`](crate::Reply::Drafts).
    Drafts(DraftsRequest),
    /// What happened to a node of a replicated store. Answered by [`Reply::History`](crate::Reply::History).
    History(Box<HistoryRequest>),
    /// Writes a checkpoint now. Answered by [`Reply::Done`](crate::Reply::Done).
    Checkpoint,
}
