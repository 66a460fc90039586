//! Both clocks of the process.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use dhlrs_clock::Time;
use tokio::time::Instant;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    start: Instant,
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self {
            start: Instant::now(),
        }
    }

    pub(crate) fn now(self) -> Time {
        let wall = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Time {
            wall_ms: ms(wall),
            monotonic_ms: ms(self.start.elapsed()),
        }
    }

    pub(crate) fn at(self, monotonic_ms: u64) -> Instant {
        // A deadline that no clock can express is never.
        let wait = Duration::from_millis(monotonic_ms.min(FAR_MS));
        self.start + wait
    }
}

/// A hundred years.
const FAR_MS: u64 = 100 * 366 * 24 * 60 * 60 * 1_000;

pub(crate) fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
