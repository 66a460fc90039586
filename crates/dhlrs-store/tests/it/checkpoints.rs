//! A checkpoint is the state at the end of a ticket, no more and no less.

use dhlrs_store::{Input, Output};

use dhlrs_wire::{RefusalKind, Reply, Request};

use crate::bench::{Bench, config, counted, local, remote, resolvers, set};
use crate::feeds::feeds;
use crate::mesh::Mesh;

fn small() -> dhlrs_store::Config {
    let mut config = config(true);
    config.limits.window_changes_max = 20;
    config
}

#[test]
fn a_store_opened_from_a_checkpoint_is_the_same_store() {
    let mut bench = Bench::of(small(), resolvers());
    let session = bench.open_session();
    for n in 1..=30 {
        let edits = vec![set(&format!("n{}.v", n % 7), n as i64)];
        bench.ask(remote(), counted(session, n, edits)).unwrap();
    }
    let (_, covered) = bench.image.clone().expect("a checkpoint was due");
    assert!(covered > 0 && covered < bench.disk.len());
    let before = bench.store.published().clone();
    let revision = bench.revision();
    bench.restart_as(small(), resolvers());
    assert_eq!(bench.store.published(), &before);
    assert_eq!(bench.revision(), revision);
    let node = |tree: &dhlrs_bag::Tree| {
        let path = crate::bench::path("n3.v");
        tree.node(&path).map(|node| (node.id(), node.revision()))
    };
    assert_eq!(node(bench.store.published()), node(&before));
    assert!(
        bench
            .ask(remote(), counted(session, 31, vec![set("a", 1)]))
            .is_ok()
    );
}

#[test]
fn a_checkpoint_never_holds_what_is_not_on_disk() {
    let mut bench = Bench::of(small(), resolvers());
    let session = bench.open_session();
    bench.at_once = false;
    let mut counter = 0;
    while bench.image.is_none() {
        for _ in 0..3 {
            counter += 1;
            bench.request_of(
                remote(),
                counted(session, counter, vec![set("a", counter as i64)]),
            );
        }
        bench.sync();
    }
    // The last writes are ordered but not on disk: a crash now must not count them as applied.
    bench.at_once = true;
    let on_disk = bench
        .shown("a")
        .map(|shown| shown.parse::<u64>().unwrap())
        .unwrap();
    assert!(on_disk < counter);
    bench.restart_as(small(), resolvers());
    assert_eq!(bench.shown("a"), Some(on_disk.to_string()));
    let next = on_disk + 1;
    assert!(
        bench
            .ask(remote(), counted(session, next, vec![set("a", 0)]))
            .is_ok()
    );
}

#[test]
fn the_older_checkpoint_goes_when_the_window_has_left_it() {
    let mut bench = Bench::of(small(), resolvers());
    let mut pruned_at = None;
    for n in 0..100 {
        bench.set("a", n);
        if bench
            .outputs
            .iter()
            .any(|output| matches!(output, Output::Warning(text) if text == "checkpoint"))
        {
            bench.outputs.clear();
            bench.handle(Input::Checkpointed);
        }
        if bench
            .outputs
            .iter()
            .any(|output| matches!(output, Output::Prune))
        {
            pruned_at = Some(bench.revision().number);
            break;
        }
    }
    assert!(pruned_at.is_some());
}

#[test]
fn a_checkpoint_is_written_when_somebody_asks() {
    let mut bench = Bench::logged();
    bench.set("a", 1);
    assert!(bench.image.is_none());
    let asked = bench.request_of(local(), Request::Checkpoint);
    assert!(bench.image.is_some());
    assert_eq!(bench.answer(asked), None, "it is not on disk yet");
    bench.handle(Input::Checkpointed);
    assert_eq!(bench.answer(asked), Some(Ok(Reply::Done)));
    // Nothing has changed since.
    assert_eq!(bench.ask(local(), Request::Checkpoint), Ok(Reply::Done));
    let revision = bench.revision();
    bench.restart();
    assert_eq!(bench.revision(), revision);
    assert_eq!(bench.shown("a").as_deref(), Some("1"));
}

#[test]
fn a_checkpoint_that_watches_still_need_the_one_before_of_is_refused() {
    let mut bench = Bench::of(small(), resolvers());
    bench.set("a", 0);
    let asked = bench.request_of(local(), Request::Checkpoint);
    bench.handle(Input::Checkpointed);
    assert_eq!(bench.answer(asked), Some(Ok(Reply::Done)));
    bench.set("a", 1);
    let refused = bench.ask(local(), Request::Checkpoint).unwrap_err();
    assert_eq!(refused.kind(), RefusalKind::Overloaded);
    for n in 2..30 {
        bench.set("a", n);
    }
    let asked = bench.request_of(local(), Request::Checkpoint);
    bench.handle(Input::Checkpointed);
    assert_eq!(bench.answer(asked), Some(Ok(Reply::Done)));
}

#[test]
fn a_store_in_memory_has_no_checkpoint() {
    let refused = Bench::in_memory()
        .ask(local(), Request::Checkpoint)
        .unwrap_err();
    assert_eq!(refused.kind(), RefusalKind::Invalid);
    assert!(refused.message().contains("--data"), "{refused}");
}

#[test]
fn who_waits_for_a_checkpoint_is_told_when_the_log_fails() {
    let mut bench = Bench::logged();
    bench.set("a", 1);
    bench.at_once = false;
    let asked = bench.request_of(local(), Request::Checkpoint);
    let message = "the disk is full".to_owned();
    bench.out = None;
    bench.handle(Input::PersistFailed { message });
    let refused = bench.answer(asked).unwrap().unwrap_err();
    assert_eq!(refused.kind(), RefusalKind::Unavailable);
}

#[test]
fn a_replica_opens_from_the_checkpoint_that_was_asked_for() {
    let mut mesh = Mesh::of(2);
    mesh.link(0, 1);
    for n in 0..50 {
        mesh.nodes[n % 2].set(&format!("n{n}"), n as i64);
    }
    mesh.settle();
    let asked = mesh.nodes[0].request_of(local(), Request::Checkpoint);
    mesh.nodes[0].handle(Input::Checkpointed);
    assert_eq!(mesh.nodes[0].answer(asked), Some(Ok(Reply::Done)));
    let before = feeds(&mut mesh.nodes[0]);
    mesh.restart(0);
    let after = feeds(&mut mesh.nodes[0]);
    assert_eq!(after.state_hash, before.state_hash);
    assert_eq!(after.rows, before.rows);
    mesh.nodes[0].set("more", 1);
    mesh.settle();
    mesh.assert_equal();
}
