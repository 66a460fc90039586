//! What a replica says of its feeds, its peers and its clock.

use std::collections::BTreeSet;
use std::ops::Bound;

use dhlrs_clock::{DRIFT_MS_MAX, Stamp, Time};
use dhlrs_feed::FeedId;
use dhlrs_reducer::Verdict;
use dhlrs_wire::{
    FEED_PEERS_MAX, FEEDS_ROWS_MAX, FeedPeer, FeedRow, FeedStanding, FeedsStatus, Refusal, Reply,
};

use crate::machine::Store;
use crate::owned::not_replicated;
use crate::port::{Output, RequestId};
use crate::replica::{Feeds, Replica};

impl Store {
    /// The answer waits for the disk, as what it tells of may not be there yet.
    pub(crate) fn feeds(
        &mut self,
        now: Time,
        id: RequestId,
        after: Option<FeedId>,
        out: &mut Vec<Output>,
    ) {
        if self.takes_more(id, out) {
            let result = self.feeds_page(now, after);
            self.tickets.answer(id, result);
        }
    }

    /// `O(feeds)`, and `O(events)` of those on the page.
    fn feeds_page(&mut self, now: Time, after: Option<FeedId>) -> Result<Reply, Refusal> {
        let peers = self.feed_peers();
        let refused = self.refused_gossip;
        let Some(replica) = &mut self.head.replica else {
            return Err(not_replicated("feeds"));
        };
        let state_hash = *replica.reducer.state_hash().as_bytes();
        let replica = &*replica;
        let set = replica.feeds.set();
        let own = replica.own.as_ref().map(|own| *own.writer.feed());
        // An own feed of which nothing was signed is in no set yet.
        let all: BTreeSet<FeedId> = set.frontier().map(|(feed, _)| feed).chain(own).collect();
        let reduced = replica.reducer.frontier();
        let begin = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut page = all.range((begin, Bound::Unbounded));
        let rows: Vec<FeedRow> = page
            .by_ref()
            .take(FEEDS_ROWS_MAX)
            .map(|feed| {
                let reduced = reduced.get(feed).map_or(0, |end| end.seq);
                replica.feed_row(now, feed, reduced)
            })
            .collect();
        let next = page
            .next()
            .and_then(|_| rows.last().map(|row: &FeedRow| row.feed));
        let status = FeedsStatus {
            store: replica.id,
            own,
            state_hash,
            feeds: all.len() as u64,
            events: all.iter().map(|feed| replica.held(feed)).sum(),
            drafts: replica.drafts.values().map(|draft| draft.count()).sum(),
            pending_bytes: set.pending_bytes() as u64,
            is_full: set.is_full(),
            clock_ahead_ms: replica.present.warning(now).map(|warning| warning.ahead_ms),
            refused,
            rows,
            next,
            peers,
        };
        Ok(Reply::Feeds(Box::new(status)))
    }

    fn feed_peers(&self) -> Vec<FeedPeer> {
        let Some(Feeds::Gossiping(machine)) = self.head.replica.as_ref().map(|own| &own.feeds)
        else {
            return Vec::new();
        };
        let peers = self.links.iter().filter_map(|(link, (_, neighbour))| {
            let lag = machine.lag_of(*link)?;
            Some(FeedPeer {
                node: neighbour.node.clone(),
                key: neighbour.key,
                is_known: lag.is_known,
                ahead: lag.ahead,
                behind: lag.behind,
            })
        });
        peers.take(FEED_PEERS_MAX).collect()
    }
}

impl Replica {
    /// How many events of a feed are held, own ones that are not signed yet included.
    fn held(&self, feed: &FeedId) -> u64 {
        let signed = self.feeds.set().head(feed).seq;
        let own = self.own.as_ref().filter(|own| own.writer.feed() == feed);
        let unsigned = own.and_then(|own| own.unsigned.last());
        unsigned.map_or(signed, |(event, _)| event.dot.seq)
    }

    fn feed_row(&self, now: Time, feed: &FeedId, reduced: u64) -> FeedRow {
        let set = self.feeds.set();
        let own = self.own.as_ref().filter(|own| own.writer.feed() == feed);
        let unsigned = own.and_then(|own| own.unsigned.last());
        let head = unsigned.map_or(set.head(feed).id, |(_, id)| *id);
        let state = set.state(feed);
        let is_open =
            self.reducer.is_open(feed) && !state.as_ref().is_some_and(|state| state.is_closed);
        let standing = match set.proof(feed) {
            Some(_) => FeedStanding::Forked,
            None if is_open => FeedStanding::Open,
            None => FeedStanding::Closed,
        };
        let visible_ms = self.present.now_ms(now).saturating_add(DRIFT_MS_MAX);
        let (mut stamp, mut future, mut void) = (Stamp::ZERO, 0, 0);
        for stored in self.reducer.events_of(feed, 0) {
            match stored.verdict {
                Verdict::Counts => stamp = stamp.max(stored.event.stamp),
                Verdict::Void => void += 1,
                Verdict::Waits => {
                    future += u64::from(stored.event.stamp.wall_ms() > visible_ms);
                }
            }
        }
        let lag = match &self.feeds {
            Feeds::Gossiping(machine) => machine.lag_behind_peers(feed),
            Feeds::Reading(_) => 0,
        };
        FeedRow {
            feed: *feed,
            held: self.held(feed),
            reduced,
            head,
            stamp,
            lag,
            standing,
            future,
            void,
            wall_ms: state.map_or(0, |state| state.wall_ms),
        }
    }
}
