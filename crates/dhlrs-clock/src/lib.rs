//! Time as a value, the hybrid logical clock that stamps changes, and what is known of whom.
//!
//! ```
//! use dhlrs_clock::{HybridClock, Time};
//!
//! let now = Time { wall_ms: 1_700_000_000_000, monotonic_ms: 0 };
//! let mut clock = HybridClock::new();
//! let first = clock.now(now)?;
//! let second = clock.now(now)?;
//! assert!(second > first, "two stamps of one clock differ, even in one millisecond");
//! # Ok::<(), dhlrs_clock::ClockError>(())
//! ```
//!
//! A [`Present`] says what time it is where clocks may be wrong: what others show mends the own one, or warns.
//!
//! A [`Dot`] names one event of a feed, a [`VersionVector`] a set of events without holes: what somebody has seen.
//! Both leave open what names a feed.
//!
//! Nothing here reads a clock: whoever drives the logic reads it once and passes a [`Time`] in.

mod dot;
mod error;
mod hybrid;
mod present;
mod stamp;
mod time;
mod version_vector;

pub use dot::Dot;
pub use error::{ClockError, ClockErrorKind, ParseStampError};
pub use hybrid::{DRIFT_MS_MAX, HybridClock};
pub use present::{CLOCK_READINGS_MAX, CLOCK_READINGS_MIN, ClockWarning, Present, SavedClock};
pub use stamp::{STAMP_WALL_MS_MAX, Stamp};
pub use time::Time;
pub use version_vector::{VERSION_VECTOR_FEEDS_MAX, VersionVector};
