//! What a checkpoint holds of a replica: all of it, since without a root nothing is compacted.

use std::collections::BTreeMap;

use dhlrs_clock::Stamp;
use dhlrs_feed::{
    Epoch, FeedEnd, FeedId, FeedSet, ForkProof, OwnRecord, Run, RunLimits, RunWriter, StoreId,
};
use dhlrs_reducer::{ReducerImage, ReducerReader};
use serde::{Deserialize, Serialize};

use crate::config::Replication;
use crate::error::{StoreError, StoreErrorKind};
use crate::replica::drafts::{Draft, DraftId};
use crate::replica::{Feeds, OwnFeed, Replica, StoredRun};

/// A piece of the feed set's own image.
const FEEDS_PIECE_BYTES_MAX: usize = 1 << 20;

/// A replica as a ticket left it.
#[derive(Debug)]
pub(crate) struct ReplicaImage {
    head: ReplicaHead,
    named: BTreeMap<FeedId, u64>,
    unsigned: Vec<OwnRecord>,
    drafts: BTreeMap<DraftId, Draft>,
    runs: BTreeMap<FeedId, BTreeMap<u64, StoredRun>>,
    proofs: Vec<ForkProof>,
    feeds: Result<Vec<u8>, dhlrs_feed::EventError>,
    reducer: ReducerImage,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ReplicaHead {
    id: StoreId,
    closes: Vec<(Epoch, Option<FeedEnd>)>,
    /// The feed that is written, how far it is signed, and the last stamp up to there.
    own: Option<(Epoch, FeedEnd, Option<Stamp>)>,
}

/// One of the parts that a replica's image is made of.
#[derive(Serialize, Deserialize)]
pub(crate) enum ReplicaPart {
    Head(ReplicaHead),
    Named(FeedId, u64),
    Unsigned(OwnRecord),
    Draft(DraftId, Draft),
    Run {
        feed: FeedId,
        after: FeedEnd,
        bytes: Vec<u8>,
    },
    /// It stands in the feeds too, which a damaged checkpoint may lack.
    Proof(Box<ForkProof>),
    Feeds(Vec<u8>),
    Reducer(Vec<u8>),
}

impl ReplicaHead {
    /// The feed that was written, with nothing in it that is not signed.
    pub(crate) fn own_feed(&self, id: StoreId, replication: &Replication) -> Option<OwnFeed> {
        let (epoch, end, stamp) = self.own?;
        let feed = FeedId::new(replication.keys.signer.public_key(), epoch);
        let writer = RunWriter::resume(id, feed, RunLimits::default(), end, stamp);
        Some(OwnFeed::resumed(writer, stamp))
    }
}

impl Replica {
    /// Costs a copy of what the reducer keeps of bag nodes, 40 bytes a run, and a pointer a run.
    pub(crate) fn image(&self) -> ReplicaImage {
        let own = self.own.as_ref();
        ReplicaImage {
            head: ReplicaHead {
                id: self.id,
                closes: self.closes.clone(),
                own: own.map(|own| {
                    let (end, stamp) = own.signed;
                    (own.writer.feed().epoch, end, stamp)
                }),
            },
            named: self.named.clone(),
            unsigned: own.map(|own| own.records.clone()).unwrap_or_default(),
            drafts: self.drafts.clone(),
            runs: self.runs.clone(),
            proofs: self.feeds.set().proofs().cloned().collect(),
            feeds: self.feeds.set().image(),
            reducer: self.reducer.image(),
        }
    }
}

impl ReplicaImage {
    pub(crate) fn parts(&self) -> impl Iterator<Item = Result<ReplicaPart, StoreError>> + '_ {
        let head = std::iter::once(ReplicaPart::Head(self.head.clone()));
        let named = self.named.iter();
        let named = named.map(|(feed, seq)| ReplicaPart::Named(*feed, *seq));
        let unsigned = self.unsigned.iter().cloned().map(ReplicaPart::Unsigned);
        let drafts = self.drafts.iter();
        let drafts = drafts.map(|(id, draft)| ReplicaPart::Draft(*id, draft.clone()));
        let runs = self.runs.iter().flat_map(|(feed, runs)| {
            runs.iter().map(|(after, run)| ReplicaPart::Run {
                feed: *feed,
                after: FeedEnd {
                    seq: *after,
                    id: run.prev,
                },
                bytes: run.bytes.to_vec(),
            })
        });
        let proofs = self
            .proofs
            .iter()
            .cloned()
            .map(Box::new)
            .map(ReplicaPart::Proof);
        let too_large =
            |error| StoreError::with_source(StoreErrorKind::TooLarge, "the feeds", error);
        let feeds: Vec<_> = match &self.feeds {
            Ok(bytes) => bytes
                .chunks(FEEDS_PIECE_BYTES_MAX)
                .map(|piece| Ok(ReplicaPart::Feeds(piece.to_vec())))
                .collect(),
            Err(error) => vec![Err(too_large(error.clone()))],
        };
        let reducer = self.reducer.chunks().map(|chunk| {
            chunk.map(ReplicaPart::Reducer).map_err(|error| {
                StoreError::with_source(StoreErrorKind::TooLarge, "the reducer", error)
            })
        });
        head.chain(named)
            .chain(unsigned)
            .chain(drafts)
            .chain(runs)
            .chain(proofs)
            .map(Ok)
            .chain(feeds)
            .chain(reducer)
    }
}

