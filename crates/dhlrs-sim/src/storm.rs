//! A history of faults made from a seed, and what must hold all the time and at its end.
//!
//! Some processes in a line or a ring; the last one has a store with a log, maybe forwarded to one
//! more; the others write to it and watch it while wires break, processes die, power fails and disks
//! refuse. Which faults there are is itself left to the seed. Then everything is mended, and what was
//! asked must come true.

mod edits;
mod judge;
mod options;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use dhlrs_engine::{CallId, Local};
use dhlrs_storage::{Fault, Vfs};
use dhlrs_wire::{Delivery, Kinds, RefusalKind, RevisionFrom, Selection, Watch};

pub use options::Options;

use crate::network::{Weather, WireId};
use crate::node::{Loss, NodeIndex};
use crate::{Cluster, Dice, Fate, Happening};
use judge::Judge;

/// How long everything may take to come true once all is mended, in milliseconds.
const HEAL_MS_MAX: u64 = 180_000;
/// How long a patient writer waits, in milliseconds.
const WRITE_TIMEOUT_MS: u64 = 20_000;
/// How long the others wait at most, so that they often do not know what came of a write.
const SHORT_TIMEOUT_MS_MAX: u64 = 300;

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
        write!(f, "seed {}: {}\n{:?}", self.seed, self.what, self.options)
    }
}

impl std::error::Error for Failure {}

/// What a storm was made of.
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
}

/// Runs the storm of a seed.
///
/// # Errors
///
/// [`Failure`] says which rule was broken.
pub fn run(seed: u64, keep_trace: bool) -> Result<Report, Box<Failure>> {
    let options = Options::from_seed(seed);
    let mut storm = Storm::new(seed, options.clone(), keep_trace);
    match storm.run() {
        Ok(()) => Ok(storm.report()),
        Err(what) => Err(Box::new(Failure {
            seed,
            what,
            options,
            trace: storm.cluster.trace().to_owned(),
        })),
    }
}

pub(crate) const STORE: &str = "orders";

struct Storm {
    cluster: Cluster,
    options: Options,
    dice: Dice,
    nodes: Vec<NodeIndex>,
    wires: Vec<WireId>,
    base: NodeIndex,
    copy: Option<NodeIndex>,
    /// Stores that start as backups that were put back, from some time on.
    restored: BTreeMap<NodeIndex, Rc<Cell<bool>>>,
    /// The present source of each node that writes, and its next number.
    sources: BTreeMap<NodeIndex, Source>,
    writes: BTreeMap<CallId, (String, u64)>,
    watches: BTreeMap<CallId, NodeIndex>,
    judge: Judge,
    faults: u64,
}

#[derive(Debug)]
struct Source {
    name: String,
    next: u64,
    open: usize,
}

impl Storm {
    fn new(seed: u64, options: Options, keep_trace: bool) -> Self {
        let mut cluster = Cluster::new(seed);
        if keep_trace {
            cluster.keep_trace();
        }
        let nodes: Vec<NodeIndex> = (0..options.nodes)
            .map(|number| cluster.add_node(&format!("n{number}/p")))
            .collect();
        let base = nodes.last().copied().unwrap_or(NodeIndex(0));
        let mut wires: Vec<WireId> = nodes
            .iter()
            .zip(nodes.iter().skip(1))
            .map(|(from, to)| cluster.connect(*from, *to))
            .collect();
        if options.is_ring && nodes.len() > 2 {
            wires.push(cluster.connect(base, NodeIndex(0)));
        }
        let forward = options.forward.clone();
        let copy = forward.as_ref().map(|_| cluster.add_node("copy/p"));
        let window = options.window_changes;
        let mut restored = BTreeMap::new();
        let is_restored = Rc::new(Cell::new(false));
        restored.insert(base, Rc::clone(&is_restored));
        cluster.add_store(base, STORE, move |config| {
            config.logged = true;
            config.restored = is_restored.get();
            config.limits.window_changes_max = window;
            if let (Some(pattern), Ok(to)) = (forward.clone(), "copy/p/copy/in".parse()) {
                config.forwards.push(dhlrs_store::Forward { pattern, to });
            }
        });
        if let Some(copy) = copy {
            let is_restored = Rc::new(Cell::new(false));
            restored.insert(copy, Rc::clone(&is_restored));
            cluster.add_store(copy, "copy", move |config| {
                config.logged = true;
                config.restored = is_restored.get();
                config.limits.window_changes_max = window;
            });
            wires.push(cluster.connect(copy, base));
        }
        if options.rough_weather {
            for wire in &wires {
                cluster.set_weather(*wire, Weather::rough());
            }
        }
        let tiny = window < 1_000;
        Self {
            cluster,
            dice: Dice::new(seed ^ 0x5707),
            judge: Judge::new(base, copy, tiny),
            options,
            nodes,
            wires,
            base,
            copy,
            restored,
            sources: BTreeMap::new(),
            writes: BTreeMap::new(),
            watches: BTreeMap::new(),
            faults: 0,
        }
    }

