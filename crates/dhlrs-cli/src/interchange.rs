//! Rows to import, cut into batches. What they are read from are formats of `dhlrs-bag`.

mod batch;

pub use batch::{BATCH_BYTES_MAX, Batch, Batcher};
