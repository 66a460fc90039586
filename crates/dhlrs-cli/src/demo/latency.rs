//! How long things took.

use tokio::time::Duration;

/// Many durations of one kind.
#[derive(Debug, Default)]
pub(super) struct Latency {
    micros: Vec<u64>,
}

impl Latency {
    pub(super) fn add(&mut self, took: Duration) {
        self.micros
            .push(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    }

    pub(super) fn count(&self) -> usize {
        self.micros.len()
    }

    /// The smallest that at least `percent` of a hundred stay within, in milliseconds.
    pub(super) fn percentile_ms(&self, percent: usize) -> f64 {
        let mut sorted = self.micros.clone();
        sorted.sort_unstable();
        let rank = (sorted.len() * percent).div_ceil(100);
        let micros = sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0);
        micros as f64 / 1_000.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_the_smallest_that_enough_stay_within() {
        let mut latency = Latency::default();
        for ms in (1..=200).rev() {
            latency.add(Duration::from_millis(ms));
        }
        assert_eq!(latency.percentile_ms(50), 100.0);
        assert_eq!(latency.percentile_ms(99), 198.0);
        assert_eq!(latency.percentile_ms(100), 200.0);
    }

    #[test]
    fn has_an_answer_for_one_and_for_none() {
        let mut latency = Latency::default();
        assert_eq!(latency.percentile_ms(99), 0.0);
        latency.add(Duration::from_millis(7));
        assert_eq!(
            (latency.percentile_ms(1), latency.percentile_ms(99)),
            (7.0, 7.0)
        );
    }
}
