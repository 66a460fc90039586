//! A moment of the clock: its parts, order, spelling and encoding.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::ParseStampError;

/// The greatest wall reading that a stamp holds: 48 bits of milliseconds, the year 10889.
pub const STAMP_WALL_MS_MAX: u64 = (1 << 48) - 1;

/// A moment of a hybrid logical clock: milliseconds, and a counter that tells apart what falls into one.
///
/// Ordered by wall, then counter. Prints as `WALL_MS.COUNTER`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp {
    // Invariant: the wall's 48 bits above the counter's 16, so that the order of numbers is the order of stamps.
    packed: u64,
}

impl Stamp {
    /// The stamp before all others.
    pub const ZERO: Self = Self { packed: 0 };

    /// A stamp of these parts; `None` if the wall is above [`STAMP_WALL_MS_MAX`].
    #[must_use]
    pub const fn new(wall_ms: u64, counter: u16) -> Option<Self> {
        if wall_ms > STAMP_WALL_MS_MAX {
            return None;
        }
        Some(Self {
            packed: wall_ms << 16 | counter as u64,
        })
    }

    /// Milliseconds since 1970-01-01T00:00:00Z; at most [`STAMP_WALL_MS_MAX`].
    #[must_use]
    pub const fn wall_ms(self) -> u64 {
        self.packed >> 16
    }

    /// The counter within the millisecond.
    #[must_use]
    pub const fn counter(self) -> u16 {
        (self.packed & 0xffff) as u16
    }

    /// The wall's 48 bits above the counter's 16: a number in the order of stamps.
    #[must_use]
    pub const fn to_bits(self) -> u64 {
        self.packed
    }

    /// The stamp of these bits; each 64 are one.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        Self { packed: bits }
    }

    /// The next greater stamp: an exhausted counter advances the wall. `None` at the end of time.
    #[must_use]
    pub const fn next(self) -> Option<Self> {
        match self.packed.checked_add(1) {
            Some(packed) => Some(Self { packed }),
            None => None,
        }
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.wall_ms(), self.counter())
    }
}

impl FromStr for Stamp {
    type Err = ParseStampError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (wall, counter) = text.split_once('.').ok_or(ParseStampError)?;
        let stamp = Self::new(
            digits(wall)?,
            u16::try_from(digits(counter)?).map_err(|_| ParseStampError)?,
        );
        stamp.ok_or(ParseStampError)
    }
}

fn digits(text: &str) -> Result<u64, ParseStampError> {
    // The standard parser takes "+3" and "03"; a stamp has one spelling only.
    let canonical = text == "0" || !text.starts_with(['0', '+']);
    if !canonical {
        return Err(ParseStampError);
    }
    text.parse().map_err(|_| ParseStampError)
}

impl Serialize for Stamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.wall_ms(), self.counter()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Stamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (wall_ms, counter) = Deserialize::deserialize(deserializer)?;
        Self::new(wall_ms, counter).ok_or_else(|| {
            serde::de::Error::custom(format_args!(
                "stamp wall above {STAMP_WALL_MS_MAX} ms: {wall_ms}"
            ))
        })
    }
}
