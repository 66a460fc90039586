//! An ordered, labelled tree with attributes, cheap snapshots and explicit operations.
//!
//! ```
//! use dhlrs_bag::{Bag, Edit, Op};
//! use dhlrs_path::Path;
//!
//! let mut bag = Bag::new();
//! bag.set("orders.o1.status", "new")?;
//! bag.set("orders.o1?priority", 3)?;
//! let before = bag.snapshot();
//!
//! // An edit is judged first, and what it comes to is applied then: here, or to a copy elsewhere.
//! let paid = Edit::set(Path::parse("orders.#0.status")?.into_owned(), "paid");
//! let ops: Vec<Op> = bag.order(&paid.into())?;
//! let changes = bag.apply(&ops, 3);
//!
//! assert_eq!(changes[0].path.as_str(), "orders.o1.status");
//! assert_eq!(bag.get("orders.o1.status").and_then(|value| value.as_text()), Some("paid"));
//! assert_eq!(before.get("orders.o1.status").and_then(|value| value.as_text()), Some("new"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! - **Reading** ([`Tree`], [`BagNode`]) is the same on a [`Bag`] and on a [`Snapshot`]. Nothing
//!   scans a bag: a label is found in O(1), an index in O(log n).
//! - **Writing** is an [`Edit`] in paths and positions, judged by [`Bag::order`], which may refuse
//!   it, then [`Op`]s in node ids for [`Bag::apply`], which cannot fail and reports [`Change`]s.
//! - **Comparing** ([`Tree::diff`], [`Tree::undo`]) gives ops as well; [`Bag::patch`] makes one tree
//!   of another.
//! - **Overlays** ([`Bag::set_overlay`]) are shown and never stored.
//! - The feature `serde` encodes what travels and is logged, decoding checks what the constructors
//!   check; and it reads and writes values of any serde type ([`Tree::get_as`],
//!   [`Bag::set_from`]).
//! - The features `json`, `xml`, `messagepack`, `postcard` and `tytx` are documents ([`formats`]).
//!
//! No IO, no clock, no random source, no recursion. Revisions are counted, logs kept and
//! subscribers told elsewhere.

mod apply;
mod attributes;
mod bag;
mod branch;
mod change;
mod children;
#[cfg(feature = "serde")]
mod coding;
mod decimal;
mod diff;
mod direct;
mod draft;
mod edit;
mod error;
mod fit;
#[cfg(feature = "formats")]
pub mod formats;
mod id;
mod ids;
mod image;
mod index;
mod listing;
mod load;
mod mapping;
mod merge;
mod meta;
mod node;
mod op;
mod order;
mod overlay;
mod pages;
mod placing;
mod position;
mod putting;
mod query;
mod resolver_ref;
mod select;
mod sequence;
mod slot;
mod snapshot;
mod sort;
mod subtree;
mod text;
mod timestamp;
mod tree;
#[cfg(feature = "serde")]
mod typed;
mod value;
mod walk;

pub use attributes::{ATTRIBUTES_MAX, Attributes};
pub use bag::Bag;
pub use branch::{BRANCH_NODES_MAX, Branch, BranchBuilder, Content, NODE_BYTES_MAX, Row};
pub use change::{AttributeChange, Change, ChangeKind, Changes, Shown};
pub use decimal::Decimal;
pub use draft::Draft;
pub use edit::{Edit, GuardedEdit, Precondition, SORT_TERMS_MAX, SortField, SortKey, SortTerm};
pub use error::{
    BranchError, BranchErrorKind, ColumnError, CommitError, EditError, EditErrorKind, ImageError,
    ImageErrorKind, MsgIdError, PositionError, TransactionError, ValueError, ValueErrorKind,
};
pub use id::NodeId;
pub use image::{Image, ImageCounters, ImagePosition, ImageRow, Restore};
pub use merge::{MERGE_REFUSALS_MAX, Merged};
pub use meta::{CAUSE_SUBSCRIBERS_MAX, Meta, MsgId, REASON_BYTES_MAX, SubscriberId};
pub use node::BagNode;
pub use op::{AttributesWrite, Op, Placed, ResolverWrite, SORTED_CHILDREN_MAX};
pub use position::Position;
pub use query::Matches;
pub use resolver_ref::ResolverRef;
pub use select::{Cell, Column, Select};
pub use snapshot::Snapshot;
pub use text::{Label, Name, Text};
pub use timestamp::Timestamp;
pub use tree::Tree;
#[cfg(feature = "serde")]
pub use typed::{TypedError, TypedErrorKind};
pub use value::{Bytes, LIST_ITEMS_MAX, List, VALUE_BYTES_MAX, Value};
pub use walk::{Rows, Visited, Walk, WalkPosition};
