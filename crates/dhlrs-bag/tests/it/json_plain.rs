//! Plain JSON in and out.
#![expect(clippy::panic, reason = "a helper that fails is a test that fails")]

use dhlrs_bag::formats::{
    FormatError, FormatErrorKind as Kind, Item, Losses, PlainJsonReader, PlainJsonWriter,
    value_to_json,
};
use dhlrs_bag::{Attributes, Row};

fn import(text: &str, key: Option<&str>) -> Result<Vec<Item>, FormatError> {
    PlainJsonReader::new(text.as_bytes(), key.map(str::to_owned)).collect()
}

// One row a line: two spaces a level, label, value.
fn show(items: &[Item]) -> String {
    let lines = items.iter().map(|item| match item {
        Item::Row(row) => {
            let value = row
                .value
                .as_ref()
                .map_or_else(|| "{}".to_owned(), value_to_json);
            format!("{}{} {value}", "  ".repeat(row.depth.into()), row.label)
        }
        other => format!("{other:?}"),
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[track_caller]
fn reads(text: &str, key: Option<&str>, wanted: &[&str]) {
    let items = import(text, key).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(show(&items), wanted.join("\n"), "{text}");
}

#[track_caller]
fn refuses(text: &str, key: Option<&str>, kind: Kind, pointer: &str) {
    let error = import(text, key).unwrap_err();
    assert_eq!(
        (error.kind(), error.pointer()),
        (kind, Some(pointer)),
        "{text}: {error}"
    );
}

#[test]
fn objects_are_bags_and_scalars_values() {
    reads(
        r#"{"a":1,"b":{"c":"x","d":{}},"e":null}"#,
        None,
        &["a 1", "b {}", "  c \"x\"", "  d {}", "e null"],
    );
    reads("{}", None, &[]);
}

#[test]
fn a_flat_list_is_a_list_and_any_other_a_bag() {
    reads(
        r#"{"a":[1,"x",null],"b":[]}"#,
        None,
        &["a [1,\"x\",null]", "b []"],
    );
    reads(
        r#"{"a":[1,{"b":2},3]}"#,
        None,
        &["a {}", "  0 1", "  1 {}", "    b 2", "  2 3"],
    );
    reads(r#"[[1,2],[]]"#, None, &["0 [1,2]", "1 []"]);
    reads(
        r#"[[[1],[[]]]]"#,
        None,
        &["0 {}", "  0 [1]", "  1 {}", "    0 []"],
    );
}

#[test]
fn a_list_of_the_limit_is_a_list_and_a_longer_one_a_bag() {
    let list = |items: usize| format!("{{\"a\":[{}]}}", vec!["1"; items].join(","));
    assert_eq!(import(&list(4096), None).unwrap().len(), 1);
    assert_eq!(import(&list(4097), None).unwrap().len(), 4098);
}

#[test]
fn a_document_can_be_one_value() {
    assert_eq!(import("5", None).unwrap(), [Item::RootValue(5_i64.into())]);
    assert!(
        matches!(import("[1]", None).unwrap().as_slice(), [Item::RootValue(list)] if list.as_list().is_some())
    );
}

#[test]
fn a_key_labels_the_records_wherever_it_stands() {
    let records = r#"[{"id":"x","n":1},{"n":{"id":"no"},"id":7}]"#;
    reads(
        records,
        Some("id"),
        &[
            "x {}",
            "  id \"x\"",
            "  n 1",
            "7 {}",
            "  n {}",
            "    id \"no\"",
            "  id 7",
        ],
    );
}

#[test]
fn a_key_is_for_every_list_below() {
    let text = r#"{"t":[{"id":"a","l":[{"id":"b"}],"s":[1,2],"none":[]}]}"#;
    let wanted = [
        "t {}",
        "  a {}",
        "    id \"a\"",
        "    l {}",
        "      b {}",
        "        id \"b\"",
        "    s [1,2]",
        "    none []",
    ];
    reads(text, Some("id"), &wanted);
}

#[test]
fn a_missing_or_doubled_key_is_an_error_with_a_pointer() {
    refuses(
        r#"[{"id":"x"},{"n":1}]"#,
        Some("id"),
        Kind::MissingKey,
        "/1",
    );
    refuses(
        r#"{"t":[{"id":"x"},5]}"#,
        Some("id"),
        Kind::MissingKey,
        "/t/1",
    );
    refuses(
        r#"{"t":[5,{"id":"x"}]}"#,
        Some("id"),
        Kind::MissingKey,
        "/t/1",
    );
    refuses(
        r#"[{"id":"x"},{"id":"x"}]"#,
        Some("id"),
        Kind::DuplicateKey,
        "/1/id",
    );
    refuses(
        r#"[{"id":1},{"id":"1"}]"#,
        Some("id"),
        Kind::DuplicateKey,
        "/1/id",
    );
    refuses(r#"[{"id":1.5}]"#, Some("id"), Kind::MissingKey, "/0/id");
    refuses(r#"[{"id":null}]"#, Some("id"), Kind::MissingKey, "/0/id");
    refuses(r#"[{"id":""}]"#, Some("id"), Kind::BadLabel, "/0/id");
}

#[test]
fn labels_that_cannot_be_are_errors_with_a_pointer() {
    refuses(r#"{"a":{"":1}}"#, None, Kind::BadLabel, "/a/");
    refuses(r#"{"a\u0007":1}"#, None, Kind::BadLabel, "/a\u{7}");
    refuses(r#"{"a":1,"a":2}"#, None, Kind::DuplicateLabel, "/a");
    refuses(
        &format!("{{\"{}\":1}}", "x".repeat(256)),
        None,
        Kind::BadLabel,
        &format!("/{}", "x".repeat(256)),
    );
    refuses(r#"{"a":18446744073709551616}"#, None, Kind::BadNumber, "/a");
}

#[test]
fn labels_may_hold_syntax() {
    reads(
        r##"{"a.b":{"c d":1,"#0":2,"x=y":3}}"##,
        None,
        &["a.b {}", "  c d 1", "  #0 2", "  x=y 3"],
    );
}

#[test]
fn a_tree_of_depth_64_fits_and_65_does_not() {
    let nest = |depth: usize| "{\"a\":".repeat(depth) + "1" + &"}".repeat(depth);
    assert_eq!(import(&nest(64), None).unwrap().len(), 64);
    refuses(&nest(65), None, Kind::TooDeep, &"/a".repeat(65));
}

#[test]
fn a_list_that_no_node_holds_is_refused_before_it_fills_memory() {
    let text = format!(
        "[{}]",
        vec![format!("\"{}\"", "x".repeat(1000)); 300].join(",")
    );
    let error = import(&text, None).unwrap_err();
    assert_eq!(error.kind(), Kind::TooLarge, "{error}");
}

fn export(items: Vec<Item>, attributes: &Attributes) -> (String, Losses) {
    let mut export = PlainJsonWriter::begin(Vec::new()).unwrap();
    for item in items {
        match item {
            Item::Row(row) => export.row(&row).unwrap(),
            other => panic!("{other:?}"),
        }
    }
    let (bytes, losses) = export.finish(attributes).unwrap();
    (String::from_utf8(bytes).unwrap(), losses)
}

#[test]
fn what_was_imported_is_exported_the_same() {
    let text = r#"{"a":1,"b":{"c":"x\n","d":{},"e":{"f":[1,2.5,null]}},"g":1.0,"h":{"i":{}}}"#;
    let (out, losses) = export(import(text, None).unwrap(), &Attributes::new());
    let parse = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    assert_eq!(parse(&out), parse(text));
    assert_eq!(losses, Losses::default());
    assert_eq!(export(Vec::new(), &Attributes::new()).0, "{}\n");
}

#[test]
fn what_plain_json_cannot_hold_is_counted() {
    let mut attributes = Attributes::new();
    attributes.insert("a".parse().unwrap(), 1_i64.into());
    let mut row = Row::value(
        0,
        "x".parse().unwrap(),
        "1.50".parse::<dhlrs_bag::Decimal>().unwrap(),
    );
    row.attributes = attributes.clone();
    let (out, losses) = export(vec![Item::Row(row)], &attributes);
    assert_eq!(out, "{\n\"x\":\"1.50\"\n}\n");
    let counts = (
        losses.attributes,
        losses.resolvers,
        losses.values,
        losses.characters,
    );
    assert_eq!(counts, (2, 0, 1, 0));
    let listed: Vec<String> = losses.first.iter().map(ToString::to_string).collect();
    let wanted = [
        "x: attributes are left out",
        "x: the type is lost",
        "the top: attributes are left out",
    ];
    assert_eq!(listed, wanted);
}