/// Puts a replica together again.
#[derive(Debug, Default)]
pub(crate) struct ReplicaReader {
    head: Option<ReplicaHead>,
    named: BTreeMap<FeedId, u64>,
    unsigned: Vec<OwnRecord>,
    drafts: BTreeMap<DraftId, Draft>,
    runs: BTreeMap<FeedId, BTreeMap<u64, StoredRun>>,
    feeds: Vec<u8>,
    reducer: ReducerReader,
}

impl ReplicaReader {
    pub(crate) fn push(&mut self, part: ReplicaPart) -> Result<(), StoreError> {
        match part {
            ReplicaPart::Head(head) => self.head = Some(head),
            ReplicaPart::Named(feed, seq) => {
                self.named.insert(feed, seq);
            }
            ReplicaPart::Unsigned(record) => self.unsigned.push(record),
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
            ReplicaPart::Proof(_) => {}
            ReplicaPart::Feeds(piece) => self.feeds.extend(piece),
            ReplicaPart::Reducer(chunk) => {
                self.reducer
                    .push(&chunk)
                    .map_err(|error| corrupt("the reducer", error))?;
            }
        }
        Ok(())
    }

    /// The replica; `None` if there was nothing of one.
    pub(crate) fn finish(
        self,
        replication: Option<&Replication>,
    ) -> Result<Option<Replica>, StoreError> {
        let Some(head) = self.head else {
            return Ok(None);
        };
        let Some(replication) = replication else {
            let what = "the store is replicated, and this process has no keys for that";
            return Err(StoreError::new(StoreErrorKind::Config, what));
        };
        let mut replica = Replica::new(head.id, replication.clone());
        let limits = replication.limits;
        let mut set = FeedSet::from_image(head.id, limits, &self.feeds)
            .map_err(|error| corrupt("the feeds", error))?;
        let key = replica.key();
        // Those that were signed, and not yet on disk when the image was taken.
        for (feed, runs) in self.runs.iter().filter(|(feed, _)| feed.author == key) {
            let held = set.head(feed).seq;
            for (_, run) in runs.range(held..) {
                let read = Run::read_own(&head.id, feed, &run.prev, &run.bytes);
                let (run, _) = read.map_err(|error| corrupt("an own run", error))?;
                if !set.is_closed(feed) {
                    set.accept_own(&run)
                        .map_err(|error| corrupt("an own run", error))?;
                }
            }
        }
        replica.feeds = Feeds::Reading(Box::new(set));
        replica.reducer = (self.reducer.finish()).map_err(|error| corrupt("the reducer", error))?;
        replica.clock.raise(replica.reducer.greatest_stamp());
        replica.closes = head.closes.clone();
        replica.drafts = self.drafts;
        let stored = self.runs.values().flat_map(BTreeMap::values);
        replica.run_bytes = stored.map(|run| run.bytes.len()).sum();
        replica.runs = self.runs;
        if let Some(mut own) = head.own_feed(head.id, replication) {
            for record in self.unsigned {
                let events = own.writer.replay(&record);
                let events = events.map_err(|error| corrupt("own events", error))?;
                own.take(record, &events);
            }
            replica.own = Some(own);
        }
        replica.named = self.named;
        Ok(Some(replica))
    }
}

fn corrupt(what: &str, error: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    StoreError::with_source(StoreErrorKind::Corrupt, what, error)
}
