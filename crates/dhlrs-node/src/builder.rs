//! Everything that a node is told before it starts.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;

use dhlrs_bag::Content;
use dhlrs_identity::PublicKey;
use dhlrs_path::NodeName;
use dhlrs_resolver::{Call, ResolveError, ResolverOptions};
use dhlrs_storage::{OsVfs, Vfs};
use dhlrs_transport::Transport;

use crate::disk::{Disks, VfsDisks};
use crate::error::NodeError;
use crate::identity::Identity;
use crate::node::Node;
use crate::resolver_tasks::{Code, code};
use crate::start::start;
use crate::store_options::StoreOptions;

/// Describes a node; [`start`](Self::start) makes it.
#[must_use = "a builder does nothing until it is started"]
pub struct NodeBuilder {
    pub(crate) name: NodeName,
    pub(crate) identity: Option<Identity>,
    pub(crate) data_dir: Option<PathBuf>,
    pub(crate) disks: Arc<dyn Disks>,
    pub(crate) restored: bool,
    pub(crate) transports: Vec<(String, Arc<dyn Transport>)>,
    pub(crate) listens: Vec<String>,
    pub(crate) connects: Vec<String>,
    pub(crate) allowed: Vec<(PublicKey, Option<NodeName>)>,
    pub(crate) client: bool,
    pub(crate) stores: Vec<StoreOptions>,
    pub(crate) resolvers: Vec<(String, ResolverOptions)>,
    pub(crate) code: BTreeMap<String, Code>,
    pub(crate) skips_replay: bool,
}

impl NodeBuilder {
    pub(crate) fn new(name: NodeName) -> Self {
        Self {
            name,
            identity: None,
            data_dir: None,
            disks: Arc::new(VfsDisks {
                vfs: OsVfs::new(),
                is_real: true,
            }),
            restored: false,
            transports: Vec::new(),
            listens: Vec::new(),
            connects: Vec::new(),
            allowed: Vec::new(),
            client: false,
            stores: Vec::new(),
            resolvers: Vec::new(),
            code: BTreeMap::new(),
            skips_replay: false,
        }
    }

    /// The key that the node proves. Without this it is the one in the data directory, made there at
    /// the first start, or a new one where there is no such directory.
    pub fn identity(mut self, identity: Identity) -> Self {
        self.identity = Some(identity);
        self
    }

    /// Keeps stores below this directory; those that are there already are opened too. One process
    /// at a time has a directory. Without one everything ends with the process.
    pub fn data_dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.data_dir = Some(dir.into());
        self
    }

    /// Keeps the data directory on another file system: for tests that fail or lose what was not
    /// synced. The identity is not kept there.
    pub fn vfs(mut self, vfs: impl Vfs) -> Self {
        self.disks = Arc::new(VfsDisks {
            vfs,
            is_real: false,
        });
        self
    }

    /// Says that a backup was put back: each durable store begins a new incarnation and forgets its
    /// request sessions.
    pub fn restored(mut self, restored: bool) -> Self {
        self.restored = restored;
        self
    }

    /// Serves the URLs of `scheme` by `transport`. With the feature `websocket`, `ws` and `wss` are
    /// served already unless they are given here.
    pub fn transport(mut self, scheme: &str, transport: impl Transport + 'static) -> Self {
        self.transports
            .push((scheme.to_owned(), Arc::new(transport)));
        self
    }

    /// Serves `ws://` and `wss://` by this transport, which has options of its own, certificates
    /// among them.
    #[cfg(feature = "websocket")]
    pub fn web_socket(mut self, transport: dhlrs_transport_websocket::WebSocketTransport) -> Self {
        let transport: Arc<dyn Transport> = Arc::new(transport);
        self.transports.push(("ws".to_owned(), transport.clone()));
        self.transports.push(("wss".to_owned(), transport));
        self
    }

    /// Listens at a URL. Any number. A listener that only this machine can reach takes anybody; any
    /// other needs [`allow`](Self::allow).
    pub fn listen(mut self, url: impl Into<String>) -> Self {
        self.listens.push(url.into());
        self
    }

    /// Connects to a URL, again and again for as long as the node lives. Any number. With
    /// `?key=KEY` only the process with that key is taken.
    pub fn connect(mut self, url: impl Into<String>) -> Self {
        self.connects.push(url.into());
        self
    }

    /// Lets a key connect to any listener. With a name it may use that one only, and nobody else may.
    pub fn allow(mut self, key: PublicKey, name: Option<NodeName>) -> Self {
        self.allowed.push((key, name));
        self
    }

    /// Makes the node a client: its name is never announced, and answers return to it along the way
    /// of its requests.
    pub fn client(mut self, client: bool) -> Self {
        self.client = client;
        self
    }

    /// Adds a store.
    pub fn store(mut self, options: StoreOptions) -> Self {
        self.stores.push(options);
        self
    }

    /// Registers a resolver's code under a name that nodes and bindings of every store can use. It
    /// runs as a task of its own: a panic in it is an error of the read, and it is dropped when
    /// nobody waits any more.
    pub fn resolver<F, R>(mut self, name: &str, options: ResolverOptions, run: F) -> Self
    where
        F: Fn(Call) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Content, ResolveError>> + Send + 'static,
    {
        self.resolvers.push((name.to_owned(), options));
        self.code.insert(name.to_owned(), code(run));
        self
    }

    /// Opens stores without what their logs hold since the last checkpoint: a fault that tests of
    /// tests plant.
    #[cfg(feature = "planted-faults")]
    #[doc(hidden)]
    pub fn skip_log_replay(mut self) -> Self {
        self.skips_replay = true;
        self
    }

    /// Starts the node: takes the data directory, binds every listener, recovers and opens every
    /// store, and begins to connect. It does not wait for those it connects to; see
    /// [`Node::connected`].
    ///
    /// Costs what reading the stores' logs costs. Must be called within a tokio runtime with time
    /// and IO. Dropping the future leaves nothing behind.
    ///
    /// # Errors
    ///
    /// [`NodeErrorKind`](crate::NodeErrorKind) tells what a person has to change.
    pub async fn start(self) -> Result<Node, NodeError> {
        start(self).await
    }
}

impl std::fmt::Debug for NodeBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NodeBuilder")
            .field("name", &self.name)
            .field("data_dir", &self.data_dir)
            .field("listens", &self.listens)
            .field("connects", &self.connects)
            .field("stores", &self.stores)
            .finish_non_exhaustive()
    }
}
