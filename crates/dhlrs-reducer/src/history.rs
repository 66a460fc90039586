//! What the stored events say of the past: of one feed, of one bag node, of one moment.

use std::collections::BTreeSet;

use dhlrs_clock::{Dot, Stamp};
use dhlrs_feed::{Event, EventDot, EventId, FeedId, HomePath, Payload, TreeOp};

use crate::Reducer;
use crate::delivery::Delivery;
use crate::tail::Branch;

/// A stored event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored<'a> {
    /// The event.
    pub event: &'a Event,
    /// Its id.
    pub id: EventId,
    /// What became of it.
    pub verdict: Verdict,
}

/// What became of an event here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// It was reduced and has its effect.
    Counts,
    /// It has none, and will have none: malformed, not allowed, its stamp not above its past, or its feed was closed
    /// below it.
    Void,
    /// It is held, or waits for others or for control records.
    Waits,
}

/// Where an event stands in the total order of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Logged {
    /// Its stamp.
    pub stamp: Stamp,
    /// Its name.
    pub dot: EventDot,
}

impl Logged {
    /// Where this event stands.
    #[must_use]
    pub const fn of(event: &Event) -> Self {
        Self {
            stamp: event.stamp,
            dot: event.dot,
        }
    }
}

impl Reducer {
    /// The stored events of a feed with numbers above `above`, in their order. What a Mark has settled is not stored.
    pub fn events_of(&self, feed: &FeedId, above: u64) -> impl Iterator<Item = Stored<'_>> {
        let closed = self.control.closed(feed);
        let progress = self.head.feeds.get(feed);
        let events = self.tail.get(feed).into_iter();
        let events = events.flat_map(Branch::all);
        let events = events.filter(move |(seq, _)| *seq > above);
        events.map(move |(seq, (event, id))| {
            let recent = progress.and_then(|progress| progress.recent.get(seq));
            let verdict = match recent {
                Some(recent) if recent.stamp.is_some() => Verdict::Counts,
                Some(_) => Verdict::Void,
                None if closed.is_some_and(|closed| seq > closed.seq) => Verdict::Void,
                None => Verdict::Waits,
            };
            Stored {
                event,
                id: *id,
                verdict,
            }
        })
    }

    /// The stored events that count and concern the bag node or what is at home below it, the newest first; a Move
    /// also concerns the bag that it names, and an event of another kind the root.
    ///
    /// Begins below `before`, the place of the last event that was read, and reads no further than is asked for:
    /// O(log feeds) for each event of the store that it passes.
    pub fn log_of<'a>(
        &'a self,
        node: &'a HomePath,
        before: Option<Logged>,
    ) -> impl Iterator<Item = Stored<'a>> {
        // Along a feed the stamps of what counts rise, so the last ones of all feeds hold the newest of all.
        let last = move |feed: &FeedId, below: u64| -> Option<Stored<'a>> {
            let progress = self.head.feeds.get(feed)?;
            let events = self.tail.get(feed)?;
            let upto = below.saturating_sub(1);
            let mut counting = events.upto(upto).rev().filter_map(|(seq, stored)| {
                progress.recent.get(seq)?.stamp?;
                Some(stored)
            });
            let (event, id) = match before {
                Some(before) => counting.find(|(event, _)| Logged::of(event) < before)?,
                None => counting.next()?,
            };
            Some(Stored {
                event,
                id: *id,
                verdict: Verdict::Counts,
            })
        };
        let mut open: BTreeSet<Logged> = BTreeSet::new();
        for feed in self.tail.keys() {
            open.extend(last(feed, u64::MAX).map(|stored| Logged::of(stored.event)));
        }
        let all = std::iter::from_fn(move || {
            let dot = open.pop_last()?.dot;
            let stored = last(&dot.feed, dot.seq + 1)?;
            open.extend(last(&dot.feed, dot.seq).map(|stored| Logged::of(stored.event)));
            Some(stored)
        });
        all.filter(|stored| concerns(&stored.event.payload, node))
    }

    /// The reducer as these events leave it: those that were reduced here and whose stamp is not above `stamp`. What
    /// was found out since about feeds, where they were forked or closed, counts.
    ///
    /// `None` where a Mark has settled a later event: what there was before is not stored any more. Costs what it takes
    /// to reduce all stored events up to there, after a copy of the base.
    #[must_use]
    pub fn at(&self, stamp: Stamp) -> Option<Self> {
        if self.base.greatest > stamp {
            return None;
        }
        let mut past = Self::of(self.is_rooted, self.base.clone(), self.control.clone());
        past.retains_all = self.retains_all;
        past.base_control.clone_from(&self.base_control);
        let all: Vec<FeedId> = self.tail.keys().copied().collect();
        let delivery = Delivery {
            control: &self.control,
            is_rooted: self.is_rooted,
            tail: &self.tail,
        };
        delivery.run(&mut past.head, &all, |feed, last, greatest| {
            let progress = self.head.feeds.get(feed);
            progress.is_some_and(|progress| {
                let recent = progress.recent.get(last);
                let is_void = recent.is_some_and(|recent| recent.stamp.is_none());
                last <= progress.seq && (greatest <= stamp || is_void)
            })
        });
        for (feed, events) in &self.tail {
            let mut taken = events.clone();
            taken.drop_above(past.head.seq(feed));
            if !taken.is_empty() {
                past.tail.insert(*feed, taken);
            }
        }
        for (feed, progress) in &past.head.feeds {
            past.released.advance(Dot::new(*feed, progress.seq));
        }
        past.settle(true);
        Some(past)
    }
}

fn concerns(payload: &Payload, node: &HomePath) -> bool {
    let op = match payload {
        Payload::Tree(op) => op,
        // What the tree does not know stands in no bag node of it.
        Payload::Other { .. } => return node.is_root(),
        Payload::Seen | Payload::Close { .. } => return false,
    };
    let is_within = |at: &HomePath| {
        let mut way = std::iter::successors(Some(at), |at| at.home().map(|(parent, _)| parent));
        way.any(|at| at == node)
    };
    is_within(op.node())
        || match op {
            TreeOp::Move { parent, .. } => is_within(parent),
            _ => false,
        }
}
