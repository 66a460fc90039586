//! Where a node was at any time, told from what has happened since.

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
