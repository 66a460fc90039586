//! The builders of calls, for signatures that name them.

pub use dhlrs_node::{
    GetBuilder, MoveBuilder, ReadBuilder, RefreshBuilder, ResolverBuilder, SetBuilder,
    WatchBuilder, WriteBuilder,
};
