//! What travels once a connection is up, and how one that is not any more is noticed.

use bytes::Bytes;
use dhlrs_clock::Time;

use crate::connection::Phase;
use crate::frame::{self, Frame, FrameError};
use crate::session::Violation;
use crate::{Ending, EndingKind, LinkId, LinkOutput, Links, Party, RETRANSMIT_MS_MAX, VERSION};

impl Links {
    pub(crate) fn frame(
        &mut self,
        now: Time,
        link: LinkId,
        bytes: Bytes,
        outputs: &mut Vec<LinkOutput>,
    ) {
        let Some(connection) = self.connections.get_mut(&link) else {
            return;
        };
        let is_up = matches!(connection.phase, Phase::Up(_));
        let frame = match Frame::decode(&bytes) {
            Ok(frame) => frame,
            Err(err) => return self.malformed(now, link, &err, outputs),
        };
        connection.heard_ms = now.monotonic_ms;
        match frame {
            Frame::Hello(hello) if !is_up => self.on_hello(now, link, bytes, hello, outputs),
            Frame::Auth(signature) if !is_up => self.on_auth(now, link, &signature, outputs),
            Frame::Bye { kind, message } => {
                let ending = Ending {
                    by: Party::Peer,
                    kind,
                    message,
                };
                outputs.push(LinkOutput::Close { link });
                self.over(now, link, None, ending, outputs);
            }
            _ if !is_up => self.violated(now, link, "a frame before the greeting", outputs),
            Frame::Hello(_) | Frame::Auth(_) => self.greeted_again(now, link, outputs),
            Frame::Data { seq, ack, message } => {
                self.on_data(now, link, seq, ack, message, outputs)
            }
            Frame::Ack { received, credit } => {
                let result = self.with_session(link, |session, _| {
                    session.on_ack(now.monotonic_ms, received, Some(credit))
                });
                self.after(now, link, result, outputs);
            }
            Frame::Ping => {
                let result = self.with_session(link, |session, _| {
                    session.acknowledge_at(now.monotonic_ms);
                    Ok(())
                });
                self.after(now, link, result, outputs);
            }
        }
    }

    fn on_data(
        &mut self,
        now: Time,
        link: LinkId,
        seq: u64,
        ack: u64,
        message: Bytes,
        outputs: &mut Vec<LinkOutput>,
    ) {
        let mut is_new = false;
        let result = self.with_session(link, |session, counters| {
            is_new = session.on_data(now.monotonic_ms, seq, ack, message.len(), counters)?;
            Ok(())
        });
        if is_new && let Some(peer) = self.connections.get(&link).and_then(|c| c.peer()) {
            outputs.push(LinkOutput::Message {
                peer: peer.clone(),
                message,
            });
        }
        self.after(now, link, result, outputs);
    }

    fn with_session(
        &mut self,
        link: LinkId,
        act: impl FnOnce(&mut crate::session::Session, &mut crate::Counters) -> Result<(), Violation>,
    ) -> Result<(), Violation> {
        let Some(connection) = self.connections.get_mut(&link) else {
            return Ok(());
        };
        // Only a peer that is up gets here, so whatever it sends answers the last frame of the greeting.
        connection.repeat = None;
        match connection
            .peer()
            .and_then(|peer| self.sessions.get_mut(peer))
        {
            Some(session) => act(session, &mut self.counters),
            None => Ok(()),
        }
    }

    fn after(
        &mut self,
        now: Time,
        link: LinkId,
        result: Result<(), Violation>,
        outputs: &mut Vec<LinkOutput>,
    ) {
        match result {
            Ok(()) => self.pump(now, link, outputs),
            Err(violation) => {
                self.violated(now, link, &violation.to_string(), outputs);
                self.pump(now, link, outputs);
            }
        }
    }

