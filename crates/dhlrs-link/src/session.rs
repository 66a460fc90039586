//! Order, acknowledgement, credit and repetition between two processes.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::config::ACK_DELAY_MESSAGES_MAX;
use crate::frame::{self, Credit, Resume};
use crate::outbox::Outbox;
use crate::{
    ACK_DELAY_MS_MAX, Additions, CREDIT_BYTES_MAX, CREDIT_FRAMES_MAX, Counters,
    IN_FLIGHT_FRAMES_LOSSY_MAX, LinkId, LinkOutput, MESSAGE_BYTES_MAX, RETRANSMIT_MS_MAX,
    RETRANSMIT_MS_MIN, SESSION_BYTES_MAX, SESSION_MESSAGES_MAX, SESSION_SHARE_BYTES, SendErrorKind,
};

/// What two processes know of the messages between them, whichever connection carries them.
#[derive(Debug)]
pub(crate) struct Session {
    id: [u8; 16],
    peer_incarnation: [u8; 16],
    attached: Option<Attached>,
    detached_ms: u64,

    // Invariant: holds the messages acked + 1 and on, without a gap; acked < next <= acked + queue.len() + 1.
    queue: VecDeque<Bytes>,
    queue_bytes: usize,
    acked: u64,
    acked_bytes: u64,
    next: u64,
    next_bytes: u64,
    sent_max: u64,
    limit_frames: u64,
    limit_bytes: u64,
    owes_writable: bool,

    received: u64,
    received_bytes: u64,
    granted_frames: u64,
    granted_bytes: u64,
    held: bool,
}

/// The connection that carries a session at the moment.
#[derive(Debug)]
struct Attached {
    link: LinkId,
    connected_by_us: bool,
    additions: Additions,
    ack_due_ms: Option<u64>,
    unacknowledged: u32,
    retransmit_ms: u64,
    retransmit_due_ms: Option<u64>,
}

/// The peer broke a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Violation {
    AckOfTheFuture,
    OutOfTurn,
    OverCredit,
    Forgotten,
}

impl core::fmt::Display for Violation {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::AckOfTheFuture => "a message was acknowledged that was never sent",
            Self::OutOfTurn => "a message is missing before this one",
            Self::OverCredit => "more was sent than was granted",
            Self::Forgotten => "messages are asked for again that were acknowledged",
        })
    }
}

impl Session {
    pub(crate) fn new(id: [u8; 16], peer_incarnation: [u8; 16]) -> Self {
        Self {
            id,
            peer_incarnation,
            attached: None,
            detached_ms: 0,
            queue: VecDeque::new(),
            queue_bytes: 0,
            acked: 0,
            acked_bytes: 0,
            next: 1,
            next_bytes: 0,
            sent_max: 0,
            limit_frames: 0,
            limit_bytes: 0,
            owes_writable: false,
            received: 0,
            received_bytes: 0,
            // What every greeting grants at the start of a session.
            granted_frames: CREDIT_FRAMES_MAX,
            granted_bytes: CREDIT_BYTES_MAX,
            held: false,
        }
    }

    pub(crate) fn peer_incarnation(&self) -> &[u8; 16] {
        &self.peer_incarnation
    }

    pub(crate) fn resume(&self) -> Resume {
        Resume {
            session: self.id,
            received: self.received,
        }
    }

    pub(crate) fn link(&self) -> Option<LinkId> {
        self.attached.as_ref().map(|attached| attached.link)
    }

    pub(crate) fn connected_by_us(&self) -> bool {
        self.attached
            .as_ref()
            .is_some_and(|attached| attached.connected_by_us)
    }

    pub(crate) fn detached_ms(&self) -> u64 {
        self.detached_ms
    }

    pub(crate) fn unacknowledged(&self) -> usize {
        self.queue.len()
    }

    pub(crate) fn unknown_messages(&self) -> u64 {
        self.sent_max.saturating_sub(self.acked)
    }

    pub(crate) fn unsent_messages(&self) -> u64 {
        self.queue.len() as u64 - self.unknown_messages()
    }

    /// What the peer may still send; part of a greeting.
    pub(crate) fn credit(&mut self) -> Credit {
        if !self.held {
            self.granted_frames = self.received + CREDIT_FRAMES_MAX;
            self.granted_bytes = self.received_bytes + CREDIT_BYTES_MAX;
        }
        Credit {
            frames: self.granted_frames - self.received,
            bytes: self.granted_bytes - self.received_bytes,
        }
    }

