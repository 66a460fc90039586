//! An ordered, labelled tree with attributes, cheap snapshots and explicit operations.

mod apply;
mod attributes;
mod bag;
mod branch;
mod change;
#[cfg(feature = "serde")]
mod coding;
mod decimal;
mod draft;
mod edit;
mod error;
mod fit;
mod id;
mod image;
mod index;
mod merge;
mod meta;
mod node;
mod op;
mod order;
mod overlay;
mod pages;
mod placing;
mod position;
mod query;
mod resolver_ref;
mod sequence;
mod slot;
mod snapshot;
mod sort;
mod text;
mod timestamp;
mod tree;
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
    BranchError, BranchErrorKind, CommitError, EditError, EditErrorKind, ImageError,
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
pub use snapshot::Snapshot;
pub use text::{Label, Name, Text};
pub use timestamp::Timestamp;
pub use tree::Tree;
pub use value::{Bytes, LIST_ITEMS_MAX, List, VALUE_BYTES_MAX, Value};
pub use walk::{Rows, Visited, Walk, WalkPosition};
