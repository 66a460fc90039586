//! What is known of one peer: where it differs, what is on its way, and when to ask again.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use dhlrs_clock::Time;

use crate::FeedId;
use crate::frontier::FeedTag;
use crate::message::MESSAGE_BYTES_MIN;
use crate::transfer::{Incoming, Outgoing};

/// What a link to a peer can do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LinkOptions {
    /// The most bytes of one message; at least [`MESSAGE_BYTES_MIN`](crate::MESSAGE_BYTES_MIN).
    pub message_bytes_max: usize,
    /// How many bytes a second may be sent; `None`: any.
    pub bytes_per_s: Option<u64>,
    /// How many bytes of runs may be on their way at once.
    pub window_bytes_max: usize,
    /// Messages come in the order in which they were sent, if they come.
    pub is_ordered: bool,
}

impl Default for LinkOptions {
    /// Messages of 64 KiB, in order, any number of bytes a second, 256 KiB on their way.
    fn default() -> Self {
        Self {
            message_bytes_max: 64 * 1024,
            bytes_per_s: None,
            window_bytes_max: 256 * 1024,
            is_ordered: true,
        }
    }
}

/// How long a silent peer is waited for before it is asked where it is, in milliseconds; doubled each time.
pub const RETRY_MS: u64 = 1_000;
/// The longest such wait, in milliseconds.
pub const RETRY_MS_MAX: u64 = 60_000;
/// How long acknowledgements wait for more of them, in milliseconds.
pub const ACKNOWLEDGE_MS: u64 = 20;

/// One feed in which a peer differs from this replica, as far as is known.
#[derive(Clone, Debug, Default)]
pub(crate) struct Difference {
    /// It has all up to here, an end of a run.
    pub(crate) acked: u64,
    /// All up to here has been sent.
    pub(crate) sent: u64,
    /// It said to have more than this replica, up to here.
    pub(crate) ahead: Option<u64>,
    /// A proof is to be sent, or was.
    pub(crate) proof: ProofState,
    /// Its runs are others: both have the end below, and not the one above.
    pub(crate) probe: Option<(u64, u64)>,
    /// The run at which it has another is to be sent, with the head before it, or was.
    pub(crate) clash: Clash,
    /// Ends and bytes of the runs on their way.
    pub(crate) flight: VecDeque<(u64, usize)>,
    /// Where it stands in the queue.
    queued: Option<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum ProofState {
    #[default]
    None,
    Due,
    Sent,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Clash {
    #[default]
    None,
    Due,
    Sent,
}

impl Difference {
    pub(crate) fn at(seq: u64) -> Self {
        Self {
            acked: seq,
            sent: seq,
            ..Self::default()
        }
    }

    /// The peer has all up to `seq`; gives the bytes that are no longer on their way.
    pub(crate) fn acknowledge(&mut self, seq: u64) -> usize {
        self.acked = self.acked.max(seq);
        self.sent = self.sent.max(seq);
        let mut bytes = 0;
        while let Some((_, length)) = self.flight.pop_front_if(|(end, _)| *end <= seq) {
            bytes += length;
        }
        bytes
    }

    /// What was sent is lost, and the peer has all up to `seq`; gives the bytes that are no longer on their way.
    pub(crate) fn rewind(&mut self, seq: u64) -> usize {
        (self.acked, self.sent) = (seq, seq);
        self.flight.drain(..).map(|(_, bytes)| bytes).sum()
    }

    pub(crate) fn is_over(&self, head: u64) -> bool {
        self.acked >= head
            && self.ahead.is_none_or(|ahead| ahead <= head)
            && self.proof == ProofState::None
            && self.probe.is_none()
            && self.clash == Clash::None
    }

    pub(crate) fn wants_run(&self, head: u64) -> bool {
        self.sent < head && self.probe.is_none() && self.clash != Clash::Sent
    }
}

/// One peer, over one link.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    pub(crate) options: LinkOptions,
    /// Its frontier was learnt: it is ours, but for the differences.
    pub(crate) is_known: bool,
    pub(crate) is_full: bool,
    pub(crate) differences: BTreeMap<FeedId, Difference>,
    /// Feeds that it has and this replica does not know.
    pub(crate) expected: BTreeSet<FeedTag>,
    /// Feeds that it does not take, because it is full.
    pub(crate) refused: BTreeSet<FeedId>,
    // Invariant: differences with something to send, the newest last, each once.
    queue: BTreeSet<(u64, FeedId)>,
    /// Feeds about which it is owed an answer.
    pub(crate) owed: BTreeSet<FeedId>,
    pub(crate) owed_at: Option<Time>,
    pub(crate) flight_bytes: usize,
    pub(crate) is_reading: bool,
    /// A beacon was sent, and nothing else goes before its answer has come.
    pub(crate) is_asking: bool,
    pub(crate) nonce: u64,
    pub(crate) retry_at: Option<Time>,
    pub(crate) retries: u32,
    pub(crate) outgoing: Outgoing,
    pub(crate) incoming: Incoming,
    tokens: i64,
    tokens_at: Time,
}

impl Peer {
    pub(crate) fn new(options: LinkOptions, now: Time) -> Self {
        let mut peer = Self {
            options: LinkOptions {
                message_bytes_max: options.message_bytes_max.max(MESSAGE_BYTES_MIN),
                bytes_per_s: options.bytes_per_s.map(|bytes| bytes.max(1)),
                ..options
            },
            is_known: false,
            is_full: false,
            differences: BTreeMap::new(),
            expected: BTreeSet::new(),
            refused: BTreeSet::new(),
            queue: BTreeSet::new(),
            owed: BTreeSet::new(),
            owed_at: None,
            flight_bytes: 0,
            is_reading: false,
            is_asking: false,
            nonce: 0,
            retry_at: None,
            retries: 0,
            outgoing: Outgoing::default(),
            incoming: Incoming::default(),
            tokens: 0,
            tokens_at: now,
        };
        peer.tokens = peer.tokens_max();
        peer
    }

