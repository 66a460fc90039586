//! Nodes on one bus in memory, and how long a test waits for them.

use std::future::Future;
use std::time::Duration;

use dhlrs_bag::Value;
use dhlrs_node::{Node, NodeBuilder, NodeErrorKind, StoreHandle, StoreOptions};
use dhlrs_storage::MemoryVfs;
use dhlrs_transport::MemoryBus;

/// Longer than anything takes, even on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future)
        .await
        .expect("it takes too long")
}

/// Asks again and again until the answer is yes.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, mut is_so: impl FnMut() -> F) {
    let begun = std::time::Instant::now();
    while !is_so().await {
        assert!(begun.elapsed() < PATIENCE, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[derive(Clone, Default)]
pub(crate) struct Mesh {
    pub(crate) bus: MemoryBus,
}

impl Mesh {
    /// `NAME/main`, which listens at `memory://NAME`.
    pub(crate) fn node(&self, name: &str) -> NodeBuilder {
        Node::builder(format!("{name}/main").parse().unwrap())
            .transport("memory", self.bus.endpoint(name).unwrap())
            .listen(format!("memory://{name}"))
    }

    /// The same with a store called `main`.
    pub(crate) fn owner(&self, name: &str) -> NodeBuilder {
        self.node(name).store(StoreOptions::owned("main"))
    }

    /// The same with its data on that disk.
    pub(crate) fn durable(&self, name: &str, disk: &MemoryVfs) -> NodeBuilder {
        self.owner(name).vfs(disk.clone()).data_dir("data")
    }
}

pub(crate) async fn start(builder: NodeBuilder) -> Node {
    soon(builder.start()).await.unwrap()
}

/// Starts a node in the place of one that was killed, which may take a moment to be gone.
pub(crate) async fn start_again(builder: impl Fn() -> NodeBuilder) -> Node {
    let gone = [NodeErrorKind::PortTaken, NodeErrorKind::Locked];
    loop {
        match soon(builder().start()).await {
            Err(error) if gone.contains(&error.kind()) => {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            node => return node.unwrap(),
        }
    }
}

/// Starts a node that connects to these, and waits for one of them.
pub(crate) async fn join(builder: NodeBuilder, others: &[&str]) -> Node {
    let connected = others
        .iter()
        .fold(builder, |b, other| b.connect(format!("memory://{other}")));
    let node = start(connected).await;
    node.connected(PATIENCE).await.unwrap();
    node
}

/// The store `main` of `NAME/main`.
pub(crate) fn store(node: &Node, name: &str) -> StoreHandle {
    node.handle(&format!("{name}/main/main").parse().unwrap())
}

pub(crate) async fn value(store: &StoreHandle, path: &str) -> Option<Value> {
    store
        .get(path)
        .timeout(PATIENCE)
        .await
        .unwrap()
        .and_then(|reading| reading.row.value)
}

/// Waits until a process can be reached.
pub(crate) async fn reached(node: &Node, name: &str) {
    let name = format!("{name}/main").parse().unwrap();
    until("a route", || async {
        node.status_of(Some(&name)).await.is_ok()
    })
    .await;
}
