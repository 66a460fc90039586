//! The control log as the reducer follows it: which feeds are open, where they end, and where history is compacted.

use std::collections::BTreeMap;

use dhlrs_clock::{Stamp, VersionVector};
use dhlrs_feed::{Capability, ControlRecord, Dep, Epoch, FeedEnd, FeedId};
use serde::{Deserialize, Serialize};

/// What the records that were reduced come to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Control {
    /// The number of the last record.
    pub(crate) number: u64,
    pub(crate) feeds: BTreeMap<FeedId, Opened>,
    /// The newest Marks, from that on which an event to come may still lack.
    pub(crate) marks: Vec<MarkPoint>,
}

/// A feed that was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Opened {
    pub(crate) capability: Capability,
    pub(crate) closed: Option<Closed>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Closed {
    pub(crate) seq: u64,
    pub(crate) fork: Option<u64>,
}

/// A Mark that was reduced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MarkPoint {
    pub(crate) number: u64,
    pub(crate) frontier: VersionVector<FeedId>,
    /// The greatest stamp in it that is not void.
    pub(crate) greatest: Stamp,
    /// It added something other than `seen`.
    pub(crate) adds: bool,
}

impl Control {
    /// Takes in an Open or a Close; a Mark is more than bookkeeping.
    pub(crate) fn follow(&mut self, record: &ControlRecord) {
        self.number += 1;
        match record {
            ControlRecord::Open { author, capability } => {
                let feed = FeedId::new(*author, Epoch::numbered(self.number));
                self.feeds.insert(
                    feed,
                    Opened {
                        capability: capability.clone(),
                        closed: None,
                    },
                );
            }
            ControlRecord::Close { feed, end, fork } => {
                let closed = Closed {
                    seq: end.map_or(0, |end: FeedEnd| end.seq),
                    fork: *fork,
                };
                self.feeds.entry(*feed).or_default().closed = Some(closed);
            }
            ControlRecord::Mark { .. } => {}
        }
    }

    /// The newest Mark at or below this control number.
    pub(crate) fn mark_at(&self, number: u64) -> Option<&MarkPoint> {
        self.marks.iter().rev().find(|mark| mark.number <= number)
    }

    /// The newest Mark that added something other than `seen`.
    pub(crate) fn last_mark(&self) -> Option<&MarkPoint> {
        self.marks.iter().rev().find(|mark| mark.adds)
    }

    /// Where the feed ends, if it was closed.
    pub(crate) fn closed(&self, feed: &FeedId) -> Option<Closed> {
        self.feeds.get(feed).and_then(|opened| opened.closed)
    }

    /// How far the dependency counts, if the branch of its feed that is known here has what it names.
    ///
    /// `reduced` is how far the feed was reduced, `is_on_chain` whether the event that it names is the one known here.
    pub(crate) fn resolve(
        &self,
        dep: &Dep,
        reduced: u64,
        is_on_chain: impl Fn() -> bool,
    ) -> Option<u64> {
        let seq = dep.dot.seq;
        match self.closed(&dep.dot.feed) {
            None => (reduced >= seq && is_on_chain()).then_some(seq),
            Some(Closed {
                seq: end,
                fork: Some(fork),
            }) if seq > fork => {
                // Nobody can tell on which branch an event stood that no replica keeps.
                if seq > end {
                    return Some(fork.min(end));
                }
                (reduced >= seq).then(|| if is_on_chain() { seq } else { fork })
            }
            Some(closed) => {
                let seq = seq.min(closed.seq);
                (reduced >= seq).then_some(seq)
            }
        }
    }
}
