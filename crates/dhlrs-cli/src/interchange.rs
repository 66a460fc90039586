//! Files to import: tables as rows, and rows cut into batches. JSON and XML are formats of `dhlrs-bag`.

mod batch;
mod csv;

pub use batch::{BATCH_BYTES_MAX, Batch, Batcher};
pub use csv::{CSV_ROW_BYTES_MAX, CsvImport};
