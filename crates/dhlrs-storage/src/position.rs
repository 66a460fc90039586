//! How far a log has come.

use std::fmt;

/// How far a log has come: the number of its last batch, counted from 1; 0 is before the first.
///
/// A number that was cut off by [`Log::reopen`](crate::Log::reopen) is given again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogPosition(pub(crate) u64);

impl LogPosition {
    /// Before the first batch.
    pub const START: Self = Self(0);

    /// The position after this many batches.
    pub const fn new(batches: u64) -> Self {
        Self(batches)
    }

    /// How many batches lie at or before this position.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for LogPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
