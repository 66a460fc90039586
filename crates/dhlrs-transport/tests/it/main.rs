//! Behaviour of the transport's own parts.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

mod backoff;
mod memory;
mod queue;
mod registry;
mod url;
