//! What only a replicated store does, asked of an owned one.

use dhlrs_wire::{Intent, Refusal, RefusalKind};

/// `what` needs feeds, and an owned store has none.
pub(crate) fn not_replicated(what: &str) -> Refusal {
    Refusal::new(
        RefusalKind::Unsupported,
        format!(
            "not a replicated store, so it has no {what}: start it with --store NAME=replicated"
        ),
    )
}

/// A refusal here uses the intent's counter, and `Unsupported` would say that it did not.
pub(crate) fn check_no_events(intent: &Intent) -> Result<(), Refusal> {
    match intent.emitted.is_empty() {
        true => Ok(()),
        false => {
            let refusal = not_replicated("events");
            Err(Refusal::new(RefusalKind::Invalid, refusal.message()))
        }
    }
}
