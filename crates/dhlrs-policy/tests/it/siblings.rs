//! Writes that did not know of each other both hold, until one has seen them.

use dhlrs_policy::{Effect, Merge, Reading, Siblings, merge_laws};

use crate::write;

merge_laws!(they_keep_the_laws, Siblings::new(), |n| n % 5);
merge_laws!(long_texts_keep_the_laws, Siblings::new(), |n| "x"
    .repeat(n as usize % 40));

fn shown(state: &<Siblings<String> as Merge<u64>>::State) -> Vec<&str> {
    match Siblings::new().read(state) {
        Reading::Absent => Vec::new(),
        Reading::One(only) => vec![only],
        Reading::Siblings(all) => all.into_iter().map(String::as_str).collect(),
    }
}

#[test]
fn siblings_show_in_the_order_of_their_stamps() {
    let policy = Siblings::new();
    let mut state = Default::default();
    assert_eq!(shown(&state), [""; 0]);
    write(&policy, &mut state, (1, 1), 30, &[]);
    write(&policy, &mut state, (2, 1), 10, &[]);
    write(&policy, &mut state, (3, 1), 10, &[]);
    assert_eq!(shown(&state), ["2/1", "3/1", "1/1"]);
}

#[test]
fn a_write_replaces_what_its_author_had_seen_and_nothing_else() {
    let policy = Siblings::new();
    let mut state = Default::default();
    write(&policy, &mut state, (1, 1), 10, &[]);
    write(&policy, &mut state, (2, 1), 10, &[]);
    write(&policy, &mut state, (3, 1), 20, &[(1, 1)]);
    assert_eq!(shown(&state), ["2/1", "3/1"]);
    // One's own earlier write is always seen.
    write(&policy, &mut state, (2, 5), 30, &[]);
    assert_eq!(shown(&state), ["3/1", "2/5"]);
    assert_eq!(
        write(&policy, &mut state, (2, 1), 10, &[]),
        Effect::Unchanged
    );
    assert_eq!(shown(&state), ["3/1", "2/5"]);
}

#[test]
fn what_was_overwritten_does_not_come_back_with_an_older_state() {
    let policy = Siblings::new();
    let mut older = Default::default();
    write(&policy, &mut older, (1, 1), 10, &[]);
    let mut newer = older.clone();
    write(&policy, &mut newer, (2, 1), 20, &[(1, 1)]);
    let mut joined = newer.clone();
    policy.join(&mut joined, &older);
    assert_eq!(shown(&joined), ["2/1"]);
    policy.join(&mut older, &newer);
    assert_eq!(shown(&older), ["2/1"]);
}
