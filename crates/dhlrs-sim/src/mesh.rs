//! A history of faults over replicas of one store, made from a seed, and what must hold in it.
//!
//! Some processes with a replica each, connected at random; all write the same paths while wires break,
//! power fails, disks refuse, clocks jump, backups are put back and machines are cloned. Which faults
//! there are is itself left to the seed. Then everything is mended, and all must come to the same tree.

mod edits;
mod judge;
mod options;
mod whole;

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::rc::Rc;

use dhlrs_bag::GuardedEdit;
use dhlrs_engine::{CallId, Local};
use dhlrs_feed::{Event, EventId, FeedId};
use dhlrs_storage::{Fault, MemoryVfs, Survival, Vfs};
use dhlrs_store::Authority;
use dhlrs_wire::{Delivery, Kinds, RevisionFrom, Selection, Watch};

pub use options::{Clocks, Options};

use crate::network::{Weather, WireId};
use crate::node::{Loss, NodeIndex};
use crate::{Cluster, Dice, Fate, Happening};
use judge::{Judge, WriteId};

/// How long all may take to be equal once everything is mended, in milliseconds; where clocks were far
/// off, an hour more: as long as what an author lost its way with is held.
pub const HEAL_MS_MAX: u64 = 120_000;
/// The farthest that a clock is off, in milliseconds.
const SKEW_MS_MAX: u64 = 3_600_000;
/// The farthest where nothing must be held.
const NEAR_MS_MAX: u64 = 25_000;
const WRITE_TIMEOUT_MS: u64 = 20_000;
const STORE: &str = "field";
/// Clones of a storm, at most.
const CLONES_MAX: usize = 2;

/// A rule was broken.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The seed that breaks it again.
    pub seed: u64,
    /// Which rule, and how.
    pub what: String,
    /// What the seed had switched on.
    pub options: Options,
    /// Everything that happened, a line each, if it was kept.
    pub trace: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "mesh seed {}: {}\n{:?}",
            self.seed, self.what, self.options
        )
    }
}

impl std::error::Error for Failure {}

/// What a mesh storm was made of, and what came of it.
#[derive(Clone, Debug)]
pub struct Report {
    /// Equal for equal histories.
    pub trace_hash: [u8; 32],
    /// How much time passed in it, in milliseconds.
    pub simulated_ms: u64,
    /// Writes that were acknowledged.
    pub acknowledged: u64,
    /// Crashes, cuts and other faults.
    pub faults: u64,
    /// Changes that watches delivered.
    pub delivered: u64,
    /// How long it took until all were equal after everything was mended, in milliseconds.
    pub healed_ms: u64,
    /// The most frames that went over one wire, both ways, in a minute in which nobody wrote.
    pub silent_frames: u64,
    /// What all have in the end.
    pub history: History,
}

/// All events of a store, and what they came to.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// The events of each feed that all have, those that are void among them.
    pub feeds: BTreeMap<FeedId, Vec<(Event, EventId)>>,
    /// Where feeds end for good.
    pub closed: BTreeMap<FeedId, u64>,
    /// The state hash.
    pub hash: [u8; 32],
    /// The wall clock at the end, in milliseconds.
    pub now_ms: u64,
}

/// Runs the mesh storm of a seed.
///
/// # Errors
///
/// [`Failure`] says which rule was broken.
pub fn run(seed: u64, keep_trace: bool) -> Result<Report, Box<Failure>> {
    run_with(seed, Options::from_seed(seed), keep_trace)
}

/// The same with options of one's own.
///
/// # Errors
///
/// [`Failure`] says which rule was broken.
pub fn run_with(seed: u64, options: Options, keep_trace: bool) -> Result<Report, Box<Failure>> {
    let mut storm = Storm::new(seed, options.clone(), keep_trace);
    storm.run().map_err(|what| {
        Box::new(Failure {
            seed,
            what,
            options,
            trace: storm.cluster.trace().to_owned(),
        })
    })
}

