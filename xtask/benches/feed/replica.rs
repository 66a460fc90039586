//! Replicas without disks and wires: one that writes, one that receives its runs.

use dhlrs_bag::{Bag, Edit, Label, Tree};
use dhlrs_clock::{HybridClock, Time};
use dhlrs_feed::{
    Cell, Epoch, EventId, FeedId, FeedLimits, FeedSet, HomePath, NewEvent, OnConcurrentWrite,
    Payload, RunLimits, RunWriter, StoreId, TreeOp,
};
use dhlrs_identity::{Ed25519Signer, Ed25519Verifier, SecretKey, Signer};
use dhlrs_path::{Path, Step};
use dhlrs_reducer::{Reducer, StateHash, ViewChanges};

pub(crate) struct Writer {
    writer: RunWriter,
    signer: Ed25519Signer,
    clock: HybridClock,
    now: Time,
    written: u64,
    reducer: Reducer,
    bag: Bag,
    runs: Vec<Vec<u8>>,
}

impl Writer {
    pub(crate) fn new(run_events: usize, paths: &[String]) -> Result<Self, String> {
        let signer = Ed25519Signer::new(SecretKey::from_bytes([7; 32]));
        let feed = FeedId::new(signer.public_key(), Epoch::default());
        let limits = RunLimits {
            events_max: run_events,
            bytes_max: 64 * 1024,
            ..RunLimits::default()
        };
        let mut writer = Self {
            writer: RunWriter::new(store(), feed, limits),
            signer,
            clock: HybridClock::new(),
            now: Time {
                wall_ms: 1_700_000_000_000,
                monotonic_ms: 0,
            },
            written: 0,
            reducer: Reducer::without_root(),
            bag: Bag::new(),
            runs: Vec::new(),
        };
        for path in paths {
            writer.edit(path, -1)?;
        }
        Ok(writer)
    }

    pub(crate) fn feed(&self) -> &FeedId {
        self.writer.feed()
    }

    /// Sets what is there already, by its path.
    pub(crate) fn write(&mut self, path: &str, value: i64) -> Result<(), String> {
        let path = Path::parse(path).map_err(|error| error.to_string())?;
        let mut node = HomePath::root();
        for step in path.steps() {
            let Step::Label(label) = step else {
                return Err("not a label".to_owned());
            };
            let label = Label::new(&label).map_err(|error| error.to_string())?;
            let found = self.reducer.resolve(&node, &label);
            node = found.map_err(|error| error.to_string())?;
        }
        let write = TreeOp::Write {
            node,
            cell: Cell::Scalar,
            value: value.into(),
        };
        self.commit(vec![write]).map(|_| ())
    }

    /// The same as an edit, which the bag is told of.
    pub(crate) fn edit(&mut self, path: &str, value: i64) -> Result<(), String> {
        let path = Path::parse(path).map_err(|error| error.to_string())?;
        let edit = Edit::set(path.into_owned(), value);
        let mut attempt = self.reducer.attempt(&self.bag, OnConcurrentWrite::Keep);
        let judged = attempt.edit(&edit.into());
        judged.map_err(|error| error.to_string())?;
        let ops = attempt.into_transaction();
        let changes = self.commit(ops.map_err(|error| error.to_string())?)?;
        let revision = self.bag.revision() + 1;
        self.reducer.show(&changes, &mut self.bag, revision);
        Ok(())
    }

    fn commit(&mut self, ops: Vec<TreeOp>) -> Result<ViewChanges, String> {
        // As fast as they are written: so many within a millisecond.
        self.written += 1;
        self.now.wall_ms += u64::from(self.written.is_multiple_of(SETS_A_MS));
        let events = ops.into_iter().map(|op| {
            Ok(NewEvent {
                stamp: self
                    .clock
                    .now(self.now)
                    .map_err(|error| error.to_string())?,
                deps: Vec::new(),
                payload: Payload::Tree(op),
            })
        });
        let events = events.collect::<Result<Vec<NewEvent>, String>>()?;
        let written = (self.writer)
            .append(self.now, (0, EventId::NONE), events, &self.signer)
            .map_err(|error| error.to_string())?;
        if let Some(sealed) = written.sealed {
            self.runs.push(sealed.run.into_bytes());
        }
        let changes = self.reducer.reduce(written.events, [], self.now.wall_ms);
        Ok(changes)
    }

    /// The runs that were cut since it was last asked.
    pub(crate) fn sealed(&mut self) -> Vec<Vec<u8>> {
        if let Some(sealed) = self.writer.seal(self.now, &self.signer) {
            self.runs.push(sealed.run.into_bytes());
        }
        std::mem::take(&mut self.runs)
    }

    pub(crate) fn state_hash(&mut self) -> StateHash {
        self.reducer.state_hash()
    }

    /// Whether its bag holds what another one does.
    pub(crate) fn is_shown(&self, tree: &Tree) -> bool {
        self.bag.root().walk().all(|visited| {
            let path = visited.node.path();
            let value = tree.get(path.as_str());
            value.is_none() || value == visited.node.value()
        })
    }
}

pub(crate) struct Receiver {
    feeds: FeedSet,
    reducer: Reducer,
}

impl Receiver {
    pub(crate) fn new() -> Self {
        Self {
            feeds: FeedSet::new(store(), FeedLimits::default()),
            reducer: Reducer::without_root(),
        }
    }

    pub(crate) fn receive(&mut self, feed: &FeedId, run: &[u8]) -> Result<(), String> {
        let accepted = self.feeds.accept(feed, None, run, &Ed25519Verifier);
        let accepted = accepted.map_err(|error| error.to_string())?;
        let events = accepted.runs.into_iter().flat_map(|run| run.events);
        self.reducer.reduce(events, [], NOW_MS);
        Ok(())
    }

    pub(crate) fn state_hash(&mut self) -> StateHash {
        self.reducer.state_hash()
    }
}

const SETS_A_MS: u64 = 100;

/// Nothing that is received is from the future.
pub(crate) const NOW_MS: u64 = 1_800_000_000_000;

pub(crate) fn store() -> StoreId {
    StoreId::new("bench", None)
}
