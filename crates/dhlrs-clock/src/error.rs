//! Why a clock refused, and what is no stamp.

use core::fmt;

use crate::{DRIFT_MS_MAX, Stamp, Time};

/// Why a clock refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClockErrorKind {
    /// The own clock would run too far ahead of the wall clock. Wait, or mend the wall clock.
    Ahead,
    /// Somebody else's stamp is too far ahead of the wall clock.
    FromTheFuture,
}

/// A stamp would lie too far ahead of the wall clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockError {
    kind: ClockErrorKind,
    stamp: Stamp,
    now_ms: u64,
}

impl ClockError {
    pub(crate) const fn ahead(stamp: Stamp, now: Time) -> Self {
        Self {
            kind: ClockErrorKind::Ahead,
            stamp,
            now_ms: now.wall_ms,
        }
    }

    pub(crate) const fn from_the_future(stamp: Stamp, now: Time) -> Self {
        Self {
            kind: ClockErrorKind::FromTheFuture,
            stamp,
            now_ms: now.wall_ms,
        }
    }

    /// What can be done about it.
    #[must_use]
    pub const fn kind(&self) -> ClockErrorKind {
        self.kind
    }

    /// The wall reading, in milliseconds, from which on the stamp is acceptable.
    #[must_use]
    pub const fn until_ms(&self) -> u64 {
        self.stamp.wall_ms().saturating_sub(DRIFT_MS_MAX)
    }
}

impl fmt::Display for ClockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            ClockErrorKind::Ahead => "own clock too far ahead of the wall clock",
            ClockErrorKind::FromTheFuture => "stamp from the future",
        };
        let ahead_ms = self.stamp.wall_ms().saturating_sub(self.now_ms);
        write!(f, "{what}: {ahead_ms} ms ahead, limit {DRIFT_MS_MAX} ms")
    }
}

impl core::error::Error for ClockError {}

/// The text is no stamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseStampError;

impl fmt::Display for ParseStampError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a stamp: expected WALL_MS.COUNTER, such as 1700000000000.0")
    }
}

impl core::error::Error for ParseStampError {}
