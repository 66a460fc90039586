//! One write in the outbox, and what refusals mean to it.

use dhlrs_bag::{GuardedEdit, MsgId, SubscriberId};
use dhlrs_clock::Stamp;
use dhlrs_wire::{Incarnation, Intent, OtherEvent, Refusal, RefusalKind, Reply};

use super::Effect;
use crate::CallId;

/// A write as the caller hands it over.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) edits: Vec<GuardedEdit>,
    pub(crate) atomic: bool,
    pub(crate) incarnation: Option<Incarnation>,
    pub(crate) reason: Option<String>,
    pub(crate) stamp: Stamp,
    pub(crate) cause: Vec<SubscriberId>,
    pub(crate) emitted: Vec<OtherEvent>,
}

impl Draft {
    pub(super) fn is_empty(&self) -> bool {
        self.edits.is_empty() && self.emitted.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.edits.clear();
        self.emitted.clear();
    }
}

#[derive(Debug)]
pub(super) struct Entry {
    /// 0 until the session is open.
    pub(super) counter: u64,
    pub(super) draft: Draft,
    pub(super) call: Option<CallId>,
    pub(super) deadline_ms: u64,
    pub(super) since_ms: u64,
    /// Attempts whose fate is not known for certain to be "never arrived".
    pub(super) attempts: u32,
    pub(super) under_way: bool,
}

impl Entry {
    /// Its caller was told that nothing was done.
    pub(super) fn is_undone(&self) -> bool {
        self.call.is_none() && self.draft.is_empty() && self.never_left()
    }

    pub(super) fn never_left(&self) -> bool {
        self.attempts == 0 && !self.under_way
    }

    pub(super) fn intent(&self, session: [u8; 16]) -> Intent {
        Intent {
            msg_id: MsgId {
                session,
                counter: self.counter,
            },
            edits: self.draft.edits.clone(),
            atomic: self.draft.atomic,
            incarnation: self.draft.incarnation,
            reason: self.draft.reason.clone(),
            stamp: self.draft.stamp,
            cause: self.draft.cause.clone(),
            emitted: self.draft.emitted.clone(),
        }
    }

    pub(super) fn mark(&self, refusal: Refusal) -> Refusal {
        let told = is_from_the_way(refusal.kind()) && self.attempts > 0;
        if told {
            refusal.with_unknown_outcome()
        } else {
            refusal
        }
    }

    pub(super) fn answer(self, result: Result<Reply, Refusal>, effects: &mut Vec<Effect>) {
        let Some(call) = self.call else { return };
        let result = result.map_err(|refusal| self.mark(refusal));
        effects.push(Effect::Answer { call, result });
    }
}

/// Refusals that do not come from a session: the write's counter is not used up.
pub(super) fn is_from_the_way(kind: RefusalKind) -> bool {
    matches!(
        kind,
        RefusalKind::NoRoute
            | RefusalKind::NoStore
            | RefusalKind::Timeout
            | RefusalKind::Denied
            | RefusalKind::Unavailable
            | RefusalKind::UnknownSession
            | RefusalKind::OutOfOrder { .. }
            | RefusalKind::HopLimit
            | RefusalKind::Overloaded
            | RefusalKind::Unsupported
    )
}

/// Refusals to open a session that waiting may cure. `NoRoute` is not among them: a person who
/// mistyped an address should be told at once.
pub(super) fn passes_by_itself(kind: RefusalKind) -> bool {
    matches!(
        kind,
        RefusalKind::Unavailable | RefusalKind::Overloaded | RefusalKind::Timeout
    )
}
