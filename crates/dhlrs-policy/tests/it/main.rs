//! The policies keep the laws, and the laws catch those that do not.

mod broken;
mod last_writer;
mod siblings;

use dhlrs_clock::{Dot, Stamp, VersionVector};
use dhlrs_policy::{Effect, Merge, Meta};

/// A write of `text` as the event `seq` of a feed, at a wall time, by an author who had seen some others.
fn write<P: Merge<u64, Op = String>>(
    policy: &P,
    state: &mut P::State,
    (feed, seq): (u64, u64),
    wall_ms: u64,
    seen: &[(u64, u64)],
) -> Effect {
    let past: VersionVector<u64> = seen
        .iter()
        .map(|(feed, seq)| Dot::new(*feed, *seq))
        .collect();
    let meta = Meta {
        dot: Dot::new(feed, seq),
        stamp: Stamp::new(wall_ms, 0).unwrap_or_default(),
        past: &past,
    };
    policy.apply(state, &format!("{feed}/{seq}"), &meta)
}
