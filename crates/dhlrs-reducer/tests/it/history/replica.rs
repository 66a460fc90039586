//! One replica: its reducer, a twin that compacts nothing, and what it has stored.

use std::collections::BTreeMap;

use dhlrs_bag::{Bag, Change};
use dhlrs_clock::{Stamp, VersionVector};
use dhlrs_feed::{ControlRecord, Dep, Epoch, Event, EventDot, EventId, FeedEnd, FeedId, Payload};
use dhlrs_identity::PublicKey;
use dhlrs_reducer::{Reducer, ViewChanges};

use crate::naive::{self, Stored};

pub(crate) fn author(number: usize) -> PublicKey {
    PublicKey::from_bytes([number as u8 + 1; 32])
}

#[derive(Clone)]
pub(crate) struct Replica {
    pub(crate) author: PublicKey,
    pub(crate) is_rooted: bool,
    pub(crate) reducer: Reducer,
    pub(crate) twin: Reducer,
    /// One that was restored from an image of the first, and is told the same since.
    pub(crate) again: Option<Reducer>,
    /// What the reducer shows, kept up to date change by change.
    pub(crate) bag: Bag,
    /// What the last batch changed in it.
    pub(crate) told: Vec<Change>,
    pub(crate) chains: BTreeMap<FeedId, Vec<(Event, EventId)>>,
    pub(crate) records: Vec<ControlRecord>,
    /// How far its clock is off.
    pub(crate) offset_ms: i64,
    /// The head of its own feed as it remembers it.
    pub(crate) own_end: (FeedId, u64, EventId),
    /// What its own last event had seen.
    pub(crate) named: BTreeMap<FeedId, FeedEnd>,
}

impl Replica {
    pub(crate) fn new(author: PublicKey, is_rooted: bool, plant: fn(Reducer) -> Reducer) -> Self {
        let fresh = || match is_rooted {
            true => plant(Reducer::with_root()),
            false => plant(Reducer::without_root()),
        };
        let feed = FeedId::new(author, Epoch::default());
        Self {
            author,
            is_rooted,
            reducer: fresh(),
            twin: fresh().retaining_all(),
            again: None,
            bag: Bag::new(),
            told: Vec::new(),
            chains: BTreeMap::new(),
            records: Vec::new(),
            offset_ms: 0,
            own_end: (feed, 0, EventId::NONE),
            named: BTreeMap::new(),
        }
    }

    pub(crate) fn now(&self, now_ms: u64) -> u64 {
        now_ms.saturating_add_signed(self.offset_ms)
    }

    pub(crate) fn stored(&self, now_ms: u64) -> Stored {
        Stored {
            is_rooted: self.is_rooted,
            chains: self.chains.clone(),
            records: self.records.clone(),
            now_ms: self.now(now_ms),
            released: self.reducer.reduced_once().clone(),
        }
    }

    /// The feed that it may write in: open here, and known to the end.
    pub(crate) fn open_feed(&self) -> Option<FeedId> {
        let feed = match self.is_rooted {
            false => FeedId::new(self.author, Epoch::default()),
            true => {
                let numbered = (1..).zip(&self.records);
                let opens = numbered.filter(|(_, record)| {
                    matches!(record, ControlRecord::Open { author, .. } if *author == self.author)
                });
                FeedId::new(
                    self.author,
                    Epoch::numbered(opens.map(|(number, _)| number).last()?),
                )
            }
        };
        let end = self.end(&feed);
        let is_known = match self.own_end {
            (own, seq, id) if own == feed => (seq, id) == end,
            _ => end.0 == 0,
        };
        let is_reduced = self.reducer.frontier().get(&feed).map_or(0, |end| end.seq) == end.0;
        (self.reducer.is_open(&feed) && is_known && is_reduced).then_some(feed)
    }

    pub(crate) fn end(&self, feed: &FeedId) -> (u64, EventId) {
        match self.chains.get(feed).and_then(|chain| chain.last()) {
            Some((event, id)) => (event.dot.seq, *id),
            None => (0, EventId::NONE),
        }
    }

    /// The frontier of the newest Mark that was reduced here.
    pub(crate) fn mark_frontier(&self) -> VersionVector<FeedId> {
        let mut frontier = VersionVector::new();
        for record in self
            .records
            .iter()
            .take(self.reducer.control_number() as usize)
        {
            if let ControlRecord::Mark { ends } = record {
                ends.iter()
                    .for_each(|(feed, end)| frontier.advance(EventDot::new(*feed, end.seq)));
            }
        }
        frontier
    }

