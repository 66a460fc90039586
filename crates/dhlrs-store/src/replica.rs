//! A replica: what the log of a replicated store decides besides its sessions and forwards.
//!
//! Events become a tree in `dhlrs-reducer`, and travel by `dhlrs-feed`; here stands in which order they
//! do so, which is the same live and when the log is read again: logged, then reduced, then shown.

pub(crate) mod drafts;
pub(crate) mod gossip;
pub(crate) mod image;
mod inspection;
pub(crate) mod merging;
pub(crate) mod newer;
mod own;
pub(crate) mod salvage;
pub(crate) mod writing;

use std::collections::BTreeMap;
use std::sync::Arc;

use dhlrs_bag::{Bag, Change};
use dhlrs_clock::{HybridClock, Present, Stamp};
use dhlrs_feed::{
    AntiEntropy, Epoch, Event, EventId, FeedEnd, FeedId, FeedSet, OwnRecord, Run, RunLimits,
    RunWriter, StoreId,
};
use dhlrs_identity::PublicKey;
use dhlrs_reducer::{Reducer, ViewChanges};

use crate::config::Replication;
use crate::error::{StoreError, StoreErrorKind};
use crate::lost::{Lost, node_bytes};
use crate::record::{Merged, OwnChange};
use crate::replica::drafts::{Draft, DraftId};
use crate::replica::merging::Incoming;

/// One process's copy of a replicated store.
///
/// All feeds stay in memory as they travel, some 12 bytes for a small event, beside what the reducer
/// keeps of each: without a root nothing is compacted.
#[derive(Debug)]
pub(crate) struct Replica {
    pub(crate) id: StoreId,
    pub(crate) replication: Replication,
    pub(crate) feeds: Feeds,
    pub(crate) reducer: Reducer,
    pub(crate) clock: HybridClock,
    pub(crate) present: Present<PublicKey>,
    pub(crate) own: Option<OwnFeed>,
    /// Own feeds that were left, and the end of each: the next one closes them.
    pub(crate) closes: Vec<(Epoch, Option<FeedEnd>)>,
    /// How far the events of the own feed have named the others.
    named: BTreeMap<FeedId, u64>,
    /// Whether others may have advanced since.
    pub(crate) has_unnamed: bool,
    pub(crate) runs: BTreeMap<FeedId, BTreeMap<u64, StoredRun>>,
    /// About what all of them take.
    pub(crate) run_bytes: usize,
    pub(crate) drafts: BTreeMap<DraftId, Draft>,
}

/// The feeds while the log is read, and afterwards.
#[derive(Debug)]
pub(crate) enum Feeds {
    Reading(Box<FeedSet>),
    Gossiping(Box<AntiEntropy>),
}

/// The feed that this replica writes.
#[derive(Debug)]
pub(crate) struct OwnFeed {
    pub(crate) writer: RunWriter,
    /// How far it is signed, and the last stamp up to there.
    pub(crate) signed: (FeedEnd, Option<Stamp>),
    /// What was not signed yet, as the log keeps it and as events.
    pub(crate) records: Vec<OwnRecord>,
    pub(crate) unsigned: Vec<(Event, EventId)>,
    /// The last one.
    pub(crate) last: Option<Stamp>,
    /// How far it is signed and on disk: only that can have left this process.
    pub(crate) sent: u64,
}

impl OwnFeed {
    pub(crate) fn new(writer: RunWriter) -> Self {
        Self {
            signed: (writer.head(), None),
            sent: writer.head().seq,
            writer,
            records: Vec::new(),
            unsigned: Vec::new(),
            last: None,
        }
    }

    /// Of a feed that is signed as far as its writer knows it.
    pub(crate) fn resumed(writer: RunWriter, last: Option<Stamp>) -> Self {
        Self {
            signed: (writer.head(), last),
            last,
            ..Self::new(writer)
        }
    }

    /// A transaction was written.
    pub(crate) fn take(&mut self, record: OwnRecord, events: &[(Event, EventId)]) {
        self.last = events.last().map(|(event, _)| event.stamp).or(self.last);
        self.records.push(record);
        self.unsigned.extend(events.iter().cloned());
    }

