//! Sending what a peer lacks, as fast as the link takes it.

use dhlrs_clock::Time;

use crate::anti_entropy::{AntiEntropy, FeedOutput, LinkId, ReadTicket, Reading};
use crate::message::{FeedRef, Message};
use crate::peer::{Clash, ProofState};
use crate::{FeedEnd, FeedId};

impl AntiEntropy {
    /// Sends what is due to every peer.
    pub(crate) fn run(&mut self, now: Time, outputs: &mut Vec<FeedOutput>) {
        let links: Vec<_> = self.peers.keys().copied().collect();
        for link in links {
            self.retry(now, link, outputs);
            self.send_parts(now, link, outputs);
            self.serve(now, link, outputs);
            let Some(peer) = self.peers.get_mut(&link) else {
                continue;
            };
            if peer.owed_at.is_some_and(|owed_at| now.has_reached(owed_at)) {
                self.acknowledge(now, link, outputs);
            }
            if let Some(peer) = self.peers.get_mut(&link) {
                peer.schedule(now);
            }
        }
    }

    /// Asks a peer that was silent for too long.
    fn retry(&mut self, now: Time, link: LinkId, outputs: &mut Vec<FeedOutput>) {
        let Some(peer) = self.peers.get_mut(&link) else {
            return;
        };
        if !peer
            .retry_at
            .is_some_and(|retry_at| now.has_reached(retry_at))
        {
            return;
        }
        peer.retry_at = None;
        peer.retries += 1;
        match peer.outgoing.is_idle() {
            true => self.ask(now, link, outputs),
            false => peer.outgoing.rewind(),
        }
    }

    fn send_parts(&mut self, now: Time, link: LinkId, outputs: &mut Vec<FeedOutput>) {
        while let Some(peer) = self.peers.get_mut(&link) {
            if !peer.may_send(now) {
                return;
            }
            let Some(part) = peer.outgoing.next(peer.options.message_bytes_max) else {
                return;
            };
            self.send(now, link, &part, outputs);
        }
    }

    /// Sends proofs and runs, the newest feeds first.
    fn serve(&mut self, now: Time, link: LinkId, outputs: &mut Vec<FeedOutput>) {
        loop {
            let Some(peer) = self.peers.get_mut(&link) else {
                return;
            };
            let has_room = peer.flight_bytes < peer.options.window_bytes_max;
            let is_free = !peer.is_asking && !peer.is_reading && peer.outgoing.is_idle();
            if !is_free || !has_room || !peer.may_send(now) {
                return;
            }
            let Some(feed) = peer.dequeue() else {
                return;
            };
            let Some(differs) = peer.differences.get_mut(&feed) else {
                continue;
            };
            if differs.proof == ProofState::Due {
                differs.proof = ProofState::Sent;
                if let Some(proof) = self.set.proof(&feed).cloned() {
                    self.send(now, link, &Message::Proof(Box::new(proof)), outputs);
                }
                self.enqueue(link, feed);
                continue;
            }
            let head = self.set.head(&feed).seq;
            if !differs.wants_run(head) {
                continue;
            }
            let Some(after) = self.set.end(&feed, differs.sent) else {
                // The feed was cut below what the peer was thought to have.
                let landed = differs.rewind(0);
                peer.flight_bytes = peer.flight_bytes.saturating_sub(landed);
                self.enqueue(link, feed);
                continue;
            };
            if let Some(bytes) = self.recent(&feed, after.seq).map(<[u8]>::to_vec) {
                self.send_run(now, link, feed, after, bytes, outputs);
                continue;
            }
            if let Some(peer) = self.peers.get_mut(&link) {
                peer.is_reading = true;
            }
            self.read(Reading::Serve { link, feed, after }, feed, after, outputs);
        }
    }

    pub(crate) fn has_read(
        &mut self,
        now: Time,
        ticket: ReadTicket,
        run: Option<Vec<u8>>,
        outputs: &mut Vec<FeedOutput>,
    ) {
        match (self.reads.remove(&ticket), run) {
            (Some(Reading::Serve { link, feed, after }), run) => {
                let Some(peer) = self.peers.get_mut(&link) else {
                    return;
                };
                peer.is_reading = false;
                if let Some(bytes) = run {
                    self.send_run(now, link, feed, after, bytes, outputs);
                }
            }
            (Some(Reading::Prove(conflict)), Some(bytes)) => {
                if let Ok(accepted) = self.set.prove(&conflict, &bytes) {
                    self.follow(accepted, None, outputs);
                }
            }
            _ => {}
        }
    }

    fn send_run(
        &mut self,
        now: Time,
        link: LinkId,
        feed: FeedId,
        after: FeedEnd,
        bytes: Vec<u8>,
        outputs: &mut Vec<FeedOutput>,
    ) {
        let Some(end) = self.set.next_end(&feed, after.seq) else {
            return;
        };
        let prev = self.prev(&feed, after.seq);
        let Some(peer) = self.peers.get_mut(&link) else {
            return;
        };
        let Some(differs) = peer.differences.get_mut(&feed) else {
            return;
        };
        if differs.sent != after.seq || prev != Some(after.id) {
            self.enqueue(link, feed);
            return;
        }
        if differs.clash == Clash::Due {
            differs.clash = Clash::Sent;
        }
        // A run before this one has named the feed, or the peer has some of it.
        let is_named = differs.acked > 0 || peer.options.is_ordered && !differs.flight.is_empty();
        differs.sent = end.seq;
        differs.flight.push_back((end.seq, bytes.len()));
        peer.flight_bytes += bytes.len();
        // A run that overtakes another can only be checked if it says what it follows.
        let tells_prev = after.seq > 0 && !peer.options.is_ordered;
        let feed_ref = match self.tags.get(&feed) {
            Some(tag) if is_named => FeedRef::Tag(*tag),
            _ => FeedRef::Named(feed),
        };
        let message = Message::Run {
            feed: feed_ref,
            prev: prev.filter(|_| tells_prev),
            bytes,
        };
        self.send(now, link, &message, outputs);
        self.enqueue(link, feed);
    }

    /// Sends a message, in parts if it is too long.
    pub(crate) fn send(
        &mut self,
        now: Time,
        link: LinkId,
        message: &Message,
        outputs: &mut Vec<FeedOutput>,
    ) {
        let Some(peer) = self.peers.get_mut(&link) else {
            return;
        };
        let bytes = message.encode();
        if bytes.len() > peer.options.message_bytes_max {
            peer.outgoing.push(bytes);
            return;
        }
        peer.spend(now, bytes.len());
        outputs.push(FeedOutput::Send { link, bytes });
    }
}
