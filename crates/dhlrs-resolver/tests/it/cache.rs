//! How long a result is the answer.

use dhlrs_resolver::{Limits, ResolverOptions};

use crate::world::{World, goes};

fn cached(cache_time_ms: i64) -> ResolverOptions {
    ResolverOptions {
        cache_time_ms,
        ..ResolverOptions::default()
    }
}

#[test]
fn without_a_cache_time_every_read_calls() {
    goes(
        &mut World::new(&cached(0)),
        &[
            ("read 1", "start 1, pending"),
            ("ok 1 a", "answer 1 a, store a"),
            ("read 2", "start 2, pending"),
            ("ok 2 b", "answer 2 b, store b"),
        ],
    );
}

#[test]
fn a_result_is_fresh_for_the_cache_time_and_no_longer() {
    goes(
        &mut World::new(&cached(1000)),
        &[
            ("+5", ""),
            ("read 1", "start 1, pending"),
            ("+500", ""),
            ("ok 1 a", "answer 1 a, store a"),
            ("+999", ""),
            ("read 2", "ready a"),
            ("+1", ""),
            ("read 3", "start 2, pending"),
            ("ok 2 b", "answer 3 b, store b"),
            ("read 4", "ready b"),
        ],
    );
}

#[test]
fn below_zero_a_result_stays_until_it_is_reset() {
    goes(
        &mut World::new(&cached(-1)),
        &[
            ("read 1", "start 1, pending"),
            ("ok 1 a", "answer 1 a, store a"),
            ("+9999999999", ""),
            ("read 2", "ready a"),
            ("invalidate", "unstore"),
            ("read 3", "start 2, pending"),
        ],
    );
}

#[test]
fn read_only_is_cached_but_never_stored() {
    let options = ResolverOptions {
        read_only: true,
        ..cached(1000)
    };
    goes(
        &mut World::new(&options),
        &[
            ("read 1", "start 1, pending"),
            ("ok 1 a", "answer 1 a"),
            ("read 2", "ready a"),
            ("invalidate", ""),
            ("read 3", "start 2, pending"),
        ],
    );
}

#[test]
fn stale_is_served_while_one_flight_fetches_the_next() {
    let options = ResolverOptions {
        stale_while_revalidate_ms: 100,
        ..cached(1000)
    };
    goes(
        &mut World::new(&options),
        &[
            ("read 1", "start 1, pending"),
            ("ok 1 a", "answer 1 a, store a"),
            ("+1050", ""),
            ("read 2", "start 2, ready a"),
            ("read 3", "ready a"),
            // It has no reader, and does not end for the lack of one.
            ("gone 3", ""),
            ("ok 2 b", "store b"),
            ("read 4", "ready b"),
            // Past the window a read waits.
            ("+1100", ""),
            ("read 5", "start 3, pending"),
        ],
    );
}

#[test]
fn stale_is_served_when_the_next_one_fails() {
    let options = ResolverOptions {
        stale_while_revalidate_ms: 1000,
        negative_cache_ms: 300,
        ..cached(1000)
    };
    goes(
        &mut World::new(&options),
        &[
            ("read 1", "start 1, pending"),
            ("ok 1 a", "answer 1 a, store a"),
            ("+1000", ""),
            ("read 2", "start 2, ready a"),
            ("fail 2", "failed Failed"),
            ("read 3", "ready a"),
            ("+300", ""),
            ("read 4", "start 3, ready a"),
        ],
    );
}

#[test]
fn an_error_is_kept_only_as_long_as_asked() {
    let options = ResolverOptions {
        negative_cache_ms: 100,
        ..cached(1000)
    };
    goes(
        &mut World::new(&options),
        &[
            ("read 1", "start 1, pending"),
            ("fail 1", "answer 1 Failed, failed Failed"),
            ("+99", ""),
            ("read 2", "ready Failed"),
            ("+1", ""),
            ("read 3", "start 2, pending"),
            ("fail 2", "answer 3 Failed, failed Failed"),
            ("invalidate", ""),
            ("read 4", "start 3, pending"),
            ("ok 3 a", "answer 4 a, store a"),
        ],
    );
    goes(
        &mut World::new(&cached(1000)),
        &[
            ("read 1", "start 1, pending"),
            ("fail 1", "answer 1 Failed, failed Failed"),
            ("read 2", "start 2, pending"),
        ],
    );
}

