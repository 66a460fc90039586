//! Events of a replicated store to one tree: the same events, the same tree, in whatever order they came.
//!
//! ```
//! use dhlrs_bag::{Label, Value};
//! use dhlrs_clock::{Dot, Stamp};
//! use dhlrs_feed::{Cell, Epoch, Event, EventId, FeedId, HomePath, Payload, TreeOp};
//! use dhlrs_identity::PublicKey;
//! use dhlrs_reducer::Reducer;
//!
//! let orders = HomePath::root().child(Label::new("orders")?, 0)?;
//! let write = |author: u8, label: &str, value: i64| -> Result<_, Box<dyn std::error::Error>> {
//!     let feed = FeedId::new(PublicKey::from_bytes([author; 32]), Epoch::default());
//!     let event = Event {
//!         dot: Dot::new(feed, 1),
//!         stamp: Stamp::new(1_000, 0).unwrap_or_default(),
//!         control: 0,
//!         deps: Vec::new(),
//!         following: 0,
//!         payload: Payload::Tree(TreeOp::Write {
//!             node: orders.child(Label::new(label)?, 0)?,
//!             cell: Cell::Scalar,
//!             value: Value::from(value),
//!         }),
//!     };
//!     let id = EventId::NONE.followed_by(&event.encode()?);
//!     Ok((event, id))
//! };
//!
//! // Two replicas make `orders` at once, each with another child: both children are there, everywhere.
//! let (a, b) = (write(1, "count", 3)?, write(2, "price", 70)?);
//! let mut here = Reducer::without_root();
//! here.reduce([a.clone(), b.clone()], [], 1_000);
//! let mut there = Reducer::without_root();
//! there.reduce([b], [], 1_000);
//! there.reduce([a], [], 1_000);
//!
//! assert_eq!(here.children(orders.id()).count(), 2);
//! assert_eq!(here.state_hash(), there.state_hash());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! An event goes in when what its author had seen has gone in. Moves are undone and redone in one total order; a Remove
//! takes away what its author had seen and nothing else. At a Mark what can make no difference any more is dropped.
//!
//! A [`Bag`](dhlrs_bag::Bag) follows what shows: [`Reducer::attempt`] makes tree ops of edits, and [`Reducer::show`]
//! tells what a reduction changed as any other tree would.
//!
//! No IO, no clock, no random source, no recursion. Signatures, transfer and disks are told elsewhere.

mod attempt;
mod causality;
mod chain;
mod checkpoint;
mod compact;
mod contents;
mod control;
mod delivery;
mod displaced;
mod error;
mod fault;
mod field_records;
mod history;
mod image;
mod moves;
mod moving;
mod node;
mod node_map;
mod places;
mod reducer;
mod showing;
mod state_hash;
mod tail;
mod total_order;
mod tree;
mod view;
mod world;

pub use attempt::{Attempt, TRANSACTION_BYTES_MAX};
pub use checkpoint::{CHECKPOINT_BYTES_MAX, checkpoint_hash};
pub use error::{CheckpointError, CheckpointErrorKind, IntentError, IntentErrorKind};
pub use fault::Fault;
pub use field_records::{FIELD_RECORD_KINDS, FieldAttachment, FieldRecord, FieldRecords};
pub use history::{Logged, Stored, Verdict};
pub use image::{IMAGE_CHUNK_BYTES_MAX, ReducerImage, ReducerReader};
pub use reducer::Reducer;
pub use state_hash::StateHash;
pub use total_order::{KindReducer, TotalOrder};
pub use view::{BeforeAndNow, NodeView, ViewChanges};
