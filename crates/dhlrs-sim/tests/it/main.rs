//! Clusters from one seed, and what must hold in them.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod bound_watches;
mod determinism;
mod durability;
mod forwards;
mod hostile;
mod replicas;
mod routes;
mod storms;
mod watches;
mod world;
