//! Messages between processes: requests, replies, refusals, watch streams.
//!
//! A [`Message`] is what one link carries to the next process. A write is an [`Intent`]: seed 000's
//! message with its `msg_id`, source, target, path, operation, payload, reason and stamp.
//!
//! ```
//! use dhlrs_wire::{Message, Request, RequestMessage};
//!
//! let message = Message::Request(Box::new(RequestMessage {
//!     id: 1,
//!     source: "laptop/cli".parse()?,
//!     target: "base/main".parse()?,
//!     store: None,
//!     hops: 16,
//!     timeout_ms: 5_000,
//!     request: Request::Status,
//! }));
//! let bytes = message.encode()?;
//! assert_eq!(Message::decode(&bytes)?, message);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! No IO and no state: what a message *does* is `dhlrs-store`'s and `dhlrs-engine`'s matter.

mod drafts;
mod error;
mod event_row;
mod feeds;
mod history;
mod intent;
mod message;
mod other_event;
mod read;
mod refusal;
mod reply;
mod request;
mod revision;
mod status;
mod text;
mod watch;

pub use drafts::{DRAFT_ROWS_MAX, Draft, DraftCause, Drafts, DraftsApplied, DraftsRequest};
pub use error::{WireError, WireErrorKind};
pub use event_row::{EVENT_PATH_BYTES_MAX, EventAction, EventRow, EventVerdict};
pub use feeds::{FEED_PEERS_MAX, FEEDS_ROWS_MAX, FeedPeer, FeedRow, FeedStanding, FeedsStatus};
pub use history::{HISTORY_ROWS_MAX, HistoryCursor, HistoryPage, HistoryRequest};
pub use intent::{
    CAUSE_MAX, EDITS_MAX, EMITTED_MAX, FIRST_SKIPPED_MAX, Intent, REASON_BYTES_MAX, Written,
};
pub use message::{
    GOSSIP_BYTES_MAX, HOPS_MAX, MESSAGE_BYTES_MAX, Message, ROUTES_MAX, RequestMessage, Route,
    WIRE_VERSION,
};
pub use other_event::{OtherEvent, OtherEventError, RESERVED_KIND};
pub use read::{PAGE_BYTES_MAX, Page, PageCursor, Read, ReadRow, Selection, View};
pub use refusal::{REFUSAL_BYTES_MAX, Refusal, RefusalKind};
pub use reply::Reply;
pub use request::Request;
pub use revision::{Incarnation, ParseRevisionError, Revision, RevisionFrom};
pub use status::{ForwardStatus, PeerStatus, RouteStatus, Status, StoreStatus};
pub use watch::{Delivery, Kinds, Watch, WatchedChange, WatchedChanges};
