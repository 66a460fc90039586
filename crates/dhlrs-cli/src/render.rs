//! What the program prints, from what a node answers.

mod change;
mod mesh;
mod record;
mod rows;
mod status;

pub(crate) use change::word;
pub use change::{change_json, change_line, lagged_json, lagged_line};
pub use mesh::{
    applied_json, applied_text, draft_json, draft_line, event_json, event_line, feeds_json,
    feeds_text,
};
pub use record::{record_json, record_text};
pub(crate) use rows::chosen;
pub use rows::{NodeView, TreeDrawing, list_line, match_json, query_value, row_json};
pub(crate) use status::counted;
pub use status::{status_json, status_text};
