//! Delivery: stored events go in when what they need is there, the least stamp first.

use std::collections::{BTreeMap, BTreeSet};

use dhlrs_clock::Stamp;
use dhlrs_feed::{Event, EventId, FeedId, TRANSACTION_EVENTS_MAX};
use triomphe::Arc;

use crate::control::Control;
use crate::world::{Waits, World};

/// Stored events that the base does not hold, by feed and number.
pub(crate) type Tail = BTreeMap<FeedId, BTreeMap<u64, (Arc<Event>, EventId)>>;

/// What is to be taken in, and by which records.
pub(crate) struct Delivery<'a> {
    pub(crate) control: &'a Control,
    pub(crate) is_rooted: bool,
    pub(crate) tail: &'a Tail,
}

impl Delivery<'_> {
    /// Takes in all of these feeds that can be taken in, and says which of them went on. `may_enter` judges a whole
    /// transaction: its feed, its last number and its greatest stamp.
    pub(crate) fn run(
        &self,
        world: &mut World,
        from: &BTreeSet<FeedId>,
        mut may_enter: impl FnMut(&FeedId, u64, Stamp) -> bool,
    ) -> BTreeSet<FeedId> {
        let next = |world: &World, feed: &FeedId| {
            let (event, _) = self.tail.get(feed)?.get(&(world.seq(feed) + 1))?;
            Some((event.stamp, *feed))
        };
        let mut queue: BTreeSet<(Stamp, FeedId)> =
            from.iter().filter_map(|feed| next(world, feed)).collect();
        let mut parked: BTreeMap<FeedId, Vec<FeedId>> = BTreeMap::new();
        let mut taken = BTreeSet::new();
        while let Some((_, feed)) = queue.pop_first() {
            let group = transaction(self.tail, &feed, world.seq(&feed) + 1);
            let Some((last, _)) = group.last() else {
                continue;
            };
            let greatest = group.iter().map(|(event, _)| event.stamp).max();
            if !may_enter(&feed, last.dot.seq, greatest.unwrap_or_default()) {
                continue;
            }
            match world.take(self.control, self.is_rooted, &group) {
                Ok(()) => {
                    taken.insert(feed);
                    let waiting = parked.remove(&feed).unwrap_or_default();
                    queue.extend(waiting.iter().filter_map(|feed| next(world, feed)));
                    queue.extend(next(world, &feed));
                }
                Err(Waits::For(other)) => parked.entry(other).or_default().push(feed),
                Err(Waits::Else) => {}
            }
        }
        taken
    }
}

/// The events of the transaction that begins there; none while some of them are missing.
fn transaction<'a>(tail: &'a Tail, feed: &FeedId, first: u64) -> Vec<(&'a Event, EventId)> {
    let Some(events) = tail.get(feed) else {
        return Vec::new();
    };
    let following = events
        .get(&first)
        .map_or(0, |(event, _)| u64::from(event.following));
    // One that claims more is void, and goes alone.
    let following = match following < TRANSACTION_EVENTS_MAX as u64 {
        true => following,
        false => 0,
    };
    let group: Vec<_> = (first..=first + following)
        .map_while(|seq| events.get(&seq))
        .map(|(event, id)| (&**event, *id))
        .collect();
    match group.len() as u64 == following + 1 {
        true => group,
        false => Vec::new(),
    }
}
