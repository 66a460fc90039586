//! Who had seen what: the past of every event that a rule may still ask about.

use std::collections::BTreeMap;

use dhlrs_clock::VersionVector;
use dhlrs_feed::{EventDot, FeedId};
use serde::{Deserialize, Serialize};

/// For each feed, when it learnt how much of each other feed.
///
/// An event's past is its own chain and what that chain names, so it never shrinks along a feed: one list of steps for
/// each pair of feeds tells it for every event. A question costs O(log of the steps).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Causality {
    // Invariant: both numbers of the steps rise along a list.
    pub(crate) feeds: BTreeMap<FeedId, BTreeMap<FeedId, Vec<Step>>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Step {
    // The event that knows, and how much it knows.
    at: u64,
    seen: u64,
}

impl Causality {
    /// The event `at`, and all that follow it in its feed, have seen `seen` and all before it.
    pub(crate) fn learn(&mut self, at: &EventDot, seen: &EventDot) {
        if at.feed == seen.feed || seen.seq == 0 {
            return;
        }
        let steps = self
            .feeds
            .entry(at.feed)
            .or_default()
            .entry(seen.feed)
            .or_default();
        match steps.last_mut() {
            Some(last) if last.seen >= seen.seq => {}
            Some(last) if last.at == at.seq => last.seen = seen.seq,
            _ => steps.push(Step {
                at: at.seq,
                seen: seen.seq,
            }),
        }
    }

    /// Whether `seen` is in the past of `event`.
    pub(crate) fn sees(&self, event: &EventDot, seen: &EventDot) -> bool {
        if event.feed == seen.feed {
            return seen.seq < event.seq;
        }
        let steps = self
            .feeds
            .get(&event.feed)
            .and_then(|others| others.get(&seen.feed));
        let Some(steps) = steps else { return false };
        let after = steps.partition_point(|step| step.at <= event.seq);
        after
            .checked_sub(1)
            .and_then(|last| steps.get(last))
            .is_some_and(|step| step.seen >= seen.seq)
    }

    /// Whether neither has seen the other.
    pub(crate) fn are_concurrent(&self, a: &EventDot, b: &EventDot) -> bool {
        a != b && !self.sees(a, b) && !self.sees(b, a)
    }

    /// Forgets by which event of the frontier something was learnt; that it was is kept.
    pub(crate) fn settle(&mut self, frontier: &VersionVector<FeedId>) {
        for (feed, others) in &mut self.feeds {
            let settled = frontier.get(feed);
            for steps in others.values_mut() {
                let inside = steps.partition_point(|step| step.at <= settled);
                steps.drain(..inside.saturating_sub(1));
            }
        }
    }
}
