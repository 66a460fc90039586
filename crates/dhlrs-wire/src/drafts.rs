//! Drafts: own writes that were acknowledged and then voided, and are kept until somebody decides.

use std::fmt;

use dhlrs_codec::bounded_vec;
use dhlrs_feed::EventDot;
use serde::{Deserialize, Serialize};

use crate::event_row::EventRow;
use crate::intent::FIRST_SKIPPED_MAX;
use crate::refusal::Refusal;
use crate::revision::Revision;

/// Drafts on one page.
pub const DRAFT_ROWS_MAX: usize = 1_024;

/// What to do about the drafts of a replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DraftsRequest {
    /// Show them.
    List {
        /// The last one of the page before.
        after: Option<EventDot>,
    },
    /// Write them again, as new events, each transaction whole. What cannot be written stays a draft.
    Apply {
        /// Only what nobody has written over since; the rest stays a draft.
        newer: bool,
    },
    /// Forget them.
    Drop,
}

/// What there is about drafts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Drafts {
    /// The drafts, in the order in which they were written.
    List {
        /// As many as fit, about [`PAGE_BYTES_MAX`](crate::PAGE_BYTES_MAX) at most; a larger one comes alone.
        #[serde(deserialize_with = "bounded_vec::<_, _, DRAFT_ROWS_MAX>")]
        rows: Vec<Draft>,
        /// Where to go on.
        next: Option<EventDot>,
    },
    /// They were written again.
    Applied(DraftsApplied),
    /// They are forgotten.
    Dropped {
        /// How many.
        drafts: u64,
    },
}

/// One voided event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Draft {
    /// What it was.
    pub event: EventRow,
    /// Why nobody sees it.
    pub cause: DraftCause,
}

/// Why an acknowledged write is void.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum DraftCause {
    /// A backup was put back, or the log had lost something.
    Restored,
    /// Others knew more of its feed than this replica, which had lost the end of it.
    Overtaken,
    /// Its feed was forked: the key was used twice.
    Forked,
    /// It was stamped by a clock that was ahead and was mended.
    ClockMended,
}

impl DraftCause {
    /// The cause's name, as programs see it in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Restored => "restored",
            Self::Overtaken => "overtaken",
            Self::Forked => "forked",
            Self::ClockMended => "clock_mended",
        }
    }
}

impl fmt::Display for DraftCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Restored => "a backup was put back",
            Self::Overtaken => "others knew more of its feed than this replica",
            Self::Forked => "its feed was forked: the key was used twice",
            Self::ClockMended => "it was stamped by a clock that was ahead",
        })
    }
}

/// How applying the drafts ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DraftsApplied {
    /// The revision that they made, or the present one.
    pub revision: Revision,
    /// Drafts that were written again and are drafts no more.
    pub applied: u64,
    /// Drafts that stay.
    pub left_out: u64,
    /// Why the first of those stay, at most [`FIRST_SKIPPED_MAX`]; each names its path.
    #[serde(deserialize_with = "bounded_vec::<_, _, FIRST_SKIPPED_MAX>")]
    pub first_left_out: Vec<Refusal>,
}
