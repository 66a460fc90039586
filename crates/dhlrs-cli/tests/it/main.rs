//! What the parts of the program do; the commands themselves are tested as processes.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod batches;
mod bindings;
mod changes;
mod command_line;
mod config;
mod csv;
mod failures;
mod identity;
mod json;
mod literals;
mod plain;
mod rows;
mod status;
mod targets;
mod typed;
