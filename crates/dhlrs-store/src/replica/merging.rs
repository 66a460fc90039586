//! What other replicas sent, and what becomes of the own feed because of it.

use dhlrs_bag::{Bag, Change};
use dhlrs_clock::HybridClock;
use dhlrs_feed::{Event, EventId, FeedClosed, FeedId, NewRun, Payload, RunHeader};

use crate::lost::Lost;
use crate::record::{Leaving, Left};
use crate::replica::{Feeds, Replica};

/// Runs, ends of feeds and the end of the own one, to be taken in together.
#[derive(Debug, Default)]
pub(crate) struct Incoming {
    pub(crate) runs: Vec<NewRun>,
    pub(crate) closed: Vec<FeedClosed>,
    /// The own feed is left: why, and where it is to end if its author says so.
    pub(crate) left: Option<Left>,
}

impl Replica {
    /// Reduces what came at this time, and shows it. The same live and when the log is read again.
    pub(crate) fn take_in(
        &mut self,
        incoming: Incoming,
        now_ms: u64,
        bag: &mut Bag,
        revision: u64,
    ) -> (Vec<Change>, Lost) {
        self.has_unnamed = true;
        let mut lost = Lost::default();
        let mut list = Vec::new();
        if let Some(left) = incoming.left {
            list.extend(self.leave(left, now_ms, bag, revision, &mut lost));
        }
        let mut events: Vec<(Event, EventId)> = Vec::new();
        for new in incoming.runs {
            self.store_run(&new.run);
            events.extend(new.events);
        }
        for (event, id) in &events {
            // It came back: others have it after all.
            let name = (event.dot.feed, event.dot.seq);
            if self.drafts.get(&name).is_some_and(|draft| draft.id == *id) {
                self.drafts.remove(&name);
            }
        }
        let changes = self.reducer.reduce(events, [], now_ms);
        list.extend(self.show(&changes, bag, revision, &mut lost));
        for closed in incoming.closed {
            let why = Leaving::Forked;
            let (feed, at) = (closed.feed, closed.at);
            list.extend(self.end_feed(feed, at, why, now_ms, bag, revision, &mut lost));
        }
        self.clock.raise(self.reducer.greatest_stamp());
        (list, lost)
    }

    /// Writes no more to the own feed. What cannot have left this process is void.
    fn leave(
        &mut self,
        left: Left,
        now_ms: u64,
        bag: &mut Bag,
        revision: u64,
        lost: &mut Lost,
    ) -> Vec<Change> {
        let Left { why, end, unsent } = left;
        let Some(own) = self.own.take() else {
            return Vec::new();
        };
        let feed = *own.writer.feed();
        // While the log is read, what was signed counts as sent until it says otherwise.
        if let Feeds::Reading(set) = &mut self.feeds {
            set.forget(&feed, unsent - 1);
        }
        self.keep_runs_as_drafts(&feed, unsent - 1, why);
        self.keep_as_drafts(&feed, why, &own.unsigned);
        if let Some(runs) = self.runs.get_mut(&feed) {
            runs.retain(|after, _| *after + 1 < unsent);
        }
        let at = end.map_or(unsent - 1, |end| end.map_or(0, |end| end.seq));
        self.tell_ends_again(&feed, at);
        let list = match end {
            Some(end) => {
                self.closes.push((feed.epoch, end));
                self.end_feed(feed, at, why, now_ms, bag, revision, lost)
            }
            None => {
                let changes = self.reducer.retract(&feed, unsent - 1, now_ms);
                self.show(&changes, bag, revision, lost)
            }
        };
        // What was void counts for nothing.
        self.clock = HybridClock::resume(self.reducer.greatest_stamp());
        list
    }

    /// What the feed has said of the ends of others counts above `at` no more: the next one has to say so.
    fn tell_ends_again(&mut self, feed: &FeedId, at: u64) {
        let said = self.reducer.events_of(feed, at);
        let ends = said.map_while(|stored| match &stored.event.payload {
            Payload::Close { epoch, end } => Some((*epoch, *end)),
            _ => None,
        });
        let ends: Vec<_> = ends.collect();
        self.closes.extend(ends);
    }

    /// Takes the events of a feed above its end for void. Those of the own author become drafts.
    #[expect(clippy::too_many_arguments, reason = "where it ends and what shows it")]
    fn end_feed(
        &mut self,
        feed: FeedId,
        at: u64,
        why: Leaving,
        now_ms: u64,
        bag: &mut Bag,
        revision: u64,
        lost: &mut Lost,
    ) -> Vec<Change> {
        if feed.author == self.key() {
            self.keep_runs_as_drafts(&feed, at, why);
        }
        if let Some(runs) = self.runs.get_mut(&feed) {
            runs.retain(|_, run| RunHeader::peek(&run.bytes).is_ok_and(|own| own.last() <= at));
        }
        let changes = self.reducer.close(feed, at, now_ms);
        self.show(&changes, bag, revision, lost)
    }
}
