//! What a node promises, over the memory transport unless a test says otherwise.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod checkpoints;
mod durable;
mod forwards;
mod gate;
mod lifetimes;
mod mesh;
mod once;
mod power;
mod remote;
mod resolvers;
mod starting;
mod warnings;
mod watches;
