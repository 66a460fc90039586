//! What a store takes for the present, when its own wall clock may be wrong.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{DRIFT_MS_MAX, HybridClock, Stamp, Time};

/// Of how many others a [`Present`] keeps a reading.
pub const CLOCK_READINGS_MAX: usize = 1_024;

/// How many clocks, the own one included, a [`Present`] asks for before it believes the one in the middle.
pub const CLOCK_READINGS_MIN: usize = 3;

/// The present of one store: the own wall clock, mended by what others show.
///
/// It is the greatest of the own wall clock, the wall of the newest control record, and the median of what three or more
/// clocks show, the own one included. So a device whose clock died catches up with its peers, and one wrong clock moves
/// nobody. What others gave advances with the monotonic clock and never falls. In a store without a root the clocks of
/// others move nothing: they only warn.
///
/// `K` names whose clock it is. O(readings) a call, at most [`CLOCK_READINGS_MAX`].
#[derive(Clone, Debug)]
pub struct Present<K> {
    is_rooted: bool,
    /// How far each clock is ahead of the monotonic one; the freshest reading is the greatest.
    readings: BTreeMap<K, i64>,
    /// What others gave, as far ahead of the monotonic clock.
    given: Option<i64>,
}

/// What a [`Present`] and a [`HybridClock`] are after a restart.
///
/// A stamp is on disk in the event that bears it, before that event is acknowledged or sent. So a checkpoint keeps this,
/// and [`HybridClock::raise`] is given the stamps of the events that the log has above it; a stamp that is in neither was
/// never seen by anybody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedClock {
    /// The greatest stamp made or reduced.
    pub last: Stamp,
    /// What others gave to the present, in milliseconds; 0 if nothing.
    pub given_ms: u64,
}

/// The own wall clock is far from what others show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockWarning {
    /// How far the clock in the middle is ahead of the own one, in milliseconds; negative if it is behind.
    pub ahead_ms: i64,
}

impl<K: Ord> Present<K> {
    /// The present of a store that nobody has said anything about yet.
    #[must_use]
    pub const fn new(is_rooted: bool) -> Self {
        Self {
            is_rooted,
            readings: BTreeMap::new(),
            given: None,
        }
    }

    /// The present after a restart.
    #[must_use]
    pub fn resume(is_rooted: bool, saved: SavedClock, now: Time) -> Self {
        let mut present = Self::new(is_rooted);
        if is_rooted && saved.given_ms > 0 {
            present.given = Some(ahead(saved.given_ms, now));
        }
        present
    }

    /// Takes in the wall of a control record, of which the root has made it.
    pub fn show_control(&mut self, wall_ms: u64, now: Time) {
        if self.is_rooted {
            self.given = self.given.max(Some(ahead(wall_ms, now)));
        }
    }

    /// Takes in what somebody's clock showed: an admitted author's, signed in a run or said on a link of its own.
    ///
    /// A reading that comes late only counts if no later one is known. One more than [`CLOCK_READINGS_MAX`] is left out.
    pub fn show(&mut self, of: K, wall_ms: u64, now: Time) {
        let reading = ahead(wall_ms, now);
        if let Some(known) = self.readings.get_mut(&of) {
            *known = reading.max(*known);
        } else if self.readings.len() < CLOCK_READINGS_MAX {
            self.readings.insert(of, reading);
        }
        if self.is_rooted {
            self.given = self.given.max(self.median(now));
        }
    }

    /// The present, in milliseconds since 1970.
    #[must_use]
    pub fn now_ms(&self, now: Time) -> u64 {
        self.given_ms(now).max(now.wall_ms)
    }

    /// The same moment as a [`Time`], for [`HybridClock::now`] and the reducer.
    #[must_use]
    pub fn time(&self, now: Time) -> Time {
        Time {
            wall_ms: self.now_ms(now),
            ..now
        }
    }

    /// What others gave to it, to be kept across restarts; 0 if nothing.
    #[must_use]
    pub fn given_ms(&self, now: Time) -> u64 {
        self.given.map_or(0, |given| wall(given, now))
    }

    /// What a checkpoint keeps of both clocks.
    #[must_use]
    pub fn save(&self, clock: &HybridClock, now: Time) -> SavedClock {
        SavedClock {
            last: clock.last(),
            given_ms: self.given_ms(now),
        }
    }

    /// Whether the own wall clock is farther than [`DRIFT_MS_MAX`] from the one in the middle of three or more.
    #[must_use]
    pub fn warning(&self, now: Time) -> Option<ClockWarning> {
        let median = self.median(now)?;
        let ahead_ms = median.saturating_sub(ahead(now.wall_ms, now));
        (ahead_ms.unsigned_abs() > DRIFT_MS_MAX).then_some(ClockWarning { ahead_ms })
    }

    /// The lower one of two in the middle: a clock that is ahead needs a majority.
    fn median(&self, now: Time) -> Option<i64> {
        let own = ahead(now.wall_ms, now);
        let mut readings: Vec<_> = self.readings.values().copied().chain([own]).collect();
        if readings.len() < CLOCK_READINGS_MIN {
            return None;
        }
        readings.sort_unstable();
        readings.get((readings.len() - 1) / 2).copied()
    }
}

fn ahead(wall_ms: u64, now: Time) -> i64 {
    let signed = |ms: u64| i64::try_from(ms).unwrap_or(i64::MAX);
    signed(wall_ms).saturating_sub(signed(now.monotonic_ms))
}

fn wall(ahead: i64, now: Time) -> u64 {
    let monotonic = i64::try_from(now.monotonic_ms).unwrap_or(i64::MAX);
    u64::try_from(monotonic.saturating_add(ahead)).unwrap_or(0)
}
