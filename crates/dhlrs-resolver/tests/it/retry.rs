//! Calls that are made again after a failure.

use dhlrs_resolver::{ResolverOptions, Retry};

use crate::world::{World, goes};

fn retried(attempts: u32) -> ResolverOptions {
    ResolverOptions {
        cache_time_ms: -1,
        timeout_ms: 1000,
        retry: Retry {
            attempts,
            backoff_first_ms: 100,
            backoff_max_ms: 300,
        },
        ..ResolverOptions::default()
    }
}

#[test]
fn a_failed_call_is_made_again_with_growing_pauses() {
    goes(
        &mut World::new(&retried(4)),
        &[
            ("read 1", "start 1, pending"),
            ("fail 1", ""),
            ("+99", ""),
            ("read 2", "pending"),
            ("+1", "start 1"),
            ("fail 1", ""),
            ("+199", ""),
            ("+1", "start 1"),
            ("fail 1", ""),
            ("+299", ""),
            ("+1", "start 1"),
            ("fail 1", "answer 1 Failed, answer 2 Failed, failed Failed"),
        ],
    );
}

#[test]
fn the_pause_doubles_up_to_its_limit() {
    let retry = Retry {
        attempts: 64,
        backoff_first_ms: 100,
        backoff_max_ms: 1000,
    };
    let pauses: Vec<_> = [1, 2, 3, 4, 5, 64, u32::MAX]
        .map(|n| retry.backoff_ms(n))
        .into();
    assert_eq!(pauses, [100, 200, 400, 800, 1000, 1000, 1000]);
}

#[test]
fn a_retry_that_succeeds_answers_all() {
    goes(
        &mut World::new(&retried(2)),
        &[
            ("read 1", "start 1, pending"),
            ("fail 1", ""),
            ("+100", "start 1"),
            ("ok 1 a", "answer 1 a, store a"),
        ],
    );
}

#[test]
fn a_final_error_is_not_tried_again() {
    goes(
        &mut World::new(&retried(4)),
        &[
            ("read 1", "start 1, pending"),
            ("fail 1 final", "answer 1 Denied, failed Denied"),
        ],
    );
}

#[test]
fn nothing_is_tried_again_past_the_timeout_of_the_flight() {
    goes(
        &mut World::new(&retried(4)),
        &[
            ("read 1", "start 1, pending"),
            ("+900", ""),
            ("fail 1", "answer 1 Failed, failed Failed"),
            // After a long sleep the retry is not made either, and there is no call to cancel.
            ("read 2", "start 2, pending"),
            ("fail 2", ""),
            ("+5000", "answer 2 Timeout, failed Timeout"),
        ],
    );
}

#[test]
fn a_result_between_two_calls_is_ignored() {
    goes(
        &mut World::new(&retried(2)),
        &[
            ("read 1", "start 1, pending"),
            ("fail 1", ""),
            ("ok 1 late", ""),
            ("fail 1", ""),
            ("+100", "start 1"),
            ("ok 1 a", "answer 1 a, store a"),
        ],
    );
}

#[test]
fn between_two_calls_there_is_nothing_to_cancel() {
    let mut world = World::new(&retried(2));
    goes(
        &mut world,
        &[
            ("read 1", "start 1, pending"),
            ("fail 1", ""),
            ("gone 1", ""),
            ("+100", ""),
            ("read 2", "start 2, pending"),
            ("fail 2", ""),
            ("forget", "answer 2 Gone"),
        ],
    );
    assert_eq!(
        (world.resolvers.flights(), world.resolvers.next_wake()),
        (0, None)
    );
}
