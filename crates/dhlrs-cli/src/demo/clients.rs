//! Clients of the three processes, one each.

use dhlrs::{Error, Node, NodeName, RefusalKind, StoreAddress, StoreHandle};
use tokio::time::{Duration, sleep, timeout};

use super::line::Role;
use crate::{Failure, FailureKind};

const CONNECT_MS_MAX: u64 = 10_000;
const GOODBYE_MS_MAX: u64 = 1_000;
/// The pause before somebody who is not reached is asked again.
const ASK_AGAIN_MS: u64 = 10;

/// One connection to each process, and to nobody else.
#[derive(Debug)]
pub(super) struct Clients {
    // Taken by those who share the fate of the process.
    a: Option<Node>,
    b: Node,
    c: Node,
}

impl Clients {
    pub(super) async fn connect(urls: [String; 3]) -> Result<Self, Failure> {
        let [a, b, c] = urls;
        Ok(Self {
            a: Some(client("client-a", &a).await?),
            b: client("client-b", &b).await?,
            c: client("client-c", &c).await?,
        })
    }

    /// The store of that process, reached through `a`.
    pub(super) fn at_a(&self, of: &Role) -> Result<StoreHandle, Failure> {
        match &self.a {
            Some(client) => of.store_through(client),
            None => Err(taken()),
        }
    }

    /// The same through `b`.
    pub(super) fn at_b(&self, of: &Role) -> Result<StoreHandle, Failure> {
        of.store_through(&self.b)
    }

    /// The same through `c`.
    pub(super) fn at_c(&self, of: &Role) -> Result<StoreHandle, Failure> {
        of.store_through(&self.c)
    }

    /// The client of `a`, for good.
    pub(super) fn take_a(&mut self) -> Result<Node, Failure> {
        self.a.take().ok_or_else(taken)
    }

    /// Says goodbye.
    pub(super) async fn close(self) {
        let limit = Duration::from_millis(GOODBYE_MS_MAX);
        for client in [self.a, Some(self.b), Some(self.c)].into_iter().flatten() {
            // What was acknowledged is safe without it.
            let _ = timeout(limit, client.shutdown()).await;
        }
    }
}

impl Role {
    fn store_through(&self, client: &Node) -> Result<StoreHandle, Failure> {
        let store = self.store.parse().map_err(bug)?;
        Ok(client.remote(&StoreAddress::new(self.name()?, store)))
    }
}

/// Asks until the way is there: names travel from process to process, and that takes a moment.
pub(super) async fn awaited<T, A>(ask: impl Fn() -> A) -> Result<T, Failure>
where
    A: IntoFuture<Output = Result<T, Error>>,
{
    loop {
        match ask().await {
            Err(cause) if no_way_yet(&cause) => sleep(Duration::from_millis(ASK_AGAIN_MS)).await,
            result => return Ok(result?),
        }
    }
}

fn no_way_yet(cause: &Error) -> bool {
    matches!(
        cause.refusal(),
        Some(RefusalKind::NoRoute | RefusalKind::Unavailable | RefusalKind::Timeout)
    )
}

async fn client(process: &str, url: &str) -> Result<Node, Failure> {
    let name = NodeName::new("demo", process).map_err(bug)?;
    let node = Node::builder(name)
        .client(true)
        .connect(url)
        .start()
        .await?;
    node.connected(Duration::from_millis(CONNECT_MS_MAX))
        .await?;
    Ok(node)
}

fn bug(cause: dhlrs_path::ParsePathError) -> Failure {
    Failure::new(FailureKind::Bug, cause.to_string()).caused_by(cause)
}

fn taken() -> Failure {
    Failure::new(FailureKind::Bug, "the client of demo/a is taken")
}
