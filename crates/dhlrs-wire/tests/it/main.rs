//! What travels between processes, one module per behaviour.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod hostile;
mod limits;
mod refusals;
mod revisions;
mod round_trips;
mod samples;
