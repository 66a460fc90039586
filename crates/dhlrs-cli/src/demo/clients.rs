//! Clients of the processes.

use dhlrs::{Error, Node, RefusalKind, StoreHandle, wire::FeedsStatus};
use tokio::time::{Duration, sleep, timeout};

use super::camp::Role;
use crate::{Failure, FailureKind};

const CONNECT_MS_MAX: u64 = 10_000;
const GOODBYE_MS_MAX: u64 = 1_000;
/// The pause before somebody who is not reached is asked again.
const ASK_AGAIN_MS: u64 = 10;
/// The pause before copies are compared again; to look at all of their events takes a moment.
const COMPARE_AGAIN_MS: u64 = 100;

/// A connection to one process, and the copy that it has.
#[derive(Debug)]
pub(super) struct Client {
    node: Node,
    pub(super) role: Role,
    pub(super) store: StoreHandle,
}

impl Client {
    /// Connects to the process at this URL, as the client of this name.
    pub(super) async fn connect(role: Role, url: &str, name: &str) -> Result<Self, Failure> {
        let name = dhlrs::NodeName::new("demo", name)
            .map_err(|cause| Failure::new(FailureKind::Bug, cause.to_string()).caused_by(cause))?;
        let node = Node::builder(name)
            .client(true)
            .connect(url)
            .start()
            .await?;
        node.connected(Duration::from_millis(CONNECT_MS_MAX))
            .await?;
        let store = node.remote(&role.store()?);
        awaited(|| store.get("")).await?;
        Ok(Self { node, role, store })
    }

    /// What the copy holds of each feed.
    pub(super) async fn feeds(&self) -> Result<FeedsStatus, Failure> {
        awaited(|| self.store.feeds()).await
    }

    /// Says goodbye.
    pub(super) async fn close(self) {
        // What was acknowledged is safe without it.
        let _ = timeout(Duration::from_millis(GOODBYE_MS_MAX), self.node.shutdown()).await;
    }
}

/// Waits until all have reduced the same events, and says what these come to.
pub(super) async fn until_equal(clients: &[&Client]) -> Result<FeedsStatus, Failure> {
    loop {
        let mut all = Vec::new();
        for client in clients {
            all.push(client.feeds().await?);
        }
        let first = all.first().map(|status| status.state_hash);
        let same = all.iter().all(|status| Some(status.state_hash) == first);
        match all.pop() {
            Some(status) if same => return Ok(status),
            _ => sleep(Duration::from_millis(COMPARE_AGAIN_MS)).await,
        }
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
