//! Drafts: own writes that were acknowledged and are void now. They are kept until a person or a
//! program applies or drops them.

use dhlrs_feed::{Event, EventId, FeedId, Payload, Run, RunHeader};
use serde::{Deserialize, Serialize};

use crate::record::Leaving;
use crate::replica::Replica;

/// Names a draft: the feed that it was written to, and the number of its first event there.
pub(crate) type DraftId = (FeedId, u64);

/// One transaction that is void.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Draft {
    pub(crate) why: Leaving,
    /// The first one of them.
    pub(crate) id: EventId,
    pub(crate) events: Vec<Event>,
}

impl Draft {
    /// Its events that say something.
    pub(crate) fn saying(&self) -> impl Iterator<Item = &Event> {
        self.events.iter().filter(|event| says_something(event))
    }
}

/// Whether the event is more than a note of what its author has seen or closed.
fn says_something(event: &Event) -> bool {
    matches!(event.payload, Payload::Tree(_) | Payload::Other { .. })
}

/// The transactions among these events that say something, by name.
pub(crate) fn drafts_of(
    feed: &FeedId,
    why: Leaving,
    events: &[(Event, EventId)],
) -> Vec<(DraftId, Draft)> {
    let (mut drafts, mut rest) = (Vec::new(), events);
    while let Some((first, id)) = rest.first() {
        let count = (usize::from(first.following) + 1).min(rest.len());
        let (group, after) = rest.split_at(count);
        rest = after;
        if group.iter().any(|(event, _)| says_something(event)) {
            let draft = Draft {
                why,
                id: *id,
                events: group.iter().map(|(event, _)| event.clone()).collect(),
            };
            drafts.push(((*feed, first.dot.seq), draft));
        }
    }
    drafts
}

impl Replica {
    pub(crate) fn keep_as_drafts(
        &mut self,
        feed: &FeedId,
        why: Leaving,
        events: &[(Event, EventId)],
    ) {
        self.drafts.extend(drafts_of(feed, why, events));
    }

    /// Keeps what is stored of a feed of the own author above its end.
    pub(crate) fn keep_runs_as_drafts(&mut self, feed: &FeedId, at: u64, why: Leaving) {
        let stored = self.runs.get(feed).into_iter().flatten();
        let above = stored
            .filter(|(_, run)| RunHeader::peek(&run.bytes).is_ok_and(|header| header.last() > at));
        let read = above.filter_map(|(_, run)| {
            let read = Run::read_own(&self.id, feed, &run.prev, &run.bytes);
            read.ok().map(|(_, events)| events)
        });
        let events: Vec<(Event, EventId)> = read.flatten().collect();
        self.keep_as_drafts(feed, why, &events);
    }
}
