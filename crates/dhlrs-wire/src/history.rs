//! The history of a node.

use dhlrs_clock::Stamp;
use dhlrs_codec::bounded_vec;
use dhlrs_feed::EventDot;
use dhlrs_path::Path;
use serde::{Deserialize, Serialize};

use crate::event_row::EventRow;
use crate::text;

/// Rows of one page of a history.
pub const HISTORY_ROWS_MAX: usize = 1_024;

/// Asks what happened to a node and to what is in it, the newest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HistoryRequest {
    /// The node. It may be gone by now; the root asks for all events.
    #[serde(with = "text")]
    pub path: Path<'static>,
    /// Begins below this one.
    pub before: Option<HistoryCursor>,
    /// How many rows, 1 to [`HISTORY_ROWS_MAX`]; a page may have fewer.
    pub limit: u16,
}

/// A place in the total order of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct HistoryCursor {
    /// The stamp.
    pub stamp: Stamp,
    /// Of several events with that stamp, this one.
    pub dot: EventDot,
}

/// Some of a history, about [`PAGE_BYTES_MAX`](crate::PAGE_BYTES_MAX) at most; a larger row comes alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HistoryPage {
    /// The newest first.
    #[serde(deserialize_with = "bounded_vec::<_, _, HISTORY_ROWS_MAX>")]
    pub rows: Vec<EventRow>,
    /// Where to go on; `None` where there is nothing older.
    pub next: Option<HistoryCursor>,
}
