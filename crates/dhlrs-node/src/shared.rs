//! What the node, its handles and their calls have in common.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use dhlrs_bag::Snapshot;
use dhlrs_engine::{CallId, Engine, Local};
use dhlrs_identity::PublicKey;
use dhlrs_path::{NodeName, StoreName};
use dhlrs_wire::{Refusal, Reply, Revision};
use futures_util::FutureExt;
use tokio::sync::{mpsc, oneshot, watch};

use crate::command::{Command, Waiter};
use crate::error::Error;
use crate::neighbours::Neighbours;
use crate::signals::Signals;

/// What readers of a store see.
#[derive(Clone, Debug)]
pub(crate) struct Published {
    pub(crate) tree: Snapshot,
    pub(crate) revision: Revision,
}

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) node: NodeName,
    pub(crate) key: PublicKey,
    pub(crate) listen_urls: Vec<String>,
    pub(crate) commands: mpsc::Sender<Command>,
    pub(crate) signals: Arc<Signals>,
    pub(crate) calls: Arc<AtomicU64>,
    pub(crate) published: BTreeMap<StoreName, watch::Receiver<Published>>,
    pub(crate) neighbours: watch::Receiver<Neighbours>,
    /// Its sender goes with the driver.
    pub(crate) driver: watch::Receiver<()>,
}

impl Shared {
    pub(crate) fn next_call(&self) -> CallId {
        CallId(self.calls.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// Begins a call once the driver has room for it; its place in the order is that of the first
    /// poll.
    pub(crate) async fn begin(
        self: &Arc<Self>,
        is_write: bool,
        local: impl FnOnce(CallId) -> Local,
    ) -> Result<Call, Error> {
        let permit = self.commands.reserve().await.map_err(|_| Error::closed())?;
        let (call, command) = self.make(is_write, local);
        permit.send(command);
        Ok(call)
    }

    /// The same if there is room now.
    pub(crate) fn try_begin(self: &Arc<Self>, local: impl FnOnce(CallId) -> Local) -> Option<Call> {
        let permit = self.commands.try_reserve().ok()?;
        let (call, command) = self.make(false, local);
        permit.send(command);
        Some(call)
    }

    fn make(
        self: &Arc<Self>,
        is_write: bool,
        local: impl FnOnce(CallId) -> Local,
    ) -> (Call, Command) {
        let id = self.next_call();
        let (sender, answer) = oneshot::channel();
        let waiter = if is_write {
            Waiter::Write(sender)
        } else {
            Waiter::Read(sender)
        };
        let command = Command::Call {
            call: id,
            local: Box::new(local(id)),
            waiter,
        };
        let call = Call {
            shared: self.clone(),
            id,
            answer,
            is_write,
            live: true,
        };
        (call, command)
    }

    /// Waits for what the driver sends; `None` once it is gone. That what waits in its queue ends
    /// with it is not enough: a command that is put in just then would stay there for ever.
    pub(crate) async fn while_driven<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        let mut future = pin!(future);
        let mut driver = self.driver.clone();
        tokio::select! {
            biased;
            value = &mut future => Some(value),
            // Nothing is ever sent.
            _ = driver.changed() => future.now_or_never(),
        }
    }

    /// Runs something on the engine, between two inputs.
    pub(crate) async fn with_engine<T: Send + 'static>(
        &self,
        run: impl FnOnce(&mut Engine) -> T + Send + 'static,
    ) -> Result<T, Error> {
        let (sender, answer) = oneshot::channel();
        let run = Box::new(move |engine: &mut Engine| {
            // Whoever asked may be gone.
            let _ = sender.send(run(engine));
        });
        self.commands
            .send(Command::With(run))
            .await
            .map_err(|_| Error::closed())?;
        let answer = self.while_driven(answer).await;
        answer.and_then(Result::ok).ok_or_else(Error::closed)
    }
}

/// A call under way. Dropping it cancels a read, and abandons the answer of a write.
#[derive(Debug)]
pub(crate) struct Call {
    shared: Arc<Shared>,
    id: CallId,
    answer: oneshot::Receiver<Result<Reply, Refusal>>,
    is_write: bool,
    live: bool,
}

impl Call {
    /// Waits for the one answer. Dropping the future loses nothing.
    pub(crate) async fn answer(&mut self) -> Result<Reply, Error> {
        let answer = self.shared.while_driven(&mut self.answer).await;
        self.live = false;
        match answer.and_then(Result::ok) {
            Some(result) => result.map_err(Error::from),
            None if self.is_write => Err(Error::closed().with_unknown_outcome()),
            None => Err(Error::closed()),
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if self.live && !self.shared.commands.is_closed() {
            self.shared.signals.cancel(self.id);
        }
    }
}
