//! What `get`, `ls`, `query` and `tree` print.

use dhlrs_bag::{Attributes, List, Value};
use dhlrs_cli::render::{NodeView, TreeDrawing, list_line, match_json, row_json};
use dhlrs_path::{Address, Pattern};
use dhlrs_wire::{Incarnation, ReadRow, Revision};

const READ: Revision = Revision {
    incarnation: Incarnation(255),
    number: 7,
};

fn row(depth: u16, name: &str, value: Option<Value>, children: u64) -> ReadRow {
    ReadRow {
        depth,
        name: name.to_owned(),
        value,
        attributes: Attributes::new(),
        resolver: None,
        revision: 1,
        children,
    }
}

fn attributes(entries: &[(&str, Value)]) -> Attributes {
    let mut attributes = Attributes::new();
    for (name, value) in entries {
        attributes.insert(name.parse().unwrap(), value.clone());
    }
    attributes
}

fn view<'a>(
    address: &'a Address,
    value: Option<&'a Value>,
    attributes: &'a Attributes,
) -> NodeView<'a> {
    NodeView {
        address,
        value,
        attributes,
        changed: 5,
        revision: READ,
    }
}

#[test]
fn a_line_has_a_tab_before_the_value() {
    assert_eq!(
        list_line(&row(0, "a b", Some("x\ty".into()), 0)),
        "a b\t\"x\\ty\""
    );
    assert_eq!(list_line(&row(0, "a", None, 3)), "a\t{\"$branch\":3}");
}

#[test]
fn a_scalar_is_printed_raw() {
    let address: Address = "m/p/s/a".parse().unwrap();
    let none = Attributes::new();
    let text = |value: Value| view(&address, Some(&value), &none).text();
    assert_eq!(text("a\nb".into()).as_deref(), Some("a\nb"));
    assert_eq!(text(Value::Null).as_deref(), Some("null"));
    assert_eq!(text(vec![0_u8, 1, 2].into()).as_deref(), Some("AAEC"));
    assert_eq!(text(1.0.into()).as_deref(), Some("1.0"));
    let list = List::new(vec!["a".into(), 1_i64.into()]).unwrap();
    assert_eq!(text(list.into()).as_deref(), Some("[\"a\",1]"));
    assert_eq!(view(&address, None, &none).text(), None);
}

#[test]
fn one_attribute_is_raw_and_several_are_json() {
    let own = attributes(&[("z", "t".into()), ("a", 1_i64.into())]);
    let text = |query: &str| {
        let address: Address = format!("m/p/s/a{query}").parse().unwrap();
        view(&address, None, &own).text()
    };
    assert_eq!(text("?z").as_deref(), Some("t"));
    assert_eq!(text("?b"), None);
    assert_eq!(text("?a&b").as_deref(), Some("{\"a\":1}"));
    assert_eq!(text("?").as_deref(), Some("{\"a\":1,\"z\":\"t\"}"));
}

#[test]
fn json_has_type_and_revision() {
    let address: Address = "m/p/s/a".parse().unwrap();
    let own = attributes(&[("z", "t".into())]);
    let value = Value::Timestamp("2026-01-31T12:00:00Z".parse().unwrap());
    let json: serde_json::Value =
        serde_json::from_str(&view(&address, Some(&value), &own).json("")).unwrap();
    let wanted = serde_json::json!({
        "address": "m/p/s/a", "type": "timestamp", "value": {"$dt": "2026-01-31T12:00:00Z"}, "attrs": {"z": "t"},
        "changed": 5, "revision": 7, "incarnation": "00000000000000ff",
    });
    assert_eq!(json, wanted);
    let json: serde_json::Value =
        serde_json::from_str(&view(&address, None, &own).json("{\"b\":1}")).unwrap();
    assert_eq!(
        (&json["type"], &json["value"]),
        (&"bag".into(), &serde_json::json!({"b": 1}))
    );
}

#[test]
fn json_of_an_attribute_has_its_type_and_value() {
    let own = attributes(&[("z", "t".into()), ("a", 1_i64.into())]);
    let json = |query: &str| -> serde_json::Value {
        let address: Address = format!("m/p/s/a{query}").parse().unwrap();
        serde_json::from_str(&view(&address, None, &own).json("{}")).unwrap()
    };
    let one = json("?a");
    assert_eq!((&one["type"], &one["value"]), (&"int".into(), &1.into()));
    assert_eq!(one["attrs"], serde_json::json!({"a": 1}));
    let all = json("?");
    assert_eq!(all["type"], "attributes");
    assert_eq!(all["value"], serde_json::json!({"a": 1, "z": "t"}));
}

#[test]
fn every_row_in_json_has_the_same_fields() {
    let mut node = row(0, "a.b", Some(1_i64.into()), 0);
    node.attributes = attributes(&[("z", "t".into())]);
    let fields = |json: String, name: &str| -> serde_json::Value {
        let mut json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert!(
            json.as_object_mut().unwrap().remove(name).is_some(),
            "{json}"
        );
        json
    };
    let wanted = serde_json::json!({
        "depth": 2, "type": "int", "value": 1, "attrs": {"z": "t"}, "children": 0,
        "changed": 1, "revision": 7, "incarnation": "00000000000000ff",
    });
    let found = match_json(&node, None, READ);
    assert_eq!(
        fields(found, "path"),
        wanted,
        "the depth is that of the path"
    );
    node.depth = 2;
    assert_eq!(fields(row_json("label", &node, READ), "label"), wanted);
    let pattern = Pattern::parse("a.*?z").unwrap();
    let found = fields(match_json(&node, pattern.query(), READ), "path");
    assert_eq!(
        (&found["type"], &found["value"]),
        (&"text".into(), &"t".into())
    );
    assert_eq!(found["revision"], 7);
}

#[test]
fn a_tree_is_drawn_while_it_comes_in() {
    let mut drawing = TreeDrawing::default();
    let mut with_attribute = row(2, "y", Some(1_i64.into()), 0);
    with_attribute.attributes = attributes(&[("n", "t".into())]);
    let rows = [
        row(0, "m/p/s", None, 3),
        row(1, "a", None, 2),
        row(2, "x", Some("t".into()), 0),
        with_attribute,
        row(1, "b", None, 0),
        row(1, "c", None, 1),
        row(2, "z", None, 1),
        row(3, "w", Some(Value::Null), 0),
    ];
    let lines: Vec<String> = rows.iter().map(|row| drawing.line(row)).collect();
    let wanted = [
        "m/p/s",
        "├── a",
        "│   ├── x: \"t\"",
        "│   └── y: 1 @n=\"t\"",
        "├── b",
        "└── c",
        "    └── z",
        "        └── w: null",
    ];
    assert_eq!(lines, wanted);
}