    /// What was written up to here is signed.
    pub(crate) fn sign(&mut self, end: FeedEnd) {
        self.signed = (end, self.last);
        self.records.clear();
        self.unsigned.clear();
    }
}

/// A run as it travels, by the number before its first event.
#[derive(Clone, Debug)]
pub(crate) struct StoredRun {
    pub(crate) prev: EventId,
    pub(crate) bytes: Arc<[u8]>,
}

impl StoredRun {
    pub(crate) fn of(run: &Run) -> Self {
        Self {
            prev: run.claim().prev,
            bytes: run.bytes().into(),
        }
    }
}

impl Feeds {
    pub(crate) fn set(&self) -> &FeedSet {
        match self {
            Self::Reading(set) => set,
            Self::Gossiping(machine) => machine.feeds(),
        }
    }
}

impl Replica {
    pub(crate) fn new(id: StoreId, replication: Replication) -> Self {
        let set = FeedSet::new(id, replication.limits);
        Self {
            id,
            replication,
            feeds: Feeds::Reading(Box::new(set)),
            reducer: Reducer::without_root(),
            clock: HybridClock::new(),
            present: Present::new(false),
            own: None,
            closes: Vec::new(),
            named: BTreeMap::new(),
            has_unnamed: true,
            runs: BTreeMap::new(),
            run_bytes: 0,
            drafts: BTreeMap::new(),
        }
    }

    pub(crate) fn key(&self) -> PublicKey {
        self.replication.keys.signer.public_key()
    }

    /// The feed of this epoch, to be written.
    pub(crate) fn begin_feed(&mut self, epoch: Epoch) {
        let feed = FeedId::new(self.key(), epoch);
        let writer = RunWriter::new(self.id, feed, RunLimits::default());
        self.own = Some(OwnFeed::new(writer));
        self.named.clear();
        self.has_unnamed = true;
    }

    /// Takes own events of the log in again.
    pub(crate) fn replay_own(
        &mut self,
        change: &OwnChange,
        bag: &mut Bag,
    ) -> Result<(Vec<Change>, Lost), StoreError> {
        if let Some(epoch) = change.begins {
            self.begin_feed(epoch);
            self.closes.clear();
        }
        let mut events = Vec::new();
        for written in &change.written {
            if let Some(record) = &written.sealed {
                self.replay_seal(record)?;
            }
            let own = self.own.as_mut().ok_or_else(|| misplaced("an own event"))?;
            let replayed = own.writer.replay(&written.record);
            let replayed = replayed.map_err(|error| {
                StoreError::with_source(StoreErrorKind::Corrupt, "own events", error)
            })?;
            self.note_own(written.record.clone(), &replayed);
            events.extend(replayed);
        }
        self.forget_drafts(&change.applies);
        Ok(self.reduce_own(events, change.now_ms, bag, change.meta.revision))
    }

    pub(crate) fn replay_seal(
        &mut self,
        record: &dhlrs_feed::SealRecord,
    ) -> Result<(), StoreError> {
        let own = self.own.as_mut();
        let own = own.ok_or_else(|| misplaced("a signature"))?;
        let run = own.writer.replay_seal(record).map_err(|error| {
            StoreError::with_source(StoreErrorKind::Corrupt, "a signature of own events", error)
        })?;
        own.sign(run.claim().end());
        self.store_run(&run);
        if let Feeds::Reading(set) = &mut self.feeds {
            // What it closes was closed in the reducer when its first event was read.
            set.accept_own(&run).map_err(|error| {
                StoreError::with_source(StoreErrorKind::Corrupt, "an own run", error)
            })?;
        }
        Ok(())
    }

