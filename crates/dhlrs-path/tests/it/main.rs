//! What paths, patterns and addresses promise.

#![expect(
    clippy::unwrap_used,
    reason = "a helper that fails is a test that fails"
)]

mod addresses;
mod fuzzed;
mod limits;
mod paths;
mod patterns;
mod properties;
mod refusals;
