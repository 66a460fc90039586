//! Typed JSON: what is exported imports to an equal tree, and exports to equal bytes.
#![expect(
    clippy::expect_used,
    reason = "a helper that fails is a test that fails"
)]

use dhlrs_bag::formats::{
    FormatError, FormatErrorKind as Kind, Item, PENDING_ROWS_MAX, TypedJsonReader, TypedJsonWriter,
};
use dhlrs_bag::{Attributes, Name, ResolverRef, Row, Value};
use proptest::prelude::*;

use super::trees::{rows, some_attributes};

fn import(text: &[u8]) -> Result<Vec<Item>, FormatError> {
    TypedJsonReader::new(text).collect()
}

fn export(rows: &[Row], attributes: &Attributes) -> Vec<u8> {
    let mut export = TypedJsonWriter::begin(Vec::new()).unwrap();
    for row in rows {
        export.row(row).unwrap();
    }
    export.finish(attributes).unwrap()
}

fn attributes(entries: &[(&str, Value)]) -> Attributes {
    let mut attributes = Attributes::new();
    for (name, value) in entries {
        attributes.insert(Name::new(name).unwrap(), value.clone());
    }
    attributes
}

#[track_caller]
fn refuses(text: &str, kind: Kind) {
    let error = import(text.as_bytes()).expect_err(text);
    assert_eq!(error.kind(), kind, "{text}: {error}");
}

#[test]
fn has_the_documented_form() {
    let rows = [
        Row {
            attributes: attributes(&[("z", 1_i64.into()), ("a", Value::Null)]),
            ..Row::bag(0, "b".parse().unwrap())
        },
        Row::value(1, "c".parse().unwrap(), "x"),
        Row {
            resolver: Some(ResolverRef {
                cache_time_ms: 1500,
                ..ResolverRef::new("r".parse().unwrap())
            }),
            ..Row::value(0, "d".parse().unwrap(), Value::Null)
        },
    ];
    let text = String::from_utf8(export(&rows, &attributes(&[("q", true.into())]))).unwrap();
    let wanted = concat!(
        "{\"$bag\":[\n[\"b\",{\"$bag\":[[\"c\",\"x\",{}]]},{\"a\":null,\"z\":1}],\n",
        "[\"d\",null,{},{\"$res\":{\"name\":\"r\",\"cache_time\":1.5,\"read_only\":false,\"kw\":{}}}]\n",
        "],\"attrs\":{\"q\":true}}\n",
    );
    assert_eq!(text, wanted);
}

#[test]
fn a_leaf_is_a_document_too() {
    let attributes = attributes(&[("a", 1_i64.into())]);
    let mut out = Vec::new();
    TypedJsonWriter::value(&mut out, &Value::Float(1.0), &attributes).unwrap();
    assert_eq!(
        import(&out).unwrap(),
        [
            Item::RootValue(Value::Float(1.0)),
            Item::RootAttributes(attributes)
        ]
    );
}

#[test]
fn other_shapes_are_refused() {
    for text in [
        "1",
        "[]",
        "{\"a\":1}",
        "{\"$bag\":1}",
        "{\"$bag\":[1]}",
        "{\"$bag\":[[]]}",
        "{\"$bag\":[[1,2]]}",
        "{\"$bag\":[[\"a\"]]}",
        "{\"$bag\":[[\"a\",1,2]]}",
        "{\"$bag\":[[\"a\",1,{},2]]}",
        "{\"$bag\":[[\"a\",1,{},{}]]}",
        "{\"$bag\":[[\"a\",1,{},{\"$res\":{}}]]}",
        "{\"$bag\":[[\"a\",{\"$x\":\"1\"},{}]]}",
        "{\"$bag\":[[\"a\",{\"$dt\":\"1\"},{}]]}",
        "{\"$bag\":[[\"a\",{\"$dec\":\"1e5\"},{}]]}",
        "{\"$bag\":[[\"a\",{\"$dt\":1},{}]]}",
        "{\"$bag\":[[\"a\",{},{}]]}",
        "{\"$bag\":[[\"a\",[[1]],{}]]}",
        "{\"$bag\":[[\"a\",1,{\"b\":{\"$bag\":[]}}]]}",
        "{\"$bag\":[[\"a\",{\"$bag\":[],\"b\":1},{}]]}",
        "{\"$bag\":[],\"attrs\":[]}",
        "{\"$bag\":[[\"a\",1,{},{\"$res\":{\"name\":\"r\",\"cache_time\":0.0001}}]]}",
    ] {
        refuses(text, Kind::BadShape);
    }
    refuses(
        "{\"$bag\":[[\"a\",1,{}],[\"a\",2,{}]]}",
        Kind::DuplicateLabel,
    );
    refuses("{\"$bag\":[[\"\",1,{}]]}", Kind::BadLabel);
    refuses(
        "{\"$bag\":[[\"a\",1,{\"b\":1,\"b\":2}]]}",
        Kind::DuplicateLabel,
    );
    refuses(
        "{\"$bag\":[[\"a\",18446744073709551616,{}]]}",
        Kind::BadNumber,
    );
    refuses("{\"$bag\":[]} 1", Kind::Syntax);
}

#[test]
fn a_tree_of_depth_64_travels_and_65_does_not() {
    let rows = |depth: u16| -> Vec<Row> {
        (0..depth)
            .map(|depth| Row::bag(depth, "a".parse().unwrap()))
            .collect()
    };
    let text = export(&rows(64), &Attributes::new());
    assert_eq!(import(&text).unwrap().len(), 65);
    let error = import(&export(&rows(65), &Attributes::new())).unwrap_err();
    assert_eq!(error.kind(), Kind::TooDeep, "{error}");
}

#[test]
fn a_large_bag_goes_ahead_and_its_attributes_follow() {
    let own = attributes(&[("a", 1_i64.into())]);
    let mut rows = vec![
        Row::bag(0, "x".parse().unwrap()),
        Row {
            attributes: own.clone(),
            ..Row::bag(1, "y".parse().unwrap())
        },
    ];
    let count = PENDING_ROWS_MAX + 10;
    rows.extend((0..count).map(|n| Row::value(2, n.to_string().parse().unwrap(), 1_i64)));
    let items = import(&export(&rows, &Attributes::new())).unwrap();
    assert_eq!(items[1], Item::Row(Row::bag(1, "y".parse().unwrap())));
    let late = Item::Late {
        labels: vec!["x".parse().unwrap()],
        row: Row {
            attributes: own,
            ..Row::bag(1, "y".parse().unwrap())
        },
    };
    assert_eq!(
        items[items.len() - 2..],
        [late, Item::RootAttributes(Attributes::new())]
    );
    assert_eq!(items.len(), rows.len() + 2);
}

proptest! {
    #[test]
    fn every_tree_survives(rows in rows(), own in some_attributes()) {
        let text = export(&rows, &own);
        let mut wanted: Vec<Item> = rows.into_iter().map(Item::Row).collect();
        wanted.push(Item::RootAttributes(own.clone()));
        let items = import(&text).unwrap();
        prop_assert_eq!(&items, &wanted);
        let again: Vec<Row> = items.into_iter().filter_map(|item| match item { Item::Row(row) => Some(row), _ => None }).collect();
        prop_assert_eq!(export(&again, &own), text);
    }
}
