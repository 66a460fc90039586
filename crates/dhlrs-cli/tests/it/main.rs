//! What the parts of the program do; the commands themselves are tested as processes.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod batches;
mod csv;
mod json;
mod literals;
mod plain;
mod targets;
mod typed;
