//! What a replica has, for whoever checks it: events, how far they were reduced, drafts.

use std::collections::BTreeMap;

use dhlrs_feed::{Event, FeedEnd, FeedId, FeedState};
use dhlrs_reducer::Stored;

use crate::machine::Store;

impl Store {
    /// How far each feed is stored, in runs; nothing in an owned store. `O(feeds)`.
    pub fn feeds_held(&self) -> impl Iterator<Item = (FeedId, FeedState)> + '_ {
        let replica = self.head.replica.iter();
        replica.flat_map(|replica| replica.feeds.set().frontier())
    }

    /// Feeds that have ended, with the number of the last event of each; nothing in an owned store.
    pub fn feeds_closed(&self) -> impl Iterator<Item = (FeedId, u64)> + '_ {
        let replica = self.head.replica.iter();
        replica.flat_map(|replica| replica.feeds.set().closed())
    }

    /// How far each feed was reduced: what [`state_hash`](Self::state_hash) is of. `O(feeds)`.
    #[must_use]
    pub fn reduced(&self) -> BTreeMap<FeedId, FeedEnd> {
        let replica = self.head.replica.as_ref();
        replica.map_or_else(BTreeMap::new, |replica| replica.reducer.frontier())
    }

    /// The stored events of a feed, in their order, and what became of each.
    pub fn events_of<'a>(&'a self, feed: &'a FeedId) -> impl Iterator<Item = Stored<'a>> {
        let replica = self.head.replica.iter();
        replica.flat_map(move |replica| replica.reducer.events_of(feed, 0))
    }

    /// Own events that were acknowledged and are void now, and that nobody has applied or dropped yet.
    pub fn draft_events(&self) -> impl Iterator<Item = &Event> {
        let replica = self.head.replica.iter();
        let drafts = replica.flat_map(|replica| replica.drafts.values());
        drafts.flat_map(|draft| &draft.events)
    }
}
