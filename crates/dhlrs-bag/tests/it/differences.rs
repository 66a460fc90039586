//! What turns one tree into another, and what undoes it.

use dhlrs_bag::{
    Attributes, BRANCH_NODES_MAX, Bag, Branch, ChangeKind, Edit, NodeId, Op, Row, Tree,
};
use proptest::prelude::*;

use crate::{
    model::{acts, edit},
    name, path, told,
};

fn built(acts: &[crate::model::Act]) -> Bag {
    let mut bag = Bag::new();
    for edit in acts.iter().filter_map(edit) {
        let _ = bag.edit(edit);
    }
    bag
}

fn ids(tree: &Tree) -> Vec<(String, NodeId)> {
    let nodes = tree.root().walk().map(|visited| visited.node);
    nodes
        .map(|node| (node.path().to_string(), node.id()))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_difference_turns_one_tree_into_the_other(
        common in prop::collection::vec(acts(), 0..25),
        mine in prop::collection::vec(acts(), 0..15),
        theirs in prop::collection::vec(acts(), 0..15),
        related in prop::bool::ANY,
    ) {
        let a = built(&[&common[..], &mine[..]].concat());
        let b = match related {
            false => built(&theirs),
            true => {
                let mut b = a.clone();
                for edit in theirs.iter().filter_map(edit) {
                    let _ = b.edit(edit);
                }
                b
            }
        };
        let ops = a.diff(&b);
        prop_assert_eq!(ops.is_empty(), a == b);
        let mut patched = a.clone();
        let changes = patched.apply(&ops, a.revision() + 1);
        prop_assert_eq!(&patched, &b);
        prop_assert_eq!(changes.is_empty(), a == b);
        // No id is used twice, and the image of the result is sound.
        let restored = Bag::restore(patched.image_counters(), patched.image()).unwrap();
        prop_assert_eq!(&restored, &b);
        // Each op has an effect, or it would not be in a difference.
        let mut stepwise = a.clone();
        for op in &ops {
            let changes = stepwise.apply(std::slice::from_ref(op), a.revision() + 1);
            prop_assert_eq!(changes.len(), 1, "{:?}", op);
        }
        // And back.
        let undone = a.undo(&ops);
        patched.apply(&undone, a.revision() + 2);
        prop_assert_eq!(&patched, &a);
        prop_assert_eq!(ids(&patched), ids(&a));
    }

    #[test]
    fn undo_takes_back_what_apply_did(
        before in prop::collection::vec(acts(), 0..25),
        after in prop::collection::vec(acts(), 1..10),
    ) {
        let mut bag = built(&before);
        let start = bag.clone();
        let mut all = Vec::new();
        for edit in after.iter().filter_map(edit) {
            let Ok(ops) = bag.order(&edit) else { continue };
            let before = bag.clone();
            let undone = bag.undo(&ops);
            bag.apply(&ops, before.revision() + 1);
            let mut back = bag.clone();
            back.apply(&undone, before.revision() + 2);
            prop_assert_eq!(&back, &before, "{:?} undone by {:?}", ops, undone);
            prop_assert_eq!(ids(&back), ids(&before));
            all.extend(ops);
        }
        let undone = start.undo(&all);
        bag.apply(&undone, bag.revision() + 1);
        prop_assert_eq!(&bag, &start);
        prop_assert_eq!(ids(&bag), ids(&start));
    }
}

#[test]
fn few_siblings_move_and_a_new_label_is_a_rename() {
    let mut a = Bag::new();
    for label in ["a", "b", "c", "d", "e"] {
        a.set(label, 1).unwrap();
    }
    let mut b = a.clone();
    b.edit(Edit::Move {
        path: path("a"),
        to: path("a"),
        position: Some(crate::position(">")),
    })
    .unwrap();
    b.edit(Edit::Rename {
        path: path("c"),
        label: crate::label("new"),
    })
    .unwrap();
    b.set("?title", "root").unwrap();
    let kept = a.clone();
    let changes = a.patch(&b, 9);
    assert_eq!(told(&changes), "attrs , rename new, move a");
    assert_eq!((a.revision(), &a), (9, &b));
    let unchanged = a.node(&path("b")).unwrap();
    assert_eq!(unchanged.id(), kept.node(&path("b")).unwrap().id());
    assert_eq!(a.patch(&b, 10), []);
    assert_eq!(a.revision(), 9);
}

#[test]
fn a_branch_comes_and_goes_as_one_change() {
    let mut bag = Bag::new();
    bag.set("a.b.c", 1).unwrap();
    let full = bag.snapshot();
    bag.remove("a").unwrap();
    let empty = bag.snapshot();
    let changes = bag.patch(&full, 3);
    assert_eq!(told(&changes), "insert a");
    let changes = bag.patch(&empty, 4);
    assert_eq!(changes[0].kind, ChangeKind::Remove);
    assert!(bag.is_empty());
}

#[test]
#[ignore = "a million nodes take a minute without optimisation: --release -- --ignored"]
fn a_branch_of_more_nodes_than_one_op_takes_comes_in_parts() {
    let half = BRANCH_NODES_MAX as i64 / 2;
    let rows = (0..half).map(|n| Row::value(0, crate::label(&format!("n{n}")), n));
    let half = Branch::from_rows(rows).unwrap();
    let empty = Bag::new();
    let mut full = Bag::new();
    for path in ["a.x", "a.y"] {
        full.set(path, half.clone()).unwrap();
    }
    let ops = empty.diff(&full);
    // `a`, then each half: with the bags around them they are too many for one op.
    assert_eq!(ops.len(), 3);
    assert!(ops.iter().all(|op| matches!(op, Op::Insert { .. })));
    let mut patched = empty.clone();
    let changes = patched.apply(&ops, 1);
    assert_eq!(told(&changes), "insert a, insert a.x, insert a.y");
    assert!(patched == full);
    patched.apply(&empty.undo(&ops), 2);
    assert!(patched == empty);
    // It goes with one op, and what takes that back is in parts again.
    let ops = full.diff(&empty);
    let undone = full.undo(&ops);
    let mut gone = full.clone();
    gone.apply(&ops, 3);
    assert!(gone == empty);
    gone.apply(&undone, 4);
    assert!(gone == full);
}

#[test]
fn attributes_in_another_order_are_no_difference() {
    let mut bags = [Bag::new(), Bag::new()];
    for (bag, names) in bags.iter_mut().zip([["x", "y"], ["y", "x"]]) {
        let attributes = names.map(|own| (name(own), 1.into()));
        bag.edit(Edit::SetAttributes {
            path: path("a"),
            attributes: Attributes::from_iter(attributes),
        })
        .unwrap();
    }
    bags[0].set("a", 1).unwrap();
    bags[1].set("a", 1).unwrap();
    assert_eq!(bags[0].diff(&bags[1]), []);
}