    /// Goes on over this connection; `peer_received` is what the peer says it has.
    pub(crate) fn attach(
        &mut self,
        link: LinkId,
        connected_by_us: bool,
        additions: Additions,
        peer_received: u64,
        credit: Credit,
    ) -> Result<(), Violation> {
        if peer_received < self.acked {
            return Err(Violation::Forgotten);
        }
        self.forget_acknowledged(peer_received)?;
        self.next = self.acked + 1;
        self.next_bytes = self.acked_bytes;
        self.limit_frames = self.acked.saturating_add(credit.frames);
        self.limit_bytes = self.acked_bytes.saturating_add(credit.bytes);
        self.attached = Some(Attached {
            link,
            connected_by_us,
            additions,
            ack_due_ms: None,
            unacknowledged: 0,
            retransmit_ms: RETRANSMIT_MS_MIN,
            retransmit_due_ms: None,
        });
        Ok(())
    }

    pub(crate) fn detach(&mut self, now_ms: u64) {
        self.attached = None;
        self.detached_ms = now_ms;
    }

    pub(crate) fn queue_bytes(&self) -> usize {
        self.queue_bytes
    }

    /// Whether this message takes the session into the next share of what all sessions may keep.
    pub(crate) fn begins_a_share(&self, message: &Bytes) -> bool {
        let share = |bytes: usize| bytes / SESSION_SHARE_BYTES;
        share(self.queue_bytes + message.len()) > share(self.queue_bytes)
    }

    /// Its sender is refused, and told when it may go on.
    pub(crate) fn refuse(&mut self) -> SendErrorKind {
        self.owes_writable = true;
        SendErrorKind::Full
    }

    pub(crate) fn push(&mut self, message: &Bytes) -> Result<(), SendErrorKind> {
        if message.len() > MESSAGE_BYTES_MAX {
            return Err(SendErrorKind::TooLarge);
        }
        if self.queue.len() >= SESSION_MESSAGES_MAX || self.queue_bytes >= SESSION_BYTES_MAX {
            return Err(self.refuse());
        }
        self.queue_bytes += message.len();
        self.queue.push_back(message.clone());
        Ok(())
    }

    /// Whether a refused sender may go on now. True once for each refusal.
    pub(crate) fn becomes_writable(&mut self) -> bool {
        let roomy = self.queue.len() <= SESSION_MESSAGES_MAX / 2
            && self.queue_bytes <= SESSION_BYTES_MAX / 2;
        roomy && core::mem::take(&mut self.owes_writable)
    }

    /// Takes a message; whether it is to be passed on.
    pub(crate) fn on_data(
        &mut self,
        now_ms: u64,
        seq: u64,
        ack: u64,
        message_bytes: usize,
        counters: &mut Counters,
    ) -> Result<bool, Violation> {
        self.on_ack(now_ms, ack, None)?;
        let message_bytes = message_bytes as u64;
        if seq <= self.received {
            counters.duplicates += 1;
            self.acknowledge_at(now_ms);
            return Ok(false);
        }
        if seq > self.received + 1 {
            counters.out_of_turn += 1;
            self.acknowledge_at(now_ms);
            let may_be = self
                .attached
                .as_ref()
                .is_some_and(|attached| attached.additions.order);
            return if may_be {
                Ok(false)
            } else {
                Err(Violation::OutOfTurn)
            };
        }
        if seq > self.granted_frames || self.received_bytes + message_bytes > self.granted_bytes {
            return Err(Violation::OverCredit);
        }
        self.received = seq;
        self.received_bytes += message_bytes;
        let runs_low = self.granted_frames - self.received < CREDIT_FRAMES_MAX / 2
            || self.granted_bytes - self.received_bytes < CREDIT_BYTES_MAX / 2;
        if let Some(attached) = &mut self.attached {
            attached.unacknowledged += 1;
            let at_once =
                attached.unacknowledged >= ACK_DELAY_MESSAGES_MAX || (runs_low && !self.held);
            self.acknowledge_at(if at_once {
                now_ms
            } else {
                now_ms + ACK_DELAY_MS_MAX
            });
        }
        Ok(true)
    }

    pub(crate) fn on_ack(
        &mut self,
        now_ms: u64,
        received: u64,
        credit: Option<Credit>,
    ) -> Result<(), Violation> {
        if received < self.acked {
            return Ok(());
        }
        let progress = received > self.acked;
        self.forget_acknowledged(received)?;
        if let Some(credit) = credit {
            self.limit_frames = self
                .limit_frames
                .max(self.acked.saturating_add(credit.frames));
            self.limit_bytes = self
                .limit_bytes
                .max(self.acked_bytes.saturating_add(credit.bytes));
        }
        if self.next <= self.acked {
            self.next = self.acked + 1;
            self.next_bytes = self.acked_bytes;
        }
        if let Some(attached) = self.attached.as_mut().filter(|_| progress) {
            attached.retransmit_ms = RETRANSMIT_MS_MIN;
            attached.retransmit_due_ms =
                (self.next > self.acked + 1).then_some(now_ms + RETRANSMIT_MS_MIN);
        }
        Ok(())
    }

