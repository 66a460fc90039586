//! What comes from neighbours, and what goes to them.

use std::sync::Arc;

use dhlrs_clock::Time;
use dhlrs_link::{Ending, EndingKind, LinkOutput, Party, Peer, SendErrorKind};
use dhlrs_path::NodeName;
use dhlrs_wire::{
    Delivery, DraftsRequest, HOPS_MAX, Message, Refusal, RefusalKind, Reply, Request,
    RequestMessage, Route,
};

use crate::engine::{Engine, Neighbour};
use crate::pending::{Origin, Place};
use crate::port::Output;
use crate::requests::Ask;

impl Engine {
    pub(crate) fn link_output(&mut self, now: Time, output: LinkOutput, out: &mut Vec<Output>) {
        match output {
            LinkOutput::Send { link, frame } => out.push(Output::Send { link, frame }),
            LinkOutput::Close { link } => out.push(Output::Close { link }),
            LinkOutput::Up { link, peer, .. } => {
                let neighbour = Neighbour {
                    peer: peer.clone(),
                    announced: None,
                    heard: false,
                };
                self.up.insert(peer.name.clone(), neighbour);
                out.push(Output::LinkUp { link, peer });
                self.announce(now, out);
            }
            LinkOutput::Message { peer, message } => match Message::decode(&message) {
                Ok(message) => self.message(now, &peer, message, out),
                Err(error) => self.bad_message(now, &peer, &error.to_string(), out),
            },
            LinkOutput::Down {
                link,
                peer,
                was_up,
                ending,
            } => {
                if was_up && let Some(peer) = &peer {
                    self.neighbour_down(now, peer, out);
                }
                if !was_up && turns_away(&ending) {
                    self.refused_messages += 1;
                }
                out.push(Output::LinkDown { link, peer, ending });
            }
            LinkOutput::SessionLost { peer, .. } => self.session_lost(now, &peer, out),
            LinkOutput::Writable { peer } => self.pay_owed(now, &peer, out),
        }
    }

    fn message(&mut self, now: Time, peer: &Arc<Peer>, message: Message, out: &mut Vec<Output>) {
        match message {
            Message::Announce(routes) => {
                if self
                    .routes
                    .announced(&self.config.link.name, &peer.name, &routes)
                {
                    self.routes_changed(now, out);
                }
                let is_reached = |route: &Route| route.hops == 0 && route.node == peer.name;
                let is_announced = routes.iter().any(is_reached);
                if let Some(neighbour) = self.up.get_mut(&peer.name)
                    && !std::mem::replace(&mut neighbour.heard, true)
                {
                    out.push(Output::Announced { peer: peer.clone() });
                    // A client, which is not announced, has no stores.
                    if is_announced {
                        self.gossip_opened(now, peer);
                    }
                }
            }
            Message::Request(request) => self.inbound(now, peer, *request, out),
            Message::Reply { id, result } => {
                if self.is_at(id, peer) {
                    self.answered(now, id, result.map(|r| *r).map_err(|e| *e), out);
                }
            }
            Message::Deliver { id, delivery } => {
                if self.is_at(id, peer) {
                    self.delivered(now, id, *delivery, out);
                }
            }
            Message::Credit { id, changes } => {
                if let Some(own) = self.pending.of_neighbour(peer, id) {
                    self.pass_credit(now, own, changes, out);
                }
            }
            Message::Gossip { store, bytes } => {
                self.gossip_received(now, peer, &store, bytes);
            }
            Message::Cancel { id } => {
                if let Some(own) = self.pending.of_neighbour(peer, id) {
                    self.cancel(now, own, out);
                }
            }
        }
    }

    /// Whether a neighbour may answer this request: only the one that was asked.
    fn is_at(&self, id: u64, peer: &Arc<Peer>) -> bool {
        let pending = self.pending.get(id);
        pending.is_some_and(|pending| matches!(&pending.place, Place::Peer(at) if at == peer))
    }

    fn inbound(
        &mut self,
        now: Time,
        peer: &Arc<Peer>,
        message: RequestMessage,
        out: &mut Vec<Output>,
    ) {
        let RequestMessage {
            id,
            source,
            target,
            store,
            hops,
            timeout_ms,
            request,
        } = message;
        let origin = Origin::Link {
            peer: peer.clone(),
            id,
        };
        if self.pending.of_neighbour(peer, id).is_some() {
            // Two requests under one number: nobody could tell their answers apart.
            return self.bad_message(now, peer, "a request number is used twice", out);
        }
        let mine = target == *self.node();
        if !mine && hops == 0 {
            let message = format!("{target} is more than {HOPS_MAX} processes away");
            let result = Err(Refusal::new(RefusalKind::HopLimit, message));
            return self.finish(now, origin, false, result, out);
        }
        let hops = hops.saturating_sub(1);
        let timeout_ms = u64::from(timeout_ms);
        self.start(
            now,
            Ask {
                origin,
                source,
                target,
                store,
                hops,
                request,
                timeout_ms,
            },
            out,
        );
    }

    /// A message that makes no sense: the neighbour is told why when its connection is ended.
    fn bad_message(&mut self, now: Time, peer: &Arc<Peer>, why: &str, out: &mut Vec<Output>) {
        self.refused_messages += 1;
        out.push(Output::Warning(format!(
            "refused a message from {}: {why}",
            peer.name
        )));
        if let Some(link) = self.links.link(peer) {
            let mut outputs = Vec::new();
            self.links
                .end(now, link, EndingKind::Violation, why, &mut outputs);
            self.link_outputs(now, outputs, out);
        }
    }

