//! Everything that a set of events has come to: the tree, who had seen what, and how far each feed was reduced.

use std::collections::BTreeMap;

use dhlrs_clock::{Dot, Stamp, VersionVector};
use dhlrs_feed::{Capability, Event, EventId, FeedEnd, FeedId, Payload, TreeOp};
use serde::{Deserialize, Serialize};

use crate::causality::Causality;
use crate::chain::Chain;
use crate::control::Control;
use crate::fault::Fault;
use crate::node::Rank;
use crate::tree::Tree;

/// What a set of events has come to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct World {
    pub(crate) feeds: BTreeMap<FeedId, Progress>,
    pub(crate) causality: Causality,
    pub(crate) tree: Tree,
    /// The greatest stamp that is not void.
    pub(crate) greatest: Stamp,
}

/// How far one feed was reduced.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Progress {
    pub(crate) seq: u64,
    pub(crate) id: EventId,
    /// The control number of its last event; it never falls.
    pub(crate) control: u64,
    /// The greatest stamp in the past of its next event.
    pub(crate) past: Stamp,
    /// Its last events, as far back as another feed's next event may name them.
    pub(crate) recent: Chain<Recent>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Recent {
    pub(crate) id: EventId,
    pub(crate) control: u64,
    /// `None` if it is void.
    pub(crate) stamp: Option<Stamp>,
}

/// Why events stay where they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waits {
    /// Until this feed goes on.
    For(FeedId),
    /// Until control records or missing events arrive, or time passes.
    Else,
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            feeds: BTreeMap::new(),
            causality: Causality::default(),
            tree: Tree::new(),
            greatest: Stamp::ZERO,
        }
    }

    pub(crate) fn seq(&self, feed: &FeedId) -> u64 {
        self.feeds.get(feed).map_or(0, |progress| progress.seq)
    }

    /// The ends of what was reduced.
    pub(crate) fn frontier(&self) -> BTreeMap<FeedId, FeedEnd> {
        let ends = self.feeds.iter().filter(|(_, progress)| progress.seq > 0);
        ends.map(|(feed, progress)| {
            let end = FeedEnd {
                seq: progress.seq,
                id: progress.id,
            };
            (*feed, end)
        })
        .collect()
    }

    /// Takes in a transaction, the next of its feed, if nothing it needs is missing.
    pub(crate) fn take(
        &mut self,
        control: &Control,
        is_rooted: bool,
        group: &[(&Event, EventId)],
    ) -> Result<(), Waits> {
        let mut met = Vec::new();
        for (event, _) in group {
            if is_rooted && event.control > control.number {
                return Err(Waits::Else);
            }
            for dep in &event.deps {
                let progress = self.feeds.get(&dep.dot.feed);
                let is_on_chain = || {
                    progress
                        .and_then(|progress| progress.recent.get(dep.dot.seq))
                        .is_none_or(|recent| recent.id == dep.id)
                };
                let reduced = progress.map_or(0, |progress| progress.seq);
                match control.resolve(dep, reduced, is_on_chain) {
                    Some(_) if self.tree.planted.has(Fault::PastAboveClose) => {
                        met.push((event.dot, dep.dot.feed, dep.dot.seq));
                    }
                    Some(seq) => met.push((event.dot, dep.dot.feed, seq)),
                    None => return Err(Waits::For(dep.dot.feed)),
                }
            }
        }
        for (at, feed, seq) in met {
            let stamp = self.feeds.get(&feed).and_then(|progress| {
                let upto = progress.recent.upto(seq).rev();
                upto.filter_map(|(_, recent)| recent.stamp).next()
            });
            self.causality.learn(&at, &Dot::new(feed, seq));
            let progress = self.feeds.entry(at.feed).or_default();
            progress.past = progress.past.max(stamp.unwrap_or_default());
        }
        self.admit(control, is_rooted, group);
        Ok(())
    }

    fn admit(&mut self, control: &Control, is_rooted: bool, group: &[(&Event, EventId)]) {
        let Some((first, _)) = group.first() else {
            return;
        };
        let feed = first.dot.feed;
        let unlimited = Capability::default();
        let capability = control
            .feeds
            .get(&feed)
            .map_or(&unlimited, |opened| &opened.capability);
        let progress = self.feeds.entry(feed).or_default();
        let mut is_void = group
            .iter()
            .zip((0..group.len()).rev())
            .any(|((event, _), following)| usize::from(event.following) != following);
        let mut past = progress.past;
        for (event, _) in group {
            if is_rooted {
                is_void |= event.control < progress.control || event.control < feed.epoch.number();
                if event.control > progress.control {
                    progress.control = event.control;
                    if let Some(mark) = control.mark_at(event.control) {
                        for (other, seq) in &mark.frontier {
                            let seen = Dot::new(*other, *seq);
                            self.causality.learn(&event.dot, &seen);
                        }
                        progress.past = progress.past.max(mark.greatest);
                        past = past.max(mark.greatest);
                    }
                }
            }
            is_void |= event.stamp <= past || !may_write(capability, &event.payload);
            past = past.max(event.stamp);
        }
        for (event, id) in group {
            progress.seq = event.dot.seq;
            progress.id = *id;
            let recent = Recent {
                id: *id,
                control: event.control,
                stamp: (!is_void).then_some(event.stamp),
            };
            progress.recent.push(event.dot.seq, recent);
            if is_void {
                continue;
            }
            progress.past = event.stamp;
            self.greatest = self.greatest.max(event.stamp);
            if let Payload::Tree(op) = &event.payload {
                let rank = Rank {
                    stamp: event.stamp,
                    dot: event.dot,
                };
                self.tree.apply(&self.causality, rank, op, capability);
            }
        }
    }
}

/// Whether the capability allows it; home paths alone decide, so that every replica decides alike.
fn may_write(capability: &Capability, payload: &Payload) -> bool {
    let Payload::Tree(op) = payload else {
        return true;
    };
    let prefix = &capability.prefix;
    let extra = match op {
        TreeOp::Move { parent, .. } => parent.begins_with(prefix),
        TreeOp::Rename { node, label } => node.home().is_some_and(|(parent, _)| {
            // The path it would have, had it been made under the new label.
            parent.begins_with(prefix)
                || prefix.split_last().is_some_and(|(last, before)| {
                    last == label && parent.depth() == before.len() && parent.begins_with(before)
                })
        }),
        _ => true,
    };
    op.is_well_formed() && op.node().begins_with(prefix) && extra
}

impl World {
    /// Drops what is settled once every open feed has acknowledged the Mark with this frontier.
    pub(crate) fn compact(&mut self, last: &VersionVector<FeedId>, quiet_below: Stamp) {
        self.tree.compact(&mut self.causality, last, quiet_below);
        for (feed, progress) in &mut self.feeds {
            // The end itself stays: a feed's first event names it.
            progress.recent.drop_below(last.get(feed));
        }
    }
}
