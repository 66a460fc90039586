//! One process of the mesh.

use std::sync::Arc;
use std::time::Duration;

use dhlrs_engine::Local;
use dhlrs_identity::PublicKey;
use dhlrs_path::{NodeName, StoreAddress, StoreName};
use dhlrs_wire::{Refusal, RefusalKind, Reply, Request, Status};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};

use crate::builder::NodeBuilder;
use crate::clock::ms;
use crate::command::Command;
use crate::error::{Error, NodeError};
use crate::handle::{DEFAULT_TIMEOUT_MS, StoreHandle};
use crate::shared::Shared;

/// One running process: an identity, a name, transports and stores.
///
/// Dropping it ends everything without a word to its neighbours: its tasks at their next turn, the
/// threads of its logs, and with them the lock of its data directory, when they have finished what
/// they were at. [`shutdown`](Self::shutdown) is the polite way, and waits for all of it. Handles that
/// are left answer [`Closed`](crate::ErrorKind::Closed).
#[derive(Debug)]
pub struct Node {
    shared: Arc<Shared>,
    running: Running,
    // Listeners and dialers; they end with the node.
    outside: JoinSet<()>,
}

/// The driver's task, which ends with whoever has this.
#[derive(Debug)]
pub(crate) struct Running {
    task: JoinHandle<()>,
}

impl Running {
    pub(crate) fn new(task: JoinHandle<()>) -> Self {
        Self { task }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Node {
    /// Describes a node of this name.
    pub fn builder(name: NodeName) -> NodeBuilder {
        NodeBuilder::new(name)
    }

    pub(crate) fn new(shared: Arc<Shared>, running: Running, outside: JoinSet<()>) -> Self {
        Self {
            shared,
            running,
            outside,
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &NodeName {
        &self.shared.node
    }

    /// The key that it proves.
    #[must_use]
    pub fn key(&self) -> PublicKey {
        self.shared.key
    }

    /// The URLs at which it listens, with the ports that they really have, in the order in which
    /// they were given.
    #[must_use]
    pub fn listen_urls(&self) -> Vec<String> {
        self.shared.listen_urls.clone()
    }

    /// Waits until a neighbour has said which names it reaches; where the node connects to
    /// somebody, one of those that it connected to.
    ///
    /// # Errors
    ///
    /// Why there is none: at once if waiting cannot help (denied, another key, no node there), else
    /// [`Unreachable`](crate::NodeErrorKind::Unreachable) when the time is over.
    pub async fn connected(&self, timeout: Duration) -> Result<NodeName, NodeError> {
        let mut neighbours = self.shared.neighbours.clone();
        let found = async {
            loop {
                {
                    let now = neighbours.borrow_and_update();
                    if let Some(name) = now.first() {
                        return Ok(name.clone());
                    }
                    if let Some(error) = now.hopeless() {
                        return Err(error);
                    }
                }
                if neighbours.changed().await.is_err() {
                    return Err(NodeError::closed());
                }
            }
        };
        match tokio::time::timeout(timeout, found).await {
            Ok(found) => found,
            Err(_) => Err(self.shared.neighbours.borrow().reason()),
        }
    }

    /// Waits until there is none of the neighbours that [`connected`](Self::connected) waits for, because the last one
    /// was lost or the node was shut down. It goes on connecting.
    pub async fn disconnected(&self) {
        let mut neighbours = self.shared.neighbours.clone();
        // The error is that of a node that was shut down.
        let _ = neighbours.wait_for(|now| now.first().is_none()).await;
    }

    /// A handle to a store of this process.
    ///
    /// # Errors
    ///
    /// `NoStore`, with the list of those there; `BadPath` if the text is no store name.
    pub async fn store(&self, name: &str) -> Result<StoreHandle, Error> {
        let name: StoreName = name.parse()?;
        if !self.shared.published.contains_key(&name) {
            let known: Vec<&str> = self
                .shared
                .published
                .keys()
                .map(StoreName::as_str)
                .collect();
            let known = if known.is_empty() {
                "none".to_owned()
            } else {
                known.join(", ")
            };
            let message = format!("{} has no store {name}: it has {known}", self.shared.node);
            return Err(Refusal::new(RefusalKind::NoStore, message).into());
        }
        Ok(self.handle(&StoreAddress::new(self.shared.node.clone(), name)))
    }

    /// A handle to a store of another process. Does no IO: whether it can be reached shows at the
    /// first request.
    #[must_use]
    pub fn remote(&self, store: &StoreAddress) -> StoreHandle {
        StoreHandle::new(self.shared.clone(), store.clone())
    }

    /// A handle to a store, here or elsewhere.
    #[must_use]
    pub fn handle(&self, store: &StoreAddress) -> StoreHandle {
        self.remote(store)
    }

    /// What a process says of itself; this one if none is named.
    ///
    /// # Errors
    ///
    /// `NoRoute`, `Timeout`, `Denied`.
    pub async fn status_of(&self, node: Option<&NodeName>) -> Result<Status, Error> {
        let node = node.unwrap_or(&self.shared.node).clone();
        let request = |call| Local::Request {
            call,
            node,
            store: None,
            request: Request::Status,
            timeout_ms: ms(Duration::from_millis(DEFAULT_TIMEOUT_MS)),
        };
        match self.shared.begin(false, request).await?.answer().await? {
            Reply::Status(status) => Ok(*status),
            _ => Err(Error::unexpected()),
        }
    }

    /// Stops: tells the stores of others that its request sessions are over and its neighbours that
    /// it goes, lets out what was accepted, finishes what the disks have begun, and returns when
    /// nothing of it runs any more.
    pub async fn shutdown(mut self) {
        self.outside.shutdown().await;
        let (stopped, has_stopped) = oneshot::channel();
        if self
            .shared
            .commands
            .send(Command::Shutdown(stopped))
            .await
            .is_ok()
        {
            // An error means the same: the driver is gone.
            let _ = has_stopped.await;
        }
        let _ = (&mut self.running.task).await;
    }
}