    /// Hands the message back if the neighbour's session is full. Without a session it is dropped:
    /// whoever asked is told so when the session's loss is noticed.
    pub(crate) fn try_send(
        &mut self,
        now: Time,
        peer: &Arc<Peer>,
        message: Message,
        out: &mut Vec<Output>,
    ) -> Option<Message> {
        let bytes = match message.encode() {
            Ok(bytes) => bytes,
            Err(error) => {
                self.too_large(
                    now,
                    peer,
                    message,
                    Refusal::new(RefusalKind::TooLarge, error),
                    out,
                );
                return None;
            }
        };
        let mut outputs = Vec::new();
        let full = match self.links.send(now, peer, bytes.into(), &mut outputs) {
            Ok(()) => false,
            Err(error) => error.kind() == SendErrorKind::Full,
        };
        self.link_outputs(now, outputs, out);
        full.then_some(message)
    }

    /// Whoever waits for a message that fits no frame is told so.
    fn too_large(
        &mut self,
        now: Time,
        peer: &Arc<Peer>,
        message: Message,
        refusal: Refusal,
        out: &mut Vec<Output>,
    ) {
        match message {
            Message::Request(request) => self.answered(now, request.id, Err(refusal), out),
            Message::Reply { id, result: Ok(_) } => {
                let result = Err(Box::new(refusal));
                self.send_to(now, peer, Message::Reply { id, result }, out);
            }
            Message::Deliver { id, .. } => self.end_stream(now, peer, id, refusal, out),
            _ => out.push(Output::Warning(format!(
                "a message to {} was not sent: {refusal}",
                peer.name
            ))),
        }
    }

    fn neighbour_down(&mut self, now: Time, peer: &Arc<Peer>, out: &mut Vec<Output>) {
        let still_up = self.links.link(peer).is_some();
        if still_up
            || self
                .up
                .get(&peer.name)
                .is_none_or(|neighbour| neighbour.peer != *peer)
        {
            return;
        }
        self.up.remove(&peer.name);
        self.gossip_closed(now, &peer.name);
        if self.routes.lost(&peer.name) {
            self.routes_changed(now, out);
        }
    }

    /// Nothing of what was under way with this neighbour will be answered.
    fn session_lost(&mut self, now: Time, peer: &Arc<Peer>, out: &mut Vec<Output>) {
        self.owed.remove(peer);
        for id in self.pending.asked_by(peer) {
            self.cancel(now, id, out);
        }
        let refusal = Refusal::new(
            RefusalKind::Unavailable,
            format!("the link to {} was lost", peer.name),
        );
        for id in self.pending.asked_of(peer) {
            let Some(pending) = self.pending.get(id) else {
                continue;
            };
            if pending.streaming {
                self.delivered(now, id, Delivery::Ended(Box::new(refusal.clone())), out);
                continue;
            }
            let result = if pending.is_write {
                Err(refusal.clone().with_unknown_outcome())
            } else {
                Err(refusal.clone())
            };
            self.answered(now, id, result, out);
        }
    }

    fn routes_changed(&mut self, now: Time, out: &mut Vec<Output>) {
        self.announce(now, out);
        let mut effects = Vec::new();
        self.outbox.hurry(now, &mut effects);
        self.outbox_effects(now, effects, out);
        self.hurry_watching(now, out);
    }

    /// Tells every neighbour what has changed of what it may know.
    pub(crate) fn announce(&mut self, now: Time, out: &mut Vec<Output>) {
        let own = self.config.announced.then(|| self.config.link.name.clone());
        let mut sends = Vec::new();
        for (name, neighbour) in &mut self.up {
            let routes = self.routes.announcement(own.as_ref(), name);
            // The first announcement is sent even if it is empty: it says that there is no more.
            if neighbour.announced.as_ref() != Some(&routes) {
                neighbour.announced = Some(routes.clone());
                sends.push((neighbour.peer.clone(), routes));
            }
        }
        for (peer, routes) in sends {
            self.send_to(now, &peer, Message::Announce(routes), out);
        }
    }

    /// The connected neighbour that reaches a process.
    pub(crate) fn way_to(&self, target: &NodeName) -> Option<Arc<Peer>> {
        // A neighbour is reached directly, before it has announced itself and whoever else announces its name: the
        // link has proven who it is.
        let direct = self.up.get(target);
        let neighbour = direct.or_else(|| self.up.get(&self.routes.way(target)?.via))?;
        Some(neighbour.peer.clone())
    }

    /// Whether a request changes something, so that its loss leaves an unknown outcome.
    pub(crate) fn is_write(request: &Request) -> bool {
        use DraftsRequest::{Apply, Drop};
        matches!(
            request,
            Request::Write(_) | Request::Drafts(Apply { .. } | Drop)
        )
    }

    /// Passes an answer on to the neighbour that asked.
    pub(crate) fn reply(
        &mut self,
        now: Time,
        peer: &Arc<Peer>,
        id: u64,
        result: Result<Reply, Refusal>,
        out: &mut Vec<Output>,
    ) {
        let result = result.map(Box::new).map_err(Box::new);
        self.send_to(now, peer, Message::Reply { id, result }, out);
    }
}

/// Whether a greeting was refused, for a reason that the link does not count itself.
fn turns_away(ending: &Ending) -> bool {
    use EndingKind::{Busy, Denied, Missing, Myself, Version, WrongKey};
    let refused = matches!(
        ending.kind,
        Busy | Denied | Missing | Myself | Version { .. } | WrongKey
    );
    refused && ending.by == Party::Us
}