    fn run(&mut self) -> Result<(), String> {
        self.go(1_000)?;
        for _ in 0..self.options.watches {
            let node = self.some_node();
            self.watch(node, Some(0));
        }
        for _ in 0..self.options.steps {
            if self.options.disk_faults && self.dice.chance(5) {
                self.forget_how_far()?;
            } else if self.dice.chance(self.options.fault_percent) {
                self.fault();
            } else {
                self.write();
            }
            let pause_ms = match self.dice.roll(20) {
                // So long that a forward notes how far it has come.
                0 => self.dice.between(600, 1_500),
                1..=3 => self.dice.between(50, 600),
                _ => self.dice.between(0, 15),
            };
            self.go(pause_ms)?;
        }
        self.mend();
        let deadline_ms = self.cluster.now_ms() + HEAL_MS_MAX;
        while !self.is_quiet() {
            if self.cluster.now_ms() >= deadline_ms {
                return Err(format!("not quiet again: {}", self.unfinished()));
            }
            self.go(500)?;
        }
        // Whatever happened, everybody can write again, also after one more crash.
        self.go(5_000)?;
        if self.options.crashes && self.dice.chance(50) {
            self.crash(self.base, Loss::Process);
            self.restart(self.base);
            self.go(5_000)?;
        }
        let nodes: Vec<NodeIndex> = self.nodes.clone();
        for node in nodes {
            self.write_from(node, WRITE_TIMEOUT_MS, true);
        }
        while !self.is_quiet() {
            if self.cluster.now_ms() >= deadline_ms {
                return Err(format!("the last writes: {}", self.unfinished()));
            }
            self.go(500)?;
        }
        self.go(2_000)?;
        let lost = self.judge.fresh_writes_failed();
        if !lost.is_empty() {
            return Err(format!("writes after the faults failed: {lost:?}"));
        }
        self.judge.conclude(&self.cluster, STORE)
    }

    fn report(&self) -> Report {
        Report {
            trace_hash: self.cluster.trace_hash(),
            simulated_ms: self.cluster.now_ms(),
            acknowledged: self.judge.acknowledged(),
            faults: self.faults,
            delivered: self.judge.delivered(),
        }
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
                    store,
                    tree,
                    revision,
                } => self.judge.published(node, &store, &tree, revision)?,
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
        if let Some((source, number)) = self.writes.remove(&call) {
            if let Some(own) = self.sources.values_mut().find(|own| own.name == source) {
                own.open -= 1;
            }
            let answer = self.cluster.answer(call).cloned();
            return self.judge.answered(&source, number, answer);
        }
        if let Some(node) = self.watches.get(&call).copied() {
            let answer = self.cluster.answer(call).cloned();
            if !self.judge.watch_began(call, answer)? {
                self.watches.remove(&call);
                // Nothing to be reached yet, or compacted: a watcher asks again.
                self.watch(node, None);
            }
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
            let local = Local::Credit { call, changes };
            self.cluster.local(node, local);
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
        let target = self.target();
        let call = self.cluster.watch(node, &target, watch);
        self.watches.insert(call, node);
    }

    fn target(&self) -> String {
        format!("{}/{STORE}", self.cluster.name(self.base))
    }

    fn some_node(&mut self) -> NodeIndex {
        let node = self.dice.pick(&self.nodes).copied();
        node.unwrap_or(self.base)
    }

    fn write(&mut self) {
        let node = self.some_node();
        let open = self.sources.get(&node).map_or(0, |source| source.open);
        if open < self.options.open_writes {
            let timeout_ms = if self.dice.chance(20) {
                self.dice.between(1, SHORT_TIMEOUT_MS_MAX)
            } else {
                WRITE_TIMEOUT_MS
            };
            let is_hot = self.dice.chance(self.options.hot_percent);
            self.write_from(node, timeout_ms, is_hot);
        }
    }

    fn write_from(&mut self, node: NodeIndex, timeout_ms: u64, is_hot: bool) {
        if !self.cluster.is_up(node) {
            return;
        }
        let fresh = self.sources.len();
        let now_ms = self.cluster.now_ms();
        let source = self.sources.entry(node).or_insert_with(|| Source {
            name: format!("s{}x{fresh}x{now_ms}", node.0),
            next: 1,
            open: 0,
        });
        let number = source.next;
        source.next += 1;
        source.open += 1;
        let name = source.name.clone();
        let mut edits = edits::numbered(&name, number);
        if is_hot {
            edits.extend(edits::hot(&mut self.dice, &name, number));
        }
        let target = self.target();
        let call = if self.options.imports && self.dice.chance(30) {
            self.cluster.import(node, &target, edits, timeout_ms)
        } else {
            self.cluster.write(node, &target, edits, timeout_ms)
        };
        self.judge.wrote(&name, number);
        self.writes.insert(call, (name, number));
    }

