//! Intent: the first step. Is it this session's turn, and is the envelope within its limits?

use dhlrs_bag::MsgId;
use dhlrs_codec as codec;
use dhlrs_wire::{
    CAUSE_MAX, EDITS_MAX, EMITTED_MAX, Intent, REASON_BYTES_MAX, Refusal, RefusalKind, Reply,
    Revision,
};

use crate::head::Head;
use crate::port::Caller;
use crate::session::{ANSWER_BYTES_MAX, Verdict};

/// What becomes of an intent before anybody has judged it.
#[derive(Debug)]
pub(crate) enum Admission {
    /// Judge it. Its answer is kept if there is a session.
    Judge { session: Option<MsgId> },
    /// It was judged before; this is the answer, as soon as that ticket has been released.
    Answered {
        ticket: u64,
        result: Result<Reply, Refusal>,
    },
    /// It is not to be judged, and uses no counter.
    Refused(Refusal),
}

/// Looks at the envelope alone. Costs `O(log sessions)`.
pub(crate) fn admit(head: &Head, caller: &Caller, intent: &Intent) -> Admission {
    // Within the process a call cannot arrive twice, so it needs no session.
    if caller.neighbour.is_none() {
        return match check_envelope(intent) {
            Ok(()) => Admission::Judge { session: None },
            Err(refusal) => Admission::Refused(refusal),
        };
    }
    let MsgId { session, counter } = intent.msg_id;
    match head.sessions.judge(&session, &caller.source, counter) {
        Verdict::Next => Admission::Judge {
            session: Some(intent.msg_id),
        },
        Verdict::Kept { answer, ticket } => match decode_answer(&answer) {
            Some(result) => Admission::Answered { ticket, result },
            None => Admission::Answered {
                ticket,
                result: Err(already_applied(head)),
            },
        },
        Verdict::Forgotten => Admission::Answered {
            ticket: 0,
            result: Err(already_applied(head)),
        },
        Verdict::OutOfOrder { expected } => Admission::Refused(Refusal::new(
            RefusalKind::OutOfOrder { expected },
            format!("write {counter} came before write {expected} of its session"),
        )),
        Verdict::Unknown => Admission::Refused(unknown_session()),
    }
}

/// One that has been dropped, never was, or is somebody else's: nobody learns which.
pub(crate) fn unknown_session() -> Refusal {
    Refusal::new(
        RefusalKind::UnknownSession,
        "the store does not know this session (any more): open a new one",
    )
}

/// The limits of an intent's envelope. A refusal here uses the counter, like one of its edits.
pub(crate) fn check_envelope(intent: &Intent) -> Result<(), Refusal> {
    let refuse = |kind, message: String| Err(Refusal::new(kind, message));
    if intent.edits.is_empty() && intent.emitted.is_empty() {
        let message = "an intent with neither edits nor events".to_owned();
        return refuse(RefusalKind::Invalid, message);
    }
    if intent.edits.len() > EDITS_MAX {
        let found = intent.edits.len();
        return refuse(
            RefusalKind::TooLarge,
            format!("{found} edits at once, limit {EDITS_MAX}"),
        );
    }
    if intent.emitted.len() > EMITTED_MAX {
        let found = intent.emitted.len();
        return refuse(
            RefusalKind::TooLarge,
            format!("{found} events at once, limit {EMITTED_MAX}"),
        );
    }
    if let Some(reason) = &intent.reason
        && reason.len() > REASON_BYTES_MAX
    {
        let found = reason.len();
        return refuse(
            RefusalKind::TooLarge,
            format!("a reason of {found} bytes, limit {REASON_BYTES_MAX}"),
        );
    }
    if intent.cause.len() > CAUSE_MAX {
        let chain: Vec<String> = intent.cause.iter().map(ToString::to_string).collect();
        return refuse(
            RefusalKind::Loop,
            format!(
                "subscribers answer one another without end: {}",
                chain.join(" -> ")
            ),
        );
    }
    Ok(())
}

fn already_applied(head: &Head) -> Refusal {
    let revision = Revision {
        incarnation: head.incarnation(),
        number: head.revision,
    };
    Refusal::new(
        RefusalKind::AlreadyApplied { revision },
        "applied before; its answer is no longer kept",
    )
}

/// The answer as a session keeps it. One that is too long loses its details.
pub(crate) fn encode_answer(result: &Result<Reply, Refusal>) -> Vec<u8> {
    if let Ok(bytes) = codec::encode(result, ANSWER_BYTES_MAX) {
        return bytes;
    }
    let short = match result {
        Ok(Reply::Written(written)) => {
            let mut written = written.clone();
            written.first_skipped.clear();
            Ok(Reply::Written(written))
        }
        Ok(_) => Ok(Reply::Done),
        Err(refusal) => {
            let message: String = refusal
                .message()
                .chars()
                .take(ANSWER_BYTES_MAX / 8)
                .collect();
            Err(Refusal::new(refusal.kind(), message))
        }
    };
    codec::encode(&short, ANSWER_BYTES_MAX).unwrap_or_default()
}

fn decode_answer(bytes: &[u8]) -> Option<Result<Reply, Refusal>> {
    codec::decode(bytes, ANSWER_BYTES_MAX).ok()
}
