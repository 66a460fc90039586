//! The cluster: nodes, wires and one heap of events.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use dhlrs_bag::{GuardedEdit, Snapshot};
use dhlrs_clock::Time;
use dhlrs_engine::{CallId, Engine, Input, Local, Write};
use dhlrs_link::LinkInput;
use dhlrs_path::{NodeName, StoreName};
use dhlrs_storage::{MemoryVfs, Survival};
use dhlrs_wire::{Delivery, Refusal, Reply, Request, Revision, StoreStatus, Watch};

use crate::calls::{Call, Calls, Fate};
use crate::dice::Dice;
use crate::event::{Due, Event};
use crate::network::{Connection, Weather, Wire, WireId};
use crate::node::{Loss, Node, NodeIndex};
use crate::trace::Trace;

/// Wakes of one node in one millisecond after which its engine is said to be spinning.
const WAKES_PER_MS_MAX: u32 = 1_000;

/// What happened that a test may want to judge, in order.
#[derive(Clone, Debug)]
pub enum Happening {
    /// Readers of a store see this from now on.
    Published {
        /// Where.
        node: NodeIndex,
        /// Which store.
        store: StoreName,
        /// The tree.
        tree: Snapshot,
        /// Its revision.
        revision: Revision,
    },
    /// A call was answered.
    Answered(CallId),
    /// A watch delivered something.
    Delivered(CallId, Box<Delivery>),
    /// A node said something that a person should know.
    Warning(NodeIndex, String),
    /// A node broke a rule between engine and driver.
    Broken(NodeIndex, String),
}

/// Nodes, wires between them, and the time. See the crate's page.
pub struct Cluster {
    pub(crate) seed: u64,
    pub(crate) dice: Dice,
    pub(crate) now_ms: u64,
    pub(crate) nodes: Vec<Node>,
    pub(crate) wires: Vec<Wire>,
    pub(crate) connections: BTreeMap<u64, Connection>,
    pub(crate) last_link: u64,
    pub(crate) calls: Calls,
    pub(crate) happenings: Vec<Happening>,
    pub(crate) trace: Trace,
    /// Frames for those who are no nodes, by link.
    pub(crate) strangers: BTreeMap<u64, Vec<bytes::Bytes>>,
    heap: BinaryHeap<Reverse<Due>>,
    scheduled: u64,
    wakes: (u64, usize, u32),
}

