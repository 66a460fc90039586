//! How a connection comes up: HELLO and AUTH of both sides.
//!
//! The connecting side greets first. The accepting side answers with its own greeting, which agrees to the session
//! offered or not, and with its proof; the connecting side checks it and proves itself in turn.

use std::sync::Arc;

use bytes::Bytes;
use dhlrs_clock::Time;
use dhlrs_identity::Signature;

use crate::connection::{Phase, Repeat};
use crate::frame::{self, Credit, Hello, Resume};
use crate::handshake::{Greeting, Handshake, Role, Theirs};
use crate::session::Session;
use crate::{
    CREDIT_BYTES_MAX, CREDIT_FRAMES_MAX, EndingKind, LinkId, LinkOutput, Links, Peer, Side,
};

/// Why a greeting leads nowhere.
struct Refusal {
    kind: EndingKind,
    message: String,
    /// Who it was, where that was proven.
    peer: Option<Arc<Peer>>,
}

impl Refusal {
    fn new(kind: EndingKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            peer: None,
        }
    }

    fn of(self, peer: &Arc<Peer>) -> Self {
        Self {
            peer: Some(peer.clone()),
            ..self
        }
    }
}

impl Links {
    /// The connecting side says who it is, as soon as the channel is open.
    pub(crate) fn greet_first(&mut self, now: Time, link: LinkId, outputs: &mut Vec<LinkOutput>) {
        let Some(Side::Connected { last, .. }) = self.connections.get(&link).map(|c| &c.side)
        else {
            return;
        };
        let offered = last.clone();
        let session = offered
            .and_then(|peer| self.sessions.get_mut(&peer))
            .filter(|session| session.link().is_none());
        let (resume, credit) = match session {
            Some(session) => (Some(session.resume()), session.credit()),
            None => (None, full_credit()),
        };
        let frame = self.hello(now, resume, credit);
        let Some(connection) = self.connections.get_mut(&link) else {
            return;
        };
        let is_lossy = connection.is_lossy();
        let Phase::Handshake(handshake) = &mut connection.phase else {
            return;
        };
        handshake.ours = Some(Greeting {
            frame: frame.clone(),
            resume,
        });
        connection.outbox.put(frame.clone(), outputs);
        if is_lossy {
            connection.repeat = Some(Repeat::new(vec![frame], now.monotonic_ms));
        }
    }

    pub(crate) fn on_hello(
        &mut self,
        now: Time,
        link: LinkId,
        bytes: Bytes,
        hello: Box<Hello>,
        outputs: &mut Vec<LinkOutput>,
    ) {
        let Some(connection) = self.connections.get_mut(&link) else {
            return;
        };
        let Phase::Handshake(handshake) = &connection.phase else {
            return;
        };
        if let Some(theirs) = &handshake.theirs {
            if theirs.frame != bytes {
                self.violated(
                    now,
                    link,
                    "a second greeting that differs from the first",
                    outputs,
                );
            } else if let (Side::Accepted { .. }, Some(repeat)) =
                (&connection.side, &connection.repeat)
            {
                // The peer repeats itself, so it did not hear the answer.
                for frame in &repeat.frames {
                    if connection.outbox.takes_control() {
                        connection.outbox.put(frame.clone(), outputs);
                    }
                }
            }
            return;
        }
        let theirs = match self.judge(link, bytes, hello) {
            Ok(theirs) => theirs,
            Err(refusal) => return self.refuse(now, link, refusal, outputs),
        };
        let Some(connection) = self.connections.get_mut(&link) else {
            return;
        };
        let role = connection.role();
        let Phase::Handshake(handshake) = &mut connection.phase else {
            return;
        };
        match role {
            Role::Connecting => {
                handshake.agreed = theirs.hello.resume;
                handshake.theirs = Some(theirs);
            }
            Role::Accepting => self.answer(now, link, theirs, outputs),
        }
    }

    /// What can be said against a greeting before it is proven.
    fn judge(&self, link: LinkId, frame: Bytes, hello: Box<Hello>) -> Result<Theirs, Refusal> {
        let name = hello.name.parse().map_err(|err| {
            Refusal::new(
                EndingKind::Malformed,
                format!("not a name of a process: {err}"),
            )
        })?;
        let peer = Arc::new(Peer {
            key: hello.key,
            name,
        });
        if peer.name == self.us.name {
            return Err(match peer.key == self.us.key {
                true => Refusal::new(EndingKind::Myself, "this process reached itself"),
                false => denied(&peer, "the name is this process's own"),
            });
        }
        let Some(connection) = self.connections.get(&link) else {
            return Err(Refusal::new(EndingKind::Lost, "the connection was lost"));
        };
        match &connection.side {
            Side::Connected { key: Some(key), .. } if *key != peer.key => {
                return Err(Refusal::new(
                    EndingKind::WrongKey,
                    format!("key {} answered, expected {key}", peer.key),
                ));
            }
            Side::Connected { .. } if self.config.admission.reserves_for_others(&peer) => {
                return Err(denied(&peer, "the name is reserved for another key"));
            }
            Side::Connected { .. } => {}
            Side::Accepted { open } => {
                if let Some(reason) = self.config.admission.denies(&peer, *open) {
                    return Err(denied(&peer, reason));
                }
            }
        }
        if self.name_is_taken(&peer) {
            return Err(denied(&peer, "another key is connected under the name"));
        }
        Ok(Theirs { frame, hello, peer })
    }

