//! Events and their parts, as those who make and read them see them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod authors;
mod events;
mod exchanges;
mod feed_sets;
mod forks;
mod fuzzed;
mod home_paths;
mod hostile_peers;
mod network;
mod order_keys;
mod runs;
mod runs_golden;
mod storms;
