//! Who hears of what, in which order, and what comes of it.
#![expect(
    clippy::unwrap_used,
    reason = "a helper that fails is a test that fails"
)]

mod answers;
mod calls;
mod dispatch;
mod kinds;
mod model;
mod order;
mod patterns;
mod places;
mod told;
mod transactions;
mod trees;
mod window;
