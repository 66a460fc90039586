//! Random trees with everything in them: every kind of value, awkward labels and names, resolvers, the full depth.

use dhlrs_bag::{
    Attributes, Bag, Branch, Bytes, Decimal, Edit, Label, List, Name, ResolverRef, Row, Timestamp,
    Value,
};
use dhlrs_path::{DEPTH_MAX, Path};
use proptest::prelude::*;

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        any::<f64>().prop_map(Value::Float),
        ".{0,8}|[0-9:A-Z]{1,6}|\\PC{0,3}::[A-Z]{1,3}| |true|null|\\[1\\]".prop_map(Value::from),
        "[\u{0}-\u{20}<&>\"'\u{7f}\u{fffe}é]{0,6}".prop_map(Value::from),
        proptest::collection::vec(any::<u8>(), 0..8)
            .prop_map(|bytes| Value::Bytes(Bytes::new(&bytes))),
        any::<i64>().prop_map(|ns| Value::Timestamp(Timestamp::from_ns(ns))),
        (-(1_i128 << 95)..(1_i128 << 95), 0_u8..=28)
            .prop_map(|(m, s)| Value::Decimal(Decimal::new(m, s).unwrap())),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => scalar(),
        1 => proptest::collection::vec(scalar(), 0..4).prop_map(|items| Value::List(List::new(items).unwrap())),
    ]
}

pub(crate) fn some_attributes() -> impl Strategy<Value = Attributes> {
    proptest::collection::vec(("[a-c .=#\"\\\\]{1,3}|_T|_tag|xmlns|é:x", value()), 0..3).prop_map(
        |entries| {
            let mut attributes = Attributes::new();
            for (name, value) in entries {
                attributes.insert(Name::new(&name).unwrap(), value);
            }
            attributes
        },
    )
}

fn resolver() -> impl Strategy<Value = Option<ResolverRef>> {
    proptest::option::weighted(
        0.2,
        ("[a-z]{1,4}", any::<i64>(), any::<bool>(), some_attributes()),
    )
    .prop_map(|resolver| {
        resolver.map(|(name, cache_time_ms, read_only, parameters)| ResolverRef {
            name: Name::new(&name).unwrap(),
            cache_time_ms,
            read_only,
            parameters,
        })
    })
}

// Labels are numbered, so that they are unique; the odd text in front is what has to travel.
pub(crate) fn rows() -> impl Strategy<Value = Vec<Row>> {
    let row = (
        0_u16..4,
        "[a. #=~*é\"\\\\]{1,3}",
        proptest::option::weighted(0.6, value()),
        some_attributes(),
        resolver(),
    );
    proptest::collection::vec(row, 0..20).prop_map(|drafts| {
        let mut rows: Vec<Row> = Vec::new();
        for (number, (depth, label, value, attributes, resolver)) in drafts.into_iter().enumerate()
        {
            let deepest = rows
                .last()
                .map_or(0, |last| last.depth + u16::from(last.value.is_none()));
            let label = Label::new(&format!("{label}{number}")).unwrap();
            rows.push(Row {
                depth: depth.min(deepest),
                label,
                value,
                attributes,
                resolver,
            });
        }
        rows
    })
}

/// A bag of rows and attributes, by the way that edits take.
pub(crate) fn bag_of(rows: Vec<Row>, own: Attributes) -> Bag {
    let mut bag = Bag::new();
    let branch = Branch::from_rows(rows).unwrap();
    let path = Path::default();
    bag.edit(Edit::Merge { path, branch }).unwrap();
    let path = Path::default();
    let attributes = own;
    bag.edit(Edit::SetAttributes { path, attributes }).unwrap();
    bag
}

/// Random bags; some of them have a node at the full depth.
pub(crate) fn bags() -> impl Strategy<Value = Bag> {
    (rows(), some_attributes(), any::<bool>()).prop_map(|(mut rows, own, deep)| {
        if deep {
            let label: Label = "d e".parse().unwrap();
            rows.extend((0..DEPTH_MAX as u16 - 1).map(|depth| Row::bag(depth, label.clone())));
            rows.push(Row::value(DEPTH_MAX as u16 - 1, label, 64));
        }
        bag_of(rows, own)
    })
}
