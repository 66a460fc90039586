//! A replica's log made anew of what can still be read of a damaged one.
//!
//! Events are what a replica cannot do without, and other replicas have them too: what is whole here is
//! kept, the rest comes from them. Sessions, revisions and forwards are this replica's own; they are
//! given up, and a new incarnation says so.

use std::collections::BTreeMap;

use dhlrs_feed::{
    EventId, FeedId, FeedSet, ForkProof, OwnRecord, Run, RunLimits, RunWriter, StoreId,
};
use dhlrs_wire::Incarnation;

use crate::config::Replication;
use crate::image::parts;
use crate::record::{Leaving, Left, Merged, OwnChange, Record};
use crate::replica::drafts::{Draft, DraftId, drafts_of};
use crate::replica::image::{ReplicaHead, ReplicaPart};
use crate::replica::{OwnFeed, StoredRun};

/// Bytes of runs in one record.
const RECORD_RUNS_BYTES: usize = 1 << 20;

/// Gathers what is whole of a replica's damaged log.
#[derive(Debug)]
pub struct Salvage {
    id: StoreId,
    replication: Replication,
    is_replica: bool,
    /// The newest time at which something was reduced.
    now_ms: u64,
    own: Option<OwnFeed>,
    /// The log's records before the checkpoint say nothing of the own feed that it does not say.
    has_image: bool,
    runs: BTreeMap<FeedId, BTreeMap<u64, StoredRun>>,
    proofs: Vec<ForkProof>,
    drafts: BTreeMap<DraftId, Draft>,
}

impl Salvage {
    /// For the store of this id.
    #[must_use]
    pub fn new(id: StoreId, replication: Replication) -> Self {
        Self {
            id,
            replication,
            is_replica: false,
            now_ms: 0,
            own: None,
            has_image: false,
            runs: BTreeMap::new(),
            proofs: Vec::new(),
            drafts: BTreeMap::new(),
        }
    }

    /// Takes a chunk of a checkpoint. The chunks come before the records, and the last ones may be
    /// missing.
    pub fn chunk(&mut self, chunk: &[u8]) {
        for part in parts(chunk) {
            match part {
                ReplicaPart::Head(head) => self.head(&head),
                ReplicaPart::Unsigned(record) => self.own_record(&record),
                ReplicaPart::Draft(id, draft) => {
                    self.drafts.insert(id, draft);
                }
                ReplicaPart::Run { feed, after, bytes } => {
                    let run = StoredRun {
                        prev: after.id,
                        bytes: bytes.into(),
                    };
                    self.runs.entry(feed).or_default().insert(after.seq, run);
                }
                ReplicaPart::Proof(proof) => self.proofs.push(*proof),
                ReplicaPart::Named(..) | ReplicaPart::Feeds(_) | ReplicaPart::Reducer(_) => {}
            }
        }
    }

    fn head(&mut self, head: &ReplicaHead) {
        self.is_replica = true;
        self.has_image = true;
        self.own = head.own_feed(self.id, &self.replication);
    }

    /// Takes a record; some may be missing before it. `is_covered` says that the checkpoint whose
    /// chunks came covers it.
    pub fn record(&mut self, bytes: &[u8], is_covered: bool) {
        let is_told = is_covered && self.has_image;
        match Record::decode(bytes) {
            Ok(Record::Replica(_)) => self.is_replica = true,
            Ok(Record::Own(change)) if !is_told => self.own_change(*change),
            Ok(Record::Sealed(record)) if !is_told => self.seal(&record),
            Ok(Record::DraftsDropped) if !is_told => self.drafts.clear(),
            Ok(Record::Merged { now_ms, parts, .. }) => self.merged(now_ms, parts, is_told),
            _ => {}
        }
    }

    fn own_change(&mut self, change: OwnChange) {
        self.is_replica = true;
        self.now_ms = self.now_ms.max(change.now_ms);
        if let Some(epoch) = change.begins {
            let key = self.replication.keys.signer.public_key();
            let feed = FeedId::new(key, epoch);
            self.leave();
            self.own = Some(OwnFeed::new(RunWriter::new(
                self.id,
                feed,
                RunLimits::default(),
            )));
        }
        for id in &change.applies {
            self.drafts.remove(id);
        }
        for written in change.written {
            if let Some(record) = &written.sealed {
                self.seal(record);
            }
            self.own_record(&written.record);
        }
    }

    fn own_record(&mut self, record: &OwnRecord) {
        let Some(own) = &mut self.own else {
            return;
        };
        match own.writer.replay(record) {
            Ok(events) => own.take(record.clone(), &events),
            // Something before it is missing. What was not signed until there is kept.
            Err(_) => self.leave(),
        }
    }

    fn seal(&mut self, record: &dhlrs_feed::SealRecord) {
        self.is_replica = true;
        let Some(own) = &mut self.own else {
            return;
        };
        match own.writer.replay_seal(record) {
            Ok(run) => {
                own.sign(run.claim().end());
                self.keep(&run);
            }
            Err(_) => self.leave(),
        }
    }

