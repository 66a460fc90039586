//! Several edits as one: each sees those before it, and a refusal leaves no trace.

use dhlrs_bag::{Bag, CommitError, Edit, EditErrorKind, GuardedEdit, Precondition, Value};

use proptest::prelude::*;

use crate::{
    listing,
    model::{acts, edit},
    path, told,
};

fn set(to: &str, value: i64) -> GuardedEdit {
    Edit::set(path(to), value).into()
}

#[test]
fn each_edit_is_judged_on_what_those_before_it_leave() {
    let mut bag = Bag::new();
    let rename = Edit::Move {
        path: path("a"),
        to: path("b"),
        position: None,
    };
    let guarded = GuardedEdit {
        edit: Edit::set(path("a"), 2),
        precondition: Some(Precondition::Missing),
    };
    let edits = [set("a.x", 1), rename.into(), guarded, set("b.y", 3)];
    let changes = bag.edit_all(&edits).unwrap();
    assert_eq!(
        told(&changes),
        "+insert a, insert a.x, rename b, insert a, insert b.y"
    );
    assert_eq!(listing(&bag), "b b.x=1 b.y=3 a=2");
    assert_eq!(bag.revision(), 1);
    assert!(
        bag.root()
            .walk()
            .all(|visited| visited.node.revision() == 1)
    );
}

#[test]
fn a_refusal_names_its_edit_and_leaves_the_state_as_it_was() {
    let mut bag = Bag::new();
    bag.set("s", 1).unwrap();
    let image: Vec<_> = bag.image().collect();
    let counters = bag.image_counters();
    let error = bag
        .edit_all(&[set("a", 1), set("s", 5), set("s.x", 1), set("b", 1)])
        .unwrap_err();
    assert_eq!(
        (error.index, error.error.kind()),
        (2, EditErrorKind::ThroughScalar)
    );
    assert!(bag.image().eq(image));
    assert_eq!(bag.image_counters(), counters);
}

#[test]
fn a_draft_reaches_its_bag_as_one_revision_or_not_at_all() {
    let mut bag = Bag::new();
    bag.set("a", 1).unwrap();
    let mut draft = bag.begin();
    draft.set("a", 2).unwrap();
    draft.set("b.c", 3).unwrap();
    assert!(draft.set("a.x", 1).is_err());
    assert_eq!(draft.get("b.c"), Some(&Value::Int(3)));
    assert_eq!(listing(&bag), "a=1");
    let expected: Vec<_> = draft.image().collect();
    let changes = bag.commit(draft).unwrap();
    assert_eq!(told(&changes), "value a, +insert b, insert b.c");
    assert!(bag.image().eq(expected));
    assert_eq!(bag.revision(), 2);
    drop(bag.begin());
    assert_eq!(bag.revision(), 2);
}

#[test]
fn drafts_nest() {
    let mut bag = Bag::new();
    let mut outer = bag.begin();
    outer.set("a", 1).unwrap();
    let mut inner = outer.begin();
    inner.set("b", 2).unwrap();
    let mut lost = inner.begin();
    lost.set("c", 3).unwrap();
    drop(lost);
    outer.commit(inner).unwrap();
    outer.set("d", 4).unwrap();
    bag.commit(outer).unwrap();
    assert_eq!((listing(&bag).as_str(), bag.revision()), ("a=1 b=2 d=4", 1));
}

#[test]
fn a_draft_outlives_edits_of_its_bag_that_change_nothing() {
    let mut bag = Bag::new();
    bag.set("a", 1).unwrap();
    let mut draft = bag.begin();
    draft.set("a", 2).unwrap();
    assert!(!bag.remove("missing").unwrap());
    bag.set("a", 1).unwrap();
    bag.set_attribute("a", "x", Value::Null).unwrap();
    bag.commit(draft).unwrap();
    assert_eq!(bag.get("a"), Some(&Value::Int(2)));
}

#[test]
fn a_draft_of_another_state_is_refused() {
    let mut bag = Bag::new();
    let mut draft = bag.begin();
    draft.set("a", 1).unwrap();
    bag.set("b", 1).unwrap();
    assert_eq!(bag.commit(draft), Err(CommitError));
    bag.set("b", 2).unwrap();
    let draft = bag.begin();
    bag.set("b", 3).unwrap();
    assert_eq!(bag.commit(draft), Err(CommitError));
    let mut copy = bag.clone();
    assert_eq!(copy.commit(bag.begin()), Err(CommitError));
    assert_eq!(bag.commit(bag.begin()), Ok(vec![]));
}

proptest! {
    #[test]
    fn all_edits_are_done_as_one_by_one_or_none_is(
        before in prop::collection::vec(acts(), 0..15),
        list in prop::collection::vec(acts(), 1..8),
    ) {
        let mut bag = Bag::new();
        for edit in before.iter().filter_map(edit) {
            let _ = bag.edit(edit);
        }
        let image: Vec<_> = bag.image().collect();
        let counters = bag.image_counters();
        let edits: Vec<GuardedEdit> = list.iter().filter_map(edit).collect();

        let mut singly = bag.clone();
        let mut expected = Ok(Vec::new());
        for (index, edit) in edits.iter().enumerate() {
            match (singly.order(edit), &mut expected) {
                (Ok(ops), Ok(changes)) => changes.extend(singly.apply(&ops, bag.revision() + 1)),
                (Err(error), _) => {
                    expected = Err((index, error.kind()));
                    break;
                }
                _ => {}
            }
        }

        let mut draft = bag.begin();
        let mut inner = draft.begin();
        let refused = edits.iter().find(|edit| inner.edit((*edit).clone()).is_err());
        prop_assert_eq!(refused.is_some(), expected.is_err());
        let mut drafted = bag.clone();
        if refused.is_none() {
            draft.commit(inner).unwrap();
            prop_assert!(draft.image().eq(singly.image()));
            let told = bag.commit(draft).map_err(|_| (0, EditErrorKind::Limit));
            prop_assert_eq!(&told, &expected);
            std::mem::swap(&mut bag, &mut drafted);
            prop_assert!(drafted.image().eq(singly.image()));
        }

        let done = bag.edit_all(&edits).map_err(|error| (error.index, error.error.kind()));
        prop_assert_eq!(&done, &expected);
        match done {
            Ok(_) => prop_assert!(bag.image().eq(singly.image())),
            Err(_) => {
                prop_assert!(bag.image().eq(image));
                prop_assert_eq!(bag.image_counters(), counters);
            }
        }
    }
}
