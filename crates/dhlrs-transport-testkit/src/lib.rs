//! The suite that every transport passes, one line for each.
//!
//! ```
//! use std::sync::Arc;
//!
//! use dhlrs_transport::MemoryBus;
//! use dhlrs_transport_testkit::{Pair, conformance};
//!
//! fn pair() -> Pair {
//!     let bus = MemoryBus::new();
//!     let (near, far) = (bus.endpoint("near").unwrap(), bus.endpoint("far").unwrap());
//!     Pair { near: Arc::new(near), far: Arc::new(far), url: "memory://far".parse().unwrap() }
//! }
//!
//! // In a test file: makes one `#[test]` for each case.
//! conformance!(pair);
//! ```
//!
//! [`conformance!`] holds for every point-to-point transport, [`conformance_tcp!`] for one that
//! listens at a TCP port, [`conformance_tls!`] for one that does so over TLS.
//!
//! A case that asks for something the channel's capability does not declare is skipped, and says
//! so. A transport that promises nothing would therefore pass: pin the capability in a test beside
//! this one.
//!
//! No case asserts on how long anything takes; one that hangs fails after [`HANG_MS`].
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "this is test code, and a skipped case must be seen"
)]

#[doc(hidden)]
pub mod cases;
mod frames;
mod macros;
mod pair;
mod run;
mod tls;

pub use pair::Pair;
pub use run::{HANG_MS, MESSAGES_VARIABLE};
#[doc(hidden)]
pub use run::{run, run_tls};
pub use tls::TlsMaterial;
