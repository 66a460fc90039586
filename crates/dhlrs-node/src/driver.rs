//! The one task that owns the engine: everything that happens goes in here, one thing after the
//! other, and what the engine wants done is handed to those who wait.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use dhlrs_engine::{CallId, Engine, Input, Local, Output};
use dhlrs_link::{LinkId, LinkInput, Side};
use dhlrs_path::StoreName;
use dhlrs_store::Recovered;
use dhlrs_transport::Channel;
use dhlrs_wire::{Refusal, RefusalKind, Request};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{Duration, sleep_until, timeout};
use tracing::{debug, warn};

use crate::clock::Clock;
use crate::command::{Command, Waiter};
use crate::connection::{DRAIN_MS_MAX, INBOUND_BYTES_MAX, Outbox, carry, outbox};
use crate::dialer::DialEnd;
use crate::disk::Disk;
use crate::error::{NodeError, NodeErrorKind};
use crate::journal::Journal;
use crate::neighbours::Neighbours;
use crate::resolver_tasks::ResolverTasks;
use crate::shared::Published;
use crate::signals::{Raised, Signals};

/// Calls of the process's own code that wait for answers, watches among them.
pub const CALLS_MAX: usize = 65_536;
/// Commands that are taken in before anything else gets a turn.
const BATCH_MAX: usize = 128;

pub(crate) struct Driver {
    pub(crate) engine: Engine,
    pub(crate) clock: Clock,
    pub(crate) commands: mpsc::Receiver<Command>,
    /// For the connections.
    pub(crate) to_commands: mpsc::Sender<Command>,
    pub(crate) from_disks: mpsc::Receiver<Input>,
    pub(crate) signals: Arc<Signals>,
    pub(crate) calls: Arc<AtomicU64>,
    pub(crate) disks: BTreeMap<StoreName, Disk>,
    /// Told when the store's log has been read, and what came of it.
    pub(crate) opening: BTreeMap<StoreName, oneshot::Sender<Result<(), NodeError>>>,
    pub(crate) published: BTreeMap<StoreName, watch::Sender<Published>>,
    pub(crate) neighbours: Arc<watch::Sender<Neighbours>>,
    pub(crate) resolvers: ResolverTasks,
    pub(crate) state: State,
    /// Tells those who wait when this is gone.
    pub(crate) _here: watch::Sender<()>,
}

/// What the driver keeps for itself.
pub(crate) struct State {
    pub(crate) waiters: BTreeMap<CallId, Waiter>,
    pub(crate) connections: BTreeMap<LinkId, Connection>,
    pub(crate) connection_tasks: JoinSet<()>,
    pub(crate) inbound: Arc<Semaphore>,
    pub(crate) last_link: u64,
    pub(crate) outputs: Vec<Output>,
    /// What carrying out outputs made happen.
    pub(crate) echo: VecDeque<Input>,
    pub(crate) journal: Journal,
}

pub(crate) struct Connection {
    /// `None` once the link wants it closed: the queue runs empty.
    pub(crate) outbox: Option<Outbox>,
    pub(crate) dial: Option<oneshot::Sender<DialEnd>>,
    pub(crate) is_up: bool,
    /// Why it ends has been logged.
    pub(crate) is_explained: bool,
    pub(crate) address: String,
}

impl State {
    pub(crate) fn new() -> Self {
        Self {
            waiters: BTreeMap::new(),
            connections: BTreeMap::new(),
            connection_tasks: JoinSet::new(),
            inbound: Arc::new(Semaphore::new(INBOUND_BYTES_MAX)),
            last_link: 0,
            outputs: Vec::new(),
            echo: VecDeque::new(),
            journal: Journal::new(),
        }
    }
}

impl Driver {
    /// Runs until the node is shut down. Dropping the future ends everything that it owns.
    pub(crate) async fn run(mut self) {
        let stopped = loop {
            let wake_ms = self.engine.next_wake_ms();
            let wake = sleep_until(self.clock.at(wake_ms.unwrap_or(u64::MAX)));
            tokio::select! {
                Some(input) = self.from_disks.recv() => self.disk_input(input),
                Some(command) = self.commands.recv() => {
                    if let Some(stopped) = self.take_commands(command) {
                        break stopped;
                    }
                }
                raised = self.signals.raised() => self.raised(raised),
                Some(input) = self.resolvers.next(), if !self.resolvers.is_empty() => {
                    self.handle(input);
                }
                Some(_) = self.state.connection_tasks.join_next() => {}
                () = wake, if wake_ms.is_some() => {}
            }
            let due = self.engine.next_wake_ms();
            if due.is_some_and(|at| at <= self.clock.now().monotonic_ms) {
                self.handle(Input::Tick);
            }
        };
        self.shut_down().await;
        let _ = stopped.send(());
    }

