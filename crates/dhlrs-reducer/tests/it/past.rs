//! What the stored events say of the past: drafts, logs, former states, and when what is held comes in.

use std::collections::BTreeMap;

use dhlrs_clock::{DRIFT_MS_MAX, Stamp};
use dhlrs_feed::{Event, EventId, HomePath, Payload, TreeOp};
use dhlrs_reducer::{Logged, Reducer, Verdict};

use crate::history::{Random, Sim};
use crate::naive::{self, Stored};
use crate::scene::{Scene, scalar};

fn history(seed: u64, is_rooted: bool) -> Sim {
    let mut sim = Sim::new(seed, is_rooted, |reducer| reducer);
    (0..60).for_each(|_| sim.step());
    sim
}

#[test]
fn what_is_held_comes_in_at_the_moment_that_is_told() {
    let mut scene = Scene::without_root(1);
    scene.set(0, "a", 1);
    let before = scene.replicas[0].reducer.frontier();
    assert_eq!(scene.replicas[0].reducer.held_until_ms(), None);
    let ahead = Stamp::new(scene.now_ms + DRIFT_MS_MAX + 5_000, 7).unwrap();
    let write = Payload::Tree(scalar(&scene.at(0, "a"), 2.into()));
    scene.replicas[0].write(vec![write], Some(ahead), scene.now_ms);
    let reducer = &mut scene.replicas[0].reducer;
    let until = reducer.held_until_ms().unwrap();
    assert_eq!(until, ahead.wall_ms() - DRIFT_MS_MAX);
    reducer.reduce([], [], until - 1);
    assert_eq!(reducer.frontier(), before);
    assert_eq!(reducer.held_until_ms(), Some(until));
    reducer.reduce([], [], until);
    assert_ne!(reducer.frontier(), before);
    assert_eq!(reducer.held_until_ms(), None);
}

#[test]
fn nothing_more_comes_in_before_that_moment() {
    let mut held = 0;
    for seed in 0..60 {
        let sim = history(seed, seed % 2 == 0);
        for replica in &sim.replicas {
            let Some(until) = replica.reducer.held_until_ms() else {
                continue;
            };
            held += 1;
            let mut reducer = replica.reducer.clone();
            reducer.reduce([], [], until - 1);
            assert_eq!(reducer.frontier(), replica.reducer.frontier());
            reducer.reduce([], [], until);
            assert!(reducer.held_until_ms().is_none_or(|next| next > until));
        }
    }
    assert!(held > 3, "{held}");
}

#[test]
fn events_of_a_feed_say_what_became_of_them() {
    let mut seen = BTreeMap::new();
    for seed in 0..60 {
        let sim = history(seed, seed % 2 == 0);
        for replica in &sim.replicas {
            for (feed, chain) in &replica.chains {
                let stored: Vec<_> = replica.reducer.events_of(feed, 2).collect();
                let ids: Vec<EventId> = stored.iter().map(|stored| stored.id).collect();
                let expected: Vec<EventId> = (chain.iter().skip(2)).map(|(_, id)| *id).collect();
                // What a Mark has settled is gone.
                assert!(expected.ends_with(&ids));
                for stored in stored {
                    *seen.entry(stored.verdict).or_insert(0) += 1;
                    let dot = stored.event.dot;
                    match stored.verdict {
                        Verdict::Counts => assert_eq!(replica.reducer.is_void(&dot), Some(false)),
                        Verdict::Void => assert_ne!(replica.reducer.is_void(&dot), Some(false)),
                        Verdict::Waits => assert_eq!(replica.reducer.is_void(&dot), None),
                    }
                }
            }
        }
    }
    assert_eq!(seen.len(), 3, "{seen:?}");
}

#[test]
fn what_a_close_takes_away_is_void() {
    let mut scene = Scene::without_root(1);
    (1..=4).for_each(|value| scene.set(0, "a", value));
    let reducer = &mut scene.replicas[0].reducer;
    let feed = reducer.frontier().into_keys().next().unwrap();
    reducer.close(feed, 4, scene.now_ms);
    let verdicts: Vec<_> = reducer
        .events_of(&feed, 2)
        .map(|stored| (stored.event.dot.seq, stored.verdict))
        .collect();
    let (counts, void) = (Verdict::Counts, Verdict::Void);
    assert_eq!(
        verdicts,
        [
            (3, counts),
            (4, counts),
            (5, void),
            (6, void),
            (7, void),
            (8, void)
        ]
    );
}

