//! Running one case.

use std::future::Future;
use std::time::Duration;

use dhlrs_transport::Channel;

use crate::{Pair, TlsMaterial};

/// A case that takes longer than this hangs, and fails. In milliseconds.
pub const HANG_MS: u64 = 60_000;

/// The environment variable that says how many messages the cases of volume send: 1000000 for a
/// night, 100000 if it is not set.
pub const MESSAGES_VARIABLE: &str = "DHLRS_CONFORMANCE_MESSAGES";

const MESSAGES: u64 = 100_000;

/// Runs a case of [`conformance!`](crate::conformance).
pub fn run<F: Future<Output = ()>>(name: &str, case: fn(Pair) -> F, pair: fn() -> Pair) {
    block_on(name, async { case(pair()).await });
}

/// Runs a case of [`conformance_tls!`](crate::conformance_tls).
pub fn run_tls<F: Future<Output = ()>>(
    name: &str,
    case: fn(fn(&TlsMaterial) -> Pair) -> F,
    pair: fn(&TlsMaterial) -> Pair,
) {
    block_on(name, case(pair));
}

fn block_on(name: &str, case: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let guarded = async { tokio::time::timeout(Duration::from_millis(HANG_MS), case).await };
    if runtime.block_on(guarded).is_err() {
        panic!("{name} hangs");
    }
}

pub(crate) fn messages() -> u64 {
    match std::env::var(MESSAGES_VARIABLE) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("{MESSAGES_VARIABLE}={text}: a number")),
        Err(_) => MESSAGES,
    }
}

/// Whether the case goes on: the channel must be reliable and ordered for it.
pub(crate) fn is_lossless(case: &str, channel: &dyn Channel) -> bool {
    let capability = channel.capability();
    let missing = match (capability.reliable, capability.ordered) {
        (true, true) => return true,
        (false, _) => "reliable",
        (true, false) => "ordered",
    };
    eprintln!("skipped: {case}: the channel does not declare `{missing}`");
    false
}
