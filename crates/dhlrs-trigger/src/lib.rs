//! Who hears of a change, in which order, and what they may answer.
//!
//! A subscriber names a node, a bag, a branch, or a [`Pattern`](dhlrs_path::Pattern) over the whole
//! tree, and the [kinds](Kinds) of change that it wants. [`Triggers`] calls callbacks: those of the
//! node, then of its bag (level 0), of the bag around (level −1) and so on to the root, then those
//! of patterns. A callback never writes the tree; it answers with [`Reactions`]. [`Interests`] says
//! whom a change concerns without calling anybody, and a [`Window`] keeps the last changes for
//! those who read at their own pace.
//!
//! ```
//! use dhlrs_bag::{Change, ChangeKind, Changes, Edit, Meta, NodeId, Shown, Value};
//! use dhlrs_path::{Path, Pattern};
//! use dhlrs_trigger::{Event, Flow, Reactions, Triggers};
//!
//! let mut triggers = Triggers::new(7);
//! let pattern: Pattern = "orders.*.status".parse()?;
//! triggers.on(pattern, |event: &Event<'_>, then: &mut Reactions| {
//!     if let Ok(seen) = Path::ROOT.child("seen") {
//!         then.emit_here(Edit::set(seen, Value::Int(event.revision() as i64)));
//!     }
//!     Flow::Continue
//! })?;
//!
//! let change = Change {
//!     kind: ChangeKind::Value,
//!     id: NodeId::from_bytes([3; 16]),
//!     path: "orders.o1.status".parse()?,
//!     old_path: None,
//!     ancestors: vec![NodeId::from_bytes([2; 16]), NodeId::from_bytes([1; 16]), NodeId::ROOT],
//!     old_ancestors: vec![],
//!     old: Shown::Scalar(Value::Null),
//!     new: Shown::Scalar(Value::from("paid")),
//!     attributes: vec![],
//!     index: None,
//!     old_index: None,
//!     autocreated: false,
//!     invalidated: false,
//! };
//! let meta = Meta { revision: 8, ..Meta::default() };
//! let changes = Changes { meta, list: vec![change], transaction: false };
//! let dispatched = triggers.dispatch(&changes, None);
//! assert_eq!(dispatched.emissions.len(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! No tree is read and none is written here: changes carry the ids and paths of their revision.
//! What becomes of the emissions, and who is behind a key, is up to the caller.

mod departed;
mod error;
mod event;
mod index;
mod interests;
mod kinds;
mod reach;
mod reactions;
mod target;
mod trie;
mod triggers;
mod window;

pub use departed::{DEPARTED_NODES_MAX, Departed};
pub use error::{KindsError, SubscribeError, SubscribeErrorKind, WindowError, WindowErrorKind};
pub use event::{Event, EventChange, EventKind, Level};
pub use interests::{Interest, Interests};
pub use kinds::Kinds;
pub use reach::{Selector, touches_below};
pub use reactions::{Destination, EMISSIONS_MAX, Emission, Flow, Reactions};
pub use target::{Place, Subscription, Target};
pub use trie::PatternTrie;
pub use triggers::{Dispatched, Failure, FailureKind, SUBSCRIPTIONS_MAX, Triggers};
pub use window::{
    Cursor, Next, WINDOW_BYTES_MAX, WINDOW_CHANGES_MAX, Window, WindowLimits, change_bytes,
};
