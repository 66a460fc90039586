//! What `feeds`, `log` and `drafts` print.

use dhlrs_cli::parse_moment;
use dhlrs_cli::render::{
    applied_json, applied_text, draft_json, draft_line, event_json, event_line, feeds_json,
    feeds_text,
};
use dhlrs_clock::{Dot, Stamp};
use dhlrs_feed::{Epoch, EventId, FeedId, StoreId};
use dhlrs_wire::{
    Draft, DraftCause, DraftsApplied, EventAction, EventRow, EventVerdict, FeedPeer, FeedRow,
    FeedStanding, FeedsStatus, Incarnation, Refusal, RefusalKind, Revision,
};
use serde_json::{Value as Json, json};

fn stamp() -> Stamp {
    Stamp::new(1_700_000_000_123, 7).unwrap()
}

fn feed() -> FeedId {
    FeedId::new("ab".repeat(32).parse().unwrap(), Epoch::stamped(stamp(), 9))
}

fn status() -> FeedsStatus {
    FeedsStatus {
        store: StoreId::new("field", None),
        own: None,
        state_hash: [0xcd; 32],
        feeds: 1,
        events: 300,
        drafts: 2,
        pending_bytes: 17,
        is_full: false,
        clock_ahead_ms: None,
        refused: 1,
        rows: vec![FeedRow {
            feed: feed(),
            held: 300,
            reduced: 290,
            head: EventId::from_bytes([6; 32]),
            stamp: stamp(),
            lag: 12,
            standing: FeedStanding::Forked,
            future: 4,
            void: 5,
            wall_ms: 1_700_000_000_000,
        }],
        next: None,
        peers: vec![
            peer("b/main", true, 3, 4),
            peer("c/main", true, 0, 0),
            peer("d/main", false, 0, 0),
        ],
    }
}

fn peer(node: &str, is_known: bool, ahead: u64, behind: u64) -> FeedPeer {
    FeedPeer {
        node: node.parse().unwrap(),
        key: "ef".repeat(32).parse().unwrap(),
        is_known,
        ahead,
        behind,
    }
}

fn row(action: EventAction, value: Option<dhlrs_bag::Value>) -> EventRow {
    EventRow {
        dot: Dot::new(feed(), 12),
        stamp: stamp(),
        following: 0,
        action,
        path: "orders.o 1".to_owned(),
        value,
        verdict: EventVerdict::Reduced,
    }
}

#[test]
fn feeds_have_every_fact_in_both_forms() {
    let (text, json) = (feeds_text(&status()), feeds_json(&status()));
    for fact in [
        "abab",
        "cdcd",
        "b/main",
        "290",
        "300",
        "12",
        "1700000000123.7",
        "forked",
    ] {
        assert!(text.contains(fact), "{fact}: {text}");
        assert!(json.contains(fact), "{fact}: {json}");
    }
    for line in [
        "own      none: nothing was written here yet",
        "holds    300 events in 1 feed, 2 drafts",
        "pending  17 bytes",
        "refused  1 message",
    ] {
        assert!(text.lines().any(|own| own == line), "{line}: {text}");
    }
    assert!(
        text.contains(": 3 to come") || text.contains(" 3 to come, 4 to go"),
        "{text}"
    );
    assert!(text.contains(" in step\n") && text.contains("has said nothing of this store"));
    assert!(text.contains("290 of 300 reduced, lag 12, 4 in the future, 5 void, last"));
    assert!(text.ends_with(": its key was used twice"));
    let parsed: Json = serde_json::from_str(&json).unwrap();
    assert_eq!(parsed["own"], Json::Null);
    assert_eq!(parsed["feeds"][0]["future"], 4);
    assert_eq!(parsed["peers"][2]["known"], false);
}

#[test]
fn warnings_stand_where_there_is_cause() {
    let plain = feeds_text(&status());
    assert!(
        !plain.contains("WARNING") && !plain.contains("full"),
        "{plain}"
    );
    let text = |clock_ahead_ms, is_full| {
        feeds_text(&FeedsStatus {
            clock_ahead_ms,
            is_full,
            own: Some(feed()),
            ..status()
        })
    };
    assert!(text(Some(90_000), false).contains("WARNING: 90 seconds behind those"));
    assert!(text(Some(-90_000), false).contains("WARNING: 90 seconds ahead of those"));
    let full = text(None, true);
    assert!(full.contains("full     it takes no new feeds"), "{full}");
    assert!(full.contains(&format!("own      {} {}", feed().author, feed().epoch)));
}