struct Storm {
    cluster: Cluster,
    options: Options,
    dice: Dice,
    nodes: Vec<NodeIndex>,
    wires: Vec<WireId>,
    /// The nodes that have a wire between them, the lower one first.
    pairs: BTreeSet<(NodeIndex, NodeIndex)>,
    clones: usize,
    /// Whether a process is started as one whose backup was put back.
    restored: BTreeMap<NodeIndex, Rc<Cell<bool>>>,
    /// A disk as it was, with the writes that had been acknowledged by then.
    backups: BTreeMap<NodeIndex, (MemoryVfs, BTreeSet<u64>)>,
    numbers: BTreeMap<NodeIndex, u64>,
    writes: BTreeMap<CallId, WriteId>,
    watches: BTreeMap<CallId, NodeIndex>,
    judge: Judge,
    faults: u64,
}

impl Storm {
    fn new(seed: u64, options: Options, keep_trace: bool) -> Self {
        let mut cluster = Cluster::new(seed);
        if keep_trace {
            cluster.keep_trace();
        }
        let judge = Judge::new(options.window_changes < 1_000, options.voids());
        let mut storm = Self {
            cluster,
            dice: Dice::new(seed ^ 0x1337_0a11),
            options,
            nodes: Vec::new(),
            wires: Vec::new(),
            pairs: BTreeSet::new(),
            clones: 0,
            restored: BTreeMap::new(),
            backups: BTreeMap::new(),
            numbers: BTreeMap::new(),
            writes: BTreeMap::new(),
            watches: BTreeMap::new(),
            judge,
            faults: 0,
        };
        for number in 0..storm.options.nodes {
            let node = storm.cluster.add_node(&format!("n{number}/p"));
            storm.join(node);
        }
        for _ in 0..storm.options.more_wires {
            let (from, to) = (storm.some_node(), storm.some_node());
            if from != to {
                storm.wire(from, to);
            }
        }
        storm
    }

    /// Gives a node a replica and a wire to one of those before it.
    fn join(&mut self, node: NodeIndex) {
        let others = self.nodes.clone();
        self.nodes.push(node);
        let restored = Rc::new(Cell::new(false));
        self.restored.insert(node, Rc::clone(&restored));
        let window = self.options.window_changes;
        let interval_ms = self.options.gossip_interval_ms;
        self.cluster.add_store(node, STORE, move |config| {
            config.logged = true;
            config.authority = Some(Authority::Replicated);
            config.restored = restored.get();
            config.limits.window_changes_max = window;
            if let Some(replication) = &mut config.replication {
                replication.gossip_interval_ms = interval_ms;
            }
        });
        if let Some(other) = self.dice.pick(&others).copied() {
            self.wire(node, other);
        }
    }

    fn wire(&mut self, from: NodeIndex, to: NodeIndex) {
        // Of two connections between the same processes one would give way to the other for ever.
        if !self.pairs.insert((from.min(to), from.max(to))) {
            return;
        }
        let wire = self.cluster.connect(from, to);
        if self.options.rough_weather {
            self.cluster.set_weather(wire, Weather::rough());
        }
        self.wires.push(wire);
    }

    fn run(&mut self) -> Result<Report, String> {
        self.go(500)?;
        for node in self.nodes.clone() {
            self.watch(node, Some(0));
        }
        for step in 0..self.options.steps {
            match self.dice.chance(self.options.fault_percent) {
                true => self.fault(),
                false => {
                    let node = self.some_node();
                    self.write(node);
                }
            }
            let pause_ms = match self.dice.roll(20) {
                0 => self.dice.between(600, 5_000),
                1..=4 => self.dice.between(50, 600),
                _ => self.dice.between(0, 15),
            };
            self.go(pause_ms)?;
            if step % 8 == 0 {
                self.equal_frontiers_are_equal_states()?;
            }
        }
        self.mend();
        let mended_ms = self.cluster.now_ms();
        self.wait_until_whole()?;
        let healed_ms = self.cluster.now_ms() - mended_ms;
        // Whatever happened, all can write again.
        for node in self.nodes.clone() {
            self.write_last(node)?;
        }
        self.wait_until_whole()?;
        let silent_frames = self.listen_to_silence()?;
        let history = self.conclude()?;
        Ok(Report {
            trace_hash: self.cluster.trace_hash(),
            simulated_ms: self.cluster.now_ms(),
            acknowledged: self.judge.acknowledged(),
            faults: self.faults,
            delivered: self.judge.delivered,
            healed_ms,
            silent_frames,
            history,
        })
    }