    /// The accepting side greets and proves itself.
    fn answer(&mut self, now: Time, link: LinkId, theirs: Theirs, outputs: &mut Vec<LinkOutput>) {
        let offered = theirs.hello.resume;
        let session = self.sessions.get_mut(&theirs.peer).filter(|session| {
            *session.peer_incarnation() == theirs.hello.incarnation
                && offered.is_some_and(|offered| offered.session == session.resume().session)
        });
        let (resume, credit) = match session {
            Some(session) => (Some(session.resume()), session.credit()),
            None => (None, full_credit()),
        };
        let frame = self.hello(now, resume, credit);
        let Some(connection) = self.connections.get_mut(&link) else {
            return;
        };
        let is_lossy = connection.is_lossy();
        let Phase::Handshake(handshake) = &mut connection.phase else {
            return;
        };
        handshake.theirs = Some(theirs);
        handshake.ours = Some(Greeting {
            frame: frame.clone(),
            resume,
        });
        handshake.agreed = resume;
        let Some(transcript) = handshake.transcript(Role::Accepting) else {
            return;
        };
        let proof = frame::auth(&transcript.sign(Role::Accepting, &*self.signer));
        connection.outbox.put(frame.clone(), outputs);
        connection.outbox.put(proof.clone(), outputs);
        if is_lossy {
            // Sent again when the peer repeats itself, never by the clock: it may not even exist.
            let frames = vec![frame, proof];
            connection.repeat = Some(Repeat {
                frames,
                wait_ms: 0,
                due_ms: u64::MAX,
            });
        }
    }

    pub(crate) fn on_auth(
        &mut self,
        now: Time,
        link: LinkId,
        signature: &Signature,
        outputs: &mut Vec<LinkOutput>,
    ) {
        let Some(connection) = self.connections.get(&link) else {
            return;
        };
        let Phase::Handshake(handshake) = &connection.phase else {
            return;
        };
        let role = connection.role();
        let (Some(transcript), Some(theirs)) = (handshake.transcript(role), &handshake.theirs)
        else {
            return self.violated(now, link, "a proof before the greeting", outputs);
        };
        let peer = theirs.peer.clone();
        if let Err(err) = transcript.verify(role.other(), &peer, signature, &*self.verifier) {
            self.counters.bad_signatures += 1;
            if connection.is_lossy() {
                return;
            }
            return self.refuse(
                now,
                link,
                Refusal::new(EndingKind::BadSignature, err.to_string()),
                outputs,
            );
        }
        if let Err(refusal) = self.establish(now, link, outputs) {
            self.refuse(now, link, refusal.of(&peer), outputs);
        }
    }

    /// Both sides are proven, or will be with the next frame: joins the connection and its session.
    fn establish(
        &mut self,
        now: Time,
        link: LinkId,
        outputs: &mut Vec<LinkOutput>,
    ) -> Result<(), Refusal> {
        let gone = || Refusal::new(EndingKind::Lost, "the connection was lost");
        let connection = self.connections.get_mut(&link).ok_or_else(gone)?;
        let role = connection.role();
        let Phase::Handshake(handshake) = &connection.phase else {
            return Err(gone());
        };
        let transcript = handshake.transcript(role).ok_or_else(gone)?;
        let theirs = handshake.theirs.as_ref().ok_or_else(gone)?;
        let (peer, hello) = (theirs.peer.clone(), theirs.hello.clone());
        let resume = agreed(handshake, role)?;

        self.make_way(now, link, &peer, &hello, resume, outputs)?;
        let connection = self.connections.get_mut(&link).ok_or_else(gone)?;
        let additions = connection.additions;
        let session = self
            .sessions
            .entry(peer.clone())
            .or_insert_with(|| Session::new(transcript.session_id(), hello.incarnation));
        self.names.insert(peer.name.clone(), peer.clone());
        let received = resume.map_or(0, |resume| resume.received);
        let connected_by_us = role == Role::Connecting;
        if let Err(violation) =
            session.attach(link, connected_by_us, additions, received, hello.credit)
        {
            self.counters.violations += 1;
            self.lose_session(&peer, outputs);
            return Err(Refusal::new(EndingKind::Violation, violation.to_string()));
        }
        connection.phase = Phase::Up(peer.clone());
        connection.repeat = None;
        if connected_by_us {
            let proof = frame::auth(&transcript.sign(role, &*self.signer));
            connection.outbox.put(proof.clone(), outputs);
            if additions.retransmission {
                connection.repeat = Some(Repeat::new(vec![proof], now.monotonic_ms));
            }
        } else if additions.retransmission {
            // Tells the peer that its proof has come.
            session.acknowledge_at(now.monotonic_ms);
        }
        self.counters.established += 1;
        let resumed = resume.is_some();
        let clock_ms = hello.clock_ms;
        outputs.push(LinkOutput::Up {
            link,
            peer,
            clock_ms,
            resumed,
        });
        self.pump(now, link, outputs);
        Ok(())
    }

