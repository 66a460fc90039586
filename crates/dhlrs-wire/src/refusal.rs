//! The only error that crosses processes.

use std::error::Error;
use std::fmt;

use dhlrs_codec::bounded_string;
use serde::{Deserialize, Serialize};

use crate::revision::Revision;

/// A refusal's message is cut at this length.
pub const REFUSAL_BYTES_MAX: usize = 1_024;

/// What the caller can do about a [`Refusal`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum RefusalKind {
    /// No neighbour reaches the process. Connect, or wait for it; nothing was done.
    NoRoute,
    /// The process has no such store. The message lists those it has.
    NoStore,
    /// No answer in time. A read did nothing; a write was sent and may have been applied.
    Timeout,
    /// The caller may not. Retrying cannot help until somebody allows it.
    Denied,
    /// Over a size limit. Send less.
    TooLarge,
    /// `if_missing`, `if_present` or `if_revision` did not hold. Nothing changed.
    PreconditionFailed,
    /// The node, or a node that the edit names, is not there.
    Missing,
    /// The place is taken.
    Exists,
    /// The move would put a node inside itself.
    Cycle,
    /// The path goes through a scalar. Ask for `overwrite` to replace it.
    ThroughScalar,
    /// The position names a sibling or an index that is not there.
    BadPosition,
    /// A path, a pattern or an argument that can never be right.
    Invalid,
    /// The node's value comes from a resolver; replace or remove that in the same call.
    ResolverGuard,
    /// The node is below a resolved value; `materialise` it first.
    UnderOverlay,
    /// The resolver failed, or is not there.
    Resolver,
    /// Not now: the store is opening, fenced, or the process is stopping. Nothing was done.
    Unavailable,
    /// The store does not know the session (any more). Nothing was done.
    UnknownSession,
    /// The counter is not the session's next one. Nothing was done.
    OutOfOrder {
        /// The counter that the session expects.
        expected: u64,
    },
    /// The intent was applied before and its answer is no longer kept.
    AlreadyApplied {
        /// A revision at which it was applied already.
        revision: Revision,
    },
    /// The read's snapshot is gone. Read again.
    SnapshotExpired,
    /// The changes asked for are no longer kept.
    Compacted {
        /// The oldest revision that can be asked for.
        oldest: Revision,
    },
    /// The message passed too many processes.
    HopLimit,
    /// The reaction came back to a subscriber that caused it.
    Loop,
    /// Too much at once. Wait, then try again; nothing was done.
    Overloaded,
    /// The peer is of a version that does not know this request.
    Unsupported,
    /// A replicated store has no room for one more feed, and this process has none there yet. Raise
    /// the limit.
    StoreFull,
    /// The stamps that the store has seen are too far ahead of the clock. Mend the clock, or wait.
    ClockAhead {
        /// The wall reading, in milliseconds since 1970, from which on a write is possible.
        until_ms: u64,
    },
}

impl RefusalKind {
    /// The kind's name, as programs see it in JSON: `no_route`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NoRoute => "no_route",
            Self::NoStore => "no_store",
            Self::Timeout => "timeout",
            Self::Denied => "denied",
            Self::TooLarge => "too_large",
            Self::PreconditionFailed => "precondition_failed",
            Self::Missing => "missing",
            Self::Exists => "exists",
            Self::Cycle => "cycle",
            Self::ThroughScalar => "through_scalar",
            Self::BadPosition => "bad_position",
            Self::Invalid => "invalid",
            Self::ResolverGuard => "resolver_guard",
            Self::UnderOverlay => "under_overlay",
            Self::Resolver => "resolver",
            Self::Unavailable => "unavailable",
            Self::UnknownSession => "unknown_session",
            Self::OutOfOrder { .. } => "out_of_order",
            Self::AlreadyApplied { .. } => "already_applied",
            Self::SnapshotExpired => "snapshot_expired",
            Self::Compacted { .. } => "compacted",
            Self::HopLimit => "hop_limit",
            Self::Loop => "loop",
            Self::Overloaded => "overloaded",
            Self::Unsupported => "unsupported",
            Self::StoreFull => "store_full",
            Self::ClockAhead { .. } => "clock_ahead",
        }
    }
}

/// Why a request was not done. Where it came from another process, the chain of causes ends here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    kind: RefusalKind,
    #[serde(deserialize_with = "bounded_string::<_, REFUSAL_BYTES_MAX>")]
    message: String,
    outcome_unknown: bool,
}

impl Refusal {
    /// A refusal; nothing was done. A long message is cut at [`REFUSAL_BYTES_MAX`].
    #[must_use]
    pub fn new(kind: RefusalKind, message: impl fmt::Display) -> Self {
        let mut message = message.to_string();
        if message.len() > REFUSAL_BYTES_MAX {
            let end = message.floor_char_boundary(REFUSAL_BYTES_MAX);
            message.truncate(end);
        }
        Self {
            kind,
            message,
            outcome_unknown: false,
        }
    }

    /// The same for a write that was sent and may have been applied.
    #[must_use]
    pub fn with_unknown_outcome(mut self) -> Self {
        self.outcome_unknown = true;
        self
    }

    /// What the caller can do.
    #[must_use]
    pub fn kind(&self) -> RefusalKind {
        self.kind
    }

    /// What happened, for a person.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Whether the write may have been applied all the same.
    #[must_use]
    pub fn outcome_unknown(&self) -> bool {
        self.outcome_unknown
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Refusal {}
