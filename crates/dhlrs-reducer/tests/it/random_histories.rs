//! Random histories: every replica shows what the naive fold shows, and compaction is invisible.
//!
//! `DHLRS_HISTORIES=from..to` runs other seeds than the usual ones; a failure names its seed.

use std::collections::BTreeMap;

use dhlrs_bag::Bag;
use dhlrs_reducer::Reducer;

use crate::history::{Random, Replica, Sim};
use crate::{images, naive};

const STEPS: usize = 90;
const HISTORIES: u64 = 60;
/// Of either kind; together 10,000.
const HISTORIES_OF_MANY: u64 = 5_000;

fn seeds() -> std::ops::Range<u64> {
    #[expect(
        clippy::disallowed_methods,
        reason = "more seeds are asked for from outside"
    )]
    let Ok(text) = std::env::var("DHLRS_HISTORIES") else {
        return 0..HISTORIES;
    };
    let (from, to) = text.split_once("..").unwrap();
    from.parse().unwrap()..to.parse().unwrap()
}

#[track_caller]
pub(crate) fn agrees_with_the_fold(replica: &mut Replica, now_ms: u64, what: &str) {
    // What was held until now comes in.
    replica.receive(&[], &[], now_ms);
    let outcome = naive::reduce(&replica.stored(now_ms));
    for (reducer, which) in [
        (&replica.reducer, "compacting"),
        (&replica.twin, "retaining all"),
    ] {
        let reduced: BTreeMap<_, _> = reducer
            .frontier()
            .into_iter()
            .map(|(feed, end)| (feed, end.seq))
            .collect();
        assert_eq!(
            reduced, outcome.reduced,
            "{what}, {which}: what was reduced"
        );
        assert_eq!(reducer.control_number(), outcome.control, "{what}, {which}");
        assert_eq!(naive::shown_by(reducer), outcome.shows, "{what}, {which}");
    }
    let shows = outcome.shows.as_held();
    assert_eq!(naive::held_by(&replica.bag), shows, "{what}: the bag");
    let mut fresh = Bag::new();
    (replica.reducer).show(&replica.reducer.whole_view(), &mut fresh, 1);
    assert_eq!(naive::held_by(&fresh), shows, "{what}: a bag from scratch");
    assert_eq!(
        replica.reducer.state_hash(),
        replica.twin.state_hash(),
        "{what}: hashes of what was compacted and what was not"
    );
    if let Some(again) = &mut replica.again {
        images::are_equal(&mut replica.reducer, again, what);
    }
}

pub(crate) fn run(seed: u64, is_rooted: bool, plant: fn(Reducer) -> Reducer) {
    let mut sim = Sim::new(seed, is_rooted, plant);
    let mut checkpoints: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
    for step in 0..STEPS {
        sim.step();
        if step % 23 == 0 {
            sim.restart(step / 23 % sim.replicas.len());
        }
        if step % 7 == 0 {
            let n = step / 7 % sim.replicas.len();
            let what = format!("seed {seed}, step {step}, replica {n}");
            let now_ms = sim.now_ms;
            agrees_with_the_fold(&mut sim.replicas[n], now_ms, &what);
        }
    }
    sim.come_to_rest();
    for (n, replica) in sim.replicas.iter_mut().enumerate() {
        let what = format!("seed {seed}, at rest, replica {n}");
        agrees_with_the_fold(replica, sim.now_ms, &what);
    }
    let mut first = sim.replicas[0].reducer.clone();
    for (n, replica) in sim.replicas.iter_mut().enumerate() {
        let what = format!("seed {seed}, at rest, replica {n}");
        if is_rooted {
            assert_eq!(replica.reducer.frontier(), first.frontier(), "{what}");
            assert_eq!(replica.reducer.state_hash(), first.state_hash(), "{what}");
            let checkpoint = replica.reducer.checkpoint().unwrap();
            let number = replica.reducer.control_number();
            let known = checkpoints
                .entry(number)
                .or_insert_with(|| checkpoint.clone());
            assert_eq!(*known, checkpoint, "{what}: checkpoints");
        }
        in_any_order(seed ^ n as u64, replica, plant, sim.now_ms);
    }
}

/// The same events and records in another order, other batches, some of them twice.
pub(crate) fn in_any_order(
    seed: u64,
    replica: &Replica,
    plant: fn(Reducer) -> Reducer,
    now_ms: u64,
) {
    let mut random = Random(seed);
    let mut again = match replica.is_rooted {
        true => plant(Reducer::with_root()),
        false => plant(Reducer::without_root()),
    };
    let mut events: Vec<_> = replica.chains.values().flatten().cloned().collect();
    events.extend(events.clone().into_iter().step_by(5));
    random.shuffle(&mut events);
    let mut records: Vec<_> = (1..).zip(replica.records.iter().cloned()).collect();
    random.shuffle(&mut records);
    while !events.is_empty() || !records.is_empty() {
        let some_events = events.split_off(events.len() - random.below(events.len() + 1));
        let some_records = records.split_off(records.len() - random.below(records.len() + 1));
        again.reduce(some_events, some_records, replica.now(now_ms));
    }
    assert_eq!(
        again.state_hash(),
        replica.reducer.clone().state_hash(),
        "seed {seed}: in another order"
    );
    assert_eq!(naive::shown_by(&again), naive::shown_by(&replica.reducer));
    assert_eq!(
        again.checkpoint().unwrap(),
        replica.reducer.checkpoint().unwrap()
    );
}

#[test]
fn of_stores_without_a_root() {
    seeds().for_each(|seed| run(seed, false, |reducer| reducer));
}

#[test]
fn of_stores_with_a_root() {
    seeds().for_each(|seed| run(seed, true, |reducer| reducer));
}

#[test]
#[ignore = "takes minutes without optimisation; `cargo xtask test --only histories` runs it"]
fn many_of_stores_without_a_root() {
    (HISTORIES..HISTORIES + HISTORIES_OF_MANY).for_each(|seed| run(seed, false, |reducer| reducer));
}

#[test]
#[ignore = "takes minutes without optimisation; `cargo xtask test --only histories` runs it"]
fn many_of_stores_with_a_root() {
    (HISTORIES..HISTORIES + HISTORIES_OF_MANY).for_each(|seed| run(seed, true, |reducer| reducer));
}