    /// What the own feed has unsigned may have left this replica, signed in a record that is lost; then
    /// it comes back. If not, nobody else has it.
    fn leave(&mut self) {
        if let Some(own) = self.own.take() {
            let feed = *own.writer.feed();
            self.drafts
                .extend(drafts_of(&feed, Leaving::Restored, &own.unsigned));
        }
    }

    /// The replica has left its feed: what was void then is void.
    fn left(&mut self, left: Left) {
        let Some(own) = &self.own else {
            return;
        };
        let feed = *own.writer.feed();
        let end = left.end.map(|end| end.map_or(0, |end| end.seq));
        let above = end.map_or(left.unsent - 1, |end| end.min(left.unsent - 1));
        let Some(runs) = self.runs.get_mut(&feed) else {
            return self.leave();
        };
        for (_, run) in runs.split_off(&above) {
            if let Ok((_, events)) = Run::read_own(&self.id, &feed, &run.prev, &run.bytes) {
                self.drafts.extend(drafts_of(&feed, left.why, &events));
            }
        }
        self.leave();
    }

    fn keep(&mut self, run: &Run) {
        let runs = self.runs.entry(*run.feed()).or_default();
        runs.insert(run.claim().header.first - 1, StoredRun::of(run));
    }

    fn merged(&mut self, now_ms: u64, parts: Vec<Merged>, is_told: bool) {
        self.is_replica = true;
        self.now_ms = self.now_ms.max(now_ms);
        for part in parts {
            match part {
                Merged::Run { feed, bytes } => {
                    let Ok(header) = dhlrs_feed::RunHeader::peek(&bytes) else {
                        continue;
                    };
                    // Which event it follows is known when the runs before it are.
                    let run = StoredRun {
                        prev: EventId::NONE,
                        bytes: bytes.into(),
                    };
                    let runs = self.runs.entry(feed).or_default();
                    runs.entry(header.first.saturating_sub(1)).or_insert(run);
                }
                Merged::Proof(proof) => self.proofs.push(*proof),
                Merged::Draft { id, draft } => {
                    self.drafts.insert(id, *draft);
                }
                Merged::Left(_) if is_told => {}
                Merged::Left(left) => self.left(left),
            }
        }
    }

    /// The batches of a new log, and how many events they hold; `None` if there was no sign of a
    /// replica. `random` names the new incarnation.
    #[must_use]
    pub fn finish(mut self, random: u64) -> Option<(Vec<Vec<Vec<u8>>>, u64)> {
        if !self.is_replica {
            return None;
        }
        self.leave();
        let mut batches = Batches::default();
        batches.push(&Record::Incarnation(Incarnation(random)));
        batches.push(&Record::Replica(self.id));
        let mut set = FeedSet::new(self.id, self.replication.limits);
        let verifier = &*self.replication.keys.verifier;
        let (mut open, mut bytes, mut events) = (Vec::new(), 0, 0);
        for (feed, runs) in self.runs {
            for run in runs.into_values() {
                // A hole ends what can be kept of a feed.
                let Ok(accepted) = set.accept(&feed, None, &run.bytes, verifier) else {
                    break;
                };
                for new in accepted.runs {
                    events += new.events.len() as u64;
                    bytes += new.run.bytes().len();
                    open.push(Merged::Run {
                        feed,
                        bytes: new.run.bytes().to_vec(),
                    });
                }
                if bytes > RECORD_RUNS_BYTES {
                    bytes = 0;
                    batches.merged(std::mem::take(&mut open), self.now_ms);
                }
            }
        }
        batches.merged(open, self.now_ms);
        for proof in self.proofs {
            if set
                .accept_proof(&proof, verifier)
                .is_ok_and(|accepted| accepted.proof.is_some())
            {
                batches.merged(vec![Merged::Proof(Box::new(proof))], self.now_ms);
            }
        }
        for (id, draft) in self.drafts {
            let is_there = set.head(&id.0).seq >= id.1;
            if !is_there || set.is_closed(&id.0) {
                let draft = Box::new(draft);
                batches.merged(vec![Merged::Draft { id, draft }], self.now_ms);
            }
        }
        Some((batches.list, events))
    }
}

/// Records, a batch each.
#[derive(Default)]
struct Batches {
    list: Vec<Vec<Vec<u8>>>,
    revision: u64,
}

impl Batches {
    fn push(&mut self, record: &Record) {
        // What was read fitted a record.
        self.list
            .extend(record.encode().ok().map(|bytes| vec![bytes]));
    }

    fn merged(&mut self, parts: Vec<Merged>, now_ms: u64) {
        if parts.is_empty() {
            return;
        }
        self.revision += 1;
        self.push(&Record::Merged {
            revision: self.revision,
            now_ms,
            parts,
        });
    }
}
