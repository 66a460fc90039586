//! Carrying forwards out: sessions with their targets, messages, answers, and the cursor in the log.

use dhlrs_bag::MsgId;
use dhlrs_clock::Time;
use dhlrs_wire::{Intent, Refusal, RefusalKind, Reply, Request};

use crate::forward::{
    CURSOR_MESSAGES, Errand, FORWARD_TIMEOUT_MS, ForwardCursor, ForwardId, RETRY_MS_MIN,
};
use crate::machine::Store;
use crate::port::{ErrandId, Output};
use crate::record::Record;
use crate::session::SessionId;

impl Store {
    /// The store has opened: forwards that are new begin at the present revision.
    pub(crate) fn begin_forwards(&mut self, now: Time, first_time: bool, out: &mut Vec<Output>) {
        self.end_forwards(out);
        for running in &mut self.forwards.list {
            if let Some(cursor) = self.head.forwards.get_mut(&running.id) {
                running.take_up(now, cursor, first_time);
            }
        }
        let ids: Vec<ForwardId> = self
            .forwards
            .list
            .iter()
            .map(|running| running.id)
            .collect();
        for forward in ids {
            if !self.head.forwards.contains_key(&forward) {
                let record = Record::ForwardBegan {
                    forward,
                    revision: self.head.revision,
                };
                self.log_and_replay(record);
            }
        }
        self.pump_forwards(out);
    }

    /// Forgets the cursors of forwards that are configured no longer. They do not hold the log, so
    /// one that went on from its old cursor some day would leave out what the log has lost.
    fn end_forwards(&mut self, out: &mut Vec<Output>) {
        let is_configured = |id: &ForwardId| self.forwards.list.iter().any(|one| one.id == *id);
        let known = self.head.forwards.keys();
        let ended: Vec<ForwardId> = known.filter(|id| !is_configured(id)).copied().collect();
        if ended.is_empty() {
            return;
        }
        out.push(Output::Warning(format!(
            "{} of this store's forwards are configured no longer: what they have not sent yet is not sent, and one that \
             comes back begins anew",
            ended.len()
        )));
        for forward in ended {
            let record = Record::ForwardEnded { forward };
            self.log_and_replay(record);
        }
    }

    /// Sends whatever can be sent.
    pub(crate) fn pump_forwards(&mut self, out: &mut Vec<Output>) {
        if !self.is_open() {
            return;
        }
        let mut warnings = Vec::new();
        for place in 0..self.forwards.list.len() {
            self.pump(place, &mut warnings, out);
        }
        out.extend(warnings.into_iter().map(Output::Warning));
    }

    fn pump(&mut self, place: usize, warnings: &mut Vec<String>, out: &mut Vec<Output>) {
        let Some(running) = self.forwards.list.get_mut(place) else {
            return;
        };
        let Some(cursor) = self.head.forwards.get(&running.id) else {
            return;
        };
        if let Some(why) = &running.stopped {
            if !cursor.stopped {
                out.push(Output::Warning(format!(
                    "forwarding to {}: {why}",
                    running.forward.to
                )));
                let record = Record::ForwardStopped {
                    forward: running.id,
                };
                self.log_and_replay(record);
            }
            return;
        }
        if cursor.stopped {
            running.stop("stopped before: changes that it should have sent are gone".to_owned());
            return;
        }
        if running.retry_at_ms.is_some() || running.opening {
            return;
        }
        let progress = running.progress.unwrap_or(*cursor);
        running.fill(&progress, warnings);
        if running.flights.is_empty() {
            return;
        }
        let target = running.forward.to.store().clone();
        let id = running.id;
        let Some(session) = cursor.session else {
            running.opening = true;
            let errand = self.forwards.errand(id, Errand::Open);
            let (request, timeout_ms) = (Request::OpenSession, FORWARD_TIMEOUT_MS);
            out.push(Output::Errand {
                errand,
                target,
                request,
                timeout_ms,
            });
            return;
        };
        // Nothing leaves under a session that a crash could make us forget.
        if self.tickets.released() < running.session_from_ticket {
            return;
        }
        let mut sends = Vec::new();
        for flight in running.sendable() {
            flight.under_way = true;
            let intent = Intent {
                msg_id: MsgId {
                    session,
                    counter: flight.counter,
                },
                edits: flight.edits.clone(),
                atomic: false,
                incarnation: None,
                reason: flight.reason.clone(),
                stamp: flight.stamp,
                cause: flight.cause.clone(),
                emitted: Vec::new(),
            };
            sends.push((flight.counter, intent));
        }
        for (counter, intent) in sends {
            let message = Errand::Message { session, counter };
            let errand = self.forwards.errand(id, message);
            out.push(Output::Errand {
                errand,
                target: target.clone(),
                request: Request::Write(Box::new(intent)),
                timeout_ms: FORWARD_TIMEOUT_MS,
            });
        }
    }

    pub(crate) fn errand_done(
        &mut self,
        now: Time,
        errand: ErrandId,
        result: Result<Reply, Refusal>,
        out: &mut Vec<Output>,
    ) {
        let Some((id, errand)) = self.forwards.errands.remove(&errand) else {
            return;
        };
        let found = self
            .forwards
            .list
            .iter()
            .position(|running| running.id == id);
        let Some(place) = found else { return };
        match errand {
            Errand::Open => self.forward_session(now, place, result, out),
            Errand::Message { session, counter } => {
                self.forward_answered(now, place, (session, counter), result, out);
            }
        }
        self.pump_forwards(out);
    }

