//! The lines of `watch`.

use dhlrs_bag::{AttributeChange, ChangeKind, Meta, Shown, Value};
use dhlrs_cli::render::{change_json, change_line, lagged_json, lagged_line};
use dhlrs_wire::{Incarnation, Revision, WatchedChange, WatchedChanges};

fn change(kind: ChangeKind, path: &str, old: Shown, new: Shown) -> WatchedChange {
    WatchedChange {
        kind,
        path: path.parse().unwrap(),
        old_path: None,
        old,
        new,
        attributes: Vec::new(),
        index: None,
        autocreated: false,
    }
}

fn scalar(value: impl Into<Value>) -> Shown {
    Shown::Scalar(value.into())
}

fn moved(kind: ChangeKind, from: &str, to: &str) -> WatchedChange {
    WatchedChange {
        old_path: Some(from.parse().unwrap()),
        ..change(kind, to, scalar(1_i64), scalar(1_i64))
    }
}

#[test]
fn a_line_says_revision_kind_path_old_and_new() {
    let line = |change: &WatchedChange| change_line(8, change);
    assert_eq!(
        line(&change(
            ChangeKind::Value,
            "o1.status",
            scalar("new"),
            scalar("paid")
        )),
        r#"8 value o1.status "new" -> "paid""#
    );
    assert_eq!(
        line(&change(
            ChangeKind::Insert,
            "a",
            Shown::Absent,
            scalar(Value::Null)
        )),
        "8 insert a - -> null"
    );
    assert_eq!(
        line(&change(
            ChangeKind::Remove,
            "a",
            Shown::Branch { nodes: 3 },
            Shown::Absent
        )),
        r#"8 remove a {"$branch":3} -> -"#
    );
    assert_eq!(
        line(&change(
            ChangeKind::Replace,
            "",
            Shown::Branch { nodes: 3 },
            Shown::Branch { nodes: 0 }
        )),
        r#"8 replace "" {"$branch":3} -> {"$branch":0}"#
    );
    assert_eq!(
        line(&change(
            ChangeKind::Insert,
            "a b",
            Shown::Absent,
            scalar(1.0)
        )),
        r#"8 insert "a b" - -> 1.0"#
    );
}

#[test]
fn a_rename_shows_labels_and_a_move_paths() {
    assert_eq!(
        change_line(8, &moved(ChangeKind::Rename, r"a.x\.y", "a.z z")),
        r#"8 rename "a.z z" x.y -> "z z""#
    );
    assert_eq!(
        change_line(8, &moved(ChangeKind::Move, "a.x", "b.x")),
        "8 move b.x a.x -> b.x"
    );
}

#[test]
fn attributes_follow() {
    let mut change = change(ChangeKind::Attributes, "a", scalar(1_i64), scalar(1_i64));
    change.attributes = vec![
        AttributeChange {
            name: "x".parse().unwrap(),
            old: Some(1_i64.into()),
            new: Some("t".into()),
        },
        AttributeChange {
            name: "y z".parse().unwrap(),
            old: None,
            new: Some(true.into()),
        },
        AttributeChange {
            name: "w".parse().unwrap(),
            old: Some(Value::Null),
            new: None,
        },
    ];
    assert_eq!(
        change_line(8, &change),
        r#"8 attrs a 1 -> 1 @x 1 -> "t" @"y z" - -> true @w null -> -"#
    );
}

#[test]
fn json_holds_everything() {
    let mut one = change(ChangeKind::Insert, "a b", Shown::Absent, scalar("x"));
    one.index = Some(2);
    one.attributes = vec![AttributeChange {
        name: "n".parse().unwrap(),
        old: None,
        new: Some(1_i64.into()),
    }];
    let meta = Meta {
        reason: Some("why".into()),
        origin: Some("m/p".parse().unwrap()),
        ..Meta::default()
    };
    let revision = Revision {
        incarnation: Incarnation(255),
        number: 8,
    };
    let changes = WatchedChanges {
        revision,
        meta,
        transaction: false,
        changes: Vec::new(),
        more: false,
    };
    let json: serde_json::Value = serde_json::from_str(&change_json(&changes, &one)).unwrap();
    let wanted = serde_json::json!({
        "revision": 8, "incarnation": "00000000000000ff", "kind": "insert", "path": "a b", "new": "x",
        "attrs": {"n": {"new": 1}}, "index": 2, "reason": "why", "origin": "m/p", "msg_id": null,
    });
    assert_eq!(json, wanted);
    let gone = change(ChangeKind::Remove, "a", scalar(Value::Null), Shown::Absent);
    let json: serde_json::Value = serde_json::from_str(&change_json(&changes, &gone)).unwrap();
    assert_eq!(
        (json.get("old"), json.get("new")),
        (Some(&serde_json::Value::Null), None)
    );
}

#[test]
fn a_gap_is_a_line_too() {
    assert_eq!(lagged_line(5, 20), "20 lagged 5");
    assert_eq!(
        lagged_json(5, 20),
        r#"{"revision":20,"kind":"lagged","revisions":5}"#
    );
}
