//! Which events count, and what each has in its past.

use std::collections::{BTreeMap, BTreeSet};

use dhlrs_clock::{DRIFT_MS_MAX, Stamp};
use dhlrs_feed::{
    Capability, ControlRecord, Dep, Epoch, Event, EventDot, EventId, FeedId, Payload, TreeOp,
};

use super::Stored;

/// An event that counts.
pub(crate) struct Admitted {
    pub(crate) dot: EventDot,
    pub(crate) stamp: Stamp,
    pub(crate) op: TreeOp,
    pub(crate) past: BTreeMap<FeedId, u64>,
    pub(crate) capability: Capability,
}

impl Admitted {
    pub(crate) fn has_seen(&self, other: &EventDot) -> bool {
        self.past.get(&other.feed).copied().unwrap_or(0) >= other.seq
    }
}

struct Admission<'a> {
    stored: &'a Stored,
    // Records up to this number are reduced.
    control: u64,
    reduced: BTreeMap<FeedId, u64>,
}

pub(crate) fn admit(stored: &Stored) -> (Vec<Admitted>, BTreeMap<FeedId, u64>, u64) {
    let mut admission = Admission {
        stored,
        control: 0,
        reduced: BTreeMap::new(),
    };
    let mut order = Vec::new();
    loop {
        while let Some(group) = admission.next_group() {
            let last = group.last().unwrap();
            admission.reduced.insert(last.feed, last.seq);
            order.push(group);
        }
        match admission.next_record() {
            None => break,
            Some(ControlRecord::Close { .. }) => {
                admission.control += 1;
                admission.reduced.clear();
                order.clear();
            }
            Some(_) => admission.control += 1,
        }
    }
    let admitted = admission.judge(&order);
    (admitted, admission.reduced, admission.control)
}