    /// Writes one transaction; `stamp` replaces the clock's first stamp.
    pub(crate) fn write(&mut self, payloads: Vec<Payload>, stamp: Option<Stamp>, now_ms: u64) {
        let Some(feed) = self.open_feed() else { return };
        let frontier = self.reducer.frontier();
        if self.own_end.0 != feed {
            let mark = self.mark_frontier();
            let below = frontier
                .iter()
                .filter(|(feed, end)| end.seq <= mark.get(feed));
            self.named = below.map(|(feed, end)| (*feed, *end)).collect();
        }
        let advanced = frontier
            .iter()
            .filter(|(other, end)| **other != feed && self.named.get(*other) != Some(*end));
        let mut deps: Vec<Dep> = advanced
            .map(|(other, end)| Dep {
                dot: EventDot::new(*other, end.seq),
                id: end.id,
            })
            .collect();
        let (mut seq, mut id) = self.end(&feed);
        let wall = self.now(now_ms);
        let greatest = self.reducer.greatest_stamp();
        let mut next = stamp.unwrap_or_else(|| match greatest.wall_ms() >= wall {
            true => Stamp::new(greatest.wall_ms(), greatest.counter() + 1).unwrap(),
            false => Stamp::new(wall, 0).unwrap(),
        });
        let mut events = Vec::new();
        let following = payloads.len();
        for (n, payload) in payloads.into_iter().enumerate() {
            seq += 1;
            let event = Event {
                dot: EventDot::new(feed, seq),
                stamp: next,
                control: self.reducer.control_number(),
                deps: std::mem::take(&mut deps),
                following: (following - 1 - n) as u16,
                payload,
            };
            next = Stamp::new(next.wall_ms(), next.counter() + 1).unwrap();
            id = id.followed_by(&event.encode().unwrap());
            events.push((event, id));
        }
        self.named = frontier;
        self.named.remove(&feed);
        self.own_end = (feed, seq, id);
        self.chains.entry(feed).or_default().extend(events.clone());
        self.receive(&events, &[], now_ms);
    }

    pub(crate) fn receive(
        &mut self,
        events: &[(Event, EventId)],
        records: &[ControlRecord],
        now_ms: u64,
    ) {
        let first = self.records.len() as u64 + 1;
        let numbered: Vec<_> = (first..).zip(records.iter().cloned()).collect();
        self.records.extend(records.iter().cloned());
        let now_ms = self.now(now_ms);
        let changes = self
            .reducer
            .reduce(events.to_vec(), numbered.clone(), now_ms);
        self.told = show(&self.reducer, &changes, &mut self.bag);
        if let Some(again) = &mut self.again {
            assert_eq!(
                again.reduce(events.to_vec(), numbered.clone(), now_ms),
                changes,
                "changes of one that was restored"
            );
        }
        self.twin.reduce(events.to_vec(), numbered, now_ms);
    }

    /// The ends that stored records name, by which forks are decided.
    fn decided(&self) -> Vec<(FeedId, FeedEnd)> {
        let mut decided = Vec::new();
        for record in &self.records {
            match record {
                ControlRecord::Mark { ends } => decided.extend(ends),
                ControlRecord::Close {
                    feed,
                    end: Some(end),
                    ..
                } => decided.push((*feed, *end)),
                _ => {}
            }
        }
        decided
    }

    /// Takes what the other has, `events_max` of each feed at most, whole transactions only.
    pub(crate) fn fetch(
        &mut self,
        other: &Self,
        events_max: usize,
        records_max: usize,
        now_ms: u64,
    ) {
        let known = self.records.len();
        let upto = other.records.len().min(known + records_max).max(known);
        let records = other.records.get(known..upto).unwrap_or_default().to_vec();
        self.receive(&[], &records, now_ms);
        let decided = self.decided();
        let mut events = Vec::new();
        for (feed, theirs) in &other.chains {
            let ours = self.chains.entry(*feed).or_default();
            let shared = common_prefix(ours, theirs);
            if shared < ours.len() {
                let is_theirs = decided.iter().any(|(decided, end)| {
                    let at = end.seq as usize - 1;
                    decided == feed
                        && theirs.get(at).is_some_and(|(_, id)| *id == end.id)
                        && ours.get(at).is_none_or(|(_, id)| *id != end.id)
                });
                if shared == theirs.len() || !is_theirs {
                    continue;
                }
                ours.truncate(shared);
                let now_ms = now_ms.saturating_add_signed(self.offset_ms);
                let changes = self.reducer.retract(feed, shared as u64, now_ms);
                self.told = show(&self.reducer, &changes, &mut self.bag);
                if let Some(again) = &mut self.again {
                    again.retract(feed, shared as u64, now_ms);
                }
                self.twin.retract(feed, shared as u64, now_ms);
            }
            let mut upto = theirs.len().min(shared + events_max);
            while upto > shared && theirs[upto - 1].0.following > 0 {
                upto -= 1;
            }
            ours.extend_from_slice(&theirs[shared..upto]);
            events.extend_from_slice(&theirs[shared..upto]);
        }
        self.receive(&events, &[], now_ms);
    }
}

pub(crate) fn common_prefix(a: &[(Event, EventId)], b: &[(Event, EventId)]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a.1 == b.1).count()
}

/// Brings the bag up to date, and holds it against what the reducer shows.
pub(crate) fn show(reducer: &Reducer, changes: &ViewChanges, bag: &mut Bag) -> Vec<Change> {
    let before = bag.clone();
    let told = reducer.show(changes, bag, before.revision() + 1);
    let shows = naive::shown_by(reducer).as_held();
    let told_of = || -> Vec<String> {
        let told = told.iter();
        told.map(|change| format!("{} {}", change.kind, change.path))
            .collect()
    };
    assert_eq!(
        naive::held_by(bag),
        shows,
        "changes {changes:#?} of {:#?}, told {:#?}",
        naive::held_by(&before),
        told_of(),
    );
    assert!(
        !changes.is_empty() || told.is_empty(),
        "no change, but {:?}",
        told_of()
    );
    told
}
