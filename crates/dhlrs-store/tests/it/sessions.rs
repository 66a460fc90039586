//! A write that comes twice is applied once, also after a restart.

use dhlrs_identity::PublicKey;
use dhlrs_store::Caller;
use dhlrs_wire::{RefusalKind, Reply, Request};

use crate::bench::{Bench, counted, remote, set, written};

/// Another process, which has read the session's name in a change.
fn stranger() -> Caller {
    Caller {
        source: "cellar/cli".parse().unwrap(),
        neighbour: remote().neighbour,
    }
}

#[test]
fn a_write_that_comes_twice_is_applied_once_and_answered_alike() {
    let mut bench = Bench::logged();
    let session = bench.open_session();
    let first = bench
        .ask(remote(), counted(session, 1, vec![set("a", 1)]))
        .unwrap();
    bench
        .ask(remote(), counted(session, 2, vec![set("a", 2)]))
        .unwrap();
    let again = bench
        .ask(remote(), counted(session, 1, vec![set("a", 1)]))
        .unwrap();
    assert_eq!(first, again);
    assert_eq!(bench.shown("a").as_deref(), Some("2"));
}

#[test]
fn a_restart_keeps_sessions_counters_and_answers() {
    let mut bench = Bench::logged();
    let session = bench.open_session();
    let first = bench
        .ask(remote(), counted(session, 1, vec![set("a", 1)]))
        .unwrap();
    bench.restart();
    assert_eq!(
        bench
            .ask(remote(), counted(session, 1, vec![set("a", 1)]))
            .unwrap(),
        first
    );
    assert!(
        bench
            .ask(remote(), counted(session, 2, vec![set("a", 2)]))
            .is_ok()
    );
}

#[test]
fn a_duplicate_of_a_write_that_is_not_on_disk_waits_for_the_disk() {
    let mut bench = Bench::logged();
    let session = bench.open_session();
    bench.at_once = false;
    let first = bench.request_of(remote(), counted(session, 1, vec![set("a", 1)]));
    let again = bench.request_of(remote(), counted(session, 1, vec![set("a", 1)]));
    assert!(bench.answer(again).is_none());
    bench.sync();
    let answer = bench.answer(first).unwrap();
    assert_eq!(bench.answer(again).unwrap(), answer);
}

#[test]
fn a_refused_write_uses_its_counter_also_across_a_restart() {
    let mut bench = Bench::logged();
    let session = bench.open_session();
    bench
        .ask(remote(), counted(session, 1, vec![set("a", 1)]))
        .unwrap();
    let refused = bench
        .ask(remote(), counted(session, 2, vec![set("a.x", 1)]))
        .unwrap_err();
    assert_eq!(refused.kind(), RefusalKind::ThroughScalar);
    bench.restart();
    let again = bench
        .ask(remote(), counted(session, 2, vec![set("a.x", 1)]))
        .unwrap_err();
    assert_eq!(again, refused);
    assert!(
        bench
            .ask(remote(), counted(session, 3, vec![set("b", 1)]))
            .is_ok()
    );
}

#[test]
fn a_gap_and_an_unknown_session_change_nothing() {
    let mut bench = Bench::logged();
    let session = bench.open_session();
    let gap = bench
        .ask(remote(), counted(session, 2, vec![set("a", 1)]))
        .unwrap_err();
    assert_eq!(gap.kind(), RefusalKind::OutOfOrder { expected: 1 });
    let unknown = bench
        .ask(remote(), counted([9; 16], 1, vec![set("a", 1)]))
        .unwrap_err();
    assert_eq!(unknown.kind(), RefusalKind::UnknownSession);
    assert_eq!(bench.shown("a"), None);
}

#[test]
fn a_closed_session_is_unknown() {
    let mut bench = Bench::logged();
    let session = bench.open_session();
    let closed = bench
        .ask(remote(), Request::CloseSession { session })
        .unwrap();
    assert_eq!(closed, Reply::Done);
    let unknown = bench
        .ask(remote(), counted(session, 1, vec![set("a", 1)]))
        .unwrap_err();
    assert_eq!(unknown.kind(), RefusalKind::UnknownSession);
}

