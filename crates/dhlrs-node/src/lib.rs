//! The tokio runtime of a node: it drives an engine over transports and storage.
//!
//! A [`Node`] is one process: it has an identity, listens and connects, and holds stores. A
//! [`StoreHandle`] reads, writes and watches a store, here or in any process that can be reached.
//!
//! ```
//! use dhlrs_node::{Node, StoreOptions, WatchEvent};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let node = Node::builder("base/main".parse()?)
//!     .store(StoreOptions::owned("orders"))
//!     .start()
//!     .await?;
//! let orders = node.store("orders").await?;
//! let mut watch = orders.watch("o1").await?;
//!
//! orders.set("o1.status", "paid").if_missing().reason("till 3").await?;
//! let reading = orders.get("o1.status").await?.ok_or("missing")?;
//! assert_eq!(reading.value(), Some(&"paid".into()));
//!
//! let Some(WatchEvent::Changes(changes)) = watch.next().await else { panic!("the watch ended") };
//! assert_eq!(changes.changes.last().map(|change| change.path.as_str()), Some("o1.status"));
//! node.shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
//! There is no protocol here: what a message means is `dhlrs-engine`'s business, what a frame means
//! `dhlrs-link`'s. One task owns the engine; each connection has a task, each durable store a
//! thread. All of them end with the node, all queues are bounded, and no lock is held while anybody
//! waits.

mod builder;
mod clock;
mod command;
mod connection;
mod dialer;
mod disk;
mod driver;
mod entropy;
mod error;
mod handle;
mod identity;
mod into;
mod journal;
mod listening;
mod neighbours;
mod node;
mod outputs;
mod reading;
mod replica;
mod resolver_tasks;
mod shared;
mod signals;
mod start;
mod store_options;
mod watching;
mod writing;

pub use dhlrs_identity::PublicKey;
pub use dhlrs_store::{
    DefinitionError, DefinitionErrorKind, DeriveError, DeriveErrorKind, Derived, Inputs,
    Limits as StoreLimits,
};

pub use builder::NodeBuilder;
pub use driver::CALLS_MAX;
pub use error::{Error, ErrorKind, NodeError, NodeErrorKind};
pub use handle::{DEFAULT_TIMEOUT_MS, RefreshBuilder, StoreHandle};
pub use identity::Identity;
pub use into::{IntoPath, IntoSelection, IntoSubscription};
pub use node::Node;
pub use reading::{GetBuilder, ReadBuilder, Reading, RowStream};
pub use replica::{
    ApplyDraftsBuilder, CheckpointBuilder, DraftsBuilder, DropDraftsBuilder, EmitBuilder,
    FeedsBuilder, HistoryBuilder,
};
pub use resolver_tasks::RESOLVER_CALLS_MAX;
pub use store_options::StoreOptions;
pub use watching::{WATCH_CREDIT, WATCH_CREDIT_MAX, Watch, WatchBuilder, WatchEvent};
pub use writing::{MoveBuilder, ResolverBuilder, SetBuilder, WriteBuilder};
