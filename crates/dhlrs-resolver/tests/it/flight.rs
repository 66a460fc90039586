//! One call for all who wait, and when it ends.

use dhlrs_resolver::ResolverOptions;

use crate::world::{World, goes};

fn cached() -> ResolverOptions {
    ResolverOptions {
        cache_time_ms: -1,
        timeout_ms: 1000,
        ..ResolverOptions::default()
    }
}

#[test]
fn a_thousand_readers_make_one_call() {
    let mut world = World::new(&cached());
    assert_eq!(world.step("read 0"), "start 1, pending");
    for reader in 1..1000 {
        assert_eq!(world.step(&format!("read {reader}")), "pending");
    }
    assert_eq!(
        (world.resolvers.flights(), world.resolvers.readers()),
        (1, 1000)
    );
    let answers: Vec<_> = (0..1000)
        .map(|reader| format!("answer {reader} a"))
        .collect();
    assert_eq!(
        world.step("ok 1 a"),
        format!("{}, store a", answers.join(", "))
    );
    assert_eq!(
        (world.resolvers.flights(), world.resolvers.readers()),
        (0, 0)
    );
}

#[test]
fn nodes_have_flights_of_their_own() {
    goes(
        &mut World::new(&cached()),
        &[
            ("read 1", "start 1, pending"),
            ("node 7", ""),
            ("read 1", "start 2, pending"),
            ("ok 2 b", "answer 1 b, store b"),
            ("ok 1 a", "answer 1 a, store a of 0"),
        ],
    );
}

#[test]
fn a_flight_ends_at_its_timeout_whoever_waits() {
    goes(
        &mut World::new(&cached()),
        &[
            ("read 1", "start 1, pending"),
            ("+999", ""),
            ("read 2", "pending"),
            (
                "+1",
                "cancel 1, answer 1 Timeout, answer 2 Timeout, failed Timeout",
            ),
            ("ok 1 late", ""),
            ("read 3", "start 2, pending"),
        ],
    );
}

#[test]
fn a_result_at_the_timeout_is_late() {
    let mut world = World::new(&cached());
    goes(&mut world, &[("read 1", "start 1, pending"), ("+400", "")]);
    assert_eq!(world.resolvers.next_wake(), Some(1000));
    goes(
        &mut world,
        &[
            ("+599", ""),
            ("read 2 by 1", "pending"),
            (
                "+1",
                "cancel 1, answer 1 Timeout, answer 2 Timeout, failed Timeout",
            ),
        ],
    );
    assert_eq!(world.resolvers.next_wake(), None);
}

#[test]
fn a_reader_is_answered_at_its_deadline_and_the_rest_wait_on() {
    goes(
        &mut World::new(&cached()),
        &[
            ("read 1 by 100", "start 1, pending"),
            ("read 2", "pending"),
            ("+100", "answer 1 Timeout"),
            ("ok 1 a", "answer 2 a, store a"),
            ("invalidate", "unstore"),
            ("read 3 by 0", "ready Timeout"),
        ],
    );
}

#[test]
fn a_flight_ends_with_its_last_reader() {
    goes(
        &mut World::new(&cached()),
        &[
            ("read 1", "start 1, pending"),
            ("read 2", "pending"),
            ("gone 1", ""),
            ("gone 2", "cancel 1"),
            ("ok 1 late", ""),
            ("read 3 by 10", "start 2, pending"),
            ("+10", "answer 3 Timeout, cancel 2"),
            ("ok 2 late", ""),
            ("read 4", "start 3, pending"),
            ("ok 3 a", "answer 4 a, store a"),
        ],
    );
}

#[test]
fn asking_again_moves_the_deadline_and_waits_once() {
    goes(
        &mut World::new(&cached()),
        &[
            ("read 1 by 100", "start 1, pending"),
            ("read 1 by 500", "pending"),
            ("+100", ""),
            ("ok 1 a", "answer 1 a, store a"),
        ],
    );
}

#[test]
fn a_result_from_before_an_invalidate_answers_those_who_asked_before_it() {
    goes(
        &mut World::new(&cached()),
        &[
            ("read 1", "start 1, pending"),
            ("invalidate", ""),
            ("read 2", "start 2, pending"),
            ("ok 1 old", "answer 1 old"),
            ("ok 2 new", "answer 2 new, store new"),
            ("read 3", "ready new"),
            ("invalidate", "unstore"),
            ("read 4", "start 3, pending"),
            ("invalidate", ""),
            ("read 5", "start 4, pending"),
            // The other way round: the old one comes last and changes nothing.
            ("ok 4 newest", "answer 5 newest, store newest"),
            ("ok 3 older", "answer 4 older"),
            ("read 6", "ready newest"),
        ],
    );
}

#[test]
fn an_invalidate_ends_a_flight_that_only_the_cache_wanted() {
    goes(
        &mut World::new(&cached()),
        &[
            ("revalidate", "start 1"),
            ("invalidate", "cancel 1"),
            ("revalidate", "start 2"),
            ("read 1", "pending"),
            ("invalidate", ""),
            ("gone 1", "cancel 2"),
        ],
    );
}

#[test]
fn who_waits_for_a_forgotten_node_is_told() {
    let mut world = World::new(&cached());
    goes(
        &mut world,
        &[
            ("read 1", "start 1, pending"),
            ("read 2", "pending"),
            ("forget", "cancel 1, answer 1 Gone, answer 2 Gone"),
            ("ok 1 late", ""),
            ("read 3", "start 2, pending"),
            ("ok 2 a", "answer 3 a, store a"),
            ("forget", "unstore"),
        ],
    );
    assert_eq!(world.resolvers.cached_bytes(), 0);
}
