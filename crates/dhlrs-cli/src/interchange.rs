//! Trees as files: plain and typed JSON, and CSV, to rows of a branch and back.
//!
//! Readers pull from a stream, never recurse, and say with a JSON pointer or a line where something is wrong.

mod batch;
mod csv;
mod error;
mod export_plain;
mod export_typed;
mod import_plain;
mod import_typed;
mod json;
mod pending;
mod value;

pub use batch::{BATCH_BYTES_MAX, Batch, Batcher};
pub use csv::{CSV_ROW_BYTES_MAX, CsvImport};
pub use error::{ImportError, ImportErrorKind};
pub use export_plain::{Losses, PlainExport};
pub use export_typed::TypedExport;
pub use import_plain::PlainImport;
pub use import_typed::TypedImport;
pub use json::{JSON_DEPTH_MAX, JsonReader, STRING_BYTES_MAX, Token};
pub use pending::{Item, PENDING_ROWS_MAX};
pub use value::{attributes_to_json, number, value_to_json};
pub(crate) use value::{bytes, text_to_json};
