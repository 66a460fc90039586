//! The machine: every connection and session of a process.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use dhlrs_clock::Time;
use dhlrs_identity::{Signer, Verifier};

use crate::connection::{Connection, Phase};
use crate::frame;
use crate::handshake::Handshake;
use crate::session::Session;
use crate::{
    Capability, Config, Counters, Ending, EndingKind, HANDSHAKES_MAX, LinkId, LinkInput,
    LinkOutput, Party, Peer, SESSIONS_BYTES_MAX, SendError, SendErrorKind, Side,
};

/// All links of one process: connections, and the sessions that survive them.
///
/// A machine without IO. [`handle`](Self::handle) takes what happened; everything to be done is pushed to the
/// outputs, in order. Nothing that a peer sends makes it panic or hold more than its limits: a connection holds
/// up to [`LINK_FRAMES_MAX`](crate::LINK_FRAMES_MAX) frames unsent, a session up to
/// [`SESSION_BYTES_MAX`](crate::SESSION_BYTES_MAX) of what this side sends, and nothing of what it received.
pub struct Links {
    pub(crate) config: Config,
    pub(crate) signer: Arc<dyn Signer>,
    pub(crate) verifier: Arc<dyn Verifier>,
    pub(crate) us: Peer,
    pub(crate) incarnation: [u8; 16],
    pub(crate) entropy: [u8; 32],
    pub(crate) nonces: u64,
    pub(crate) connections: BTreeMap<LinkId, Connection>,
    // Invariant: a name has one session. A session's link is the connection that is up with its peer.
    pub(crate) sessions: BTreeMap<Arc<Peer>, Session>,
    pub(crate) names: BTreeMap<dhlrs_path::NodeName, Arc<Peer>>,
    timers: BTreeSet<(u64, Timer)>,
    pub(crate) counters: Counters,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    Connection(LinkId),
    Session(Arc<Peer>),
}

impl Links {
    /// The links of a process that has none yet.
    ///
    /// `entropy` must come from a good random source and never be used twice: nonces and the incarnation of this
    /// process derive from it.
    #[must_use]
    pub fn new(
        config: Config,
        signer: Arc<dyn Signer>,
        verifier: Arc<dyn Verifier>,
        entropy: [u8; 32],
    ) -> Self {
        let us = Peer {
            key: signer.public_key(),
            name: config.name.clone(),
        };
        let mut incarnation = [0; 16];
        blake3::Hasher::new_derive_key("dhlrs link 1 incarnation")
            .update(&entropy)
            .finalize_xof()
            .fill(&mut incarnation);
        Self {
            config,
            signer,
            verifier,
            us,
            incarnation,
            entropy,
            nonces: 0,
            connections: BTreeMap::new(),
            sessions: BTreeMap::new(),
            names: BTreeMap::new(),
            timers: BTreeSet::new(),
            counters: Counters::default(),
        }
    }

    /// Deals with what happened. Costs O(log n) in links and sessions, plus what is sent.
    ///
    /// Inputs about links that are not open are ignored: the driver may be a moment behind.
    pub fn handle(&mut self, now: Time, input: LinkInput, outputs: &mut Vec<LinkOutput>) {
        match input {
            LinkInput::Opened {
                link,
                capability,
                side,
            } => self.opened(now, link, &capability, side, outputs),
            LinkInput::Frame { link, bytes } => self.frame(now, link, bytes, outputs),
            LinkInput::Sent { link, frames } => {
                if let Some(connection) = self.connections.get_mut(&link) {
                    connection.outbox.sent(frames);
                    self.pump(now, link, outputs);
                }
            }
            LinkInput::Closed { link } => {
                let ending = Ending {
                    by: Party::Peer,
                    kind: EndingKind::Lost,
                    message: "the connection was lost".into(),
                };
                self.over(now, link, None, ending, outputs);
            }
            LinkInput::Tick => self.tick(now, outputs),
        }
    }

    /// Queues a message; it is sent in order, and again after a lost connection, until the peer has taken it or
    /// the session is lost.
    ///
    /// # Errors
    ///
    /// [`SendError`] hands the message back: no session, full, or too large.
    pub fn send(
        &mut self,
        now: Time,
        peer: &Peer,
        message: Bytes,
        outputs: &mut Vec<LinkOutput>,
    ) -> Result<(), SendError> {
        let begins_a_share = self
            .sessions
            .get(peer)
            .is_some_and(|session| session.begins_a_share(&message));
        let has_room = !begins_a_share || self.make_room_for_messages(peer, outputs);
        let Some(session) = self.sessions.get_mut(peer) else {
            return Err(SendError::new(SendErrorKind::NoSession, message));
        };
        if !has_room {
            return Err(SendError::new(session.refuse(), message));
        }
        session
            .push(&message)
            .map_err(|kind| SendError::new(kind, message))?;
        if let Some(link) = session.link() {
            self.pump(now, link, outputs);
        }
        Ok(())
    }