fn names(event: &Event, node: &HomePath) -> bool {
    let begins = |at: &HomePath| at.steps().starts_with(&node.steps());
    match &event.payload {
        Payload::Tree(op @ TreeOp::Move { parent, .. }) => begins(op.node()) || begins(parent),
        Payload::Tree(op) => begins(op.node()),
        _ => false,
    }
}

#[test]
fn a_log_has_what_concerns_a_bag_node_newest_first() {
    for seed in 0..40 {
        let sim = history(seed, seed % 2 == 0);
        let mut random = Random(seed);
        for replica in &sim.replicas {
            let reducer = &replica.reducer;
            let mut all: Vec<Logged> = Vec::new();
            let label = crate::scene::label(["a", "b", "c"][random.below(3)]);
            let node = match random.one_in(4) {
                true => HomePath::root(),
                false => reducer.resolve(&HomePath::root(), &label).unwrap(),
            };
            for feed in replica.chains.keys() {
                let counting = reducer
                    .events_of(feed, 0)
                    .filter(|stored| stored.verdict == Verdict::Counts);
                let concerned = counting.filter(|stored| names(stored.event, &node));
                all.extend(concerned.map(|stored| Logged::of(stored.event)));
            }
            all.sort_unstable_by(|a, b| b.cmp(a));
            let mut read = Vec::new();
            loop {
                let page = reducer.log_of(&node, read.last().copied()).take(3);
                let before = read.len();
                read.extend(page.map(|stored| Logged::of(stored.event)));
                if read.len() == before {
                    break;
                }
            }
            assert_eq!(read, all, "seed {seed}, {node:?}");
        }
    }
}

#[test]
fn a_former_state_is_what_the_fold_makes_of_the_events_up_to_there() {
    let (mut former, mut gone) = (0, 0);
    for seed in 0..60 {
        let sim = history(seed, seed % 2 == 0);
        let mut random = Random(seed);
        for replica in &sim.replicas {
            let events: Vec<&Event> = (replica.chains.values().flatten())
                .map(|(event, _)| event)
                .collect();
            if events.is_empty() {
                continue;
            }
            let stamp = events[random.below(events.len())].stamp;
            let is_settled = |at: &Reducer| at.greatest_stamp() <= stamp;
            let Some(past) = replica.reducer.at(stamp) else {
                gone += 1;
                assert!(replica.is_rooted);
                continue;
            };
            former += 1;
            assert!(is_settled(&past));
            let frontier = past.frontier();
            let mut chains = replica.chains.clone();
            for (feed, chain) in &mut chains {
                let upto = frontier.get(feed).map_or(0, |end| end.seq);
                let next = (replica.reducer.events_of(feed, upto).next())
                    .filter(|stored| stored.verdict == Verdict::Counts);
                let is_later = |stored: dhlrs_reducer::Stored<'_>| {
                    // A transaction is read as a whole.
                    let last = upto as usize + usize::from(stored.event.following);
                    chain[last].0.stamp > stamp
                };
                assert!(next.is_none_or(is_later), "{feed} could go on");
                chain.truncate(upto as usize);
            }
            let records = replica.records[..replica.reducer.control_number() as usize].to_vec();
            let outcome = naive::reduce(&Stored {
                is_rooted: replica.is_rooted,
                chains,
                records,
                now_ms: u64::MAX >> 20,
                released: Default::default(),
            });
            // Marks above it do not count.
            if !replica.is_rooted {
                assert_eq!(naive::shown_by(&past), outcome.shows, "seed {seed}");
            }
            let mut all = replica.reducer.clone();
            let now = all.at(all.greatest_stamp()).unwrap();
            assert_eq!(now.clone().state_hash(), all.state_hash());
        }
    }
    assert!(former > 60 && gone > 10, "{former} {gone}");
}