#[test]
fn events_are_lines_with_tabs() {
    let head = "1700000000123.7\t2023-11-14T22:13:20.123Z\tabababab\t12\t";
    for (action, value, tail) in [
        (
            EventAction::Set,
            Some("paid".into()),
            "set\t\"orders.o 1\"\t\"paid\"",
        ),
        (
            EventAction::Set,
            Some(dhlrs_bag::Value::Null),
            "set\t\"orders.o 1\"\tnull",
        ),
        (EventAction::Create, None, "create\t\"orders.o 1\""),
        (EventAction::Remove, None, "remove\t\"orders.o 1\""),
        (
            EventAction::SetAttribute {
                name: "unit".parse().unwrap(),
            },
            Some("kg".into()),
            "attr\t\"orders.o 1\"\t@unit \"kg\"",
        ),
        (
            EventAction::Move {
                to: "drafts".to_owned(),
            },
            None,
            "move\t\"orders.o 1\"\t-> drafts",
        ),
        (
            EventAction::Rename {
                label: "o 2".parse().unwrap(),
            },
            None,
            "rename\t\"orders.o 1\"\t-> \"o 2\"",
        ),
    ] {
        assert_eq!(event_line(&row(action, value)), format!("{head}{tail}"));
    }
    let emitted = EventRow {
        path: String::new(),
        ..row(
            EventAction::Emit {
                kind: "till.count".into(),
            },
            Some("3".into()),
        )
    };
    assert_eq!(
        event_line(&emitted),
        format!("{head}emit\t-\ttill.count \"3\"")
    );
}

#[test]
fn events_are_json_with_their_whole_names() {
    let action = EventAction::SetAttribute {
        name: "unit".parse().unwrap(),
    };
    let told: Json = serde_json::from_str(&event_json(&row(action, Some(5.into())))).unwrap();
    assert_eq!(
        told,
        json!({
            "stamp": "1700000000123.7", "time": "2023-11-14T22:13:20.123Z", "author": "ab".repeat(32),
            "epoch": feed().epoch.to_string(), "seq": 12, "following": 0, "kind": "attr", "path": "orders.o 1",
            "attr": "unit", "value": 5, "verdict": "reduced",
        })
    );
    for (action, field, value) in [
        (
            EventAction::Move {
                to: "drafts".to_owned(),
            },
            "to",
            "drafts",
        ),
        (
            EventAction::Rename {
                label: "b".parse().unwrap(),
            },
            "label",
            "b",
        ),
        (EventAction::Emit { kind: "k".into() }, "event", "k"),
    ] {
        let told: Json = serde_json::from_str(&event_json(&row(action, None))).unwrap();
        assert_eq!((&told[field], &told["value"]), (&value.into(), &Json::Null));
    }
}

#[test]
fn drafts_say_why_and_what_became_of_them() {
    let draft = Draft {
        event: row(EventAction::Remove, None),
        cause: DraftCause::ClockMended,
    };
    let line = draft_line(&draft);
    assert!(line.ends_with("remove\t\"orders.o 1\"\t# it was stamped by a clock that was ahead"));
    let told: Json = serde_json::from_str(&draft_json(&draft)).unwrap();
    assert_eq!(
        (&told["cause"], &told["kind"]),
        (&"clock_mended".into(), &"remove".into())
    );

    let applied = DraftsApplied {
        revision: Revision {
            incarnation: Incarnation(1),
            number: 9,
        },
        applied: 5,
        left_out: 3,
        first_left_out: vec![Refusal::new(
            RefusalKind::PreconditionFailed,
            "a was changed",
        )],
    };
    assert_eq!(applied_text(&applied), "9\t5 applied, 3 left out");
    let told: Json = serde_json::from_str(&applied_json(&applied)).unwrap();
    assert_eq!(
        (&told["applied"], &told["reasons"][0]),
        (&5.into(), &"a was changed".into())
    );
}

#[test]
fn a_moment_is_a_stamp_or_all_of_a_millisecond() {
    assert_eq!(parse_moment("1700000000123.7").unwrap(), stamp());
    let end = |wall_ms| Stamp::new(wall_ms, u16::MAX).unwrap();
    assert_eq!(
        parse_moment("2023-11-14T22:13:20.123Z").unwrap(),
        end(1_700_000_000_123)
    );
    assert_eq!(parse_moment("1970-01-01T00:00:00Z").unwrap(), end(0));
    for text in [
        "",
        "now",
        "1700000000123",
        "1969-12-31T23:59:59Z",
        "2023-11-14",
        "1.65536",
    ] {
        let failure = parse_moment(text).unwrap_err();
        assert!(failure.hint_text().unwrap().contains("RFC 3339"), "{text}");
    }
}
