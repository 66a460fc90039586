//! What a read gets, when a resolver is called, and what is kept.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failed set-up fails the test"
)]

mod binding;
mod cache;
mod error;
mod flight;
mod limits;
mod missing;
mod model;
mod parameters;
mod property;
mod registry;
mod retry;
mod template;
mod world;
