//! Each limit at its last allowed value and one beyond.

use dhlrs_bag::{
    ATTRIBUTES_MAX, Attributes, Bag, Branch, BranchErrorKind, Edit, EditErrorKind, LIST_ITEMS_MAX,
    List, NODE_BYTES_MAX, NodeId, Row, Value, ValueErrorKind,
};
use dhlrs_path::{DEPTH_MAX, LABEL_BYTES_MAX, PATH_BYTES_MAX, Path};

use crate::{label, name, path, refuses};

fn deep(depth: usize) -> String {
    vec!["x"; depth].join(".")
}

#[test]
fn depth_ends_at_its_limit_for_sets_branches_moves_and_merges() {
    let mut bag = Bag::new();
    bag.set(&deep(DEPTH_MAX), 1).unwrap();
    assert_eq!(bag.root().walk().last().unwrap().node.depth(), DEPTH_MAX);
    // The path cannot even be written, so a step by index stands in for two labels.
    bag.set("a.b", 1).unwrap();
    let full = vec!["x"; DEPTH_MAX - 1].join(".");
    let row = |depth, text: &str| Row::bag(depth, label(text));
    let branch = Branch::from_rows([row(0, "p"), row(1, "q")]).unwrap();
    let branch_at = |to: &str| Edit::set(path(to), branch.clone());
    refuses(
        &mut bag,
        branch_at(&format!("{}.n", deep(DEPTH_MAX - 3 + 1))),
        EditErrorKind::TooDeep,
    );
    let merge = |to: &str| Edit::Merge {
        path: path(to),
        branch: branch.clone(),
    };
    refuses(&mut bag, merge(&full), EditErrorKind::TooDeep);
    bag.edit(merge(&deep(DEPTH_MAX - 2))).unwrap();
    let shift = |to: String| Edit::Move {
        path: path("a"),
        to: path(&to),
        position: None,
    };
    refuses(&mut bag, shift(format!("{full}.a")), EditErrorKind::TooDeep);
    bag.edit(shift(format!("{}.a", deep(DEPTH_MAX - 2))))
        .unwrap();
}

#[test]
fn branches_are_as_deep_as_trees_at_most() {
    let rows = |count| (0..count).map(|depth| Row::bag(depth, label("x")));
    assert!(Branch::from_rows(rows(64)).is_ok());
    let error = Branch::from_rows(rows(65)).unwrap_err();
    assert_eq!((error.kind(), error.row()), (BranchErrorKind::TooDeep, 64));
}

#[test]
fn the_printed_path_ends_at_its_limit_for_moves_and_renames_of_bags_too() {
    let mut bag = Bag::new();
    // Escapes count: a dot prints as two bytes.
    let labels = [
        "a".repeat(255),
        "b".repeat(255),
        "c".repeat(255),
        ".".repeat(128),
    ];
    let full = Path::from_labels(&labels).unwrap();
    assert_eq!(full.as_str().len(), PATH_BYTES_MAX);
    bag.edit(Edit::set(full.clone(), 1)).unwrap();
    bag.set("k", Branch::new()).unwrap();
    let rename = |from: &str, to: &str| Edit::Rename {
        path: path(from),
        label: label(to),
    };
    bag.edit(rename("#0", &"z".repeat(255))).unwrap();
    refuses(
        &mut bag,
        rename("#0", &format!("{}.", "z".repeat(254))),
        EditErrorKind::PathTooLong,
    );
    bag.edit(rename("#0", "short")).unwrap();
    let deeper = Edit::Move {
        path: path("short"),
        to: path(&format!("k.{}", "y".repeat(254))),
        position: None,
    };
    refuses(&mut bag, deeper, EditErrorKind::PathTooLong);
    let fits = Edit::Move {
        path: path("short"),
        to: path(&format!("k.{}", "y".repeat(253))),
        position: None,
    };
    bag.edit(fits).unwrap();
}

#[test]
fn a_path_written_with_indexes_is_measured_as_it_prints() {
    let mut bag = Bag::new();
    let labels = ["a".repeat(255), "b".repeat(255), "c".repeat(255)];
    bag.edit(Edit::set(
        Path::from_labels(&labels).unwrap(),
        Branch::new(),
    ))
    .unwrap();
    bag.set(&format!("#0.#0.#0.{}", "d".repeat(256 - 1)), 1)
        .unwrap();
    bag.set("#0.#0.e.f", 1).unwrap();
    let too_long = format!("#0.#0.#0.{}.g", "h".repeat(255));
    refuses(
        &mut bag,
        Edit::set(path(&too_long), 1),
        EditErrorKind::PathTooLong,
    );
}

