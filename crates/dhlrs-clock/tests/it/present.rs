//! What the time is where clocks may be wrong.

use dhlrs_clock::{
    CLOCK_READINGS_MAX, ClockWarning, DRIFT_MS_MAX, HybridClock, Present, SavedClock, Time,
};

const fn at(wall_ms: u64, monotonic_ms: u64) -> Time {
    Time {
        wall_ms,
        monotonic_ms,
    }
}

const HOUR: u64 = 3_600_000;

#[test]
fn a_dead_clock_catches_up_and_stays_caught_up() {
    let mut present = Present::new(true);
    let dead = at(0, 500);
    assert_eq!(present.now_ms(dead), 0);
    present.show("a", HOUR, dead);
    assert_eq!(present.now_ms(dead), 0, "two clocks have no middle");
    present.show("b", HOUR + 7, dead);
    assert_eq!(present.now_ms(dead), HOUR);
    assert_eq!(
        present.now_ms(at(0, 1_500)),
        HOUR + 1_000,
        "it goes on without them"
    );
    let saved = present.save(&HybridClock::new(), at(0, 1_500));
    let after: Present<&str> = Present::resume(true, saved, at(0, 20));
    assert_eq!(after.now_ms(at(0, 30)), HOUR + 1_010);
    assert_eq!(after.time(at(0, 30)), at(HOUR + 1_010, 30));
}

#[test]
fn one_wrong_clock_moves_nobody() {
    let mut present = Present::new(true);
    let now = at(HOUR, 0);
    for (of, wall_ms) in [("a", HOUR + 3), ("b", HOUR - 3), ("wrong", 900 * HOUR)] {
        present.show(of, wall_ms, now);
    }
    assert_eq!(present.now_ms(now), HOUR);
    assert_eq!(present.warning(now), None);
    present.show("wrong too", 900 * HOUR, now);
    assert_eq!(present.now_ms(now), HOUR + 3);
}

#[test]
fn the_root_is_believed_and_nothing_falls() {
    let mut present: Present<&str> = Present::new(true);
    present.show_control(5 * HOUR, at(HOUR, 0));
    present.show_control(2 * HOUR, at(HOUR, 10));
    assert_eq!(present.now_ms(at(HOUR, 10)), 5 * HOUR + 10);
    assert_eq!(present.now_ms(at(9 * HOUR, 10)), 9 * HOUR);
}

#[test]
fn without_a_root_the_clocks_of_others_only_warn() {
    let mut present = Present::new(false);
    let now = at(HOUR, 0);
    present.show_control(9 * HOUR, now);
    present.show("a", 5 * HOUR, now);
    present.show("b", 5 * HOUR + 1, now);
    assert_eq!((present.now_ms(now), present.given_ms(now)), (HOUR, 0));
    let ahead_ms = i64::try_from(4 * HOUR).unwrap();
    assert_eq!(present.warning(now), Some(ClockWarning { ahead_ms }));
    let near = at(5 * HOUR - DRIFT_MS_MAX, 0);
    assert_eq!(present.warning(near), None);
    let late = at(9 * HOUR + 1, 0);
    assert_eq!(
        present.warning(late),
        Some(ClockWarning {
            ahead_ms: -ahead_ms
        })
    );
    let saved = SavedClock {
        given_ms: 9 * HOUR,
        ..SavedClock::default()
    };
    let after: Present<&str> = Present::resume(false, saved, now);
    assert_eq!(after.now_ms(now), HOUR);
}

#[test]
fn a_reading_that_was_long_on_its_way_takes_nothing_back() {
    let mut present = Present::new(true);
    present.show("a", 5 * HOUR, at(0, 0));
    present.show("b", 5 * HOUR, at(0, 0));
    present.show("a", HOUR, at(0, 60));
    present.show("b", HOUR, at(0, 60));
    assert_eq!(
        present.warning(at(0, 60)).unwrap().ahead_ms,
        i64::try_from(5 * HOUR).unwrap() + 60
    );
}

#[test]
fn readings_are_bounded() {
    let mut present = Present::new(true);
    let now = at(HOUR, 0);
    for of in 0..CLOCK_READINGS_MAX {
        present.show(of, HOUR, now);
    }
    for of in 0..2 * CLOCK_READINGS_MAX {
        present.show(CLOCK_READINGS_MAX + of, 9 * HOUR, now);
    }
    assert_eq!(present.now_ms(now), HOUR);
}