    /// Grants the peer nothing more: it sends what it was granted already, and then waits.
    pub fn hold(&mut self, peer: &Peer) {
        if let Some(session) = self.sessions.get_mut(peer) {
            session.hold();
        }
    }

    /// Grants again what [`hold`](Self::hold) withheld.
    pub fn release(&mut self, now: Time, peer: &Peer, outputs: &mut Vec<LinkOutput>) {
        let Some(session) = self.sessions.get_mut(peer) else {
            return;
        };
        session.release(now.monotonic_ms);
        if let Some(link) = session.link() {
            self.pump(now, link, outputs);
        }
    }

    /// Ends a connection and tells the peer why. [`EndingKind::Done`] ends the session too.
    pub fn end(
        &mut self,
        now: Time,
        link: LinkId,
        kind: EndingKind,
        message: &str,
        outputs: &mut Vec<LinkOutput>,
    ) {
        self.end_as(now, link, None, kind, message, outputs);
    }

    /// Ends every connection and every session: this process stops.
    pub fn shut_down(&mut self, now: Time, outputs: &mut Vec<LinkOutput>) {
        let links: Vec<LinkId> = self.connections.keys().copied().collect();
        for link in links {
            self.end(now, link, EndingKind::Done, "the process stops", outputs);
        }
        let peers: Vec<Arc<Peer>> = self.sessions.keys().cloned().collect();
        for peer in peers {
            self.lose_session(&peer, outputs);
        }
    }

    /// When [`LinkInput::Tick`] is due, by the monotonic clock, in milliseconds.
    #[must_use]
    pub fn deadline(&self) -> Option<u64> {
        self.timers.first().map(|(at_ms, _)| *at_ms)
    }

    /// Messages for this peer that it has not acknowledged, sent or not.
    #[must_use]
    pub fn unacknowledged(&self, peer: &Peer) -> usize {
        self.sessions.get(peer).map_or(0, Session::unacknowledged)
    }

    /// The connection that is up with this peer.
    #[must_use]
    pub fn link(&self, peer: &Peer) -> Option<LinkId> {
        self.sessions.get(peer).and_then(Session::link)
    }

    /// The peers with a link session, with and without a connection, in order.
    pub fn peers(&self) -> impl Iterator<Item = &Arc<Peer>> {
        self.sessions.keys()
    }

    /// What went wrong so far.
    #[must_use]
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Who is admitted, to be changed while running. Connections that are up stay.
    pub const fn admission_mut(&mut self) -> &mut crate::Admission {
        &mut self.config.admission
    }

    fn opened(
        &mut self,
        now: Time,
        link: LinkId,
        capability: &Capability,
        side: Side,
        outputs: &mut Vec<LinkOutput>,
    ) {
        let handshakes = self
            .connections
            .values()
            .filter(|c| matches!(c.phase, Phase::Handshake(_)))
            .count();
        let refusal = match self.config.requirements.compare(capability) {
            Err(err) => Err((EndingKind::Missing, err.to_string())),
            Ok(_) if handshakes >= HANDSHAKES_MAX => Err((
                EndingKind::Busy,
                format!("too many connections are being greeted: limit {HANDSHAKES_MAX}"),
            )),
            Ok(additions) => Ok(additions),
        };
        let additions = match refusal {
            Ok(additions) => additions,
            Err((kind, message)) => {
                self.counters.refused += 1;
                outputs.push(LinkOutput::Send {
                    link,
                    frame: frame::bye(kind, &message),
                });
                outputs.push(LinkOutput::Close { link });
                let ending = Ending {
                    by: Party::Us,
                    kind,
                    message: message.into(),
                };
                outputs.push(LinkOutput::Down {
                    link,
                    peer: None,
                    was_up: false,
                    ending,
                });
                return;
            }
        };
        let handshake = Handshake {
            deadline_ms: now.monotonic_ms + self.config.handshake_ms_max,
            ours: None,
            theirs: None,
            agreed: None,
        };
        let connection = Connection::new(link, side, additions, handshake, now.monotonic_ms);
        self.connections.insert(link, connection);
        self.greet_first(now, link, outputs);
        self.arm(link);
    }