    /// Lets time pass and judges everything that happens, when it happens.
    fn go(&mut self, duration_ms: u64) -> Result<(), String> {
        let until_ms = self.cluster.now_ms() + duration_ms;
        loop {
            let more = self.cluster.step(until_ms);
            self.look()?;
            if !more {
                return Ok(());
            }
        }
    }

    fn look(&mut self) -> Result<(), String> {
        for happening in self.cluster.take_happenings() {
            match happening {
                Happening::Broken(node, what) => {
                    return Err(format!("{}: {what}", self.cluster.name(node)));
                }
                Happening::Warning(..) => {}
                Happening::Published {
                    node,
                    tree,
                    revision,
                    ..
                } => {
                    // Its log was opened, so it has written that it was put back.
                    if let Some(restored) = self.restored.get(&node) {
                        restored.set(false);
                    }
                    self.judge.published(node, &tree, revision)?;
                }
                Happening::Answered(call) => self.answered(call)?,
                Happening::Delivered(call, delivery) => {
                    if let Some(node) = self.watches.get(&call).copied() {
                        self.delivered(node, call, &delivery)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn answered(&mut self, call: CallId) -> Result<(), String> {
        let answer = self.cluster.answer(call);
        if let Some(write) = self.writes.remove(&call)
            && let Some(answer) = answer
        {
            self.judge.answered(write, answer);
        } else if let Some(node) = self.watches.get(&call).copied()
            && !self.judge.watch_began(node, call, answer)?
        {
            self.watches.remove(&call);
            self.watch(node, None);
        }
        Ok(())
    }

    fn delivered(
        &mut self,
        node: NodeIndex,
        call: CallId,
        delivery: &Delivery,
    ) -> Result<(), String> {
        let (changes, goes_on) = self.judge.delivery(call, delivery)?;
        if !goes_on {
            self.watches.remove(&call);
            self.watch(node, None);
        } else if changes > 0 {
            self.cluster.local(node, Local::Credit { call, changes });
        }
        Ok(())
    }

    fn watch(&mut self, node: NodeIndex, from: Option<u64>) {
        if !self.cluster.is_up(node) {
            return;
        }
        let Ok(pattern) = "**".parse() else { return };
        let watch = Watch {
            selection: Selection::Pattern(pattern),
            from: from.map(RevisionFrom::from),
            kinds: Kinds::default(),
            credit: u32::try_from(self.dice.between(1, 12)).unwrap_or(1),
            node: None,
        };
        let target = self.target(node);
        let call = self.cluster.watch(node, &target, watch);
        self.watches.insert(call, node);
    }

    fn target(&self, node: NodeIndex) -> String {
        format!("{}/{STORE}", self.cluster.name(node))
    }

    fn some_node(&mut self) -> NodeIndex {
        self.dice.pick(&self.nodes).copied().unwrap_or(NodeIndex(0))
    }

    fn write(&mut self, node: NodeIndex) {
        let number = self.next_number(node);
        let mut edits: Vec<GuardedEdit> = edits::set_mark(node.0, number).into_iter().collect();
        if number > 3 && self.dice.chance(15) {
            let gone = self.dice.between(1, number - 1);
            edits.extend(edits::remove_mark(node.0, gone));
            self.judge.removes((node, gone), number);
        }
        if self.dice.chance(self.options.shared_percent) {
            for _ in 0..self.dice.between(1, 4) {
                let mark = edits::mark(node.0, number);
                edits.extend(edits::shared(&mut self.dice, &mark));
            }
        }
        let atomic = self.dice.chance(self.options.transaction_percent);
        self.send(node, number, edits, atomic);
    }

    fn next_number(&mut self, node: NodeIndex) -> u64 {
        let number = self.numbers.entry(node).or_default();
        *number += 1;
        *number
    }

    fn send(
        &mut self,
        node: NodeIndex,
        number: u64,
        edits: Vec<GuardedEdit>,
        atomic: bool,
    ) -> Option<CallId> {
        if !self.cluster.is_up(node) {
            return None;
        }
        let (target, timeout_ms) = (self.target(node), WRITE_TIMEOUT_MS);
        let call = match atomic {
            true => self.cluster.write(node, &target, edits, timeout_ms),
            false => self.cluster.import(node, &target, edits, timeout_ms),
        };
        self.writes.insert(call, (node, number));
        Some(call)
    }

    fn fault(&mut self) {
        self.faults += 1;
        let kinds = self.options.faults();
        let Some(kind) = self.dice.pick(&kinds).copied() else {
            return;
        };
        let node = self.some_node();
        let wire = self.dice.pick(&self.wires).copied();
        match (kind, wire) {
            ("cut", Some(wire)) => self.cluster.cut(wire),
            ("heal", Some(wire)) => self.cluster.heal(wire),
            ("flap", Some(wire)) => self.cluster.flap(wire),
            ("dead", Some(wire)) => {
                let from = usize::from(self.dice.chance(50));
                self.cluster.go_dead(wire, from);
            }
            ("crash", _) => {
                let losses = [Loss::Process, Loss::Unsynced, Loss::Torn];
                let loss = self.dice.pick(&losses).copied().unwrap_or(Loss::Unsynced);
                self.crash(node, loss);
            }
            ("restart", _) => self.restart(node),
            ("pause", _) => self.cluster.pause(node),
            ("resume", _) => self.cluster.resume(node),
            ("skew", _) => {
                let most_ms = match self.options.clocks {
                    Clocks::Far => SKEW_MS_MAX,
                    Clocks::Near | Clocks::Right => NEAR_MS_MAX,
                };
                let skew_ms = self.dice.between(0, 2 * most_ms).cast_signed();
                self.cluster.skew(node, skew_ms - most_ms.cast_signed());
            }
            ("disk", _) => {
                let faults = [Fault::Full, Fault::Io, Fault::ShortWrite, Fault::Sync];
                let fault = self.dice.pick(&faults).copied().unwrap_or(Fault::Sync);
                let after = self.dice.between(1, 6);
                if let Some(disk) = self.cluster.disk(node) {
                    disk.fail(disk.counts().operations + after, fault);
                }
            }
            ("backup", _) => {
                if let Some(disk) = self.cluster.disk(node) {
                    let backup = disk.duplicate();
                    backup.power_loss(Survival::SyncedOnly);
                    let known = self.judge.acknowledged_by(node);
                    self.backups.insert(node, (backup, known));
                }
            }
            ("restore", _) => self.put_back(node, true),
            ("put back", _) => self.put_back(node, false),
            ("clone", _) if self.clones < CLONES_MAX => {
                self.clones += 1;
                let name = format!("clone{}/p", self.clones);
                let clone = self.cluster.clone_node(node, &name);
                self.join(clone);
                self.watch(clone, None);
            }
            _ => {}
        }
    }

    fn crash(&mut self, node: NodeIndex, loss: Loss) {
        self.cluster.crash(node, loss);
        let cluster = &self.cluster;
        let is_open = |call: &CallId| {
            let call = cluster.call(*call);
            call.is_some_and(|call| call.fate == Fate::Open)
        };
        self.writes.retain(|call, _| is_open(call));
        for (call, _) in self.watches.extract_if(.., |_, own| *own == node) {
            self.judge.lose_watch(call);
        }
    }

    fn restart(&mut self, node: NodeIndex) {
        if !self.cluster.is_up(node) {
            self.cluster.restart(node);
            self.watch(node, None);
        }
    }

    fn put_back(&mut self, node: NodeIndex, is_told: bool) {
        let Some((disk, known)) = self.backups.get(&node).cloned() else {
            return;
        };
        self.crash(node, Loss::Unsynced);
        self.cluster.replace_disk(node, &disk);
        self.judge.put_back(node, &known, is_told);
        if let Some(restored) = self.restored.get(&node) {
            restored.set(is_told);
        }
        self.restart(node);
    }

    fn mend(&mut self) {
        for node in self.nodes.clone() {
            if let Some(disk) = self.cluster.disk(node) {
                disk.heal();
            }
            self.cluster.resume(node);
            self.restart(node);
            self.cluster.skew(node, 0);
        }
        for wire in self.wires.clone() {
            self.cluster.heal(wire);
        }
    }
}
