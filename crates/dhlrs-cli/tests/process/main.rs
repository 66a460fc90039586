//! The program as a process among others: what it does to the system, and what others do to it.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on fails"
)]
#![cfg(target_os = "linux")]

mod hostile;
mod served;
mod syncs;