#[test]
fn labels_and_names_have_their_limits() {
    for (bytes, fits) in [
        (0, false),
        (1, true),
        (LABEL_BYTES_MAX, true),
        (LABEL_BYTES_MAX + 1, false),
    ] {
        let text = "l".repeat(bytes);
        assert_eq!(dhlrs_bag::Label::new(&text).is_ok(), fits, "{bytes}");
        assert_eq!(dhlrs_bag::Name::new(&text).is_ok(), fits, "{bytes}");
    }
    assert!(dhlrs_bag::Label::new("a\nb").is_err());
}

#[test]
fn a_node_ends_at_its_encoded_bytes() {
    let mut bag = Bag::new();
    let overhead =
        Row::value(0, label("v"), "x".repeat(200_000).as_str()).encoded_bytes() - 200_000;
    let text = |bytes: usize| Value::from("x".repeat(bytes));
    let fits = NODE_BYTES_MAX - overhead;
    refuses(
        &mut bag,
        Edit::set(path("v"), text(fits + 1)),
        EditErrorKind::TooLarge,
    );
    bag.edit(Edit::set(path("v"), text(fits))).unwrap();
    // Now the node is full: no attribute fits, and no longer label.
    refuses(&mut bag, Edit::set(path("v?a"), 1), EditErrorKind::TooLarge);
    let rename = Edit::Rename {
        path: path("v"),
        label: label("vv"),
    };
    refuses(&mut bag, rename, EditErrorKind::TooLarge);
    refuses(
        &mut bag,
        Edit::set(path("v"), text(fits + 1)),
        EditErrorKind::TooLarge,
    );
    assert!(bag.set("v", text(fits + 1)).is_err());
}

#[test]
fn a_node_has_so_many_attributes_and_no_more() {
    let mut bag = Bag::new();
    let attributes = |count: usize| -> Attributes {
        (0..count)
            .map(|n| (name(&format!("a{n}")), Value::Int(1)))
            .collect()
    };
    let merge = |count| Edit::SetAttributes {
        path: path("n"),
        attributes: attributes(count),
    };
    refuses(
        &mut bag,
        merge(ATTRIBUTES_MAX + 1),
        EditErrorKind::TooManyAttributes,
    );
    bag.edit(merge(ATTRIBUTES_MAX)).unwrap();
    refuses(
        &mut bag,
        Edit::set(path("n?one_more"), 1),
        EditErrorKind::TooManyAttributes,
    );
    bag.set("n?a0", Value::Null).unwrap();
    bag.set("n?one_more", 1).unwrap();
}

#[test]
fn a_list_has_so_many_items_and_no_list() {
    let nulls = |count| List::new(vec![Value::Null; count]);
    assert!(nulls(LIST_ITEMS_MAX).is_ok());
    assert_eq!(
        nulls(LIST_ITEMS_MAX + 1).unwrap_err().kind(),
        ValueErrorKind::ListTooLong
    );
    let nested = vec![Value::List(nulls(0).unwrap())];
    assert_eq!(
        List::new(nested).unwrap_err().kind(),
        ValueErrorKind::NestedList
    );
}

#[test]
fn ids_beyond_the_counter_are_taken_note_of() {
    let mut bag = Bag::new();
    let ops = bag.order(&Edit::set(path("a"), 1).into()).unwrap();
    bag.apply(&ops, 1);
    bag.remove("a").unwrap();
    bag.set("b", 1).unwrap();
    let id = bag.root().child("b").unwrap().id();
    assert_ne!(id, NodeId::ROOT);
    assert_eq!(bag.image_counters().next_id, 3, "an id is never used twice");
}

#[test]
fn an_edit_is_checked_before_it_meets_a_tree() {
    let large = |bytes: usize| Value::from("x".repeat(bytes));
    let attributes = |value: Value| {
        let mut attributes = Attributes::new();
        attributes.insert(name("a"), value);
        attributes
    };
    let edits = |value: Value| {
        let branch = Branch::from_rows([Row::value(0, label("b"), value.clone())]).unwrap();
        [
            Edit::set(path("p"), value.clone()),
            Edit::set(path("p"), branch.clone()),
            Edit::SetAttributes {
                path: path("p"),
                attributes: attributes(value.clone()),
            },
            Edit::Merge {
                path: path("p"),
                branch: branch.clone(),
            },
            Edit::Replace {
                path: path("p"),
                branch,
            },
            Edit::SetResolver {
                path: path("p"),
                resolver: None,
                content: Some(value.clone().into()),
                attributes: Some(attributes(1.into())),
                position: None,
            },
        ]
    };
    for edit in edits(large(NODE_BYTES_MAX - 100)) {
        assert_eq!(edit.check(), Ok(()), "{:?}", edit.path());
    }
    for edit in edits(large(NODE_BYTES_MAX + 1)) {
        let refused = edit.check().unwrap_err();
        assert_eq!(refused.kind(), EditErrorKind::TooLarge);
        assert_eq!(refused.path().as_str(), "p");
    }
}
