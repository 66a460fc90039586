//! Requests: to a store here, to this process, or on to the neighbour that is nearer.

use dhlrs_bag::{GuardedEdit, MsgId, SubscriberId};
use dhlrs_clock::Time;
use dhlrs_path::{NodeName, StoreAddress, StoreName};
use dhlrs_store::{Caller, Input as StoreInput, RequestId};
use dhlrs_wire::{
    Delivery, EDITS_MAX, EMITTED_MAX, HOPS_MAX, Intent, Message, OtherEvent, REASON_BYTES_MAX,
    Refusal, RefusalKind, Reply, Request, RequestMessage,
};

use crate::engine::{Engine, NOBODY};
use crate::outbox::{Draft, Effect};
use crate::pending::{Origin, Place};
use crate::port::{CallId, Output, Write};

/// A process on the way holds a request this much longer than its sender waits.
const GRACE_MS: u64 = 1_000;

/// A request before it has gone anywhere.
pub(crate) struct Ask {
    pub(crate) origin: Origin,
    /// Who asks: this process, or one that a neighbour vouches for.
    pub(crate) source: NodeName,
    pub(crate) target: NodeName,
    pub(crate) store: Option<StoreName>,
    pub(crate) hops: u8,
    pub(crate) request: Request,
    pub(crate) timeout_ms: u64,
}

impl Engine {
    /// A request of this process to a store, wherever that is.
    pub(crate) fn ask(
        &self,
        origin: Origin,
        target: &StoreAddress,
        request: Request,
        timeout_ms: u64,
    ) -> Ask {
        Ask {
            origin,
            source: self.node().clone(),
            target: target.node().clone(),
            store: Some(target.store().clone()),
            hops: HOPS_MAX,
            request,
            timeout_ms,
        }
    }

    /// Begins a request. Its origin is answered once, whatever happens.
    pub(crate) fn start(&mut self, now: Time, ask: Ask, out: &mut Vec<Output>) {
        let is_write = Self::is_write(&ask.request);
        if !self.pending.has_room_for(&ask.origin) {
            let message = "too many requests of this neighbour are under way: wait for answers";
            let result = Err(Refusal::new(RefusalKind::Overloaded, message));
            return self.finish(now, ask.origin, is_write, result, out);
        }
        if ask.target == *self.node() {
            return self.ask_here(now, ask, out);
        }
        let Ask {
            origin,
            source,
            target,
            store,
            hops,
            request,
            timeout_ms,
        } = ask;
        let Some(peer) = self.way_to(&target) else {
            let result = Err(self.no_route(&target));
            return self.finish(now, origin, is_write, result, out);
        };
        let held_ms = held_ms(&origin, timeout_ms);
        let place = Place::Peer(peer.clone());
        let id = self.pending.insert(now, origin, place, is_write, held_ms);
        let timeout_ms = u32::try_from(timeout_ms).unwrap_or(u32::MAX);
        let message = RequestMessage {
            id,
            source,
            target,
            store,
            hops,
            timeout_ms,
            request,
        };
        self.send_to(now, &peer, Message::Request(Box::new(message)), out);
    }

    fn ask_here(&mut self, now: Time, ask: Ask, out: &mut Vec<Output>) {
        let Ask {
            origin,
            source,
            store,
            request,
            timeout_ms,
            ..
        } = ask;
        let is_write = Self::is_write(&request);
        let Some(name) = store else {
            let result = match request {
                Request::Status => Ok(Reply::Status(Box::new(self.status()))),
                _ => Err(Refusal::new(
                    RefusalKind::Invalid,
                    "the request names no store",
                )),
            };
            return self.finish(now, origin, is_write, result, out);
        };
        if !self.stores.contains_key(&name) {
            let result = Err(self.no_store(&name));
            return self.finish(now, origin, is_write, result, out);
        }
        let neighbour = match &origin {
            Origin::Link { peer, .. } => Some(peer.key),
            // A forward sends again after a restart, so it needs its session here too.
            Origin::Errand { .. } => Some(self.key),
            _ => None,
        };
        let caller = Caller { source, neighbour };
        let held_ms = held_ms(&origin, timeout_ms);
        let place = Place::Store(name.clone());
        let id = RequestId(self.pending.insert(now, origin, place, is_write, held_ms));
        self.store_input(
            now,
            &name,
            StoreInput::Request {
                id,
                caller,
                timeout_ms,
                request,
            },
        );
    }

