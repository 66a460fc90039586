//! Warnings that a peer can cause, so often and no oftener.

use tokio::time::{Duration, Instant};
use tracing::warn;

/// Warnings of one period that are logged one by one.
const WARNINGS_MAX: u32 = 32;
const PERIOD_MS: u64 = 10_000;

#[derive(Debug)]
pub(crate) struct Warnings {
    since: Instant,
    logged: u32,
    left_out: u64,
}

impl Warnings {
    pub(crate) fn new() -> Self {
        Self {
            since: Instant::now(),
            logged: 0,
            left_out: 0,
        }
    }

    pub(crate) fn warn(&mut self, text: &str) {
        if self.since.elapsed() >= Duration::from_millis(PERIOD_MS) {
            if self.left_out > 0 {
                warn!(count = self.left_out, "more warnings were left out");
            }
            *self = Self::new();
        }
        if self.logged < WARNINGS_MAX {
            self.logged += 1;
            warn!("{text}");
        } else {
            self.left_out += 1;
        }
    }
}