    /// Whether there is nothing to send to it and nothing to hear from it.
    pub(crate) fn is_whole(&self) -> bool {
        self.is_known
            && !self.is_asking
            && self.differences.is_empty()
            && self.expected.is_empty()
            && self.outgoing.is_idle()
    }

    /// Puts a difference among those with something to send.
    pub(crate) fn enqueue(&mut self, feed: &FeedId, wall_ms: u64) {
        if let Some(differs) = self.differences.get_mut(feed) {
            if let Some(before) = differs.queued.replace(wall_ms) {
                self.queue.remove(&(before, *feed));
            }
            self.queue.insert((wall_ms, *feed));
        }
    }

    /// The newest difference with something to send.
    pub(crate) fn dequeue(&mut self) -> Option<FeedId> {
        let (_, feed) = self.queue.pop_last()?;
        if let Some(differs) = self.differences.get_mut(&feed) {
            differs.queued = None;
        }
        Some(feed)
    }

    /// Forgets a difference, to be put back or not.
    pub(crate) fn remove(&mut self, feed: &FeedId) -> Option<Difference> {
        let mut differs = self.differences.remove(feed)?;
        if let Some(wall_ms) = differs.queued.take() {
            self.queue.remove(&(wall_ms, *feed));
        }
        Some(differs)
    }

    pub(crate) fn has_queue(&self) -> bool {
        !self.queue.is_empty()
    }

    pub(crate) fn spend(&mut self, now: Time, bytes: usize) {
        self.refill(now);
        self.tokens -= bytes as i64;
    }

    pub(crate) fn may_send(&mut self, now: Time) -> bool {
        self.refill(now);
        self.options.bytes_per_s.is_none() || self.tokens > 0
    }

    /// When bytes may be sent again.
    pub(crate) fn sends_at(&self) -> Option<Time> {
        let debt = u64::try_from(1 - self.tokens)
            .ok()
            .filter(|debt| *debt > 0)?;
        let wait_ms = debt.saturating_mul(1_000) / self.options.bytes_per_s?;
        Some(self.tokens_at.plus_ms(wait_ms + 1))
    }

    /// There was progress: the wait for the peer begins anew.
    pub(crate) fn progress(&mut self) {
        self.retries = 0;
        self.retry_at = None;
    }

    /// Sets the time at which the peer is asked where it is, if it is waited for.
    pub(crate) fn schedule(&mut self, now: Time) {
        if self.is_whole() {
            self.progress();
        } else if self.retry_at.is_none() {
            let wait_ms = (RETRY_MS << self.retries.min(6)).min(RETRY_MS_MAX);
            let rate = self.options.bytes_per_s;
            let debt = self.flight_bytes as u64 + u64::try_from(-self.tokens).unwrap_or(0);
            let flight_ms = rate.map_or(0, |rate| debt.saturating_mul(2_000) / rate);
            self.retry_at = Some(now.plus_ms(wait_ms.saturating_add(flight_ms)));
        }
    }

    fn tokens_max(&self) -> i64 {
        // A quarter of a second, and at least one message.
        let quarter = self.options.bytes_per_s.unwrap_or(0) / 4;
        let message = self.options.message_bytes_max as u64;
        i64::try_from(quarter.max(message)).unwrap_or(i64::MAX)
    }

    fn refill(&mut self, now: Time) {
        let Some(rate) = self.options.bytes_per_s else {
            return;
        };
        let bytes = now.since_ms(self.tokens_at).saturating_mul(rate) / 1_000;
        // Less than a byte stays in the account of time.
        if bytes > 0 {
            self.tokens_at = now;
            let tokens = self
                .tokens
                .saturating_add(i64::try_from(bytes).unwrap_or(i64::MAX));
            self.tokens = tokens.min(self.tokens_max());
        }
    }
}

#[cfg(test)]
mod tests {
    use dhlrs_identity::PublicKey;

    use super::*;
    use crate::Epoch;

    #[test]
    fn a_difference_is_queued_once_however_often_its_feed_advances() {
        let mut peer = Peer::new(LinkOptions::default(), Time::default());
        let feed = |n| FeedId::new(PublicKey::from_bytes([n; 32]), Epoch::numbered(1));
        for n in 0..3 {
            peer.differences.insert(feed(n), Difference::at(0));
        }
        for wall_ms in 0..100 {
            peer.enqueue(&feed(0), wall_ms);
        }
        peer.enqueue(&feed(1), 40);
        peer.enqueue(&feed(2), 200);
        peer.remove(&feed(2));
        assert_eq!(peer.queue.len(), 2);
        let order = [peer.dequeue(), peer.dequeue(), peer.dequeue()];
        assert_eq!(order, [Some(feed(0)), Some(feed(1)), None]);
    }
}
