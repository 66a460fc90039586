//! The transport in memory.

use std::sync::Arc;

use dhlrs_transport::{MemoryBus, MemoryOptions};
use dhlrs_transport_testkit::Pair;

pub(crate) fn pair_with(options: MemoryOptions) -> Pair {
    let bus = MemoryBus::with_options(options);
    let (near, far) = (bus.endpoint("near").unwrap(), bus.endpoint("far").unwrap());
    Pair {
        near: Arc::new(near),
        far: Arc::new(far),
        url: "memory://far".parse().unwrap(),
    }
}

fn pair() -> Pair {
    pair_with(MemoryOptions::default())
}

dhlrs_transport_testkit::conformance!(pair);
