//! What becomes of writes that did not know of each other, and the laws that any answer must keep.
//!
//! ```
//! use dhlrs_clock::{Dot, Stamp, VersionVector};
//! use dhlrs_policy::{LastWriterWins, Merge, Meta, Reading, Siblings};
//!
//! let stamp = |wall_ms| Stamp::new(wall_ms, 0).unwrap_or_default();
//! let nothing = VersionVector::new();
//! let ann = Meta { dot: Dot::new("ann", 1), stamp: stamp(1_000), past: &nothing };
//! let bob = Meta { dot: Dot::new("bob", 1), stamp: stamp(1_001), past: &nothing };
//!
//! // Neither knew of the other. One policy lets the later one win, whichever comes first …
//! let last = LastWriterWins::new();
//! let mut state = Default::default();
//! last.apply(&mut state, &"late", &bob);
//! last.apply(&mut state, &"early", &ann);
//! assert_eq!(last.read(&state), Reading::One(&"late"));
//!
//! // … the other keeps both, until somebody who has seen both writes.
//! let siblings = Siblings::new();
//! let mut state = Default::default();
//! siblings.apply(&mut state, &"late", &bob);
//! siblings.apply(&mut state, &"early", &ann);
//! assert_eq!(siblings.read(&state), Reading::Siblings(vec![&"early", &"late"]));
//! let seen = [Dot::new("ann", 1), Dot::new("bob", 1)].into_iter().collect();
//! let cleo = Meta { dot: Dot::new("cleo", 1), stamp: stamp(1_002), past: &seen };
//! siblings.apply(&mut state, &"agreed", &cleo);
//! assert_eq!(siblings.read(&state), Reading::One(&"agreed"));
//! ```
//!
//! A policy of your own is an implementation of [`Merge`]; [`merge_laws!`] writes the tests that it must pass: the same
//! bytes in any causal order, in any grouping, with anything twice, and with compaction wherever it may happen.
//!
//! No IO, no clock, no random source. Who delivers writes in causal order, and decides what of them counts, is not told
//! here.

pub mod laws;

mod last_writer;
mod merge;
mod siblings;

pub use last_writer::{LastWrite, LastWriterWins};
pub use merge::{Canonical, Effect, Merge, Meta, Reading};
pub use siblings::{Siblings, Writes};
