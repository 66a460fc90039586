//! Where a node was at any time, told from what has happened since.

use dhlrs_bag::ChangeKind;
use dhlrs_trigger::{DEPARTED_NODES_MAX, Departed, Window, WindowErrorKind, WindowLimits};
use proptest::prelude::*;

use crate::model::{Model, Step, changes};
use crate::order::step;

/// What went with a bag between two states, by looking at both.
fn departed(before: &Model, after: &Model, departed: &mut Departed) {
    for node in &before.nodes {
        if let Some(bag) = node.parent
            && after.node(node.id).is_none()
        {
            departed.push(node.id, bag);
        }
    }
}

fn revision() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(), 1..4)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn every_node_is_found_where_it_was(history in prop::collection::vec(revision(), 1..25)) {
        let mut model = Model::of(&["a.b.c", "b.a"]);
        let mut window = Window::new(1, WindowLimits::default());
        let mut states = Vec::new();
        for steps in history {
            let before = model.clone();
            let mut gone = Departed::default();
            let mut list = Vec::new();
            for step in steps {
                let state = model.clone();
                list.extend(model.step(&step));
                departed(&state, &model, &mut gone);
            }
            if list.is_empty() {
                continue;
            }
            states.push(before);
            window.push_with(changes(states.len() as u64, list), gone).unwrap();
        }
        states.push(model.clone());
        for (number, state) in states.iter().enumerate() {
            let cursor = window.begin_at(number as u64 + 1).unwrap();
            for node in &state.nodes {
                let now = model.node(node.id).map(|node| model.place(node.id));
                let found = window.place_at(&cursor, node.id, now).unwrap();
                prop_assert_eq!(found, Some(state.place(node.id)));
            }
        }
    }
}

#[test]
fn a_node_that_never_was_is_nowhere() {
    let mut model = Model::of(&["a"]);
    let mut window = Window::new(1, WindowLimits::default());
    let other = Model::of(&["a", "b"]).at("b");
    window
        .push(changes(1, vec![model.remove(model.at("a"))]))
        .unwrap();
    let cursor = window.begin_at(1).unwrap();
    assert_eq!(window.place_at(&cursor, other, None).unwrap(), None);
}

#[test]
fn where_too_many_went_at_once_it_is_said_that_nobody_knows() {
    let mut model = Model::of(&["a.b.c"]);
    let mut window = Window::new(1, WindowLimits::default());
    let (a, b, c) = (model.at("a"), model.at("a.b"), model.at("a.b.c"));
    let mut gone = Departed::default();
    gone.push(c, b);
    for _ in 0..DEPARTED_NODES_MAX {
        gone.push(b, a);
    }
    window
        .push_with(changes(1, vec![model.remove(a)]), gone)
        .unwrap();
    let cursor = window.begin_at(1).unwrap();
    let unknown = window.place_at(&cursor, c, None).unwrap_err();
    assert_eq!(unknown.kind(), WindowErrorKind::Compacted { oldest: 2 });
    // The bag itself is named by the change.
    assert!(window.place_at(&cursor, a, None).unwrap().is_some());
    let cursor = window.begin_at(2).unwrap();
    assert_eq!(window.place_at(&cursor, c, None).unwrap(), None);
}

#[test]
fn what_departed_is_nothing_until_a_node_did() {
    let model = Model::of(&["a.b"]);
    let (a, b) = (model.at("a"), model.at("a.b"));
    let mut gone = Departed::default();
    assert!(gone.is_empty());
    gone.push(b, a);
    assert!(!gone.is_empty());
    for _ in 0..DEPARTED_NODES_MAX {
        gone.push(b, a);
    }
    assert!(!gone.is_empty(), "too many to note is not none");
}

#[test]
fn what_departed_counts_among_the_bytes_of_a_window() {
    let mut model = Model::of(&["a", "x.y"]);
    let limits = WindowLimits {
        bytes_max: 100_000,
        ..WindowLimits::default()
    };
    let mut window = Window::new(1, limits);
    let (x, y) = (model.at("x"), model.at("x.y"));
    let change = model.remove(x);
    for revision in 1..=10 {
        let mut gone = Departed::default();
        (0..1_000).for_each(|_| gone.push(y, x));
        window
            .push_with(changes(revision, vec![change.clone()]), gone)
            .unwrap();
    }
    // 32 bytes each, so three revisions have room.
    assert_eq!(window.next_revision() - window.oldest(), 3);
}

#[test]
fn a_node_that_went_with_the_content_of_a_bag_was_where_the_bag_was_then() {
    let mut model = Model::of(&["a.b", "z.q"]);
    let (a, b, z) = (model.at("a"), model.at("a.b"), model.at("z"));
    let place = model.place(b);
    let mut gone = Departed::default();
    gone.push(b, a);
    // In one revision the bag loses what is in it and is moved away.
    let emptied = model.step(&Step::Replace { at: 1 }).unwrap();
    assert_eq!(emptied.id, a);
    let moved = model.moved(a, z).unwrap();
    let mut window = Window::new(1, WindowLimits::default());
    window
        .push_with(changes(1, vec![emptied, moved]), gone)
        .unwrap();
    let cursor = window.begin_at(1).unwrap();
    assert_eq!(window.place_at(&cursor, b, None).unwrap(), Some(place));
}

#[test]
fn a_node_had_nothing_around_it_before_it_was_made() {
    let mut model = Model::of(&["a"]);
    let a = model.at("a");
    let made = model.insert(a, "n", false);
    let n = made.id;
    let mut window = Window::new(1, WindowLimits::default());
    window.push(changes(1, vec![made])).unwrap();
    let cursor = window.begin_at(1).unwrap();
    let before = window.place_at(&cursor, n, Some(model.place(n))).unwrap();
    assert_eq!(before.unwrap().ancestors, []);
}

#[test]
fn a_move_within_a_bag_leaves_a_node_where_it_is() {
    let model = Model::of(&["a.n"]);
    let (a, n) = (model.at("a"), model.at("a.n"));
    let mut window = Window::new(1, WindowLimits::default());
    for (revision, id) in [(1, n), (2, a)] {
        let mut moved = model.value(id);
        (moved.kind, moved.index, moved.old_index) = (ChangeKind::Move, Some(0), Some(1));
        window.push(changes(revision, vec![moved])).unwrap();
    }
    let cursor = window.begin_at(1).unwrap();
    let before = window.place_at(&cursor, n, Some(model.place(n))).unwrap();
    assert_eq!(before, Some(model.place(n)));
}