    fn forget_acknowledged(&mut self, received: u64) -> Result<(), Violation> {
        if received > self.sent_max {
            return Err(Violation::AckOfTheFuture);
        }
        while self.acked < received {
            let Some(message) = self.queue.pop_front() else {
                return Err(Violation::AckOfTheFuture);
            };
            self.queue_bytes -= message.len();
            self.acked += 1;
            self.acked_bytes += message.len() as u64;
        }
        Ok(())
    }

    /// Makes an acknowledgement due, if none is due earlier.
    pub(crate) fn acknowledge_at(&mut self, at_ms: u64) {
        if let Some(attached) = &mut self.attached {
            attached.ack_due_ms = Some(attached.ack_due_ms.map_or(at_ms, |due| due.min(at_ms)));
        }
    }

    pub(crate) fn hold(&mut self) {
        self.held = true;
    }

    pub(crate) fn release(&mut self, now_ms: u64) {
        self.held = false;
        self.acknowledge_at(now_ms);
    }

    /// Sends what may be sent now: messages, then an acknowledgement that no message carried.
    pub(crate) fn pump(
        &mut self,
        now_ms: u64,
        outbox: &mut Outbox,
        counters: &mut Counters,
        outputs: &mut Vec<LinkOutput>,
    ) {
        let Some(mut attached) = self.attached.take() else {
            return;
        };
        let lossy = attached.additions.retransmission;
        if attached.retransmit_due_ms.is_some_and(|due| due <= now_ms) {
            self.next = self.acked + 1;
            self.next_bytes = self.acked_bytes;
            attached.retransmit_ms = (attached.retransmit_ms * 2).min(RETRANSMIT_MS_MAX);
            attached.retransmit_due_ms = None;
            // The acknowledgement that granted more may be what was lost; a question brings another one.
            if self.waits_for_credit() && outbox.takes_control() {
                outbox.put(frame::ping(), outputs);
            }
        }
        while let Some((message, through)) = self.next_message() {
            let in_flight = self.next - self.acked - 1;
            if lossy && in_flight >= IN_FLIGHT_FRAMES_LOSSY_MAX || !outbox.takes_message() {
                break;
            }
            outbox.put(frame::data(self.next, self.received, message), outputs);
            if self.next <= self.sent_max {
                counters.retransmitted += 1;
            }
            self.sent_max = self.sent_max.max(self.next);
            self.next += 1;
            self.next_bytes = through;
            attached.unacknowledged = 0;
            // Credit travels in acknowledgements only, so one that is due at once stays due.
            attached.ack_due_ms = attached.ack_due_ms.filter(|due| *due <= now_ms);
        }
        let unanswered = self.next > self.acked + 1 || self.waits_for_credit();
        if lossy && unanswered && attached.retransmit_due_ms.is_none() {
            attached.retransmit_due_ms = Some(now_ms + attached.retransmit_ms);
        }
        if attached.ack_due_ms.is_some_and(|due| due <= now_ms) && outbox.takes_ack() {
            attached.ack_due_ms = None;
            attached.unacknowledged = 0;
            let credit = self.credit();
            outbox.put_ack(frame::ack(self.received, credit), outputs);
        }
        self.attached = Some(attached);
    }

    /// The next message that the peer's credit covers, and the bytes sent with it.
    fn next_message(&self) -> Option<(&Bytes, u64)> {
        let at = usize::try_from(self.next - self.acked - 1).ok()?;
        let message = self.queue.get(at)?;
        let through = self.next_bytes + message.len() as u64;
        let covered = self.next <= self.limit_frames && through <= self.limit_bytes;
        covered.then_some((message, through))
    }

    /// Whether all that was sent is acknowledged and the rest is not covered by credit.
    fn waits_for_credit(&self) -> bool {
        self.next == self.acked + 1 && !self.queue.is_empty() && self.next_message().is_none()
    }

    /// When [`Session::pump`] has something to do though nothing happens, by the monotonic clock.
    pub(crate) fn deadline_ms(&self, outbox: &Outbox) -> Option<u64> {
        let attached = self.attached.as_ref()?;
        // While its predecessor is unsent, an acknowledgement waits for that and not for the time.
        let ack_due_ms = attached.ack_due_ms.filter(|_| outbox.takes_ack());
        match (ack_due_ms, attached.retransmit_due_ms) {
            (Some(ack), Some(retransmit)) => Some(ack.min(retransmit)),
            (ack, retransmit) => ack.or(retransmit),
        }
    }
}
