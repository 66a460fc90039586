//! Random histories of faults: `DHLRS_SIM_SEEDS=A..B` picks other seeds than the default ones.

use std::sync::atomic::{AtomicU64, Ordering};

use dhlrs_sim::storm;

fn seeds() -> std::ops::Range<u64> {
    let asked = std::env::var("DHLRS_SIM_SEEDS").ok();
    let range = asked.as_deref().and_then(|text| {
        let (from, to) = text.split_once("..")?;
        Some(from.parse().ok()?..to.parse().ok()?)
    });
    range.unwrap_or(0..300)
}

#[test]
fn every_storm_ends_well() {
    let seeds = seeds();
    let acknowledged = AtomicU64::new(0);
    let next = AtomicU64::new(seeds.start);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        return;
                    }
                    match storm::run(seed, false) {
                        Ok(report) => {
                            acknowledged.fetch_add(report.acknowledged, Ordering::Relaxed);
                        }
                        Err(failure) => panic!("{failure}"),
                    }
                }
            });
        }
    });
    assert!(
        acknowledged.into_inner() > 0,
        "storms that nothing comes through prove nothing"
    );
}