#[test]
fn a_refresh_comes_due_after_the_first_read_and_goes_on() {
    let options = ResolverOptions {
        refresh_interval_ms: 500,
        ..cached(-1)
    };
    let mut world = World::new(&options);
    goes(
        &mut world,
        &[
            ("+2000", ""),
            ("read 1", "start 1, pending"),
            ("ok 1 a", "answer 1 a, store a"),
            ("+499", ""),
            ("+1", "due"),
            ("revalidate", "start 2"),
            ("read 2", "ready a"),
            ("revalidate", ""),
            ("ok 2 b", "store b"),
            ("read 3", "ready b"),
            ("+500", "due"),
            ("revalidate", "start 3"),
            ("fail 3", "failed Failed"),
            ("read 4", "ready b"),
            ("+500", "due"),
        ],
    );
    assert_eq!(world.resolvers.next_wake(), None);
}

#[test]
fn a_forgotten_node_is_refreshed_no_more() {
    let options = ResolverOptions {
        refresh_interval_ms: 500,
        ..cached(-1)
    };
    let mut world = World::new(&options);
    goes(
        &mut world,
        &[
            ("read 1", "start 1, pending"),
            ("ok 1 a", "answer 1 a, store a"),
            ("invalidate", "unstore"),
            ("+500", "due"),
            ("revalidate", "start 2"),
            ("ok 2 b", "store b"),
            ("forget", "unstore"),
            ("+500", ""),
        ],
    );
    assert_eq!(
        (world.resolvers.cached_bytes(), world.resolvers.next_wake()),
        (0, None)
    );
}

#[test]
fn a_full_cache_drops_what_was_not_used_for_longest() {
    // Three entries fit, with what a node costs besides its content.
    let limits = Limits {
        cached_bytes_max: 900,
        ..Limits::default()
    };
    let mut world = World::limited(&cached(-1), limits);
    goes(
        &mut world,
        &[
            ("node 1", ""),
            ("read 1", "start 1, pending"),
            ("ok 1 a", "answer 1 a, store a"),
            ("node 2", ""),
            ("read 1", "start 2, pending"),
            ("ok 2 b", "answer 1 b, store b"),
            ("node 3", ""),
            ("read 1", "start 3, pending"),
            ("ok 3 c", "answer 1 c, store c"),
            ("node 1", ""),
            ("read 1", "ready a"),
            ("node 4", ""),
            ("read 1", "start 4, pending"),
            ("ok 4 d", "answer 1 d, store d, unstore of 2"),
            ("node 2", ""),
            ("read 1", "start 5, pending"),
            ("node 1", ""),
            ("read 1", "ready a"),
        ],
    );
    assert!(
        world.resolvers.cached_bytes() <= 900,
        "{}",
        world.resolvers.cached_bytes()
    );
}

#[test]
fn what_no_read_will_ask_for_is_not_kept() {
    let options = ResolverOptions {
        read_only: true,
        refresh_interval_ms: 500,
        ..cached(0)
    };
    let mut world = World::new(&options);
    goes(
        &mut world,
        &[("read 1", "start 1, pending"), ("ok 1 a", "answer 1 a")],
    );
    assert!(world.resolvers.cached_bytes() > 0, "the refresh is to come");
    goes(&mut world, &[("+500", "due")]);
    assert_eq!(world.resolvers.cached_bytes(), 0);

    let mut world = World::new(&ResolverOptions {
        read_only: true,
        ..cached(0)
    });
    goes(
        &mut world,
        &[("read 1", "start 1, pending"), ("ok 1 a", "answer 1 a")],
    );
    assert_eq!(world.resolvers.cached_bytes(), 0);
}

#[test]
fn a_result_counts_with_its_size() {
    let value = "x".repeat(5000);
    for cache_time_ms in [0, -1] {
        let mut world = World::new(&cached(cache_time_ms));
        world.step("read 1");
        world.step(&format!("ok 1 {value}"));
        // With no cache time too: the tree holds it because of us.
        assert!((5000..6000).contains(&world.resolvers.cached_bytes()));
    }
}
