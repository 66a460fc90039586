//! What most programs need: `use dhlrs::prelude::*;`.

pub use std::time::Duration;

pub use crate::{
    Attributes, Bag, Branch, Call, ChangeKind, Content, DeriveError, Edit, ErrorKind, Flow,
    Identity, Node, NodeName, Path, Pattern, Position, ResolverOptions, StoreAddress, StoreHandle,
    StoreOptions, Value, View, Watch, WatchEvent,
};
