//! Each call does what users of maps expect, and leaves no trace when it is refused.

use dhlrs_bag::{Bag, Branch, Content, EditErrorKind, Row, Value};

use crate::{label, listing};

fn bag() -> Bag {
    let mut bag = Bag::new();
    bag.set("a.x", 1).unwrap();
    bag.set("a.y", 2).unwrap();
    bag.set_attribute("a", "color", "red").unwrap();
    bag.set("b", Value::Null).unwrap();
    bag
}

#[test]
fn a_default_is_set_only_where_nothing_is() {
    let mut bag = bag();
    assert_eq!(bag.set_default("a.x", 9), Ok(false));
    // Null is something.
    assert_eq!(bag.set_default("b", 9), Ok(false));
    assert_eq!(bag.set_default("a.z.w", 9), Ok(true));
    assert_eq!(bag.set_default("a?color", "blue"), Ok(false));
    assert_eq!(bag.set_default("a?size", 7), Ok(true));
    assert_eq!(listing(&bag), "a a.x=1 a.y=2 a.z a.z.w=9 b=null");
    assert_eq!(bag.get("a?color"), Some(&"red".into()));
    assert_eq!(bag.get("a?size"), Some(&7.into()));
    let error = bag.set_default("a.x.below", 1).unwrap_err();
    assert_eq!(error.kind(), EditErrorKind::ThroughScalar);
    assert_eq!(
        bag.set_default("a..b", 1).unwrap_err().kind(),
        EditErrorKind::BadPath
    );
}

#[test]
fn what_is_popped_is_gone_and_complete() {
    let mut bag = bag();
    let before = bag.snapshot();
    assert_eq!(bag.pop_node("missing"), Ok(None));
    assert_eq!(bag.pop("missing"), Ok(None));
    for refused in ["", "a?color"] {
        let error = bag.pop_node(refused).unwrap_err();
        assert_eq!(error.kind(), EditErrorKind::BadPath, "{refused:?}");
    }
    assert_eq!(bag.snapshot(), before);
    let popped = bag.pop_node("a").unwrap().unwrap();
    let rows: Vec<_> = popped
        .rows()
        .iter()
        .map(|row| (row.depth, row.label.as_str()))
        .collect();
    assert_eq!(rows, [(0, "a"), (1, "x"), (1, "y")]);
    assert_eq!(
        popped.rows()[0].attributes.get("color"),
        Some(&"red".into())
    );
    assert_eq!(listing(&bag), "b=null");
    assert_eq!(bag.pop("#0"), Ok(Some(Content::Value(Value::Null))));
    // It can be put back as it was.
    bag.merge("", popped).unwrap();
    assert_eq!(listing(&bag), "a a.x=1 a.y=2");
    assert_eq!(bag.get("a?color"), Some(&"red".into()));
}

#[test]
fn the_root_and_any_bag_can_be_cleared_and_a_value_cannot() {
    let mut bag = bag();
    assert_eq!(bag.clear("b").unwrap_err().kind(), EditErrorKind::NotABag);
    assert_eq!(bag.clear("c").unwrap_err().kind(), EditErrorKind::Missing);
    bag.clear("a").unwrap();
    assert_eq!(listing(&bag), "a b=null");
    assert_eq!(bag.get("a?color"), Some(&"red".into()));
    bag.clear("").unwrap();
    assert!(bag.is_empty());
}

#[test]
fn a_merge_that_is_refused_changes_nothing() {
    let mut bag = bag();
    let before: Vec<_> = bag.image().collect();
    let rows = [
        Row::value(0, label("x"), 5),
        Row::bag(0, label("y")),
        Row::value(1, label("z"), 1),
    ];
    let branch = Branch::from_rows(rows).unwrap();
    let error = bag.merge("a", branch).unwrap_err();
    assert_eq!(error.kind(), EditErrorKind::ThroughScalar);
    assert!(bag.image().eq(before));
}