#[test]
fn a_restored_backup_forgets_sessions_and_begins_a_new_incarnation() {
    let mut bench = Bench::logged();
    let session = bench.open_session();
    let done = written(
        bench
            .ask(remote(), counted(session, 1, vec![set("a", 1)]))
            .unwrap(),
    );
    let mut config = crate::bench::config(true);
    config.restored = true;
    bench.restart_as(config, crate::bench::resolvers());
    assert_ne!(bench.revision().incarnation, done.revision.incarnation);
    assert_eq!(bench.shown("a").as_deref(), Some("1"));
    let unknown = bench
        .ask(remote(), counted(session, 2, vec![set("a", 2)]))
        .unwrap_err();
    assert_eq!(unknown.kind(), RefusalKind::UnknownSession);
    let incarnation = bench.revision().incarnation;
    bench.restart();
    assert_eq!(bench.revision().incarnation, incarnation);
}

#[test]
fn a_restored_backup_begins_a_new_incarnation_even_if_the_first_sync_fails() {
    let mut bench = Bench::logged();
    let session = bench.open_session();
    bench
        .ask(remote(), counted(session, 1, vec![set("a", 1)]))
        .unwrap();
    let old = bench.revision().incarnation;
    let mut config = crate::bench::config(true);
    config.restored = true;
    bench.at_once = false;
    bench.restart_as(config, crate::bench::resolvers());
    let begun = bench.revision().incarnation;
    assert_ne!(begun, old);
    bench.out = None;
    bench.handle(dhlrs_store::Input::PersistFailed {
        message: "no space left on device".to_owned(),
    });
    bench.at_once = true;
    bench.recover();
    assert!(bench.store.is_open());
    assert_eq!(
        bench.revision().incarnation,
        begun,
        "somebody may have seen it"
    );
    let refused = bench
        .ask(remote(), counted(session, 2, vec![set("a", 2)]))
        .unwrap_err();
    assert_eq!(refused.kind(), RefusalKind::UnknownSession);
    bench.restart();
    assert_eq!(bench.revision().incarnation, begun);
}

#[test]
fn a_session_is_on_disk_before_it_is_answered() {
    let mut bench = Bench::logged();
    bench.at_once = false;
    let id = bench.request_of(remote(), Request::OpenSession);
    assert!(bench.answer(id).is_none());
    bench.sync();
    assert!(bench.answer(id).is_some());
}

#[test]
fn nobody_else_writes_in_a_session() {
    let mut bench = Bench::logged();
    let session = bench.open_session();
    let refused = bench
        .ask(stranger(), counted(session, 1, vec![set("theirs", 1)]))
        .unwrap_err();
    assert_eq!(refused.kind(), RefusalKind::UnknownSession);
    let own = counted(session, 1, vec![set("a", 1)]);
    bench.ask(remote(), own.clone()).unwrap();
    assert_eq!(bench.shown("a").as_deref(), Some("1"));
    assert_eq!(bench.shown("theirs"), None);
    // Nor does anybody else get to read the answer that is kept.
    let refused = bench.ask(stranger(), own).unwrap_err();
    assert_eq!(refused.kind(), RefusalKind::UnknownSession);
}

#[test]
fn nobody_else_closes_a_session() {
    let mut bench = Bench::logged();
    let session = bench.open_session();
    let refused = bench
        .ask(stranger(), Request::CloseSession { session })
        .unwrap_err();
    assert_eq!(refused.kind(), RefusalKind::UnknownSession);
    bench.restart();
    bench
        .ask(remote(), counted(session, 1, vec![set("a", 1)]))
        .unwrap();
}

#[test]
fn a_session_goes_on_through_another_neighbour() {
    let mut bench = Bench::logged();
    let session = bench.open_session();
    let mut caller = remote();
    caller.neighbour = Some(PublicKey::from_bytes([2; 32]));
    bench
        .ask(caller.clone(), counted(session, 1, vec![set("a", 1)]))
        .unwrap();
    let closed = bench.ask(caller, Request::CloseSession { session });
    assert_eq!(closed.unwrap(), Reply::Done);
}

#[test]
fn closing_an_unknown_session_leaves_nothing_in_the_log() {
    let mut bench = Bench::logged();
    bench.open_session();
    let records = bench.disk.len();
    let close = Request::CloseSession { session: [9; 16] };
    let refused = bench.ask(remote(), close).unwrap_err();
    assert_eq!(refused.kind(), RefusalKind::UnknownSession);
    assert_eq!(bench.disk.len(), records);
}
