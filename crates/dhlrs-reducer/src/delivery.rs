//! Delivery: stored events go in when what they need is there, the least stamp first.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use dhlrs_clock::Stamp;
use dhlrs_feed::{Event, EventId, FeedId, TRANSACTION_EVENTS_MAX};

use crate::control::Control;
use crate::tail::{Branch, Tail};
use crate::world::{Waits, World};

/// What is to be taken in, and by which records.
pub(crate) struct Delivery<'a> {
    pub(crate) control: &'a Control,
    pub(crate) is_rooted: bool,
    pub(crate) tail: &'a Tail,
}

impl Delivery<'_> {
    /// Takes in all of these feeds that can be taken in, and says which of them went on, in their order. `may_enter`
    /// judges a whole transaction: its feed, its last number and its greatest stamp.
    pub(crate) fn run(
        &self,
        world: &mut World,
        from: &[FeedId],
        mut may_enter: impl FnMut(&FeedId, u64, Stamp) -> bool,
    ) -> Vec<FeedId> {
        let next = |world: &World, feed: &FeedId| {
            let (event, _) = self.tail.get(feed)?.get(world.seq(feed) + 1)?;
            Some(Reverse((event.stamp, *feed)))
        };
        // A feed is in the queue once at most, or parked once.
        let mut queue: BinaryHeap<Reverse<(Stamp, FeedId)>> =
            from.iter().filter_map(|feed| next(world, feed)).collect();
        let mut parked: BTreeMap<FeedId, Vec<FeedId>> = BTreeMap::new();
        let mut taken: Vec<FeedId> = Vec::new();
        while let Some(Reverse((_, feed))) = queue.pop() {
            let Some(branch) = self.tail.get(&feed) else {
                continue;
            };
            loop {
                let first = world.seq(&feed) + 1;
                let Some(group) = Group::beginning(branch, first) else {
                    break;
                };
                let (last, greatest) = (group.last(), group.greatest());
                if !may_enter(&feed, last, greatest) {
                    break;
                }
                match group.enter(world, self.control, self.is_rooted) {
                    Ok(()) => {}
                    Err(Waits::For(other)) => {
                        parked.entry(other).or_default().push(feed);
                        break;
                    }
                    Err(Waits::Else) => break,
                }
                if taken.last() != Some(&feed) {
                    taken.push(feed);
                }
                let waiting = parked.remove(&feed).unwrap_or_default();
                queue.extend(waiting.iter().filter_map(|feed| next(world, feed)));
                // What stands in the queue with a lesser stamp goes first.
                let Some(own) = next(world, &feed) else { break };
                if queue.peek().is_some_and(|other| *other > own) {
                    queue.push(own);
                    break;
                }
            }
        }
        taken.sort_unstable();
        taken.dedup();
        taken
    }
}

/// A transaction; most are one event.
enum Group<'a> {
    One(&'a Event, EventId),
    Many(Vec<(&'a Event, EventId)>),
}

impl<'a> Group<'a> {
    /// The one that begins there; none while some of its events are missing.
    fn beginning(branch: &'a Branch, first: u64) -> Option<Self> {
        let (event, id) = branch.get(first)?;
        // One that claims more is void, and goes alone.
        let following = match usize::from(event.following) {
            following if following < TRANSACTION_EVENTS_MAX => following,
            _ => 0,
        };
        if following == 0 {
            return Some(Self::One(event, *id));
        }
        let events = branch.from(first).take(following + 1);
        let events: Vec<_> = events.map(|(_, (event, id))| (&**event, *id)).collect();
        (events.len() == following + 1).then_some(Self::Many(events))
    }

    fn last(&self) -> u64 {
        match self {
            Self::One(event, _) => event.dot.seq,
            Self::Many(events) => events.last().map_or(0, |(event, _)| event.dot.seq),
        }
    }

    fn greatest(&self) -> Stamp {
        match self {
            Self::One(event, _) => event.stamp,
            Self::Many(events) => {
                let stamps = events.iter().map(|(event, _)| event.stamp);
                stamps.max().unwrap_or_default()
            }
        }
    }

    fn enter(&self, world: &mut World, control: &Control, is_rooted: bool) -> Result<(), Waits> {
        match self {
            Self::One(event, id) => world.take(control, is_rooted, &[(event, *id)]),
            Self::Many(events) => world.take(control, is_rooted, events),
        }
    }
}
