//! The suite judges the transports in memory, and catches one that breaks its promises.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod broken;
mod lossy;
mod memory;
