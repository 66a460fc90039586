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
        if self.warnings.takes_one() {
            warn!("{text}");
        }
    }

    pub(crate) fn info(&mut self, text: &str) {
        if self.news.takes_one() {
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

    fn takes_one(&mut self) -> bool {
        if self.since.elapsed() >= Duration::from_millis(PERIOD_MS) {
            if self.left_out > 0 {
                warn!(
                    lines = self.left_out,
                    "more like the last ones were left out"
                );
            }
            *self = Self::new();
        }
        let takes = self.logged < LINES_MAX;
        if takes {
            self.logged += 1;
        } else {
            self.left_out += 1;
        }
        takes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_flood_is_cut_and_the_next_period_begins_anew() {
        let mut room = Room::new();
        let taken = (0..100).filter(|_| room.takes_one()).count();
        assert_eq!((taken, room.left_out), (32, 68));
        tokio::time::advance(Duration::from_millis(PERIOD_MS)).await;
        assert!(room.takes_one());
        assert_eq!(room.left_out, 0);
    }
}