    /// Ends what stands in the way of a proven connection, or says why that stays.
    fn make_way(
        &mut self,
        now: Time,
        link: LinkId,
        peer: &Arc<Peer>,
        hello: &Hello,
        resume: Option<Resume>,
        outputs: &mut Vec<LinkOutput>,
    ) -> Result<(), Refusal> {
        if self.name_is_taken(peer) {
            return Err(denied(peer, "another key is connected under the name"));
        }
        if let Some(other) = self
            .names
            .get(&peer.name)
            .filter(|other| *other != peer)
            .cloned()
        {
            self.lose_session(&other, outputs);
        }
        let connecting = self
            .connections
            .get(&link)
            .is_some_and(|c| c.role() == Role::Connecting);
        let Some(session) = self.sessions.get(peer) else {
            if resume.is_some() {
                return Err(just_ended());
            }
            return self.make_room(outputs);
        };
        if resume.is_some_and(|resume| resume.session != session.resume().session) {
            return Err(just_ended());
        }
        let same_process = *session.peer_incarnation() == hello.incarnation;
        if let Some(old) = session.link() {
            // A process that offers the session to go on has lost the connection that we still see.
            let stays = same_process
                && if connecting {
                    true
                } else {
                    // Both connected at once: the same one must stay at both sides.
                    resume.is_none() && session.connected_by_us() && self.us < **peer
                };
            if stays {
                self.ask(now, old, outputs);
                return Err(Refusal::new(
                    EndingKind::Duplicate,
                    format!("{old} to this peer stays"),
                ));
            }
            self.end_as(
                now,
                old,
                None,
                EndingKind::Replaced,
                "a newer connection took over",
                outputs,
            );
        }
        if resume.is_none() {
            self.lose_session(peer, outputs);
            return self.make_room(outputs);
        }
        Ok(())
    }

    /// Room for one more session: the one longest without a connection goes.
    fn make_room(&mut self, outputs: &mut Vec<LinkOutput>) -> Result<(), Refusal> {
        if self.sessions.len() < self.config.sessions_max {
            return Ok(());
        }
        let idle = self
            .sessions
            .iter()
            .filter(|(_, session)| session.link().is_none())
            .min_by_key(|(_, session)| session.detached_ms())
            .map(|(peer, _)| peer.clone());
        let Some(idle) = idle else {
            let sessions_max = self.config.sessions_max;
            return Err(Refusal::new(
                EndingKind::Busy,
                format!("too many links: limit {sessions_max}"),
            ));
        };
        self.lose_session(&idle, outputs);
        Ok(())
    }

    fn name_is_taken(&self, peer: &Arc<Peer>) -> bool {
        self.names.get(&peer.name).is_some_and(|other| {
            other.key != peer.key && self.sessions.get(other).is_some_and(|s| s.link().is_some())
        })
    }

    fn hello(&mut self, now: Time, resume: Option<Resume>, credit: Credit) -> Bytes {
        self.nonces += 1;
        let nonce = blake3::keyed_hash(&self.entropy, &self.nonces.to_le_bytes());
        frame::hello(&Hello {
            name: self.us.name.to_string(),
            key: self.us.key,
            nonce: *nonce.as_bytes(),
            clock_ms: now.wall_ms,
            incarnation: self.incarnation,
            resume,
            credit,
        })
    }

    fn refuse(&mut self, now: Time, link: LinkId, refusal: Refusal, outputs: &mut Vec<LinkOutput>) {
        self.end_as(
            now,
            link,
            refusal.peer,
            refusal.kind,
            &refusal.message,
            outputs,
        );
    }
}

/// Where the peer stands in the session to go on with; `None` for a new session.
fn agreed(handshake: &Handshake, role: Role) -> Result<Option<Resume>, Refusal> {
    let ours = handshake.ours.as_ref().and_then(|ours| ours.resume);
    let theirs = handshake
        .theirs
        .as_ref()
        .and_then(|theirs| theirs.hello.resume);
    match (role, handshake.agreed, ours, theirs) {
        (_, None, ..) => Ok(None),
        (_, Some(_), Some(ours), Some(theirs)) if ours.session == theirs.session => {
            Ok(Some(theirs))
        }
        _ => Err(Refusal::new(
            EndingKind::Violation,
            "the peer goes on with a session that was not offered",
        )),
    }
}

fn denied(peer: &Peer, reason: &str) -> Refusal {
    Refusal::new(
        EndingKind::Denied,
        format!("{} with key {} denied: {reason}", peer.name, peer.key),
    )
}

fn just_ended() -> Refusal {
    Refusal::new(
        EndingKind::Busy,
        "the session has just ended; connect again",
    )
}

fn full_credit() -> Credit {
    Credit {
        frames: CREDIT_FRAMES_MAX,
        bytes: CREDIT_BYTES_MAX,
    }
}
