//! The builders of calls, for signatures that name them.

pub use dhlrs_node::{
    ApplyDraftsBuilder, CheckpointBuilder, DraftsBuilder, DropDraftsBuilder, EmitBuilder,
    FeedsBuilder, GetBuilder, HistoryBuilder, MoveBuilder, ReadBuilder, RefreshBuilder,
    ResolverBuilder, SetBuilder, WatchBuilder, WriteBuilder,
};