    fn tick(&mut self, now: Time, outputs: &mut Vec<LinkOutput>) {
        // Collected first: what is done about one may arm it again for this very moment.
        let due: Vec<(u64, Timer)> = self
            .timers
            .iter()
            .take_while(|(at_ms, _)| *at_ms <= now.monotonic_ms)
            .cloned()
            .collect();
        for entry in due {
            self.timers.remove(&entry);
            match entry.1 {
                Timer::Connection(link) => {
                    if let Some(connection) = self.connections.get_mut(&link) {
                        connection.armed_ms = None;
                        self.connection_due(now, link, outputs);
                    }
                }
                Timer::Session(peer) => self.session_due(now, &peer, outputs),
            }
        }
    }

    fn session_due(&mut self, now: Time, peer: &Arc<Peer>, outputs: &mut Vec<LinkOutput>) {
        let Some(session) = self
            .sessions
            .get(peer)
            .filter(|session| session.link().is_none())
        else {
            return;
        };
        let until_ms = session.detached_ms() + self.config.session_hold_ms_max;
        if until_ms <= now.monotonic_ms {
            self.lose_session(peer, outputs);
        } else {
            self.timers.insert((until_ms, Timer::Session(peer.clone())));
        }
    }

    /// Sends what the session of this link may send, and sets the timer.
    pub(crate) fn pump(&mut self, now: Time, link: LinkId, outputs: &mut Vec<LinkOutput>) {
        let Some(connection) = self.connections.get_mut(&link) else {
            return;
        };
        if let Some(peer) = connection.peer().cloned()
            && let Some(session) = self.sessions.get_mut(&peer)
        {
            session.pump(
                now.monotonic_ms,
                &mut connection.outbox,
                &mut self.counters,
                outputs,
            );
            if session.becomes_writable() {
                outputs.push(LinkOutput::Writable { peer });
            }
        }
        self.arm(link);
    }

    /// Sets the timer of a connection, if it stands too late.
    pub(crate) fn arm(&mut self, link: LinkId) {
        let Some(connection) = self.connections.get_mut(&link) else {
            return;
        };
        let session_ms = connection
            .peer()
            .and_then(|peer| self.sessions.get(peer))
            .and_then(|session| session.deadline_ms(&connection.outbox));
        let own_ms = connection.deadline_ms(&self.config);
        let at_ms = session_ms.map_or(own_ms, |session_ms| session_ms.min(own_ms));
        if connection
            .armed_ms
            .is_some_and(|armed_ms| armed_ms <= at_ms)
        {
            return;
        }
        if let Some(armed_ms) = connection.armed_ms.replace(at_ms) {
            self.timers.remove(&(armed_ms, Timer::Connection(link)));
        }
        self.timers.insert((at_ms, Timer::Connection(link)));
    }

    /// Ends a connection from this side.
    pub(crate) fn end_as(
        &mut self,
        now: Time,
        link: LinkId,
        peer: Option<Arc<Peer>>,
        kind: EndingKind,
        message: &str,
        outputs: &mut Vec<LinkOutput>,
    ) {
        let Some(connection) = self.connections.get_mut(&link) else {
            return;
        };
        connection.outbox.put(frame::bye(kind, message), outputs);
        outputs.push(LinkOutput::Close { link });
        let ending = Ending {
            by: Party::Us,
            kind,
            message: message.into(),
        };
        self.over(now, link, peer, ending, outputs);
    }

    /// A connection is no more. `peer` is who it was, where that is known though the connection was not up.
    pub(crate) fn over(
        &mut self,
        now: Time,
        link: LinkId,
        peer: Option<Arc<Peer>>,
        ending: Ending,
        outputs: &mut Vec<LinkOutput>,
    ) {
        let Some(connection) = self.connections.remove(&link) else {
            return;
        };
        if let Some(armed_ms) = connection.armed_ms {
            self.timers.remove(&(armed_ms, Timer::Connection(link)));
        }
        let ends_session = ending.kind.ends_session();
        let up = connection.peer().cloned();
        if up.is_none() {
            self.counters.refused += 1;
        }
        let was_up = up.is_some();
        outputs.push(LinkOutput::Down {
            link,
            peer: up.clone().or(peer),
            was_up,
            ending,
        });
        let Some(peer) = up else { return };
        let Some(session) = self
            .sessions
            .get_mut(&peer)
            .filter(|s| s.link() == Some(link))
        else {
            return;
        };
        session.detach(now.monotonic_ms);
        if ends_session {
            self.lose_session(&peer, outputs);
        } else {
            let until_ms = now.monotonic_ms + self.config.session_hold_ms_max;
            self.timers.insert((until_ms, Timer::Session(peer)));
        }
    }

