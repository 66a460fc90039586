//! Stamps rise, follow the wall clock, and never run far ahead of it.

use dhlrs_clock::{ClockErrorKind, DRIFT_MS_MAX, HybridClock, Stamp, Time};
use proptest::prelude::*;

const fn at(wall_ms: u64) -> Time {
    Time {
        wall_ms,
        monotonic_ms: 0,
    }
}

#[test]
fn follows_the_wall_clock_and_counts_within_a_millisecond() {
    let mut clock = HybridClock::new();
    assert_eq!(clock.now(at(5)).unwrap(), Stamp::new(5, 0).unwrap());
    assert_eq!(clock.now(at(5)).unwrap(), Stamp::new(5, 1).unwrap());
    assert_eq!(clock.now(at(4)).unwrap(), Stamp::new(5, 2).unwrap());
    assert_eq!(clock.now(at(6)).unwrap(), Stamp::new(6, 0).unwrap());
}

#[test]
fn an_exhausted_counter_advances_the_wall() {
    let mut clock = HybridClock::resume(Stamp::new(5, u16::MAX).unwrap());
    assert_eq!(clock.now(at(5)).unwrap(), Stamp::new(6, 0).unwrap());
}

#[test]
fn never_runs_beyond_the_drift_and_says_until_when_to_wait() {
    let mut clock = HybridClock::resume(Stamp::new(DRIFT_MS_MAX + 11, 0).unwrap());
    let err = clock.now(at(10)).unwrap_err();
    assert_eq!((err.kind(), err.until_ms()), (ClockErrorKind::Ahead, 11));
    clock.now(at(err.until_ms())).unwrap();
}

#[test]
fn a_stamp_from_the_future_moves_nothing() {
    let mut clock = HybridClock::new();
    let last = clock.now(at(10)).unwrap();
    let err = clock
        .observe(Stamp::new(DRIFT_MS_MAX + 11, 0).unwrap(), at(10))
        .unwrap_err();
    assert_eq!(err.kind(), ClockErrorKind::FromTheFuture);
    assert_eq!(clock.last(), last);
    clock
        .observe(Stamp::new(DRIFT_MS_MAX + 10, 7).unwrap(), at(10))
        .unwrap();
    assert_eq!(
        clock.now(at(10)).unwrap(),
        Stamp::new(DRIFT_MS_MAX + 10, 8).unwrap()
    );
}

#[test]
fn a_stamp_that_is_stored_counts_wherever_it_lies() {
    let mut clock = HybridClock::new();
    let future = Stamp::new(DRIFT_MS_MAX + 50, 3).unwrap();
    clock.raise(future);
    clock.raise(Stamp::new(7, 0).unwrap());
    assert_eq!(clock.last(), future);
    let err = clock.now(at(10)).unwrap_err();
    assert_eq!((err.kind(), err.until_ms()), (ClockErrorKind::Ahead, 50));
    assert!(clock.now(at(50)).unwrap() > future);
}

#[test]
fn the_end_of_time_is_an_error() {
    let mut clock = HybridClock::resume(Stamp::new((1 << 48) - 1, u16::MAX).unwrap());
    assert_eq!(
        clock.now(at(u64::MAX)).unwrap_err().kind(),
        ClockErrorKind::Ahead
    );
}

proptest! {
    #[test]
    fn stamps_rise_and_stay_within_the_drift(walls in prop::collection::vec((0u64..200_000, any::<bool>()), 1..200)) {
        let mut clock = HybridClock::new();
        for (wall_ms, observes) in walls {
            let before = clock.last();
            if observes {
                let _ = clock.observe(Stamp::new(wall_ms, 3).unwrap(), at(50_000));
                prop_assert!(clock.last() >= before);
                prop_assert!(clock.last().wall_ms() <= 200_000 + DRIFT_MS_MAX);
            } else if let Ok(stamp) = clock.now(at(wall_ms)) {
                prop_assert!(stamp > before);
                prop_assert!(stamp.wall_ms() <= wall_ms + DRIFT_MS_MAX);
            } else {
                prop_assert_eq!(clock.last(), before);
            }
        }
    }
}