    /// Takes what waits, up to a limit; the word to stop ends it.
    fn take_commands(&mut self, first: Command) -> Option<oneshot::Sender<()>> {
        let mut next = Some(first);
        for _ in 0..BATCH_MAX {
            match next.take() {
                Some(Command::Shutdown(stopped)) => return Some(stopped),
                Some(command) => self.command(command),
                None => return None,
            }
            next = self.commands.try_recv().ok();
        }
        match next {
            Some(Command::Shutdown(stopped)) => Some(stopped),
            Some(command) => {
                self.command(command);
                None
            }
            None => None,
        }
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::Call {
                call,
                local,
                waiter,
            } => {
                if waiter.is_moot() {
                    return;
                }
                if self.state.waiters.len() >= CALLS_MAX {
                    let message = format!("{CALLS_MAX} calls wait for answers: wait for some");
                    return waiter.refuse(Refusal::new(RefusalKind::Overloaded, message));
                }
                self.state.waiters.insert(call, waiter);
                self.handle(Input::Local(*local));
            }
            Command::With(run) => {
                run(&mut self.engine);
                // What it has set going is carried out now.
                self.handle(Input::Tick);
            }
            Command::Opened {
                channel,
                side,
                dial,
            } => self.opened(channel, side, dial),
            Command::Frame {
                link,
                bytes,
                permit,
            } => {
                self.handle(Input::Link(LinkInput::Frame { link, bytes }));
                drop(permit);
            }
            Command::Sent { link, frames } => {
                self.handle(Input::Link(LinkInput::Sent { link, frames }));
            }
            Command::Gone { link, fault } => {
                if let Some(fault) = fault {
                    // The link may have let go of the connection already.
                    self.engine.count_refused();
                    let warning = format!("ended a connection: {fault}");
                    self.state.journal.warn(&warning);
                    if let Some(connection) = self.state.connections.get_mut(&link) {
                        connection.is_explained = true;
                    }
                }
                self.handle(Input::Link(LinkInput::Closed { link }));
            }
            Command::TurnedAway(error) => {
                self.engine.count_refused();
                let warning = format!("turned somebody away: {error}");
                self.state.journal.warn(&warning);
            }
            Command::Shutdown(_) => {}
        }
    }

    fn raised(&mut self, raised: Raised) {
        for (store, read) in raised.ended_reads {
            // Nobody waits for the answer.
            let call = CallId(self.calls.fetch_add(1, Ordering::Relaxed) + 1);
            let node = store.node().clone();
            let store = Some(store.store().clone());
            let request = Request::EndRead { read };
            let timeout_ms = DRAIN_MS_MAX;
            self.handle(Input::Local(Local::Request {
                call,
                node,
                store,
                request,
                timeout_ms,
            }));
        }
        for (call, changes) in raised.credit {
            self.handle(Input::Local(Local::Credit { call, changes }));
        }
        for call in raised.cancelled {
            if self.state.waiters.remove(&call).is_some() {
                self.handle(Input::Local(Local::Cancel { call }));
            }
        }
    }

    fn disk_input(&mut self, input: Input) {
        let opened = match &input {
            Input::Recovered {
                store,
                chunk: Recovered::Records(_),
                last: true,
            } => Some(store.clone()),
            _ => None,
        };
        self.handle(input);
        if let Some(store) = opened
            && let Some(opening) = self.opening.remove(&store)
        {
            let result = match self.engine.store(&store) {
                Some(open) if open.is_open() => Ok(()),
                Some(fenced) => {
                    let kind = match fenced.is_as_asked() {
                        true => NodeErrorKind::Corrupt,
                        false => NodeErrorKind::Config,
                    };
                    let state = fenced.status().state;
                    Err((kind, format!("store {store} cannot be opened: {state}")))
                }
                None => Err((NodeErrorKind::Closed, format!("store {store} is not there"))),
            };
            let result = result.map_err(|(kind, message)| NodeError::new(kind, message));
            let _ = opening.send(result);
        }
    }

    fn opened(
        &mut self,
        channel: Box<dyn Channel>,
        side: Side,
        dial: Option<oneshot::Sender<DialEnd>>,
    ) {
        self.state.last_link += 1;
        let link = LinkId::new(self.state.last_link);
        let (outbox, outgoing) = outbox();
        let capability = channel.capability().clone();
        let connection = Connection {
            outbox: Some(outbox),
            dial,
            is_up: false,
            is_explained: false,
            address: channel.peer().to_owned(),
        };
        debug!(%link, peer = %connection.address, "connection opened");
        self.state.connections.insert(link, connection);
        let (commands, inbound) = (self.to_commands.clone(), self.state.inbound.clone());
        self.state
            .connection_tasks
            .spawn(carry(channel, link, outgoing, commands, inbound));
        self.handle(Input::Link(LinkInput::Opened {
            link,
            capability,
            side,
        }));
    }

    fn handle(&mut self, input: Input) {
        let now = self.clock.now();
        self.engine.handle(now, input, &mut self.state.outputs);
        self.carry_out();
        while let Some(input) = self.state.echo.pop_front() {
            self.engine.handle(now, input, &mut self.state.outputs);
            self.carry_out();
        }
    }

    /// Says goodbye, lets last words and last tickets out, and waits for all that it owns.
    async fn shut_down(mut self) {
        self.commands.close();
        self.handle(Input::Local(Local::Close));
        let now = self.clock.now();
        self.engine.shut_down(now, &mut self.state.outputs);
        self.carry_out();
        self.state.connections.clear();
        let mut tasks = std::mem::take(&mut self.state.connection_tasks);
        let drained = async { while tasks.join_next().await.is_some() {} };
        if timeout(Duration::from_millis(DRAIN_MS_MAX), drained)
            .await
            .is_err()
        {
            warn!("some connections were closed before all was handed over");
            tasks.shutdown().await;
        }
        // The disks' last words are taken in, so that none of them waits for room.
        let disks = std::mem::take(&mut self.disks);
        let close = async {
            for disk in disks.into_values() {
                disk.close().await;
            }
        };
        let from_disks = &mut self.from_disks;
        let take = async { while from_disks.recv().await.is_some() {} };
        tokio::join!(close, take);
    }
}