    /// Takes what came from others in again.
    pub(crate) fn replay_merged(
        &mut self,
        parts: Vec<Merged>,
        now_ms: u64,
        bag: &mut Bag,
        revision: u64,
    ) -> Result<(Vec<Change>, Lost), StoreError> {
        let mut incoming = Incoming::default();
        let verifier = self.replication.keys.verifier.clone();
        for part in parts {
            let Feeds::Reading(set) = &mut self.feeds else {
                return Err(misplaced("a run"));
            };
            let corrupt =
                |error| StoreError::with_source(StoreErrorKind::Corrupt, "a run of others", error);
            let accepted = match part {
                Merged::Run { feed, bytes } => set.restore(&feed, &bytes).map_err(corrupt)?,
                Merged::Proof(proof) => set.accept_proof(&proof, &*verifier).map_err(corrupt)?,
                Merged::Left(left) => {
                    incoming.left = Some(left);
                    continue;
                }
                Merged::Draft { id, draft } => {
                    self.drafts.insert(id, *draft);
                    continue;
                }
            };
            incoming.runs.extend(accepted.runs);
            incoming.closed.extend(accepted.closed);
        }
        Ok(self.take_in(incoming, now_ms, bag, revision))
    }

    /// Keeps a run to be handed to who asks for it.
    pub(crate) fn store_run(&mut self, run: &Run) {
        self.run_bytes += run.bytes().len();
        let feed = self.runs.entry(*run.feed()).or_default();
        feed.insert(run.claim().header.first - 1, StoredRun::of(run));
    }

    /// The run of a feed that follows this end.
    pub(crate) fn run_after(&self, feed: &FeedId, after: &FeedEnd) -> Option<Vec<u8>> {
        let stored = self.runs.get(feed)?.get(&after.seq)?;
        (stored.prev == after.id).then(|| stored.bytes.to_vec())
    }

    /// Notes what own events have said.
    pub(crate) fn note_own(&mut self, record: OwnRecord, events: &[(Event, EventId)]) {
        for dep in events.iter().flat_map(|(event, _)| &event.deps) {
            self.named.insert(dep.dot.feed, dep.dot.seq);
        }
        if let Some(own) = &mut self.own {
            own.take(record, events);
        }
    }

    /// Reduces own events, those that close another feed among them, and shows what they change.
    pub(crate) fn reduce_own(
        &mut self,
        events: Vec<(Event, EventId)>,
        now_ms: u64,
        bag: &mut Bag,
        revision: u64,
    ) -> (Vec<Change>, Lost) {
        // What was held may come in with them.
        self.has_unnamed |= self.reducer.held_until_ms().is_some();
        let changes = self.reducer.reduce(events, [], now_ms);
        self.clock.raise(self.reducer.greatest_stamp());
        let mut lost = Lost::default();
        let list = self.show(&changes, bag, revision, &mut lost);
        (list, lost)
    }

    /// Brings the tree up to date.
    pub(crate) fn show(
        &self,
        changes: &ViewChanges,
        bag: &mut Bag,
        revision: u64,
        lost: &mut Lost,
    ) -> Vec<Change> {
        for (id, (before, now)) in &changes.nodes {
            if let (Some(before), None) = (before, now) {
                lost.departed.push(*id, before.parent);
                let node = bag.node_by_id(*id);
                lost.bytes += node.map_or(0, |node| node_bytes(&node));
            }
        }
        self.reducer.show(changes, bag, revision)
    }

    /// Feeds whose newest events the own one has not named yet, with their heads.
    pub(crate) fn unnamed(&self) -> Vec<dhlrs_feed::Dep> {
        if !self.has_unnamed {
            return Vec::new();
        }
        let own = self.own.as_ref().map(|own| *own.writer.feed());
        let heads = self.reducer.frontier();
        let heads = heads.into_iter().filter(|(feed, end)| {
            Some(*feed) != own && end.seq > self.named.get(feed).copied().unwrap_or(0)
        });
        heads
            .map(|(feed, end)| dhlrs_feed::Dep {
                dot: dhlrs_clock::Dot::new(feed, end.seq),
                id: end.id,
            })
            .collect()
    }
}

fn misplaced(what: &str) -> StoreError {
    StoreError::new(
        StoreErrorKind::Corrupt,
        format!("{what} stands where none can"),
    )
}
