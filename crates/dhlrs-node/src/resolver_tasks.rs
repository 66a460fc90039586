//! Calls of resolvers' code: tasks that can be cancelled, and whose panics are errors.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;

use dhlrs_bag::Content;
use dhlrs_engine::Input;
use dhlrs_path::StoreName;
use dhlrs_resolver::{Call, FlightId, ResolveError, ResolveErrorKind};
use futures_util::future::BoxFuture;
use tokio::task::{AbortHandle, Id, JoinError, JoinSet};

use crate::clock::Clock;

/// Calls that run at once.
pub const RESOLVER_CALLS_MAX: usize = 4_096;

/// A resolver's code.
pub(crate) type Code =
    Arc<dyn Fn(Call) -> BoxFuture<'static, Result<Content, ResolveError>> + Send + Sync>;

type Outcome = Result<Content, ResolveError>;

#[derive(Default)]
pub(crate) struct ResolverTasks {
    code: BTreeMap<String, Code>,
    tasks: JoinSet<Outcome>,
    running: BTreeMap<(StoreName, FlightId), AbortHandle>,
    // The same pairs by task.
    of_task: BTreeMap<Id, (StoreName, FlightId)>,
}

impl ResolverTasks {
    pub(crate) fn new(code: BTreeMap<String, Code>) -> Self {
        Self {
            code,
            ..Self::default()
        }
    }

    /// Starts a call; its end comes out of [`next`](Self::next), or at once if it cannot start.
    pub(crate) fn start(
        &mut self,
        clock: Clock,
        store: StoreName,
        flight: FlightId,
        call: Call,
    ) -> Option<Input> {
        let refuse = |kind, message: &str| {
            let result = Err(ResolveError::new(kind, message));
            Some(Input::Resolved {
                store: store.clone(),
                flight,
                result,
            })
        };
        if self.running.len() >= RESOLVER_CALLS_MAX {
            let message = format!("{RESOLVER_CALLS_MAX} resolvers run already: try again");
            return refuse(ResolveErrorKind::Overloaded, &message);
        }
        let Some(code) = self.code.get(&call.resolver).cloned() else {
            let message = format!("resolver {:?} has no code in this process", call.resolver);
            return refuse(ResolveErrorKind::NotRegistered, &message);
        };
        let deadline = clock.at(call.deadline_ms);
        let name = call.resolver.clone();
        // The code runs inside the task from its first line on, so that its panics stay there.
        let task = self.tasks.spawn(run(code, call, name, deadline));
        self.of_task.insert(task.id(), (store.clone(), flight));
        self.running.insert((store, flight), task);
        None
    }

    pub(crate) fn cancel(&mut self, store: StoreName, flight: FlightId) {
        if let Some(task) = self.running.remove(&(store, flight)) {
            self.of_task.remove(&task.id());
            task.abort();
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// Waits for a call to end; `None` if none runs. Dropping the future loses nothing.
    pub(crate) async fn next(&mut self) -> Option<Input> {
        loop {
            let (id, result) = match self.tasks.join_next_with_id().await? {
                Ok((id, result)) => (id, result),
                Err(error) => (error.id(), Err(panicked(error))),
            };
            // One that is not there was cancelled.
            let Some((store, flight)) = self.of_task.remove(&id) else {
                continue;
            };
            self.running.remove(&(store.clone(), flight));
            return Some(Input::Resolved {
                store,
                flight,
                result,
            });
        }
    }
}

async fn run(code: Code, call: Call, name: String, deadline: tokio::time::Instant) -> Outcome {
    let answer = tokio::time::timeout_at(deadline, code(call)).await;
    answer.unwrap_or_else(|_| {
        let message = format!("resolver {name:?} did not answer in time");
        Err(ResolveError::new(ResolveErrorKind::Timeout, &message))
    })
}

fn panicked(error: JoinError) -> ResolveError {
    let message = match error.try_into_panic() {
        Ok(panic) => {
            let text = panic
                .downcast_ref::<&str>()
                .map(|text| (*text).to_owned())
                .or_else(|| panic.downcast_ref::<String>().cloned());
            format!("the resolver panicked: {}", text.unwrap_or_default())
        }
        Err(_) => "the resolver was cancelled".to_owned(),
    };
    ResolveError::new(ResolveErrorKind::Failed, &message)
}

/// Hides what a resolver's code really is.
pub(crate) fn code<F, R>(code: F) -> Code
where
    F: Fn(Call) -> R + Send + Sync + 'static,
    R: Future<Output = Outcome> + Send + 'static,
{
    Arc::new(move |call| Box::pin(code(call)))
}
