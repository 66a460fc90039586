//! How long to wait between two attempts to connect.

use std::time::Duration;

use crate::TransportErrorKind;

/// The first delay between two attempts, in milliseconds, unless chosen otherwise.
pub const RETRY_DELAY_MS_MIN: u64 = 100;

/// The longest delay between two attempts, in milliseconds, unless chosen otherwise.
pub const RETRY_DELAY_MS_MAX: u64 = 30_000;

/// How long to wait before the next attempt to connect: doubling, capped, jittered, and never
/// giving up.
///
/// It waits for nobody and reads no clock: the loop that reconnects asks it for a delay after each
/// failure, and [resets](Self::reset) it when the connection has proven useful, not when it opens:
/// a peer that accepts and hangs up at once would otherwise be called in a tight loop.
///
/// ```
/// use dhlrs_transport::{Backoff, TransportErrorKind};
///
/// let mut backoff = Backoff::new(7);
/// let first = backoff.after(TransportErrorKind::Unavailable);
/// assert!((50..=100).contains(&first.as_millis()));
/// // What only a person can mend is not tried in a hurry.
/// assert!(backoff.after(TransportErrorKind::Denied).as_secs() >= 15);
/// ```
#[derive(Clone, Debug)]
pub struct Backoff {
    delay_ms_min: u64,
    delay_ms_max: u64,
    failures: u32,
    random: u64,
}

impl Backoff {
    /// A back-off whose jitter follows from `seed` alone.
    pub fn new(seed: u64) -> Self {
        Self::between(RETRY_DELAY_MS_MIN, RETRY_DELAY_MS_MAX, seed)
    }

    /// A back-off that starts at `delay_ms_min` (at least 1) and stays within `delay_ms_max`.
    pub fn between(delay_ms_min: u64, delay_ms_max: u64, seed: u64) -> Self {
        let delay_ms_min = delay_ms_min.max(1);
        Self {
            delay_ms_min,
            delay_ms_max: delay_ms_max.max(delay_ms_min),
            failures: 0,
            random: seed,
        }
    }

    /// How long to wait after a failure of `kind`: between half of the full delay and all of it.
    /// A failure that [may pass](TransportErrorKind::is_transient) doubles the full delay up to
    /// the cap, any other takes the cap at once.
    pub fn after(&mut self, kind: TransportErrorKind) -> Duration {
        let full = if kind.is_transient() {
            let doubled = 1_u64.checked_shl(self.failures).unwrap_or(u64::MAX);
            self.delay_ms_min
                .saturating_mul(doubled)
                .min(self.delay_ms_max)
        } else {
            self.delay_ms_max
        };
        self.failures = self.failures.saturating_add(1);
        let half = full / 2;
        let jitter = self.next_random() % (full - half + 1);
        Duration::from_millis(half + jitter)
    }

    /// Starts again at the first delay.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// Failures since the start or the last reset.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    // SplitMix64: one word of state, and every seed is a good one.
    fn next_random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.random;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }
}
