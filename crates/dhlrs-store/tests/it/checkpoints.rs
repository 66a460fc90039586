//! A checkpoint is the state at the end of a ticket, no more and no less.

use dhlrs_store::{Input, Output};

use crate::bench::{Bench, config, counted, remote, resolvers, set};

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
