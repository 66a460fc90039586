//! What the program prints, from what a node answers.

mod change;
mod rows;
mod status;

pub(crate) use change::word;
pub use change::{change_json, change_line, lagged_json, lagged_line};
pub use rows::{NodeView, TreeDrawing, list_line, query_value, row_json};
pub use status::{status_json, status_text};