    /// Room for one more share of messages to `peer`; `false` if there is none though every session that can be
    /// spared is gone. Summed up only once a share, so a message costs nothing of it.
    fn make_room_for_messages(&mut self, peer: &Peer, outputs: &mut Vec<LinkOutput>) -> bool {
        let mut kept: usize = self.sessions.values().map(Session::queue_bytes).sum();
        while kept >= SESSIONS_BYTES_MAX {
            let spared = self
                .sessions
                .iter()
                .filter(|(other, session)| session.link().is_none() && ***other != *peer)
                .filter(|(_, session)| session.queue_bytes() > 0)
                .min_by_key(|(_, session)| session.detached_ms())
                .map(|(other, session)| (other.clone(), session.queue_bytes()));
            let Some((other, bytes)) = spared else {
                return false;
            };
            self.lose_session(&other, outputs);
            kept -= bytes;
        }
        true
    }

    pub(crate) fn lose_session(&mut self, peer: &Arc<Peer>, outputs: &mut Vec<LinkOutput>) {
        let Some(session) = self.sessions.remove(peer) else {
            return;
        };
        self.names.remove(&peer.name);
        let until_ms = session.detached_ms() + self.config.session_hold_ms_max;
        self.timers
            .remove(&(until_ms, Timer::Session(peer.clone())));
        let (unknown_messages, unsent_messages) =
            (session.unknown_messages(), session.unsent_messages());
        if unknown_messages + unsent_messages > 0 {
            self.counters.sessions_lost += 1;
        }
        outputs.push(LinkOutput::SessionLost {
            peer: peer.clone(),
            unknown_messages,
            unsent_messages,
        });
    }
}

#[cfg(test)]
mod tests {
    use dhlrs_identity::{KeyedHashSigner, KeyedHashVerifier, PublicKey};

    use super::*;
    use crate::{MESSAGE_BYTES_MAX, SESSION_BYTES_MAX, SESSION_SHARE_BYTES};

    const REALM: [u8; 32] = [7; 32];

    fn peer(number: usize) -> Arc<Peer> {
        Arc::new(Peer {
            key: PublicKey::from_bytes([1; 32]),
            name: format!("m/{number:04}").parse().unwrap(),
        })
    }

    fn links() -> Links {
        let signer = KeyedHashSigner::new(REALM, PublicKey::from_bytes([2; 32]));
        let verifier = KeyedHashVerifier::new(REALM);
        let config = Config::new("m/own".parse().unwrap());
        Links::new(config, Arc::new(signer), Arc::new(verifier), [3; 32])
    }

    fn kept(links: &Links) -> usize {
        links.sessions.values().map(Session::queue_bytes).sum()
    }

    #[test]
    fn all_sessions_together_keep_no_more_than_their_limit() {
        let mut links = links();
        let now = Time {
            wall_ms: 0,
            monotonic_ms: 0,
        };
        let peers = 1 + SESSIONS_BYTES_MAX / SESSION_BYTES_MAX * 2;
        for number in 0..peers {
            let mut session = Session::new([0; 16], [0; 16]);
            session.detach(number as u64);
            links.sessions.insert(peer(number), session);
        }
        // One buffer for all messages, so the test itself keeps little.
        let message = Bytes::from(vec![0; MESSAGE_BYTES_MAX]);
        let mut outputs = Vec::new();
        for number in 0..peers {
            while links
                .send(now, &peer(number), message.clone(), &mut outputs)
                .is_ok()
            {}
            let slack = MESSAGE_BYTES_MAX + peers * SESSION_SHARE_BYTES;
            assert!(kept(&links) <= SESSIONS_BYTES_MAX + slack);
        }
        let lost = |output: &LinkOutput| match output {
            LinkOutput::SessionLost { peer, .. } => Some(peer.name.to_string()),
            _ => None,
        };
        let lost: Vec<String> = outputs.iter().filter_map(lost).collect();
        assert!(!lost.is_empty());
        assert!(lost.is_sorted(), "the longest detached goes first");
        assert!(links.sessions.contains_key(&peer(peers - 1)));
    }
}
