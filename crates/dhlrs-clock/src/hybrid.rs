//! The clock: stamps that rise and stay close to the wall clock.

use crate::{ClockError, STAMP_WALL_MS_MAX, Stamp, Time};

/// How far ahead of the wall clock a stamp may be made or learnt: one minute.
pub const DRIFT_MS_MAX: u64 = 60_000;

/// A hybrid logical clock: stamps that rise, stay close to the wall clock, and rise above every stamp observed.
///
/// Each call costs O(1) and allocates nothing. To stay monotone across restarts, keep [`HybridClock::last`] and
/// start again with [`HybridClock::resume`].
#[derive(Clone, Debug, Default)]
pub struct HybridClock {
    last: Stamp,
}

impl HybridClock {
    /// A clock that has made no stamp yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { last: Stamp::ZERO }
    }

    /// A clock whose next stamp lies above `last`.
    #[must_use]
    pub const fn resume(last: Stamp) -> Self {
        Self { last }
    }

    /// The greatest stamp made or observed.
    #[must_use]
    pub const fn last(&self) -> Stamp {
        self.last
    }

    /// A new stamp, above all made or observed before.
    ///
    /// # Errors
    ///
    /// [`Ahead`](crate::ClockErrorKind::Ahead) when that would lie more than [`DRIFT_MS_MAX`] ahead of `now`:
    /// the wall clock was set back. The clock is unchanged; [`ClockError::until_ms`] says when to try again.
    pub fn now(&mut self, now: Time) -> Result<Stamp, ClockError> {
        let from_wall = Stamp::new(now.wall_ms.min(STAMP_WALL_MS_MAX), 0).unwrap_or_default();
        let stamp = if from_wall > self.last {
            from_wall
        } else {
            self.last.next().ok_or(ClockError::ahead(self.last, now))?
        };
        if is_ahead(stamp, now) {
            return Err(ClockError::ahead(stamp, now));
        }
        self.last = stamp;
        Ok(stamp)
    }

    /// Takes note of another clock's stamp: the next own one lies above it.
    ///
    /// # Errors
    ///
    /// [`FromTheFuture`](crate::ClockErrorKind::FromTheFuture) when it lies more than [`DRIFT_MS_MAX`] ahead of
    /// `now`. The clock is unchanged, so that one wrong clock moves nobody else's.
    pub fn observe(&mut self, stamp: Stamp, now: Time) -> Result<(), ClockError> {
        if is_ahead(stamp, now) {
            return Err(ClockError::from_the_future(stamp, now));
        }
        self.last = self.last.max(stamp);
        Ok(())
    }

    /// Takes note of a stamp that is part of the store already: logged before a restart, or reduced.
    ///
    /// It may lie in the future, because the wall clock was set back since. Then [`HybridClock::now`] refuses until the
    /// wall clock has come near, and nothing that is stored lies above a stamp made later.
    pub fn raise(&mut self, stamp: Stamp) {
        self.last = self.last.max(stamp);
    }
}

fn is_ahead(stamp: Stamp, now: Time) -> bool {
    stamp.wall_ms() > now.wall_ms.saturating_add(DRIFT_MS_MAX)
}
