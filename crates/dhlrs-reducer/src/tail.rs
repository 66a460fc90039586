//! The stored events that the base does not hold.

use std::collections::BTreeMap;

use dhlrs_feed::{Event, EventId, FeedId};
use triomphe::Arc;

use crate::chain::Chain;

/// A stored event and its id.
pub(crate) type StoredEvent = (Arc<Event>, EventId);

/// Stored events, by feed.
pub(crate) type Tail = BTreeMap<FeedId, Branch>;

/// The stored events of one feed.
#[derive(Clone, Debug)]
pub(crate) struct Branch {
    /// Those that follow the base, and one another.
    chain: Chain<StoredEvent>,
    /// Those before which some are missing.
    strays: BTreeMap<u64, StoredEvent>,
}

impl Branch {
    /// Of a feed of which the base holds so many.
    pub(crate) const fn after(seq: u64) -> Self {
        Self {
            chain: Chain::starting_at(seq.saturating_add(1)),
            strays: BTreeMap::new(),
        }
    }

    /// Takes an event in, unless there is one of its number.
    pub(crate) fn insert(&mut self, event: Event, id: EventId) {
        let seq = event.dot.seq;
        if seq > self.chain.next() {
            let stored = || (Arc::new(event), id);
            self.strays.entry(seq).or_insert_with(stored);
            return;
        }
        if seq == self.chain.next() {
            self.chain.push(seq, (Arc::new(event), id));
            while let Some((seq, stored)) = self.strays.pop_first() {
                if seq > self.chain.next() {
                    self.strays.insert(seq, stored);
                    return;
                }
                self.chain.push(seq, stored);
            }
        }
    }

    pub(crate) fn get(&self, seq: u64) -> Option<&StoredEvent> {
        self.chain.get(seq)
    }

    /// Those that follow the base without a gap, from this number on.
    pub(crate) fn from(&self, seq: u64) -> impl DoubleEndedIterator<Item = (u64, &StoredEvent)> {
        self.chain.from(seq)
    }

    /// The same up to this number.
    pub(crate) fn upto(&self, seq: u64) -> impl DoubleEndedIterator<Item = (u64, &StoredEvent)> {
        self.chain.upto(seq)
    }

    /// All, also those that wait for others.
    pub(crate) fn all(&self) -> impl Iterator<Item = (u64, &StoredEvent)> {
        let strays = self.strays.iter().map(|(seq, stored)| (*seq, stored));
        self.chain.from(0).chain(strays)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.chain.is_empty() && self.strays.is_empty()
    }

    /// Drops those above this number.
    pub(crate) fn drop_above(&mut self, seq: u64) {
        self.chain.drop_above(seq);
        self.strays.retain(|stray, _| *stray <= seq);
    }

    /// Drops those up to this number, which the base holds now.
    pub(crate) fn drop_upto(&mut self, seq: u64) {
        self.chain.drop_below(seq.saturating_add(1));
        self.strays.retain(|stray, _| *stray > seq);
    }
}
