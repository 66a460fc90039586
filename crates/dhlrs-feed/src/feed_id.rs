//! The name of a feed: whose it is, and which life of its author it belongs to.

use core::fmt;

use dhlrs_clock::Stamp;
use dhlrs_identity::PublicKey;
use serde::{Deserialize, Serialize};

/// One chain of events of one author.
///
/// Ordered by author, then epoch, as the total order of events wants it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FeedId {
    /// Whose it is.
    pub author: PublicKey,
    /// Which of the author's feeds.
    pub epoch: Epoch,
}

impl FeedId {
    /// The feed of this author and epoch.
    #[must_use]
    pub const fn new(author: PublicKey, epoch: Epoch) -> Self {
        Self { author, epoch }
    }
}

impl fmt::Display for FeedId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let &[a, b, c, d, ..] = self.author.as_bytes();
        write!(f, "{a:02x}{b:02x}{c:02x}{d:02x}@{}", self.epoch)
    }
}

/// Tells apart the feeds of one author, of which at most one is open.
///
/// In a store with a root it is the number of the control record that opened the feed; in one without, the stamp at
/// which the feed began, and random bits that two restored copies of one author will not share.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Epoch {
    number: u64,
    random: u64,
}

impl Epoch {
    /// The epoch that the control record `number` opened.
    #[must_use]
    pub const fn numbered(number: u64) -> Self {
        Self { number, random: 0 }
    }

    /// An epoch of a store without a root.
    #[must_use]
    pub const fn stamped(opening: Stamp, random: u64) -> Self {
        let number = opening.wall_ms() << 16 | opening.counter() as u64;
        Self { number, random }
    }

    /// The epoch of these parts.
    #[must_use]
    pub const fn from_parts(number: u64, random: u64) -> Self {
        Self { number, random }
    }

    /// The random bits; 0 in a store with a root.
    #[must_use]
    pub const fn random(self) -> u64 {
        self.random
    }

    /// The number of the record that opened it; without a root, the packed stamp.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.number
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.random {
            0 => write!(f, "{}", self.number),
            random => write!(f, "{}-{random:016x}", self.number),
        }
    }
}
