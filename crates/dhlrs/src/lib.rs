//! The Distributed Hierarchical Lazy Reactive Store: one reactive tree that many processes share.
//!
//! A [`Node`] is one process, a store is one tree in it, and a [`StoreHandle`] reads, writes and
//! watches a store, in whatever process that is.
//!
//! ```
//! use dhlrs::prelude::*;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // Two processes in one: the first has a store, the second reaches it over a socket.
//! let shop = Node::builder("shop/main".parse()?)
//!     .store(StoreOptions::owned("orders"))
//!     .listen("ws://127.0.0.1:0")
//!     .start()
//!     .await?;
//! let desk = Node::builder("desk/main".parse()?).connect(&shop.listen_urls()[0]).start().await?;
//! desk.connected(Duration::from_secs(5)).await?;
//!
//! let orders = desk.remote(&"shop/main/orders".parse()?);
//! let mut watch = orders.watch("o1").await?;
//! orders.set("o1.status", "paid").reason("till 3").await?;
//!
//! let Some(WatchEvent::Changes(changes)) = watch.next().await else { panic!("the watch ended") };
//! assert_eq!(changes.meta.reason.as_deref(), Some("till 3"));
//! let reading = orders.get("o1.status").await?.ok_or("missing")?;
//! assert_eq!(reading.value(), Some(&Value::from("paid")));
//! # desk.shutdown().await;
//! # shop.shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
//! Transports come as features: `websocket` is on by default. So do the resolvers that read files and
//! ask servers: `resolver-io`. The parts are crates of their own,
//! here as modules.

#[cfg(feature = "resolver-io")]
pub use dhlrs_resolver_io as resolver_io;
#[cfg(feature = "websocket")]
pub use dhlrs_transport_websocket as websocket;
pub use {
    dhlrs_bag as bag, dhlrs_clock as clock, dhlrs_feed as feed, dhlrs_path as path,
    dhlrs_reducer as reducer, dhlrs_resolver as resolver, dhlrs_transport as transport,
    dhlrs_trigger as trigger, dhlrs_wire as wire,
};

pub use dhlrs_bag::{
    Attributes, Bag, Branch, Change, ChangeKind, Content, Edit, GuardedEdit, Label, Name, NodeId,
    Position, Precondition, ResolverRef, Row, Shown, Snapshot, Value,
};
pub use dhlrs_clock::Stamp;
pub use dhlrs_node::{
    DefinitionError, DefinitionErrorKind, DeriveError, DeriveErrorKind, Derived, Error, ErrorKind,
    Identity, Inputs, IntoPath, IntoSelection, IntoSubscription, Node, NodeBuilder, NodeError,
    NodeErrorKind, PublicKey, Reading, RowStream, StoreHandle, StoreLimits, StoreOptions, Watch,
    WatchEvent,
};
pub use dhlrs_path::{Address, NodeName, Path, Pattern, PatternAddress, StoreAddress, StoreName};
pub use dhlrs_resolver::{Call, ResolveError, ResolveErrorKind, ResolverOptions};
pub use dhlrs_trigger::{Event, Flow, Reactions, Subscription, Target};
pub use dhlrs_wire::{
    Incarnation, ReadRow, Refusal, RefusalKind, Revision, RevisionFrom, Selection, Status, View,
    WatchedChange, WatchedChanges, Written,
};

pub mod builders;
pub mod prelude;
#[cfg(doctest)]
mod readme;
