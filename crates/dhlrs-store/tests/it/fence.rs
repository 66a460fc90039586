//! After a failed sync nobody is told anything that the disk may not hold.

use dhlrs_store::Input;
use dhlrs_wire::{RefusalKind, View};

use crate::bench::{Bench, config, counted, remote, resolvers, set};

fn fail(bench: &mut Bench) {
    bench.out = None;
    bench.handle(Input::PersistFailed {
        message: "no space left on device".to_owned(),
    });
}

#[test]
fn a_failed_sync_leaves_the_outcome_unknown_and_the_published_tree_readable() {
    let mut bench = Bench::logged();
    bench.set("a", 1);
    let session = bench.open_session();
    bench.at_once = false;
    let out = bench.request_of(remote(), counted(session, 1, vec![set("a", 2)]));
    let next = bench.request_of(remote(), counted(session, 2, vec![set("a", 3)]));
    fail(&mut bench);
    let unknown = bench.answer(out).unwrap().unwrap_err();
    assert_eq!(
        (unknown.kind(), unknown.outcome_unknown()),
        (RefusalKind::Unavailable, true)
    );
    let undone = bench.answer(next).unwrap().unwrap_err();
    assert_eq!(
        (undone.kind(), undone.outcome_unknown()),
        (RefusalKind::Unavailable, false)
    );
    assert_eq!(bench.shown("a").as_deref(), Some("1"));
    assert!(bench.read("a", 0, View::Resolve).is_ok());
    let refused = bench
        .ask(remote(), counted(session, 1, vec![set("a", 2)]))
        .unwrap_err();
    assert_eq!(refused.kind(), RefusalKind::Unavailable);
}

#[test]
fn after_the_log_is_open_again_the_same_write_is_applied_once() {
    let mut bench = Bench::logged();
    let session = bench.open_session();
    bench.at_once = false;
    bench.request_of(remote(), counted(session, 1, vec![set("a", 1)]));
    fail(&mut bench);
    bench.at_once = true;
    bench.recover();
    assert!(
        bench
            .ask(remote(), counted(session, 1, vec![set("a", 1)]))
            .is_ok()
    );
    assert_eq!(
        (bench.shown("a").as_deref(), bench.revision().number),
        (Some("1"), 1)
    );
}

#[test]
fn what_the_log_holds_after_all_is_told_to_the_watches() {
    let mut bench = Bench::logged();
    let watch = crate::watches::begin(&mut bench, "**", None);
    bench.at_once = false;
    let session_write = crate::bench::intent([0; 16], 0, vec![set("a", 1)]);
    bench.request_of(
        crate::bench::local(),
        dhlrs_wire::Request::Write(Box::new(session_write)),
    );
    // The records reached the disk, but the sync was reported as failed.
    let (_, records) = bench.out.clone().unwrap();
    bench.disk.extend(records);
    fail(&mut bench);
    assert!(bench.deliveries(watch).is_empty());
    bench.at_once = true;
    bench.recover();
    assert_eq!(
        crate::watches::lines(bench.deliveries(watch)),
        ["1 insert a"]
    );
    assert_eq!(bench.shown("a").as_deref(), Some("1"));
}

#[test]
fn a_log_that_makes_no_sense_in_the_middle_opens_nothing() {
    let mut bench = Bench::logged();
    for n in 1..=4 {
        bench.set("a", n);
    }
    let good = bench.disk.clone();
    bench.store = dhlrs_store::Store::new(config(true), resolvers()).unwrap();
    let part = |records: &[Vec<u8>], last| Input::Recovered {
        chunk: dhlrs_store::Recovered::Records(records.to_vec()),
        last,
    };
    bench.handle(part(&good[..2], false));
    bench.handle(part(&[vec![0xff; 9]], false));
    bench.handle(part(&good[3..4], false));
    bench.handle(part(&good[4..], true));
    assert!(!bench.store.is_open());
    assert_eq!(bench.revision().number, 0);
    // Once it can be read, it is what it was.
    bench.handle(part(&good, true));
    assert!(bench.store.is_open());
    assert_eq!(bench.shown("a").as_deref(), Some("4"));
    assert_eq!(bench.revision().number, 4);
}
