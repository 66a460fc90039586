//! What `status` prints.

use dhlrs_cli::render::{status_json, status_text};
use dhlrs_wire::{
    ForwardStatus, Incarnation, PeerStatus, Revision, RouteStatus, Status, StoreStatus,
};

fn status() -> Status {
    let key = "ab".repeat(32).parse().unwrap();
    Status {
        node: "base/main".parse().unwrap(),
        key,
        version: "0.1.0".into(),
        listen: vec!["ws://127.0.0.1:7411".into()],
        transports: vec!["memory".into(), "ws".into()],
        stores: vec![StoreStatus {
            name: "main".into(),
            authority: "owned".into(),
            state: "open".into(),
            revision: Revision {
                incarnation: Incarnation(1),
                number: 9,
            },
            oldest: 2,
            nodes: 4,
            durable: true,
            sessions: 1,
            watches: 0,
            forwards: vec![ForwardStatus {
                pattern: "a.**".into(),
                store: "c/main/in".parse().unwrap(),
                revision: 8,
                refused: 0,
                state: "running".into(),
            }],
        }],
        peers: vec![PeerStatus {
            node: "c/main".parse().unwrap(),
            key,
            state: "connected".into(),
            in_flight: 0,
        }],
        routes: vec![RouteStatus {
            node: "d/main".parse().unwrap(),
            via: "c/main".parse().unwrap(),
            hops: 2,
        }],
        refused_frames: 0,
    }
}

#[test]
fn both_forms_hold_every_fact() {
    let (text, json) = (status_text(&status()), status_json(&status()));
    let parsed: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(parsed["stores"][0]["forwards"][0]["to"], "c/main/in");
    assert_eq!(parsed["routes"][0]["hops"], 2);
    for fact in [
        "base/main",
        "ws://127.0.0.1:7411",
        "memory",
        "0000000000000001",
        "a.**",
        "c/main/in",
        "running",
        "d/main",
        "abab",
    ] {
        assert!(text.contains(fact), "{fact}: {text}");
        assert!(json.contains(fact), "{fact}: {json}");
    }
}
