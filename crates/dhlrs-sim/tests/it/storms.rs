//! Random histories of faults: `DHLRS_SIM_SEEDS=A..B` picks other seeds than the default ones.

use dhlrs_sim::storm;

fn seeds() -> std::ops::Range<u64> {
    let asked = std::env::var("DHLRS_SIM_SEEDS").ok();
    let range = asked.as_deref().and_then(|text| {
        let (from, to) = text.split_once("..")?;
        Some(from.parse().ok()?..to.parse().ok()?)
    });
    range.unwrap_or(0..25)
}

#[test]
fn every_storm_ends_well() {
    let mut acknowledged = 0;
    for seed in seeds() {
        match storm::run(seed, false) {
            Ok(report) => acknowledged += report.acknowledged,
            Err(failure) => panic!("{failure}"),
        }
    }
    assert!(
        acknowledged > 0,
        "storms that nothing comes through prove nothing"
    );
}
