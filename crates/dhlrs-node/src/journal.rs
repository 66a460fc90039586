//! What a peer can cause to be logged: so often, and no oftener.

use tokio::time::{Duration, Instant};
use tracing::{info, warn};

/// Lines of one sort that are logged in one period.
const LINES_MAX: u32 = 32;
const PERIOD_MS: u64 = 10_000;

/// Who flickers does not keep a warning about another from being seen: each sort has its own room.
#[derive(Debug)]
pub(crate) struct Journal {
    warnings: Room,
    news: Room,
}

#[derive(Debug)]
struct Room {
    since: Instant,
    logged: u32,
    left_out: u64,
}

impl Journal {
    pub(crate) fn new() -> Self {
        Self {
            warnings: Room::new(),
            news: Room::new(),
        }
    }

    pub(crate) fn warn(&mut self, text: &str) {
        let (takes, left_out) = self.warnings.takes_one();
        if left_out > 0 {
            warn!(lines = left_out, "more warnings were left out");
        }
        if takes {
            warn!("{text}");
        }
    }

    pub(crate) fn info(&mut self, text: &str) {
        let (takes, left_out) = self.news.takes_one();
        if left_out > 0 {
            info!(lines = left_out, "more of these were left out");
        }
        if takes {
            info!("{text}");
        }
    }
}

impl Room {
    fn new() -> Self {
        Self {
            since: Instant::now(),
            logged: 0,
            left_out: 0,
        }
    }

    // Whether there is room for a line, and how many found none in a period that has just ended.
    fn takes_one(&mut self) -> (bool, u64) {
        let mut left_out = 0;
        if self.since.elapsed() >= Duration::from_millis(PERIOD_MS) {
            left_out = std::mem::replace(self, Self::new()).left_out;
        }
        let takes = self.logged < LINES_MAX;
        if takes {
            self.logged += 1;
        } else {
            self.left_out += 1;
        }
        (takes, left_out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_flood_is_cut_and_the_next_period_begins_anew() {
        let mut room = Room::new();
        let taken = (0..100).filter(|_| room.takes_one().0).count();
        assert_eq!((taken, room.left_out), (32, 68));
        tokio::time::advance(Duration::from_millis(PERIOD_MS)).await;
        assert_eq!(room.takes_one(), (true, 68));
        assert_eq!(room.takes_one(), (true, 0));
    }
}
