//! Selections give what a plain walk with the same conditions gives, and show what is asked for.

use dhlrs_bag::{Bag, Cell, Column, ColumnError, Decimal, Value};
use dhlrs_path::Pattern;
use proptest::prelude::*;

use crate::{
    model::{acts, edit},
    name, path,
};

fn columns(text: &str) -> Vec<Column> {
    text.split(',').map(|own| own.parse().unwrap()).collect()
}

fn bag() -> Bag {
    let mut bag = Bag::new();
    for (own, value) in [("a.x", 1), ("a.y.x", 2), ("b", 3)] {
        bag.set(own, value).unwrap();
    }
    bag.set_attribute("a.y", "color", "red").unwrap();
    bag
}

#[test]
fn a_digest_shows_what_its_columns_ask_for() {
    let bag = bag();
    let inside = bag.node(&path("a")).unwrap();
    let asked = columns("#k,#v,#a.color,#p,#n");
    let rows: Vec<_> = inside.select().digest(&asked).collect();
    let (red, one) = (Value::from("red"), Value::Int(1));
    let y = inside.child("y").unwrap();
    assert_eq!(rows.len(), 3);
    assert_eq!(
        rows[1],
        [
            Cell::Label(y.label()),
            Cell::Value(None),
            Cell::Attribute(Some(&red)),
            Cell::Path(path("y")),
            Cell::Node(y)
        ]
    );
    assert_eq!(
        rows[0][1..4],
        [
            Cell::Value(Some(&one)),
            Cell::Attribute(None),
            Cell::Path(path("x"))
        ]
    );
    // Paths begin at the bag in which is selected.
    assert_eq!(rows[2][3], Cell::Path(path("y.x")));
    let all = columns("#a");
    let rows: Vec<_> = inside.select().branches().digest(&all).collect();
    assert_eq!(rows, [[Cell::Attributes(y.attributes())]]);
}

#[test]
fn columns_print_as_they_are_read() {
    for text in ["#k", "#v", "#a", "#a.x.y", "#p", "#n"] {
        assert_eq!(text.parse::<Column>().unwrap().to_string(), text);
    }
    for text in ["", "k", "#x", "#a x", "#K"] {
        assert_eq!(text.parse::<Column>(), Err(ColumnError::Form), "{text}");
    }
    assert!(matches!("#a.".parse::<Column>(), Err(ColumnError::Name(_))));
}

#[test]
fn a_limit_of_nothing_gives_nothing() {
    let bag = bag();
    let count = |limit| bag.root().select().limit(limit).count();
    assert_eq!([0, 1, 4, 5, 6].map(count), [0, 1, 4, 5, 5]);
    assert_eq!(bag.root().select().depth(0).count(), 0);
    // What is filtered away does not count.
    assert_eq!(bag.root().select().leaves().limit(3).count(), 3);
    assert_eq!(
        bag.root().select().leaves().limit(0).sum(&Column::Value),
        Value::Int(0)
    );
}

#[test]
fn sums_keep_the_type_that_holds_them() {
    let decimal = |text: &str| Value::Decimal(text.parse::<Decimal>().unwrap());
    let sum = |values: &[Value]| {
        let mut bag = Bag::new();
        for (at, value) in values.iter().enumerate() {
            bag.set(&format!("n{at}?w"), value.clone()).unwrap();
        }
        bag.root().select().sum(&Column::Attribute(name("w")))
    };
    assert_eq!(sum(&[]), Value::Int(0));
    assert_eq!(sum(&[1.into(), "5".into(), true.into()]), Value::Int(2));
    assert_eq!(
        sum(&[1.into(), decimal("1.50"), decimal("-0.50")]),
        decimal("2.00")
    );
    assert_eq!(sum(&[decimal("1.5"), decimal("-1.5")]), decimal("0.0"));
    assert_eq!(sum(&[decimal("1.5"), 1.0.into()]), Value::Float(2.5));
    let most = Value::Int(i64::MAX);
    assert_eq!(
        sum(&[most.clone(), most]),
        Value::Float(2.0 * i64::MAX as f64)
    );
}

proptest! {
    #[test]
    fn a_selection_is_a_walk_with_conditions(
        acts in prop::collection::vec(acts(), 1..40),
        within in prop::option::of("[a-e]"),
        depth in prop::option::of(0_usize..5),
        kind in prop::option::of(prop::bool::ANY),
        pattern in prop::option::of(prop::collection::vec(prop::sample::select(vec!["a", "b", "*", "**"]), 1..4)),
        least in prop::option::of(0_i64..4),
        limit in prop::option::of(0_usize..6),
    ) {
        let mut bag = Bag::new();
        for edit in acts.iter().filter_map(edit) {
            let _ = bag.edit(edit);
        }
        let from = within.and_then(|label| bag.root().child(&label)).unwrap_or(bag.root());
        let pattern: Option<Pattern> = pattern.map(|steps| steps.join(".").parse().unwrap());
        let fits = |value: Option<&Value>| least.is_none_or(|least| value.and_then(Value::as_int) >= Some(least));
        let expected: Vec<_> = from
            .walk()
            .map(|visited| visited.node)
            .filter(|node| depth.is_none_or(|depth| node.depth() - from.depth() <= depth))
            .filter(|node| kind.is_none_or(|leaf| leaf != node.is_bag()))
            .filter(|node| pattern.as_ref().is_none_or(|pattern| {
                let path = node.path();
                pattern.matches_path(&path.strip_prefix(&from.path()).unwrap())
            }))
            .filter(|node| fits(node.value()))
            .take(limit.unwrap_or(usize::MAX))
            .collect();
        let mut select = from.select();
        if let Some(depth) = depth {
            select = select.depth(depth);
        }
        select = match kind {
            Some(true) => select.leaves(),
            Some(false) => select.branches(),
            None => select,
        };
        if let Some(pattern) = &pattern {
            select = select.matching(pattern);
        }
        select = select.filtered(move |node| fits(node.value()));
        if let Some(limit) = limit {
            select = select.limit(limit);
        }
        prop_assert_eq!(select.collect::<Vec<_>>(), expected);
    }
}