    /// A write of our own code: straight into a store here, through the outbox to one elsewhere.
    #[expect(
        clippy::too_many_arguments,
        reason = "the fields of a write and its caller"
    )]
    pub(crate) fn local_write(
        &mut self,
        now: Time,
        call: CallId,
        target: &StoreAddress,
        write: Write,
        cause: Vec<SubscriberId>,
        timeout_ms: u64,
        out: &mut Vec<Output>,
    ) {
        let Write {
            edits,
            atomic,
            incarnation,
            reason,
            emitted,
        } = write;
        let stamp = self.stamp(now);
        if target.node() != self.node() {
            if let Err(refusal) = check_sendable(&edits, &emitted, reason.as_deref()) {
                let result = Err(refusal);
                return self.outbox_effects(now, vec![Effect::Answer { call, result }], out);
            }
            let draft = Draft {
                edits,
                atomic,
                incarnation,
                reason,
                stamp,
                cause,
                emitted,
            };
            let mut effects = Vec::new();
            self.outbox
                .write(now, target, call, draft, timeout_ms, &mut effects);
            return self.outbox_effects(now, effects, out);
        }
        self.own_counter += 1;
        let msg_id = MsgId {
            session: self.own_session,
            counter: self.own_counter,
        };
        let intent = Intent {
            msg_id,
            edits,
            atomic,
            incarnation,
            reason,
            stamp,
            cause,
            emitted,
        };
        let origin = if call == NOBODY {
            Origin::Nobody
        } else {
            Origin::Call(call)
        };
        let request = Request::Write(Box::new(intent));
        let ask = self.ask(origin, target, request, timeout_ms);
        self.ask_here(now, ask, out);
    }

    /// The one answer of a request has come.
    pub(crate) fn answered(
        &mut self,
        now: Time,
        id: u64,
        result: Result<Reply, Refusal>,
        out: &mut Vec<Output>,
    ) {
        let Some(pending) = self.pending.get(id) else {
            return;
        };
        if pending.streaming {
            return;
        }
        let (origin, is_write) = (pending.origin.clone(), pending.is_write);
        if matches!(result, Ok(Reply::Watching { .. })) {
            self.pending.begin_stream(id);
        } else {
            self.pending.remove(id);
        }
        self.finish(now, origin, is_write, result, out);
    }

    /// Tells whoever asked.
    pub(crate) fn finish(
        &mut self,
        now: Time,
        origin: Origin,
        is_write: bool,
        result: Result<Reply, Refusal>,
        out: &mut Vec<Output>,
    ) {
        match origin {
            Origin::Link { peer, id } => self.reply(now, &peer, id, result, out),
            Origin::Call(call) => {
                let result = result.map_err(|refusal| match refusal.kind() {
                    RefusalKind::Timeout if is_write => refusal.with_unknown_outcome(),
                    _ => refusal,
                });
                out.push(Output::Answer { call, result });
            }
            Origin::Watch(call) => self.watch_answered(now, call, result, out),
            Origin::Outbox(attempt) => {
                let mut effects = Vec::new();
                self.outbox.answered(now, &attempt, result, &mut effects);
                self.outbox_effects(now, effects, out);
            }
            Origin::Errand { store, errand } => {
                self.store_input(now, &store, StoreInput::ErrandDone { errand, result });
            }
            Origin::Resolver { store, flight } => {
                self.resolver_answered(now, &store, flight, result, out);
            }
            Origin::Nobody => {
                if let Err(refusal) = result {
                    out.push(Output::Warning(format!(
                        "a trigger's message was refused: {refusal}"
                    )));
                }
            }
        }
    }

    /// A piece of a watch's stream has come.
    pub(crate) fn delivered(
        &mut self,
        now: Time,
        id: u64,
        delivery: Delivery,
        out: &mut Vec<Output>,
    ) {
        let Some(pending) = self.pending.get(id) else {
            return;
        };
        if !pending.streaming {
            return;
        }
        let origin = pending.origin.clone();
        if matches!(delivery, Delivery::Ended(_)) {
            self.pending.remove(id);
        }
        match origin {
            Origin::Link { peer, id } => {
                let delivery = Box::new(delivery);
                self.send_to(now, &peer, Message::Deliver { id, delivery }, out);
            }
            Origin::Watch(call) => self.watch_delivered(now, call, delivery, out),
            _ => {}
        }
    }

    /// A watcher has room for more.
    pub(crate) fn pass_credit(&mut self, now: Time, id: u64, changes: u32, out: &mut Vec<Output>) {
        let Some(pending) = self.pending.get(id) else {
            return;
        };
        match pending.place.clone() {
            Place::Store(store) => {
                let id = RequestId(id);
                self.store_input(now, &store, StoreInput::Credit { id, changes });
            }
            Place::Peer(peer) => self.send_to(now, &peer, Message::Credit { id, changes }, out),
        }
    }

    /// Nobody waits for the request any more. A write goes on all the same.
    pub(crate) fn cancel(&mut self, now: Time, id: u64, out: &mut Vec<Output>) {
        let Some(pending) = self.pending.remove(id) else {
            return;
        };
        match pending.place {
            Place::Store(store) => {
                self.store_input(now, &store, StoreInput::Cancel(RequestId(id)));
            }
            Place::Peer(peer) => self.send_to(now, &peer, Message::Cancel { id }, out),
        }
    }

    pub(crate) fn cancel_call(&mut self, now: Time, call: CallId, out: &mut Vec<Output>) {
        self.outbox.abandon(call);
        self.watching.end(call);
        if let Some(id) = self.pending.of_call(call) {
            self.cancel(now, id, out);
        }
    }

    /// A request has waited long enough.
    pub(crate) fn expire(&mut self, now: Time, id: u64, out: &mut Vec<Output>) {
        let Some(pending) = self.pending.remove(id) else {
            return;
        };
        let message = match &pending.place {
            Place::Store(store) => {
                self.store_input(now, store, StoreInput::Cancel(RequestId(id)));
                format!("no answer from store {store} in time")
            }
            Place::Peer(peer) => {
                let peer = peer.clone();
                self.send_to(now, &peer, Message::Cancel { id }, out);
                format!("no answer through {} in time", peer.name)
            }
        };
        let mut refusal = Refusal::new(RefusalKind::Timeout, message);
        if pending.is_write {
            refusal = refusal.with_unknown_outcome();
        }
        self.finish(now, pending.origin, pending.is_write, Err(refusal), out);
    }

    fn no_route(&self, target: &NodeName) -> Refusal {
        let known: Vec<&str> = self
            .routes
            .ways()
            .map(|(name, _)| name.as_str())
            .take(8)
            .collect();
        let message = match known.as_slice() {
            [] => format!(
                "no route to {target}: {} has no neighbour that announces names",
                self.node()
            ),
            _ => format!(
                "no route to {target} from {}: it reaches {}",
                self.node(),
                known.join(", ")
            ),
        };
        Refusal::new(RefusalKind::NoRoute, message)
    }

    fn no_store(&self, name: &StoreName) -> Refusal {
        let stores: Vec<&str> = self.stores.keys().map(StoreName::as_str).collect();
        let message = match stores.as_slice() {
            [] => format!("{} has no store {name}: it has none", self.node()),
            _ => format!(
                "{} has no store {name}: it has {}",
                self.node(),
                stores.join(", ")
            ),
        };
        Refusal::new(RefusalKind::NoStore, message)
    }
}