impl Admission<'_> {
    fn records(&self) -> impl Iterator<Item = (u64, &ControlRecord)> {
        (1..)
            .zip(&self.stored.records)
            .take_while(|(number, _)| *number <= self.control)
    }

    fn event(&self, dot: &EventDot) -> Option<&(Event, EventId)> {
        self.stored.chains.get(&dot.feed)?.get(dot.seq as usize - 1)
    }

    fn done(&self, feed: &FeedId) -> u64 {
        self.reduced.get(feed).copied().unwrap_or(0)
    }

    fn capability(&self, feed: &FeedId) -> Option<Capability> {
        if !self.stored.is_rooted {
            return Some(Capability::default());
        }
        self.records().find_map(|(number, record)| match record {
            ControlRecord::Open { author, capability }
                if FeedId::new(*author, Epoch::numbered(number)) == *feed =>
            {
                Some(capability.clone())
            }
            _ => None,
        })
    }

    fn closed(&self, feed: &FeedId) -> Option<(u64, Option<u64>)> {
        self.records().find_map(|(_, record)| match record {
            ControlRecord::Close {
                feed: closed,
                end,
                fork,
            } if closed == feed => Some((end.map_or(0, |end| end.seq), *fork)),
            _ => None,
        })
    }

    /// How far a dependency counts, once it can be told.
    fn resolve(&self, dep: &Dep) -> Option<u64> {
        let done = self.done(&dep.dot.feed);
        let is_ours = || self.event(&dep.dot).is_some_and(|(_, id)| *id == dep.id);
        let seq = dep.dot.seq;
        match self.closed(&dep.dot.feed) {
            None if done >= seq && is_ours() => Some(seq),
            None => None,
            Some((end, Some(fork))) if seq > fork && seq > end => Some(fork.min(end)),
            Some((_, Some(fork))) if seq > fork => {
                (done >= seq).then(|| if is_ours() { seq } else { fork })
            }
            Some((end, _)) => (done >= seq.min(end)).then_some(seq.min(end)),
        }
    }

    fn next_group(&self) -> Option<Vec<EventDot>> {
        self.stored
            .chains
            .keys()
            .find_map(|feed| self.next_group_of(feed))
    }

    fn next_group_of(&self, feed: &FeedId) -> Option<Vec<EventDot>> {
        self.capability(feed)?;
        let first = EventDot::new(*feed, self.done(feed) + 1);
        let following = u64::from(self.event(&first)?.0.following);
        let group: Vec<EventDot> = (0..=following)
            .map(|n| EventDot::new(*feed, first.seq + n))
            .collect();
        let last = group.last()?.seq;
        if self.closed(feed).is_some_and(|(end, _)| last > end) {
            return None;
        }
        for dot in &group {
            let (event, _) = self.event(dot)?;
            if self.stored.is_rooted && event.control > self.control {
                return None;
            }
            if event.deps.iter().any(|dep| self.resolve(dep).is_none()) {
                return None;
            }
            let is_future = event.stamp.wall_ms() > self.stored.now_ms + DRIFT_MS_MAX;
            if is_future && !self.is_released(feed, last) {
                return None;
            }
        }
        Some(group)
    }

    /// What was reduced once, or stands in a Mark, is not held.
    fn is_released(&self, feed: &FeedId, seq: u64) -> bool {
        self.stored.released.get(feed) >= seq
            || self.stored.records.iter().any(|record| match record {
                ControlRecord::Mark { ends } => ends
                    .iter()
                    .any(|(listed, end)| listed == feed && end.seq >= seq),
                _ => false,
            })
    }

    fn next_record(&self) -> Option<&ControlRecord> {
        let record = self.stored.records.get(self.control as usize)?;
        if let ControlRecord::Mark { ends } = record {
            for (feed, end) in ends {
                let (_, id) = self.event(&EventDot::new(*feed, end.seq))?;
                if self.done(feed) < end.seq || *id != end.id {
                    return None;
                }
            }
        }
        Some(record)
    }

    /// The past of an event: its own chain, what that names, and the newest Mark at or below its control number.
    fn past(&self, dot: &EventDot) -> BTreeMap<FeedId, u64> {
        let mut past: BTreeMap<FeedId, u64> = BTreeMap::new();
        let mut add = |feed: FeedId, seq: u64| {
            let known = past.entry(feed).or_insert(0);
            *known = seq.max(*known);
        };
        let control = self.event(dot).unwrap().0.control;
        for (number, record) in self.records() {
            if let ControlRecord::Mark { ends } = record
                && number <= control
            {
                ends.iter().for_each(|(feed, end)| add(*feed, end.seq));
            }
        }
        for seq in 1..=dot.seq {
            for dep in &self.event(&EventDot::new(dot.feed, seq)).unwrap().0.deps {
                add(dep.dot.feed, self.resolve(dep).unwrap());
            }
        }
        past.insert(dot.feed, dot.seq - 1);
        past
    }

    fn judge(&self, order: &[Vec<EventDot>]) -> Vec<Admitted> {
        let mut admitted: Vec<Admitted> = Vec::new();
        let mut valid: BTreeMap<EventDot, Stamp> = BTreeMap::new();
        for group in order {
            let mut judged = Vec::new();
            let mut is_void = false;
            let mut siblings: BTreeSet<EventDot> = BTreeSet::new();
            for (n, dot) in group.iter().enumerate() {
                let (event, _) = self.event(dot).unwrap();
                let past = self.past(dot);
                let capability = self.capability(&dot.feed).unwrap();
                let stamps = valid.iter().filter(|(other, _)| {
                    past.get(&other.feed).is_some_and(|seq| *seq >= other.seq)
                });
                is_void |= stamps
                    .map(|(_, stamp)| *stamp)
                    .any(|stamp| stamp >= event.stamp);
                let before = siblings.iter().map(|dot| self.event(dot).unwrap().0.stamp);
                is_void |= before.into_iter().any(|stamp| stamp >= event.stamp);
                is_void |= usize::from(event.following) != group.len() - 1 - n;
                if self.stored.is_rooted {
                    let previous = (1..dot.seq)
                        .map(|seq| self.event(&EventDot::new(dot.feed, seq)).unwrap().0.control);
                    is_void |= event.control < previous.max().unwrap_or(0);
                    is_void |= event.control < dot.feed.epoch.number();
                }
                is_void |= event.stamp == Stamp::ZERO;
                siblings.insert(*dot);
                let Payload::Tree(op) = &event.payload else {
                    judged.push((*dot, event.stamp, None));
                    continue;
                };
                is_void |= !op.is_well_formed() || !may_write(&capability, op);
                judged.push((
                    *dot,
                    event.stamp,
                    Some(Admitted {
                        dot: *dot,
                        stamp: event.stamp,
                        op: op.clone(),
                        past,
                        capability,
                    }),
                ));
            }
            if !is_void {
                for (dot, stamp, event) in judged {
                    valid.insert(dot, stamp);
                    admitted.extend(event);
                }
            }
        }
        admitted
    }
}

fn may_write(capability: &Capability, op: &TreeOp) -> bool {
    let prefix = &capability.prefix;
    let renamed = match op {
        TreeOp::Rename { node, label } => {
            let Some((parent, _)) = node.home() else {
                return false;
            };
            parent
                .child(label.clone(), 0)
                .is_ok_and(|path| path.begins_with(prefix))
        }
        TreeOp::Move { parent, .. } => parent.begins_with(prefix),
        _ => true,
    };
    renamed && op.node().begins_with(prefix)
}
