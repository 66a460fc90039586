//! Behaviour of the WebSocket transport.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod hostile;
mod limits;
mod options;
mod promises;
mod suite_plain;
mod suite_tls;
mod wrong_address;