/// What is over a limit would be no message to whoever receives it, so it is refused here.
fn check_sendable(
    edits: &[GuardedEdit],
    emitted: &[OtherEvent],
    reason: Option<&str>,
) -> Result<(), Refusal> {
    let too_large = |message: String| Err(Refusal::new(RefusalKind::TooLarge, message));
    if edits.len() > EDITS_MAX {
        return too_large(format!("{} edits at once, limit {EDITS_MAX}", edits.len()));
    }
    if emitted.len() > EMITTED_MAX {
        let found = emitted.len();
        return too_large(format!("{found} events at once, limit {EMITTED_MAX}"));
    }
    if let Some(reason) = reason.filter(|reason| reason.len() > REASON_BYTES_MAX) {
        let found = reason.len();
        return too_large(format!(
            "a reason of {found} bytes, limit {REASON_BYTES_MAX}"
        ));
    }
    match edits.iter().find_map(|edit| edit.edit.check().err()) {
        Some(error) => too_large(error.to_string()),
        None => Ok(()),
    }
}

/// How long a request is kept: a neighbour's a little longer, so that it is the sender who decides.
fn held_ms(origin: &Origin, timeout_ms: u64) -> u64 {
    match origin {
        Origin::Link { .. } => timeout_ms.saturating_add(GRACE_MS),
        _ => timeout_ms,
    }
}
