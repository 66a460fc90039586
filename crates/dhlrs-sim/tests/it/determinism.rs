//! One seed, one history.

use dhlrs_sim::storm;

#[test]
fn the_same_seed_gives_the_same_history() {
    for seed in [1, 2, 3] {
        let hash = || storm::run(seed, false).unwrap().trace_hash;
        assert_eq!(hash(), hash());
    }
}

#[test]
fn other_seeds_give_other_histories() {
    let hashes: std::collections::BTreeSet<_> = (10..20)
        .map(|seed| storm::run(seed, false).unwrap().trace_hash)
        .collect();
    assert_eq!(hashes.len(), 10);
}
