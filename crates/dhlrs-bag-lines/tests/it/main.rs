//! What the line protocol answers.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod differences;
mod documents;
mod fuzzed;
mod hostile;
#[path = "../operations/mod.rs"]
mod operations;
mod session;
