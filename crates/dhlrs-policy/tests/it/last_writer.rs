//! The greatest stamp holds, ties by dot.

use dhlrs_policy::{Effect, LastWriterWins, Merge, Reading, merge_laws};

use crate::write;

merge_laws!(it_keeps_the_laws, LastWriterWins::new(), |n| n % 5);

#[test]
fn the_later_write_holds_whichever_comes_first() {
    let policy = LastWriterWins::new();
    let mut state = Default::default();
    assert_eq!(write(&policy, &mut state, (1, 1), 20, &[]), Effect::Changed);
    assert_eq!(
        write(&policy, &mut state, (2, 1), 10, &[]),
        Effect::Unchanged
    );
    assert_eq!(policy.read(&state), Reading::One(&"1/1".to_owned()));
    assert_eq!(write(&policy, &mut state, (2, 2), 30, &[]), Effect::Changed);
    assert_eq!(policy.read(&state), Reading::One(&"2/2".to_owned()));
}

#[test]
fn of_equal_stamps_the_greater_dot_holds() {
    let policy = LastWriterWins::new();
    for order in [[(1, 9), (2, 1)], [(2, 1), (1, 9)]] {
        let mut state = Default::default();
        for dot in order {
            write(&policy, &mut state, dot, 10, &[]);
        }
        assert_eq!(policy.read(&state), Reading::One(&"2/1".to_owned()));
    }
}
