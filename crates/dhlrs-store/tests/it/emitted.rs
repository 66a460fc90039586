//! Events of kinds that the tree does not know: written once, kept, and passed on.

use dhlrs_feed::TRANSACTION_EVENTS_MAX;
use dhlrs_wire::{
    EventAction, EventRow, HistoryRequest, Intent, OtherEvent, RefusalKind, Reply, Request,
};

use crate::bench::{Bench, intent, local, path, remote, set, written};
use crate::mesh::Mesh;

fn event(payload: &str) -> OtherEvent {
    OtherEvent::new("till.count", payload.as_bytes().to_vec()).unwrap()
}

fn emit(bench: &mut Bench, emitted: Vec<OtherEvent>) -> Result<Reply, dhlrs_wire::Refusal> {
    let intent = Intent {
        emitted,
        ..intent([0; 16], 0, Vec::new())
    };
    bench.ask(local(), Request::Write(Box::new(intent)))
}

fn emitted(bench: &mut Bench) -> Vec<EventRow> {
    let request = HistoryRequest {
        path: path(""),
        before: None,
        limit: 1_000,
    };
    let reply = bench.ask(local(), Request::History(Box::new(request)));
    match reply.unwrap() {
        Reply::History(page) => page
            .rows
            .into_iter()
            .filter(|row| matches!(row.action, EventAction::Emit { .. }))
            .collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_event_changes_no_node_and_reaches_the_others() {
    let mut mesh = Mesh::of(2);
    mesh.link(0, 1);
    let before = mesh.nodes[0].revision();
    let reply = emit(&mut mesh.nodes[0], vec![event("{\"coins\":3}")]).unwrap();
    assert_eq!(written(reply).revision, before);
    mesh.settle();
    mesh.assert_equal();
    let rows = emitted(&mut mesh.nodes[1]);
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].value, Some("{\"coins\":3}".into()));
    mesh.restart(1);
    assert_eq!(emitted(&mut mesh.nodes[1]), rows);
}

#[test]
fn an_event_and_an_edit_of_one_intent_are_one_transaction() {
    let mut mesh = Mesh::of(1);
    let intent = Intent {
        emitted: vec![event("1")],
        ..intent([0; 16], 0, vec![set("a", 1)])
    };
    let reply = mesh.nodes[0].ask(local(), Request::Write(Box::new(intent)));
    assert_eq!(written(reply.unwrap()).revision.number, 1);
    assert_eq!(mesh.nodes[0].shown("a").as_deref(), Some("1"));
    let row = &emitted(&mut mesh.nodes[0])[0];
    assert_eq!(
        (row.dot.seq, row.following),
        (3, 0),
        "after a Create and a Write"
    );
}

#[test]
fn an_event_that_comes_twice_is_written_once() {
    let mut mesh = Mesh::of(1);
    let bench = &mut mesh.nodes[0];
    let session = bench.open_session();
    for _ in 0..2 {
        let intent = Intent {
            emitted: vec![event("1")],
            ..intent(session, 1, Vec::new())
        };
        let reply = bench.ask(remote(), Request::Write(Box::new(intent)));
        assert!(matches!(reply, Ok(Reply::Written(_))), "{reply:?}");
    }
    assert_eq!(emitted(bench).len(), 1);
}

#[test]
fn more_than_a_transaction_holds_is_refused() {
    let mut mesh = Mesh::of(1);
    let bench = &mut mesh.nodes[0];
    let much = vec![event("1"); TRANSACTION_EVENTS_MAX];
    assert!(emit(bench, much.clone()).is_ok());
    let intent = Intent {
        emitted: much,
        ..intent([0; 16], 0, vec![set("a", 1)])
    };
    let refused = bench.ask(local(), Request::Write(Box::new(intent)));
    assert_eq!(refused.unwrap_err().kind(), RefusalKind::TooLarge);
    let large = OtherEvent::new("k", vec![0; 200_000]).unwrap();
    let refused = emit(bench, vec![large; 2]).unwrap_err();
    assert_eq!(refused.kind(), RefusalKind::TooLarge);
    assert_eq!(bench.shown("a"), None);
    assert_eq!(emitted(bench).len(), 1_000, "a page of them");
}