    /// A frame of the greeting on a connection that is up: the peer repeats itself where frames may be lost.
    fn greeted_again(&mut self, now: Time, link: LinkId, outputs: &mut Vec<LinkOutput>) {
        if !self.connections.get(&link).is_some_and(|c| c.is_lossy()) {
            return self.violated(now, link, "a second greeting", outputs);
        }
        let Some(connection) = self.connections.get_mut(&link) else {
            return;
        };
        if let Some(session) = connection
            .peer()
            .and_then(|peer| self.sessions.get_mut(peer))
        {
            session.acknowledge_at(now.monotonic_ms);
        }
        self.pump(now, link, outputs);
    }

    /// The peer broke a rule. Where frames may be lost or doubled, that is the channel's fault.
    pub(crate) fn violated(
        &mut self,
        now: Time,
        link: LinkId,
        rule: &str,
        outputs: &mut Vec<LinkOutput>,
    ) {
        let Some(connection) = self.connections.get(&link) else {
            return;
        };
        self.counters.violations += 1;
        if !connection.is_lossy() {
            self.end_as(now, link, None, EndingKind::Violation, rule, outputs);
        }
    }

    fn malformed(
        &mut self,
        now: Time,
        link: LinkId,
        err: &FrameError,
        outputs: &mut Vec<LinkOutput>,
    ) {
        self.counters.malformed += 1;
        let kind = match err {
            FrameError::Version { theirs } => EndingKind::Version {
                ours: VERSION,
                theirs: *theirs,
            },
            _ => EndingKind::Malformed,
        };
        let is_lossy = self.connections.get(&link).is_some_and(|c| c.is_lossy());
        if !is_lossy || matches!(kind, EndingKind::Version { .. }) {
            self.end_as(now, link, None, kind, &err.to_string(), outputs);
        }
    }

    /// The timer of a connection has come.
    pub(crate) fn connection_due(
        &mut self,
        now: Time,
        link: LinkId,
        outputs: &mut Vec<LinkOutput>,
    ) {
        let Some(connection) = self.connections.get_mut(&link) else {
            return;
        };
        let now_ms = now.monotonic_ms;
        let (silence_ms_max, handshake_ms_max) =
            (self.config.silence_ms_max, self.config.handshake_ms_max);
        match &connection.phase {
            Phase::Handshake(handshake) if handshake.deadline_ms <= now_ms => {
                let message = format!("no greeting within {handshake_ms_max} ms");
                return self.end_as(now, link, None, EndingKind::Silent, &message, outputs);
            }
            Phase::Up(_) if connection.heard_ms + silence_ms_max <= now_ms => {
                let message = format!("nothing heard for {silence_ms_max} ms");
                return self.end_as(now, link, None, EndingKind::Silent, &message, outputs);
            }
            Phase::Up(_) if connection.question_ms(&self.config) <= now_ms => {
                self.ask(now, link, outputs)
            }
            _ => {}
        }
        let Some(connection) = self.connections.get_mut(&link) else {
            return;
        };
        if let Some(repeat) = connection
            .repeat
            .as_mut()
            .filter(|repeat| repeat.due_ms <= now_ms)
        {
            repeat.wait_ms = (repeat.wait_ms * 2).min(RETRANSMIT_MS_MAX);
            repeat.due_ms = now_ms + repeat.wait_ms;
            for frame in &repeat.frames {
                if connection.outbox.takes_control() {
                    connection.outbox.put(frame.clone(), outputs);
                }
            }
        }
        self.pump(now, link, outputs);
    }

    /// Asks the peer whether it is there; whatever it sends is the answer.
    pub(crate) fn ask(&mut self, now: Time, link: LinkId, outputs: &mut Vec<LinkOutput>) {
        let Some(connection) = self.connections.get_mut(&link) else {
            return;
        };
        connection.asked_ms = now.monotonic_ms;
        if connection.outbox.takes_control() {
            connection.outbox.put(frame::ping(), outputs);
        }
    }
}
