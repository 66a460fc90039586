//! What a neighbour's full session could not take yet.
//!
//! Only so much is kept. What finds no room is never lost in silence: a request is refused at once,
//! a stream is ended, so that its watcher asks again, and a lost answer is asked for again.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use dhlrs_clock::Time;
use dhlrs_link::Peer;
use dhlrs_wire::{Delivery, Message, Refusal, RefusalKind};

use crate::engine::Engine;
use crate::port::Output;

/// Messages that wait for room in one neighbour's session.
const OWED_MESSAGES_MAX: usize = 1_024;
/// Bytes of them; one more is kept while they are below it.
const OWED_BYTES_MAX: usize = 8 << 20;
/// Bytes of what waits for all neighbours together.
const ALL_OWED_BYTES_MAX: usize = 128 << 20;

#[derive(Debug, Default)]
pub(crate) struct Owed {
    queue: VecDeque<(Message, usize)>,
    bytes: usize,
    /// Streams of the neighbour's of which a piece found no room.
    ended: BTreeSet<u64>,
    /// Credit for streams of ours, and requests of ours that nobody waits for any more.
    credits: BTreeMap<u64, u32>,
    cancels: BTreeSet<u64>,
}

impl Owed {
    fn is_full(&self) -> bool {
        self.queue.len() >= OWED_MESSAGES_MAX || self.bytes >= OWED_BYTES_MAX
    }

    /// The next message to be sent.
    fn next(&mut self) -> Option<Message> {
        if let Some((message, bytes)) = self.queue.pop_front() {
            self.bytes -= bytes;
            return Some(message);
        }
        if let Some(id) = self.ended.pop_first() {
            let message = "the neighbour took its messages too slowly: go on from the last one";
            let refusal = Refusal::new(RefusalKind::Overloaded, message);
            let delivery = Box::new(Delivery::Ended(Box::new(refusal)));
            return Some(Message::Deliver { id, delivery });
        }
        if let Some((id, changes)) = self.credits.pop_first() {
            return Some(Message::Credit { id, changes });
        }
        let id = self.cancels.pop_first()?;
        Some(Message::Cancel { id })
    }

    fn put_back(&mut self, message: Message) {
        let bytes = message.encode().map_or(0, |bytes| bytes.len());
        self.bytes += bytes;
        self.queue.push_front((message, bytes));
    }
}

impl Engine {
    /// Sends a message, or keeps it until the neighbour's session has room.
    pub(crate) fn send_to(
        &mut self,
        now: Time,
        peer: &Arc<Peer>,
        message: Message,
        out: &mut Vec<Output>,
    ) {
        if self.owed.contains_key(peer) {
            return self.owe(now, peer, message, out);
        }
        if let Some(message) = self.try_send(now, peer, message, out) {
            self.owe(now, peer, message, out);
        }
    }

    fn owe(&mut self, now: Time, peer: &Arc<Peer>, message: Message, out: &mut Vec<Output>) {
        let all_bytes: usize = self.owed.values().map(|owed| owed.bytes).sum();
        let owed = self.owed.entry(peer.clone()).or_default();
        if !owed.is_full() && all_bytes < ALL_OWED_BYTES_MAX {
            let bytes = message.encode().map_or(0, |bytes| bytes.len());
            owed.bytes += bytes;
            owed.queue.push_back((message, bytes));
            return;
        }
        match message {
            Message::Request(request) => {
                let refusal = Refusal::new(
                    RefusalKind::Overloaded,
                    format!("too much waits to be sent to {}", peer.name),
                );
                self.answered(now, request.id, Err(refusal), out);
            }
            Message::Deliver { id, .. } => {
                owed.ended.insert(id);
                if let Some(own) = self.pending.of_neighbour(peer, id) {
                    self.cancel(now, own, out);
                }
            }
            Message::Credit { id, changes } => {
                let credit = owed.credits.entry(id).or_default();
                *credit = credit.saturating_add(changes);
            }
            Message::Cancel { id } => {
                owed.credits.remove(&id);
                owed.cancels.insert(id);
            }
            // Told again, as it is by then, when there is room.
            Message::Announce(_) => {
                if let Some(neighbour) = self.up.get_mut(&peer.name) {
                    neighbour.announced = None;
                }
            }
            // The neighbour asks again when it has waited long enough; what gossip loses, gossip tells again.
            Message::Reply { .. } | Message::Gossip { .. } => {}
        }
    }

    /// A piece of a neighbour's stream cannot be sent: the stream ends and says why.
    pub(crate) fn end_stream(
        &mut self,
        now: Time,
        peer: &Arc<Peer>,
        id: u64,
        refusal: Refusal,
        out: &mut Vec<Output>,
    ) {
        if let Some(own) = self.pending.of_neighbour(peer, id) {
            self.cancel(now, own, out);
        }
        let delivery = Box::new(Delivery::Ended(Box::new(refusal)));
        self.send_to(now, peer, Message::Deliver { id, delivery }, out);
    }

    /// The neighbour's session has room.
    pub(crate) fn pay_owed(&mut self, now: Time, peer: &Arc<Peer>, out: &mut Vec<Output>) {
        while let Some(mut message) = self.owed.get_mut(peer).and_then(Owed::next) {
            if let Message::Request(request) = &mut message {
                // The time that it waited here is gone for those after us too.
                let Some(left_ms) = self.pending.left_ms(now, request.id) else {
                    continue;
                };
                request.timeout_ms = u32::try_from(left_ms)
                    .unwrap_or(u32::MAX)
                    .min(request.timeout_ms);
            }
            if let Some(message) = self.try_send(now, peer, message, out) {
                self.owed.entry(peer.clone()).or_default().put_back(message);
                return;
            }
        }
        self.owed.remove(peer);
        self.announce(now, out);
    }
}
