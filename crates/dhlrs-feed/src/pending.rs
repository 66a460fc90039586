//! Runs that came too early: checked, and kept while there is room.

use std::collections::BTreeMap;

use crate::{EventId, FeedId, Run};

// The maps' own share of a run that waits.
const OVERHEAD_BYTES: usize = 256;

/// Checked runs that wait for the ones before them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pending {
    feeds: BTreeMap<FeedId, Waiting>,
    bytes: usize,
}

#[derive(Clone, Debug, Default)]
struct Waiting {
    // By first number and last id: of a fork both branches may wait.
    runs: BTreeMap<(u64, EventId), Run>,
    bytes: usize,
}

impl Pending {
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn len(&self) -> usize {
        self.feeds.len()
    }

    pub(crate) fn feeds(&self) -> impl Iterator<Item = &FeedId> {
        self.feeds.keys()
    }

    pub(crate) fn holds(&self, feed: &FeedId) -> bool {
        self.feeds.contains_key(feed)
    }

    /// Keeps a run; what goes over a limit is dropped, the farthest from its turn first, of the feed that has most.
    pub(crate) fn keep(&mut self, run: Run, feed_bytes_max: usize, bytes_max: usize) {
        let feed = *run.feed();
        let key = (run.claim().header.first, run.claim().last);
        let bytes = cost(&run);
        let waiting = self.feeds.entry(feed).or_default();
        if waiting.runs.insert(key, run).is_none() {
            waiting.bytes += bytes;
            self.bytes += bytes;
        }
        while self
            .feeds
            .get(&feed)
            .is_some_and(|waiting| waiting.bytes > feed_bytes_max)
        {
            self.drop_last(&feed);
        }
        while self.bytes > bytes_max {
            let most = self.feeds.iter().max_by_key(|(_, waiting)| waiting.bytes);
            let Some(feed) = most.map(|(feed, _)| *feed) else {
                break;
            };
            self.drop_last(&feed);
        }
    }

    /// The runs of the feed that begin at or below `first`.
    pub(crate) fn take(&mut self, feed: &FeedId, first: u64) -> Vec<Run> {
        let mut taken = Vec::new();
        while let Some(waiting) = self.feeds.get_mut(feed) {
            match waiting.runs.first_entry() {
                Some(entry) if entry.key().0 <= first => {
                    let run = entry.remove();
                    self.forget(feed, cost(&run));
                    taken.push(run);
                }
                _ => break,
            }
        }
        taken
    }

    /// Drops all of a feed that begins above `last`.
    pub(crate) fn cut(&mut self, feed: &FeedId, last: u64) {
        while let Some(waiting) = self.feeds.get(feed) {
            match waiting.runs.last_key_value() {
                Some(((first, _), _)) if *first > last => self.drop_last(feed),
                _ => break,
            }
        }
    }

    fn drop_last(&mut self, feed: &FeedId) {
        let waiting = self.feeds.get_mut(feed);
        let dropped = waiting.and_then(|waiting| waiting.runs.pop_last());
        self.forget(feed, dropped.map_or(0, |(_, run)| cost(&run)));
    }

    fn forget(&mut self, feed: &FeedId, bytes: usize) {
        self.bytes = self.bytes.saturating_sub(bytes);
        if let Some(waiting) = self.feeds.get_mut(feed) {
            waiting.bytes = waiting.bytes.saturating_sub(bytes);
            if waiting.runs.is_empty() {
                self.feeds.remove(feed);
            }
        }
    }
}

fn cost(run: &Run) -> usize {
    run.bytes().len() + OVERHEAD_BYTES
}
