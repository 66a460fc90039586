//! Random histories of faults over replicas, each judged by a fold that knows nothing of replicas:
//! `DHLRS_MESH_SEEDS=A..B` picks other seeds than the default ones.

use std::sync::atomic::{AtomicU64, Ordering};

use dhlrs_clock::VersionVector;
use dhlrs_feed::{ControlRecord, FeedEnd};
use dhlrs_reducer::Reducer;
use dhlrs_sim::mesh::{self, History};

use crate::naive;

/// Events that are folded, at most.
const FOLD_EVENTS_MAX: usize = 150;
/// Later than any stamp.
const LATE_MS: u64 = 1 << 47;

fn seeds() -> std::ops::Range<u64> {
    let asked = std::env::var("DHLRS_MESH_SEEDS").ok();
    let range = asked.as_deref().and_then(|text| {
        let (from, to) = text.split_once("..")?;
        Some(from.parse().ok()?..to.parse().ok()?)
    });
    range.unwrap_or(0..24)
}

/// What all replicas show is what comes of sorting all events and folding them.
fn agrees_with_the_fold(seed: u64, history: &History) {
    let mut reducer = Reducer::without_root();
    let mut records = Vec::new();
    for (feed, seq) in &history.closed {
        reducer.close(*feed, *seq, LATE_MS);
        let last = history.feeds.get(feed).and_then(|events| events.last());
        let end = last.map(|(event, id)| FeedEnd {
            seq: event.dot.seq,
            id: *id,
        });
        records.push(ControlRecord::Close {
            feed: *feed,
            end,
            fork: None,
        });
    }
    reducer.reduce(history.feeds.values().flatten().cloned(), [], LATE_MS);
    let hash = reducer.state_hash();
    assert_eq!(
        *hash.as_bytes(),
        history.hash,
        "seed {seed}: the state hash"
    );
    // The fold takes time in proportion to the square of the events.
    if history.feeds.values().map(Vec::len).sum::<usize>() > FOLD_EVENTS_MAX {
        return;
    }
    let outcome = naive::reduce(&naive::Stored {
        is_rooted: false,
        chains: history.feeds.clone(),
        records,
        now_ms: LATE_MS,
        released: VersionVector::default(),
    });
    let shows = naive::shown_by(&reducer);
    assert_eq!(shows, outcome.shows, "seed {seed}: the fold");
}

#[test]
fn every_mesh_storm_ends_well() {
    let seeds = seeds();
    let acknowledged = AtomicU64::new(0);
    let next = AtomicU64::new(seeds.start);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        return;
                    }
                    match mesh::run(seed, false) {
                        Ok(report) => {
                            agrees_with_the_fold(seed, &report.history);
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

/// A proof of a fork came before the runs below the fork: the feed ended, for ever, where it stood just then.
#[test]
fn a_proof_that_comes_first_leaves_nothing_waiting() {
    mesh::run(16, false).unwrap();
}

/// A clock was mended in steps, and the feed that ended another one was itself ended below its first event.
#[test]
fn a_feed_that_ends_another_may_itself_be_left() {
    mesh::run(102, false).unwrap();
}

/// A clock stood still where its replica had reduced what another one wrote with a wrong clock: nobody was told
/// that a feed had ended.
#[test]
fn a_clock_that_stands_still_does_not_keep_an_end_for_itself() {
    mesh::run(5, false).unwrap();
}

#[test]
fn the_same_seed_gives_the_same_history() {
    for seed in [100, 101] {
        let (one, other) = (mesh::run(seed, false), mesh::run(seed, false));
        let (one, other) = (one.unwrap(), other.unwrap());
        assert_eq!(one.trace_hash, other.trace_hash);
        assert_eq!(one.history.hash, other.history.hash);
    }
    let hashes = [103, 104].map(|seed| mesh::run(seed, false).unwrap().trace_hash);
    assert_ne!(hashes[0], hashes[1]);
}