impl Cluster {
    /// A cluster without nodes. Everything that is left to chance follows from `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            dice: Dice::new(seed),
            now_ms: 0,
            nodes: Vec::new(),
            wires: Vec::new(),
            connections: BTreeMap::new(),
            last_link: 0,
            calls: Calls::default(),
            happenings: Vec::new(),
            trace: Trace::default(),
            strangers: BTreeMap::new(),
            heap: BinaryHeap::new(),
            scheduled: 0,
            wakes: (0, 0, 0),
        }
    }

    /// Keeps the trace as text, for [`trace`](Self::trace).
    pub fn keep_trace(&mut self) {
        self.trace.keep_text();
    }

    /// Adds a node and starts it. A name that is none becomes `sim/nodeN`.
    pub fn add_node(&mut self, name: &str) -> NodeIndex {
        let index = self.nodes.len();
        let name = name.parse().unwrap_or_else(|_| numbered_name(index));
        let mut node = Node::new(index, name);
        node.monotonic_ahead_ms = self.dice.roll(1 << 20);
        node.start(self.seed);
        self.nodes.push(node);
        self.note(index, "start", b"");
        NodeIndex(index)
    }

    /// Makes a node a client: its name is not announced. From its next start on.
    pub fn make_client(&mut self, node: NodeIndex) {
        if let Some(own) = self.nodes.get_mut(node.0) {
            own.announced = false;
        }
        self.crash(node, Loss::Process);
        self.restart(node);
    }

    /// Adds a store to a node and opens it, now and at each restart.
    pub fn add_store(
        &mut self,
        node: NodeIndex,
        store: &str,
        setup: impl Fn(&mut dhlrs_store::Config) + 'static,
    ) {
        let Ok(name) = store.parse::<StoreName>() else {
            return self.broken(node, format!("no store name: {store}"));
        };
        if let Some(own) = self.nodes.get_mut(node.0) {
            own.setups.insert(name.clone(), Box::new(setup));
            self.open_store(node, name);
        }
    }

    fn open_store(&mut self, node: NodeIndex, name: StoreName) {
        let Some(own) = self.nodes.get_mut(node.0) else {
            return;
        };
        let life = own.life;
        match own.open_store(&name) {
            Ok(true) => {
                let at_ms = self.now_ms + self.dice.roll(3);
                let store = name;
                self.schedule(at_ms, Event::OpenLog { node, life, store });
            }
            Ok(false) => self.rewake(node),
            Err(error) => self.broken(node, error),
        }
    }

    /// Draws a wire over which `from` connects to `to`, and connects again whenever it is lost.
    pub fn connect(&mut self, from: NodeIndex, to: NodeIndex) -> WireId {
        let id = WireId(self.wires.len());
        self.wires.push(Wire {
            ends: [from, to],
            weather: Weather::default(),
            cut: false,
            dead_from: [false; 2],
            connection: None,
            last: None,
            is_connecting: false,
            traffic: Default::default(),
        });
        self.connect_soon(id, 0);
        id
    }

    /// The time that has passed, in milliseconds.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        self.now_ms
    }

    /// What a node's clocks show.
    pub(crate) fn time_of(&self, node: NodeIndex) -> Time {
        let own = self.nodes.get(node.0);
        own.map_or_else(Time::default, |own| own.time(self.now_ms))
    }

    /// A hash over all that happened: equal histories have equal hashes.
    #[must_use]
    pub fn trace_hash(&self) -> [u8; 32] {
        self.trace.hash()
    }

    /// What happened, a line each, since [`keep_trace`](Self::keep_trace).
    #[must_use]
    pub fn trace(&self) -> &str {
        self.trace.text()
    }

    /// The choices that are left to the test itself.
    pub fn dice(&mut self) -> &mut Dice {
        &mut self.dice
    }

    /// What happened since this was asked last.
    pub fn take_happenings(&mut self) -> Vec<Happening> {
        std::mem::take(&mut self.happenings)
    }

    /// A node's disk, to plan faults.
    #[must_use]
    pub fn disk(&self, node: NodeIndex) -> Option<&MemoryVfs> {
        self.nodes.get(node.0).map(|own| &own.vfs)
    }

    /// A node's engine, unless it is down.
    #[must_use]
    pub fn engine(&self, node: NodeIndex) -> Option<&Engine> {
        self.nodes.get(node.0)?.engine.as_ref()
    }

    /// A node's engine, to register subscribers.
    pub fn engine_mut(&mut self, node: NodeIndex) -> Option<&mut Engine> {
        self.nodes.get_mut(node.0)?.engine.as_mut()
    }

    /// A node's name.
    #[must_use]
    pub fn name(&self, node: NodeIndex) -> NodeName {
        let own = self.nodes.get(node.0);
        own.map_or_else(|| numbered_name(node.0), |own| own.name.clone())
    }

    /// What readers of a store see; `None` if the node is down.
    #[must_use]
    pub fn published(&self, node: NodeIndex, store: &str) -> Option<&Snapshot> {
        let name = store.parse().ok()?;
        Some(self.engine(node)?.store(&name)?.published())
    }

    /// What a store says of itself; `None` if the node is down.
    #[must_use]
    pub fn status(&self, node: NodeIndex, store: &str) -> Option<StoreStatus> {
        let name = store.parse().ok()?;
        Some(self.engine(node)?.store(&name)?.status())
    }

    /// Ends a process without a word.
    pub fn crash(&mut self, node: NodeIndex, loss: Loss) {
        let torn = self.dice.bits();
        let Some(own) = self.nodes.get_mut(node.0) else {
            return;
        };
        if own.engine.take().is_none() {
            return;
        }
        own.disks.clear();
        own.backlog.clear();
        own.paused = false;
        match loss {
            Loss::Process => {}
            Loss::Unsynced => own.vfs.power_loss(Survival::SyncedOnly),
            Loss::Torn => own.vfs.power_loss(Survival::Torn { seed: torn }),
        }
        self.calls.lose(node);
        self.note(node.0, "crash", b"");
        self.hang_up(node);
    }

    /// Starts a process that has crashed. Its stores read their logs.
    pub fn restart(&mut self, node: NodeIndex) {
        let seed = self.seed;
        let Some(own) = self.nodes.get_mut(node.0) else {
            return;
        };
        if own.engine.is_some() {
            return;
        }
        own.start(seed);
        let stores: Vec<StoreName> = own.setups.keys().cloned().collect();
        self.note(node.0, "start", b"");
        for store in stores {
            self.open_store(node, store);
        }
    }

    /// Whether a node runs.
    #[must_use]
    pub fn is_up(&self, node: NodeIndex) -> bool {
        self.engine(node).is_some()
    }

    /// Lets nothing happen to a process, as SIGSTOP does.
    pub fn pause(&mut self, node: NodeIndex) {
        if let Some(own) = self.nodes.get_mut(node.0) {
            own.paused = own.engine.is_some();
        }
    }

    /// Lets a paused process catch up.
    pub fn resume(&mut self, node: NodeIndex) {
        let Some(own) = self.nodes.get_mut(node.0) else {
            return;
        };
        own.paused = false;
        // A wake that came meanwhile was slept through.
        own.wake_ms = None;
        let backlog = std::mem::take(&mut own.backlog);
        for input in backlog {
            self.handle(node, input);
        }
        self.rewake(node);
    }

    /// Sets a node's wall clock off by so much.
    pub fn skew(&mut self, node: NodeIndex, skew_ms: i64) {
        if let Some(own) = self.nodes.get_mut(node.0) {
            own.skew_ms = skew_ms;
        }
    }

    /// Writes, from a node's own code. A transaction where there are several edits.
    pub fn write(
        &mut self,
        node: NodeIndex,
        target: &str,
        edits: Vec<GuardedEdit>,
        timeout_ms: u64,
    ) -> CallId {
        self.write_as(node, target, edits, true, timeout_ms)
    }

    /// As [`write`](Self::write), but an edit that is refused is left out.
    pub fn import(
        &mut self,
        node: NodeIndex,
        target: &str,
        edits: Vec<GuardedEdit>,
        timeout_ms: u64,
    ) -> CallId {
        self.write_as(node, target, edits, false, timeout_ms)
    }

    fn write_as(
        &mut self,
        node: NodeIndex,
        target: &str,
        edits: Vec<GuardedEdit>,
        atomic: bool,
        timeout_ms: u64,
    ) -> CallId {
        let write = Write {
            edits,
            atomic,
            incarnation: None,
            reason: None,
            emitted: Vec::new(),
        };
        let call = self.calls.begin(node);
        match target.parse() {
            Ok(target) => {
                let local = Local::Write {
                    call,
                    target,
                    write,
                    timeout_ms,
                };
                self.local(node, local);
            }
            Err(_) => self.broken(node, format!("no store address: {target}")),
        }
        call
    }

    /// Watches, from a node's own code.
    pub fn watch(&mut self, node: NodeIndex, target: &str, watch: Watch) -> CallId {
        let call = self.calls.begin(node);
        match target.parse() {
            Ok(target) => {
                let local = Local::Watch {
                    call,
                    target,
                    watch,
                    timeout_ms: 5_000,
                };
                self.local(node, local);
            }
            Err(_) => self.broken(node, format!("no store address: {target}")),
        }
        call
    }

    /// Asks a process, or a store of it where one is named.
    pub fn request(
        &mut self,
        node: NodeIndex,
        target: &NodeName,
        store: Option<&str>,
        request: Request,
        timeout_ms: u64,
    ) -> CallId {
        let call = self.calls.begin(node);
        let local = Local::Request {
            call,
            node: target.clone(),
            store: store.and_then(|store| store.parse().ok()),
            request,
            timeout_ms,
        };
        self.local(node, local);
        call
    }

    /// Any other call of a node's own code.
    pub fn local(&mut self, node: NodeIndex, local: Local) {
        self.handle(node, Input::Local(local));
    }

    /// Puts an input into a node as if a driver had, to play a peer or a disk of one's own.
    pub fn inject(&mut self, node: NodeIndex, input: LinkInput) {
        self.handle(node, Input::Link(input));
    }

    /// A call.
    #[must_use]
    pub fn call(&self, call: CallId) -> Option<&Call> {
        self.calls.get(call)
    }

    /// The answer to a call, once there is one.
    #[must_use]
    pub fn answer(&self, call: CallId) -> Option<&Result<Reply, Refusal>> {
        match &self.calls.get(call)?.fate {
            Fate::Answered(result) => Some(result),
            Fate::Open | Fate::Lost => None,
        }
    }

    /// Lets time pass.
    pub fn run_for(&mut self, duration_ms: u64) {
        let until_ms = self.now_ms + duration_ms;
        while self.step(until_ms) {}
    }

    /// Lets time pass until something holds; `false` if it does not within `duration_ms`.
    pub fn run_until(&mut self, duration_ms: u64, mut holds: impl FnMut(&Self) -> bool) -> bool {
        let until_ms = self.now_ms + duration_ms;
        loop {
            if holds(self) {
                return true;
            }
            if !self.step(until_ms) {
                return holds(self);
            }
        }
    }

    /// The next thing that happens; `false`, and the time has come, if there is none before it.
    pub fn step(&mut self, until_ms: u64) -> bool {
        let Some(Reverse(due)) = self.heap.peek() else {
            self.now_ms = self.now_ms.max(until_ms);
            return false;
        };
        if due.at_ms > until_ms {
            self.now_ms = self.now_ms.max(until_ms);
            return false;
        }
        if let Some(Reverse(due)) = self.heap.pop() {
            self.now_ms = self.now_ms.max(due.at_ms);
            self.happen(due.event);
        }
        true
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Input { node, life, input } => {
                if self.lives(node, life) {
                    self.handle(node, *input);
                }
            }
            Event::Wake { node, life } => {
                if self.lives(node, life) {
                    self.wake(node);
                }
            }
            Event::Disk { node, life, store } => {
                if self.lives(node, life) {
                    self.disk_task(node, &store);
                }
            }
            Event::OpenLog { node, life, store } => {
                if self.lives(node, life) {
                    self.open_log(node, &store);
                }
            }
            Event::Connect(wire) => self.try_to_connect(wire),
        }
    }

    fn lives(&self, node: NodeIndex, life: u64) -> bool {
        let own = self.nodes.get(node.0);
        own.is_some_and(|own| own.life == life && own.engine.is_some())
    }

    fn wake(&mut self, node: NodeIndex) {
        let Some(own) = self.nodes.get_mut(node.0) else {
            return;
        };
        let due = own.wake_ms.is_some_and(|wake_ms| wake_ms <= self.now_ms);
        if !due || own.paused {
            return;
        }
        own.wake_ms = None;
        let (at_ms, who, count) = self.wakes;
        self.wakes = if (at_ms, who) == (self.now_ms, node.0) {
            (at_ms, who, count + 1)
        } else {
            (self.now_ms, node.0, 1)
        };
        if self.wakes.2 > WAKES_PER_MS_MAX {
            return self.broken(node, "the engine asks to be woken without end".to_owned());
        }
        self.handle(node, Input::Tick);
    }

    /// Plans the node's next wake after anything that may have changed it.
    pub(crate) fn rewake(&mut self, node: NodeIndex) {
        let Some(own) = self.nodes.get_mut(node.0) else {
            return;
        };
        let Some(wants_ms) = own.wants_wake_ms() else {
            return;
        };
        let wants_ms = wants_ms.max(self.now_ms);
        if own.wake_ms.is_some_and(|wake_ms| wake_ms <= wants_ms) {
            return;
        }
        own.wake_ms = Some(wants_ms);
        let life = own.life;
        self.schedule(wants_ms, Event::Wake { node, life });
    }

    pub(crate) fn schedule(&mut self, at_ms: u64, event: Event) {
        self.scheduled += 1;
        self.heap.push(Reverse(Due {
            at_ms,
            order: self.scheduled,
            event,
        }));
    }

    /// Lets something happen to a node later in its present life.
    pub(crate) fn input_at(&mut self, at_ms: u64, node: NodeIndex, input: Input) {
        let Some(own) = self.nodes.get(node.0) else {
            return;
        };
        let life = own.life;
        let input = Box::new(input);
        self.schedule(at_ms, Event::Input { node, life, input });
    }

    pub(crate) fn note(&mut self, node: usize, what: &str, detail: &[u8]) {
        self.trace.note(self.now_ms, node, what, detail);
    }

    pub(crate) fn broken(&mut self, node: NodeIndex, what: String) {
        self.note(node.0, "BROKEN", what.as_bytes());
        self.happenings.push(Happening::Broken(node, what));
    }
}

/// Digits and letters alone, so it is always a name.
#[expect(clippy::expect_used, reason = "a constant form that is a name")]
fn numbered_name(index: usize) -> NodeName {
    format!("sim/node{index}").parse().expect("a node name")
}
