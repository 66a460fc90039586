//! The one task that owns the engine: everything that happens goes in here, one thing after the
//! other, and what the engine wants done is handed to those who wait.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use dhlrs_clock::Time;
use dhlrs_engine::{CallId, Engine, Input, Local, Output};
use dhlrs_link::{LinkId, LinkInput, Peer, Side};
use dhlrs_path::StoreName;
use dhlrs_store::Recovered;
use dhlrs_transport::{Channel, TransportError};
use dhlrs_wire::{Delivery, Refusal, RefusalKind, Reply, Request};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{Duration, sleep_until, timeout};
use tracing::{debug, info, warn};

use crate::clock::Clock;
use crate::command::{Command, Waiter};
use crate::connection::{CONNECTION_FRAMES_MAX, DRAIN_MS_MAX, INBOUND_BYTES_MAX, carry};
use crate::dialer::DialEnd;
use crate::disk::{Disk, Job};
use crate::neighbours::Neighbours;
use crate::resolver_tasks::ResolverTasks;
use crate::shared::Published;
use crate::signals::{Raised, Signals};
use crate::warnings::Warnings;

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
    pub(crate) opening: BTreeMap<StoreName, oneshot::Sender<Result<(), String>>>,
    pub(crate) published: BTreeMap<StoreName, watch::Sender<Published>>,
    pub(crate) neighbours: Arc<watch::Sender<Neighbours>>,
    pub(crate) resolvers: ResolverTasks,
    pub(crate) state: State,
}

/// What the driver keeps for itself.
pub(crate) struct State {
    waiters: BTreeMap<CallId, Waiter>,
    connections: BTreeMap<LinkId, Connection>,
    connection_tasks: JoinSet<()>,
    inbound: Arc<Semaphore>,
    last_link: u64,
    outputs: Vec<Output>,
    /// What carrying out outputs made happen.
    echo: VecDeque<Input>,
    warnings: Warnings,
}

