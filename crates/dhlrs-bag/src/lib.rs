//! An ordered, labelled tree with attributes, cheap snapshots and explicit operations.

mod attributes;
mod branch;
mod change;
#[cfg(feature = "serde")]
mod coding;
mod decimal;
mod edit;
mod error;
mod id;
mod meta;
mod op;
mod position;
mod resolver_ref;
mod text;
mod timestamp;
mod value;

pub use attributes::{ATTRIBUTES_MAX, Attributes};
pub use branch::{BRANCH_NODES_MAX, Branch, BranchBuilder, Content, NODE_BYTES_MAX, Row};
pub use change::{AttributeChange, Change, ChangeKind, Changes, Shown};
pub use decimal::Decimal;
pub use edit::{Edit, GuardedEdit, Precondition, SORT_TERMS_MAX, SortField, SortKey, SortTerm};
pub use error::{
    BranchError, BranchErrorKind, CommitError, EditError, EditErrorKind, ImageError,
    ImageErrorKind, MsgIdError, PositionError, TransactionError, ValueError, ValueErrorKind,
};
pub use id::NodeId;
pub use meta::{CAUSE_SUBSCRIBERS_MAX, Meta, MsgId, REASON_BYTES_MAX, SubscriberId};
pub use op::{AttributesWrite, Op, Placed, ResolverWrite};
pub use position::Position;
pub use resolver_ref::ResolverRef;
pub use text::{Label, Name, Text};
pub use timestamp::Timestamp;
pub use value::{Bytes, LIST_ITEMS_MAX, List, VALUE_BYTES_MAX, Value};
