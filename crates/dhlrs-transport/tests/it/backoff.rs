//! Delays between attempts.

use dhlrs_transport::{Backoff, TransportErrorKind};
use proptest::prelude::*;

use TransportErrorKind::{Denied, Unavailable};

proptest! {
    #[test]
    fn delays_double_within_their_jitter_up_to_the_cap(seed: u64) {
        let mut backoff = Backoff::between(100, 3_000, seed);
        for full in [100, 200, 400, 800, 1_600, 3_000, 3_000] {
            let delay = backoff.after(Unavailable).as_millis();
            prop_assert!((full / 2..=full).contains(&delay), "{delay} of {full}");
        }
    }
}

#[test]
fn never_gives_up_and_never_overflows() {
    let mut backoff = Backoff::between(u64::MAX / 2, u64::MAX, 1);
    for _ in 0..200 {
        backoff.after(Unavailable);
    }
    assert_eq!(backoff.failures(), 200);
    assert!(Backoff::between(0, 0, 1).after(Unavailable).as_millis() <= 1);
}

#[test]
fn what_a_person_must_mend_waits_the_longest_at_once() {
    let mut backoff = Backoff::between(100, 10_000, 1);
    assert!(backoff.after(Denied).as_millis() >= 5_000);
}

#[test]
fn a_reset_starts_again() {
    let mut backoff = Backoff::between(100, 10_000, 1);
    backoff.after(Unavailable);
    backoff.after(Unavailable);
    backoff.reset();
    assert!(backoff.after(Unavailable).as_millis() <= 100);
}

#[test]
fn one_seed_gives_one_sequence_and_two_seeds_two() {
    let delays = |seed| {
        let mut backoff = Backoff::between(1_000, 60_000, seed);
        (0..8)
            .map(|_| backoff.after(Unavailable))
            .collect::<Vec<_>>()
    };
    assert_eq!(delays(3), delays(3));
    assert_ne!(delays(3), delays(4));
}