struct Connection {
    /// `None` once the link wants it closed: the queue runs empty.
    frames: Option<mpsc::Sender<Bytes>>,
    dial: Option<oneshot::Sender<DialEnd>>,
    is_up: bool,
    /// What the peer did that no frame can tell.
    fault: Option<TransportError>,
    address: String,
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
            warnings: Warnings::new(),
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
            Command::With(run) => run(&mut self.engine),
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
                if let Some(connection) = self.state.connections.get_mut(&link) {
                    connection.fault = fault;
                }
                self.handle(Input::Link(LinkInput::Closed { link }));
            }
            Command::TurnedAway(error) => {
                self.engine.count_refused();
                let warning = format!("turned somebody away: {error}");
                self.state.warnings.warn(&warning);
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
                Some(fenced) => Err(fenced.status().state),
                None => Err("it is not there".to_owned()),
            };
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
        let (frames, queue) = mpsc::channel(CONNECTION_FRAMES_MAX);
        let capability = channel.capability().clone();
        let connection = Connection {
            frames: Some(frames),
            dial,
            is_up: false,
            fault: None,
            address: channel.peer().to_owned(),
        };
        debug!(%link, peer = %connection.address, "connection opened");
        self.state.connections.insert(link, connection);
        let (commands, inbound) = (self.to_commands.clone(), self.state.inbound.clone());
        self.state
            .connection_tasks
            .spawn(carry(channel, link, queue, commands, inbound));
        self.handle(Input::Link(LinkInput::Opened {
            link,
            capability,
            side,
        }));
    }

    fn handle(&mut self, input: Input) {
        let now = self.clock.now();
        self.engine.handle(now, input, &mut self.state.outputs);
        self.carry_out(now);
        while let Some(input) = self.state.echo.pop_front() {
            self.engine.handle(now, input, &mut self.state.outputs);
            self.carry_out(now);
        }
    }

    fn carry_out(&mut self, now: Time) {
        let mut outputs = std::mem::take(&mut self.state.outputs);
        for output in outputs.drain(..) {
            self.output(now, output);
        }
        // The buffer is kept, what was in it is gone.
        self.state.outputs = outputs;
    }

    fn output(&mut self, now: Time, output: Output) {
        match output {
            Output::Send { link, frame } => self.send(link, frame),
            Output::Close { link } => {
                if let Some(connection) = self.state.connections.get_mut(&link) {
                    connection.frames = None;
                }
            }
            Output::LinkUp { link, peer } => self.link_up(link, &peer),
            Output::Announced { peer } => {
                self.neighbours
                    .send_modify(|state| state.announced(&peer.name));
            }
            Output::LinkDown { link, peer, ending } => {
                let Some(connection) = self.state.connections.remove(&link) else {
                    return;
                };
                self.link_down(link, connection, peer, ending);
            }
            Output::Persist {
                store,
                ticket,
                records,
            } => {
                self.job(store, Job::Persist { ticket, records });
            }
            Output::Checkpoint {
                store,
                ticket,
                image,
            } => {
                self.job(store, Job::Checkpoint { ticket, image });
            }
            Output::Prune { store } => self.job(store, Job::Prune),
            Output::Published {
                store,
                tree,
                revision,
            } => {
                if let Some(published) = self.published.get(&store) {
                    published.send_replace(Published { tree, revision });
                }
            }
            Output::Resolve {
                store,
                flight,
                call,
            } => {
                let refused = self.resolvers.start(self.clock, store, flight, call);
                self.state.echo.extend(refused);
            }
            Output::CancelResolve { store, flight } => self.resolvers.cancel(store, flight),
            Output::Answer { call, result } => self.answer(call, result),
            Output::Deliver { call, delivery } => self.deliver(call, delivery),
            Output::Warning(text) => self.state.warnings.warn(&text),
        }
        let _ = now;
    }

    fn send(&mut self, link: LinkId, frame: Bytes) {
        let Some(connection) = self.state.connections.get_mut(&link) else {
            return;
        };
        let Some(frames) = &connection.frames else {
            return;
        };
        // If its task has ended, it has said so: what it received before comes first.
        if let Err(mpsc::error::TrySendError::Full(_)) = frames.try_send(frame) {
            // The link never hands out more than fits, so this is a defect of ours.
            connection.frames = None;
            self.state
                .echo
                .push_back(Input::Link(LinkInput::Closed { link }));
        }
    }

    fn link_up(&mut self, link: LinkId, peer: &Arc<Peer>) {
        let Some(connection) = self.state.connections.get_mut(&link) else {
            return;
        };
        connection.is_up = true;
        info!(%peer, address = %connection.address, "connected");
        let is_dialed = connection.dial.is_some();
        self.neighbours.send_modify(|state| {
            state.up(&peer.name);
            if is_dialed {
                state.dialed(&peer.name);
            }
        });
    }

    fn link_down(
        &mut self,
        link: LinkId,
        connection: Connection,
        peer: Option<Arc<Peer>>,
        ending: dhlrs_link::Ending,
    ) {
        let Connection {
            dial,
            is_up,
            fault,
            address,
            ..
        } = connection;
        if let Some(fault) = fault {
            if is_up {
                // One that was not up is counted by the link.
                self.engine.count_refused();
            }
            self.state
                .warnings
                .warn(&format!("ended a connection: {fault}"));
        } else if !is_up && dial.is_none() {
            let who = peer
                .as_ref()
                .map_or_else(|| address.clone(), |peer| format!("{peer} at {address}"));
            self.state
                .warnings
                .warn(&format!("refused a connection of {who}: {ending}"));
        }
        if is_up {
            info!(%link, peer = ?peer.as_ref().map(|peer| &peer.name), %ending, "disconnected");
        }
        if let Some(peer) = peer.as_ref().filter(|_| is_up) {
            self.neighbours.send_modify(|state| state.down(&peer.name));
        }
        if let Some(dial) = dial {
            let _ = dial.send(DialEnd {
                ending,
                peer,
                was_up: is_up,
            });
        }
    }

    fn job(&mut self, store: StoreName, job: Job) {
        let refused = match self.disks.get(&store) {
            Some(disk) => disk.take(job),
            None => Err(job),
        };
        match refused {
            Ok(()) => {}
            Err(Job::Persist { .. }) => {
                let message = "the thread that writes the log has ended".to_owned();
                self.state
                    .echo
                    .push_back(Input::PersistFailed { store, message });
            }
            Err(Job::Checkpoint { .. }) => {
                self.state.echo.push_back(Input::Checkpointed { store });
            }
            Err(Job::Prune) => {}
        }
    }

    fn answer(&mut self, call: CallId, result: Result<Reply, Refusal>) {
        let began = matches!(result, Ok(Reply::Watching { .. }));
        if let Some(Waiter::Watch { began: waiter, .. }) = self.state.waiters.get_mut(&call)
            && began
        {
            let told = waiter
                .take()
                .is_some_and(|waiter| waiter.send(result).is_ok());
            if !told {
                self.give_up(call);
            }
            return;
        }
        match self.state.waiters.remove(&call) {
            Some(Waiter::Read(sender) | Waiter::Write(sender)) => {
                let _ = sender.send(result);
            }
            Some(Waiter::Watch {
                began: Some(sender),
                ..
            }) => {
                let _ = sender.send(result);
            }
            Some(Waiter::Watch { began: None, .. }) | None => {}
        }
    }

    fn deliver(&mut self, call: CallId, delivery: Delivery) {
        let Some(Waiter::Watch { pieces, .. }) = self.state.waiters.get(&call) else {
            return;
        };
        let is_last = matches!(delivery, Delivery::Ended(_));
        let full = pieces.try_send(delivery).is_err();
        if full {
            // Gone, or sent far more than it gave credit for: the stream ends, and says so.
            self.give_up(call);
        } else if is_last {
            self.state.waiters.remove(&call);
        }
    }

    fn give_up(&mut self, call: CallId) {
        self.state.waiters.remove(&call);
        self.state
            .echo
            .push_back(Input::Local(Local::Cancel { call }));
    }

    /// Says goodbye, lets last words and last tickets out, and waits for all that it owns.
    async fn shut_down(mut self) {
        self.commands.close();
        self.handle(Input::Local(Local::Close));
        let now = self.clock.now();
        self.engine.shut_down(now, &mut self.state.outputs);
        self.carry_out(now);
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
