//! One reading of the clocks of a process, as a value.

/// One reading of both clocks of a process.
///
/// The wall clock dates things and may jump; the monotonic one measures how long something took and starts
/// anywhere. Deadlines and delays use `monotonic_ms` only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub wall_ms: u64,
    /// Milliseconds since some moment of this process; never falls.
    pub monotonic_ms: u64,
}

impl Time {
    /// The same moment, `delay_ms` later on both clocks. Saturates.
    #[must_use]
    pub const fn plus_ms(self, delay_ms: u64) -> Self {
        Self {
            wall_ms: self.wall_ms.saturating_add(delay_ms),
            monotonic_ms: self.monotonic_ms.saturating_add(delay_ms),
        }
    }

    /// How long ago `earlier` was, by the monotonic clock; 0 if it lies ahead.
    #[must_use]
    pub const fn since_ms(self, earlier: Self) -> u64 {
        self.monotonic_ms.saturating_sub(earlier.monotonic_ms)
    }

    /// Whether the monotonic clock has reached that of `deadline`.
    #[must_use]
    pub const fn has_reached(self, deadline: Self) -> bool {
        self.monotonic_ms >= deadline.monotonic_ms
    }
}