    fn forward_session(
        &mut self,
        now: Time,
        place: usize,
        result: Result<Reply, Refusal>,
        out: &mut Vec<Output>,
    ) {
        let is_open = self.is_open();
        let Some(running) = self.forwards.list.get_mut(place) else {
            return;
        };
        running.opening = false;
        let session = match result {
            Ok(Reply::Session { session }) if is_open => session,
            // While the log is read again nothing can be noted: another session is opened then.
            Ok(_) => return running.pause(now),
            Err(refusal) => {
                let to = &running.forward.to;
                out.push(Output::Warning(format!(
                    "forwarding to {to} waits: {refusal}"
                )));
                return running.pause(now);
            }
        };
        running.retry_ms = RETRY_MS_MIN;
        if self.config.logged {
            running.session_from_ticket = self.tickets.number();
        }
        let Some(cursor) = self.head.forwards.get(&running.id) else {
            return;
        };
        running.progress = Some(ForwardCursor {
            session: Some(session),
            counter: 0,
            answered_ahead: running.count_anew(),
            ..running.progress.unwrap_or(*cursor)
        });
        running.counted_in = Some(session);
        let forward = running.id;
        let record = Record::ForwardSession { forward, session };
        self.log_and_replay(record);
        // Counter 1 of the new session is the first unanswered message, and what was answered has no
        // counter; a restart must know which.
        self.log_forward_cursor(place);
    }

    fn forward_answered(
        &mut self,
        now: Time,
        place: usize,
        (session, counter): (SessionId, u64),
        result: Result<Reply, Refusal>,
        out: &mut Vec<Output>,
    ) {
        let is_open = self.is_open();
        let Some(running) = self.forwards.list.get_mut(place) else {
            return;
        };
        let Some(cursor) = self.head.forwards.get(&running.id) else {
            return;
        };
        if running.counted_in != Some(session) {
            // The counter is one of a session that was given up.
            return;
        }
        let found = running
            .flights
            .iter_mut()
            .find(|flight| flight.counter == counter);
        let Some(flight) = found else { return };
        if !is_open {
            // It is sent again when the cursor can be logged, and answered the same.
            flight.under_way = false;
            return;
        }
        let to = &running.forward.to;
        let mut refused = 0;
        match result {
            Ok(Reply::Written(written)) => {
                for refusal in &written.first_skipped {
                    out.push(Output::Warning(format!(
                        "{to} refused a forwarded change: {refusal}"
                    )));
                }
                refused = written.skipped;
                flight.answered = true;
            }
            Ok(_) => flight.answered = true,
            Err(refusal) => match refusal.kind() {
                RefusalKind::AlreadyApplied { .. } => flight.answered = true,
                RefusalKind::UnknownSession => {
                    if cursor.session.is_some() {
                        out.push(Output::Warning(format!(
                            "{to} no longer knows this forward: unanswered changes are sent again"
                        )));
                    }
                    flight.under_way = false;
                    return self.forget_forward_session(place);
                }
                RefusalKind::NoRoute
                | RefusalKind::NoStore
                | RefusalKind::Unavailable
                | RefusalKind::Denied
                | RefusalKind::Timeout
                | RefusalKind::OutOfOrder { .. }
                | RefusalKind::Overloaded
                | RefusalKind::HopLimit
                | RefusalKind::Unsupported => {
                    flight.under_way = false;
                    return running.pause(now);
                }
                // It fits no message, so the target has not seen its counter. Without its edits it
                // is refused there, and the ones after it are not held up.
                RefusalKind::TooLarge if !flight.edits.is_empty() => {
                    out.push(Output::Warning(format!(
                        "a change cannot be forwarded to {to}: {refusal}"
                    )));
                    flight.edits.clear();
                    flight.under_way = false;
                    return;
                }
                _ => {
                    if !flight.edits.is_empty() {
                        out.push(Output::Warning(format!(
                            "{to} refused a forwarded change: {refusal}"
                        )));
                    }
                    refused = 1;
                    flight.answered = true;
                }
            },
        }
        running.retry_ms = RETRY_MS_MIN;
        running.advance(now, cursor);
        if let Some(progress) = &mut running.progress {
            progress.refused += refused;
        }
        if running.unlogged >= CURSOR_MESSAGES {
            self.log_forward_cursor(place);
        }
    }

    /// The target has forgotten the session: a new one is opened, and counts from 1.
    fn forget_forward_session(&mut self, place: usize) {
        let Some(running) = self.forwards.list.get_mut(place) else {
            return;
        };
        if let Some(cursor) = self.head.forwards.get_mut(&running.id) {
            // Not logged: if we die here, the old session is found unknown again.
            cursor.session = None;
        }
        for flight in &mut running.flights {
            flight.under_way = false;
        }
    }

    fn log_forward_cursor(&mut self, place: usize) {
        let Some(running) = self.forwards.list.get_mut(place) else {
            return;
        };
        running.unlogged = 0;
        running.log_at_ms = None;
        let Some(progress) = running.progress else {
            return;
        };
        let record = Record::ForwardAnswered {
            forward: running.id,
            counter: progress.counter,
            revision: progress.revision,
            sent_of_next: progress.sent_of_next,
            answered_ahead: progress.answered_ahead,
            refused: progress.refused,
        };
        self.log_and_replay(record);
    }

    pub(crate) fn forwards_tick(&mut self, now: Time, out: &mut Vec<Output>) {
        let due = |at: Option<u64>| at.is_some_and(|at| at <= now.monotonic_ms);
        for place in 0..self.forwards.list.len() {
            let Some(running) = self.forwards.list.get_mut(place) else {
                continue;
            };
            if due(running.retry_at_ms) {
                running.retry_at_ms = None;
            }
            if due(running.log_at_ms) && matches!(self.state, crate::machine::State::Open) {
                self.log_forward_cursor(place);
            }
        }
        self.pump_forwards(out);
    }
}