    /// Something is forwarded and answered, and the disk refuses just what tells so.
    fn forget_how_far(&mut self) -> Result<(), String> {
        self.write_from(self.base, WRITE_TIMEOUT_MS, true);
        self.go(300)?;
        self.refuse_syncs(self.base, 1);
        self.faults += 1;
        self.go(1_200)
    }

    fn fault(&mut self) {
        self.faults += 1;
        let kinds = self.options.faults();
        let Some(kind) = self.dice.pick(&kinds).copied() else {
            return;
        };
        let node = self.any_node();
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
            ("restore", _) => {
                let stores: Vec<NodeIndex> = self.restored.keys().copied().collect();
                let node = self.dice.pick(&stores).copied().unwrap_or(self.base);
                self.restore(node);
            }
            ("pause", _) => self.cluster.pause(node),
            ("resume", _) => self.cluster.resume(node),
            ("skew", _) => {
                let skew_ms = self.dice.between(0, 7_200_000).cast_signed() - 3_600_000;
                self.cluster.skew(node, skew_ms);
            }
            ("disk", _) => {
                let faults = [Fault::Full, Fault::Io, Fault::ShortWrite, Fault::Sync];
                let fault = self.dice.pick(&faults).copied().unwrap_or(Fault::Sync);
                let after = self.dice.between(1, 6);
                if let Some(disk) = self.cluster.disk(node) {
                    disk.fail(disk.counts().operations + after, fault);
                }
            }
            _ => {}
        }
    }

    fn any_node(&mut self) -> NodeIndex {
        match self.copy {
            Some(copy) if self.dice.chance(25) => copy,
            // The store's own node is the most interesting one.
            _ if self.dice.chance(30) => self.base,
            _ => self.some_node(),
        }
    }

    fn crash(&mut self, node: NodeIndex, loss: Loss) {
        self.cluster.crash(node, loss);
        self.sources.remove(&node);
        self.judge.lost(&self.cluster, &self.writes);
        let cluster = &self.cluster;
        let is_open = |call: &CallId| {
            cluster
                .call(*call)
                .is_some_and(|own| own.fate == Fate::Open)
        };
        self.writes.retain(|call, _| is_open(call));
        self.watches.retain(|_, own| *own != node);
    }

    /// Puts a backup back, the newest there can be, on a disk that may be a bad one.
    fn restore(&mut self, node: NodeIndex) {
        self.crash(node, Loss::Unsynced);
        if let Some(is_restored) = self.restored.get(&node) {
            is_restored.set(true);
        }
        if self.dice.chance(70) {
            let first = self.dice.between(1, 30);
            self.refuse_syncs(node, first);
        }
        self.restart(node);
    }

    /// Of three operations of a disk, the first one so many from now, those that are syncs fail.
    fn refuse_syncs(&self, node: NodeIndex, first: u64) {
        if let Some(disk) = self.cluster.disk(node) {
            let done = disk.counts().operations;
            for next in first..first + 3 {
                disk.fail(done + next, Fault::Sync);
            }
        }
    }

    fn restart(&mut self, node: NodeIndex) {
        if !self.cluster.is_up(node) {
            if self.restored.get(&node).is_some_and(|own| own.get()) {
                self.judge.begins_anew(node);
            }
            self.cluster.restart(node);
            if self.dice.chance(50) {
                self.watch(node, None);
            }
        }
    }

    fn mend(&mut self) {
        let nodes: Vec<NodeIndex> = self.nodes.iter().copied().chain(self.copy).collect();
        for node in nodes {
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

    fn is_quiet(&self) -> bool {
        self.writes.is_empty()
            && self.copy_differs().is_none()
            && self.judge.all_caught_up(&self.watches)
    }

    fn copy_differs(&self) -> Option<String> {
        let (copy, pattern) = (self.copy?, self.options.forward.as_ref()?);
        let (original, copy) = ((self.base, STORE), (copy, "copy"));
        judge::first_difference(&self.cluster, pattern, original, copy)
    }

    fn unfinished(&self) -> String {
        let forwards = self
            .cluster
            .status(self.base, STORE)
            .map(|status| status.forwards);
        let differs = self.copy_differs();
        format!(
            "open writes {:?}; {}; forwards {forwards:?}, differing in {differs:?}",
            self.writes.values().collect::<Vec<_>>(),
            self.judge.describe_watches(&self.watches),
        )
    }
}

/// Whether a refusal leaves the write undone for certain.
pub(crate) fn is_definite(refusal: &dhlrs_wire::Refusal) -> bool {
    !refusal.outcome_unknown() && refusal.kind() != RefusalKind::Invalid
}
