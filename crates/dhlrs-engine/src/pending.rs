//! Requests under way: where each came from and where it went.
//!
//! One number names a request in a store of ours and on the link to a neighbour alike, so an answer
//! finds its way back by one look-up.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use dhlrs_clock::Time;
use dhlrs_link::Peer;
use dhlrs_path::StoreName;
use dhlrs_resolver::FlightId;
use dhlrs_store::ErrandId;

use crate::outbox::Attempt;
use crate::port::CallId;

/// Requests of one neighbour that may be under way at once.
pub const PENDING_OF_PEER_MAX: usize = 8_192;

/// Who waits for the answer.
#[derive(Clone, Debug)]
pub(crate) enum Origin {
    /// A neighbour, under its own number.
    Link { peer: Arc<Peer>, id: u64 },
    /// A call of our own code.
    Call(CallId),
    /// The stream of a watch of our own code.
    Watch(CallId),
    /// A write in the outbox.
    Outbox(Attempt),
    /// A request that a store of ours made.
    Errand { store: StoreName, errand: ErrandId },
    /// A resolver that reads a remote node.
    Resolver { store: StoreName, flight: FlightId },
    /// Nobody; a refusal is worth a warning.
    Nobody,
}

/// Who is to give it.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    Store(StoreName),
    Peer(Arc<Peer>),
}

#[derive(Clone, Debug)]
pub(crate) struct Pending {
    pub(crate) origin: Origin,
    pub(crate) place: Place,
    pub(crate) is_write: bool,
    /// A watch that has begun: it has no deadline.
    pub(crate) streaming: bool,
    deadline_ms: Option<u64>,
}

#[derive(Debug, Default)]
pub(crate) struct PendingTable {
    by_id: BTreeMap<u64, Pending>,
    by_deadline: BTreeSet<(u64, u64)>,
    by_neighbour: BTreeMap<Arc<Peer>, BTreeMap<u64, u64>>,
    by_call: BTreeMap<CallId, u64>,
    last_id: u64,
}

impl PendingTable {
    /// Whether this neighbour may have one more under way.
    pub(crate) fn has_room_for(&self, origin: &Origin) -> bool {
        let Origin::Link { peer, .. } = origin else {
            return true;
        };
        self.by_neighbour
            .get(peer)
            .is_none_or(|ids| ids.len() < PENDING_OF_PEER_MAX)
    }

    pub(crate) fn insert(
        &mut self,
        now: Time,
        origin: Origin,
        place: Place,
        is_write: bool,
        timeout_ms: u64,
    ) -> u64 {
        self.last_id += 1;
        let id = self.last_id;
        let deadline_ms = now.monotonic_ms.saturating_add(timeout_ms);
        self.by_deadline.insert((deadline_ms, id));
        match &origin {
            Origin::Link { peer, id: theirs } => {
                self.by_neighbour
                    .entry(peer.clone())
                    .or_default()
                    .insert(*theirs, id);
            }
            Origin::Call(call) | Origin::Watch(call) => {
                self.by_call.insert(*call, id);
            }
            _ => {}
        }
        let deadline_ms = Some(deadline_ms);
        let pending = Pending {
            origin,
            place,
            is_write,
            streaming: false,
            deadline_ms,
        };
        self.by_id.insert(id, pending);
        id
    }

    /// Milliseconds until the request's deadline; `None` when nobody waits for it any more.
    pub(crate) fn left_ms(&self, now: Time, id: u64) -> Option<u64> {
        let deadline_ms = self.by_id.get(&id)?.deadline_ms?;
        let left_ms = deadline_ms.saturating_sub(now.monotonic_ms);
        (left_ms > 0).then_some(left_ms)
    }

    pub(crate) fn get(&self, id: u64) -> Option<&Pending> {
        self.by_id.get(&id)
    }

    pub(crate) fn remove(&mut self, id: u64) -> Option<Pending> {
        let pending = self.by_id.remove(&id)?;
        if let Some(deadline_ms) = pending.deadline_ms {
            self.by_deadline.remove(&(deadline_ms, id));
        }
        match &pending.origin {
            Origin::Link { peer, id: theirs } => {
                if let Some(ids) = self.by_neighbour.get_mut(peer) {
                    ids.remove(theirs);
                    if ids.is_empty() {
                        self.by_neighbour.remove(peer);
                    }
                }
            }
            Origin::Call(call) | Origin::Watch(call) => {
                self.by_call.remove(call);
            }
            _ => {}
        }
        Some(pending)
    }

    /// The watch has begun and waits for as long as it lasts.
    pub(crate) fn begin_stream(&mut self, id: u64) {
        if let Some(pending) = self.by_id.get_mut(&id) {
            pending.streaming = true;
            if let Some(deadline_ms) = pending.deadline_ms.take() {
                self.by_deadline.remove(&(deadline_ms, id));
            }
        }
    }

    pub(crate) fn of_neighbour(&self, peer: &Arc<Peer>, theirs: u64) -> Option<u64> {
        self.by_neighbour.get(peer)?.get(&theirs).copied()
    }

    pub(crate) fn of_call(&self, call: CallId) -> Option<u64> {
        self.by_call.get(&call).copied()
    }

    /// All that came from a neighbour.
    pub(crate) fn asked_by(&self, peer: &Arc<Peer>) -> Vec<u64> {
        self.by_neighbour
            .get(peer)
            .into_iter()
            .flat_map(|ids| ids.values().copied())
            .collect()
    }

    /// All that went to a neighbour.
    pub(crate) fn asked_of(&self, peer: &Arc<Peer>) -> Vec<u64> {
        let at_peer = |pending: &Pending| matches!(&pending.place, Place::Peer(at) if at == peer);
        self.by_id
            .iter()
            .filter(|(_, pending)| at_peer(pending))
            .map(|(id, _)| *id)
            .collect()
    }

    /// One that has waited long enough.
    pub(crate) fn expired(&self, now: Time) -> Option<u64> {
        let (deadline_ms, id) = self.by_deadline.first()?;
        (*deadline_ms <= now.monotonic_ms).then_some(*id)
    }

    pub(crate) fn next_deadline_ms(&self) -> Option<u64> {
        self.by_deadline
            .first()
            .map(|(deadline_ms, _)| *deadline_ms)
    }
}
