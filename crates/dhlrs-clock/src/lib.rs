//! Time as a value, and the hybrid logical clock that stamps changes.
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
//! Nothing here reads a clock: whoever drives the logic reads it once and passes a [`Time`] in.

mod error;
mod hybrid;
mod stamp;
mod time;

pub use error::{ClockError, ClockErrorKind, ParseStampError};
pub use hybrid::{DRIFT_MS_MAX, HybridClock};
pub use stamp::{STAMP_WALL_MS_MAX, Stamp};
pub use time::Time;
