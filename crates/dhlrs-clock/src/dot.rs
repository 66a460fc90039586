//! The name of one event: which feed, and the how-many-eth.

use core::fmt;

use serde::{Deserialize, Serialize};

/// Names one event: the feed `F` that it stands in, and its number there, from 1.
///
/// Ordered by feed, then number. Prints as `FEED/SEQ`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Dot<F> {
    /// The feed.
    pub feed: F,
    /// The number in the feed; the first is 1.
    pub seq: u64,
}

impl<F> Dot<F> {
    /// The event `seq` of `feed`.
    #[must_use]
    pub const fn new(feed: F, seq: u64) -> Self {
        Self { feed, seq }
    }
}

impl<F: fmt::Display> fmt::Display for Dot<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.feed, self.seq)
    }
}
