//! What replicas tell one another: events, in signed runs, and who lacks which of them.
//!
//! ```
//! use dhlrs_bag::{Label, Value};
//! use dhlrs_clock::{Dot, Stamp};
//! use dhlrs_feed::{Cell, Epoch, Event, FeedId, HomePath, Payload, TreeOp};
//! use dhlrs_identity::PublicKey;
//!
//! // Two processes that never met derive the same id for the same path.
//! let orders = HomePath::root().child(Label::new("orders")?, 0)?;
//! let status = orders.child(Label::new("status")?, 0)?;
//!
//! let feed = FeedId::new(PublicKey::from_bytes([7; 32]), Epoch::numbered(1));
//! let event = Event {
//!     dot: Dot::new(feed, 1),
//!     stamp: Stamp::new(1_700_000_000_000, 0).unwrap_or_default(),
//!     control: 1,
//!     deps: Vec::new(),
//!     following: 0,
//!     payload: Payload::Tree(TreeOp::Write {
//!         node: status,
//!         cell: Cell::Scalar,
//!         value: Value::from("paid"),
//!     }),
//! };
//! assert_eq!(Event::decode(&event.encode()?)?, event);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! An author logs its events one by one and signs them in runs ([`RunWriter`], [`Run`]). A replica checks the runs that it
//! gets and keeps those that are whole ([`FeedSet`]); with its peers it exchanges what either lacks ([`AntiEntropy`]),
//! whoever wrote it.
//!
//! What events come to is the business of `dhlrs-reducer`. No IO, no clock, no random source; stores without a root.

mod anti_entropy;
mod body;
mod context;
mod control;
mod cursor;
mod error;
mod event;
mod exchange;
mod feed_error;
mod feed_id;
mod feed_image;
mod feed_set;
mod fork;
mod frontier;
mod home_path;
mod id_map;
mod lag;
mod message;
mod order_key;
mod packed;
mod peer;
mod pending;
mod run;
mod run_error;
mod run_writer;
mod serve;
mod sketch;
mod store_id;
mod transfer;
mod tree_op;

pub use anti_entropy::{AntiEntropy, FeedInput, FeedOutput, LinkId, ReadTicket, Refusal};
pub use control::{Capability, ControlRecord, MARK_FEEDS_MAX};
pub use error::{EventError, EventErrorKind, HomePathError, OrderKeyError};
pub use event::{
    DEPS_MAX, Dep, EVENT_BYTES_MAX, Event, EventDot, EventId, FeedEnd, OTHER_PAYLOAD_BYTES_MAX,
    Payload, TRANSACTION_EVENTS_MAX,
};
pub use feed_error::{FeedError, FeedErrorKind};
pub use feed_id::{Epoch, FeedId};
pub use feed_image::FEED_IMAGE_BYTES_MAX;
pub use feed_set::{
    Accepted, Conflict, FeedClosed, FeedLimits, FeedSet, FeedState, NewRun, Outcome,
};
pub use fork::{FORK_PROOF_BYTES_MAX, ForkProof};
pub use home_path::{HomePath, HomeStep};
pub use id_map::{IdHasher, IdMap, IdSet};
pub use lag::PeerLag;
pub use message::{MESSAGE_BYTES_MAX, MESSAGE_BYTES_MIN, MessageError};
pub use order_key::{ORDER_KEY_BYTES_MAX, OrderKey};
pub use packed::{EventPacker, EventUnpacker};
pub use peer::{ACKNOWLEDGE_MS, LinkOptions, RETRY_MS, RETRY_MS_MAX};
pub use run::{RUN_BYTES_MAX, RUN_EVENTS_MAX, Run, RunClaim, RunHeader};
pub use run_error::{RunError, RunErrorKind};
pub use run_writer::{NewEvent, OwnRecord, RunLimits, RunWriter, SealRecord, Sealed, Written};
pub use store_id::StoreId;
pub use tree_op::{Cell, OnConcurrentWrite, TreeOp};
