//! The transport in memory that drops what a slow receiver does not take, and says so.

use dhlrs_transport::MemoryOptions;
use dhlrs_transport_testkit::Pair;

fn pair() -> Pair {
    super::memory::pair_with(MemoryOptions {
        lossy: true,
        ..MemoryOptions::default()
    })
}

dhlrs_transport_testkit::conformance!(pair);
