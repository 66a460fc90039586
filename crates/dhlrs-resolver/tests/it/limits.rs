//! What is refused when too much is asked.

use dhlrs_resolver::{Limits, ResolverOptions};

use crate::world::{World, goes};

fn limited(limits: Limits) -> World {
    let options = ResolverOptions {
        cache_time_ms: -1,
        ..ResolverOptions::default()
    };
    World::limited(&options, limits)
}

#[test]
fn readers_of_a_node_are_limited_and_may_ask_again() {
    goes(
        &mut limited(Limits {
            readers_per_node_max: 2,
            ..Limits::default()
        }),
        &[
            ("read 1", "start 1, pending"),
            ("read 2", "pending"),
            ("read 3", "ready Overloaded"),
            ("read 2 by 500", "pending"),
            ("read 3 with x=1", "ready Overloaded"),
            ("node 1", ""),
            ("read 3", "start 2, pending"),
        ],
    );
}

#[test]
fn readers_of_the_store_are_limited() {
    goes(
        &mut limited(Limits {
            readers_max: 2,
            ..Limits::default()
        }),
        &[
            ("read 1", "start 1, pending"),
            ("node 1", ""),
            ("read 1", "start 2, pending"),
            ("read 2", "ready Overloaded"),
            ("ok 2 a", "answer 1 a, store a"),
            ("invalidate", "unstore"),
            ("read 2", "start 3, pending"),
        ],
    );
}

#[test]
fn flights_are_limited_in_the_store_and_for_one_node() {
    let mut world = limited(Limits {
        flights_max: 2,
        ..Limits::default()
    });
    goes(
        &mut world,
        &[
            ("read 1", "start 1, pending"),
            ("node 1", ""),
            ("read 1", "start 2, pending"),
            ("node 2", ""),
            ("read 1", "ready Overloaded"),
            ("revalidate", "failed Overloaded"),
            ("node 1", ""),
            ("gone 1", "cancel 1, cancel 2"),
            ("node 2", ""),
            ("read 1", "start 3, pending"),
        ],
    );
    goes(
        &mut limited(Limits {
            flights_per_node_max: 2,
            ..Limits::default()
        }),
        &[
            ("read 1", "start 1, pending"),
            ("invalidate", ""),
            ("read 2", "start 2, pending"),
            ("invalidate", ""),
            ("read 3", "ready Overloaded"),
            ("ok 1 a", "answer 1 a"),
            ("read 3", "start 3, pending"),
        ],
    );
}

#[test]
fn a_result_that_is_too_large_is_an_error_for_all_who_wait() {
    goes(
        &mut limited(Limits {
            result_bytes_max: 8,
            ..Limits::default()
        }),
        &[
            ("read 1", "start 1, pending"),
            ("ok 1 123456789", "answer 1 TooLarge, failed TooLarge"),
            ("read 1", "start 2, pending"),
            ("ok 2 1234", "answer 1 1234, store 1234"),
        ],
    );
}

#[test]
fn nothing_is_left_of_a_refused_read() {
    let mut world = limited(Limits {
        flights_max: 0,
        ..Limits::default()
    });
    goes(
        &mut world,
        &[
            ("read 1", "ready Overloaded"),
            ("read 2 by 0", "ready Timeout"),
        ],
    );
    assert_eq!(
        (world.resolvers.cached_bytes(), world.resolvers.next_wake()),
        (0, None)
    );
}
