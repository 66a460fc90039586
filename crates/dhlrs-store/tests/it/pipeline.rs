//! The five steps: what waits for the disk, what is refused, what triggers answer.

use dhlrs_bag::{Edit, Precondition};
use dhlrs_store::Output;
use dhlrs_wire::{RefusalKind, Request};

use crate::bench::{Bench, intent, local, path, set, written};

#[test]
fn nothing_is_answered_or_shown_before_it_is_on_disk() {
    let mut bench = Bench::logged();
    bench.at_once = false;
    let request = Request::Write(Box::new(intent([0; 16], 0, vec![set("a", 1)])));
    let id = bench.request_of(local(), request);
    assert!(bench.answer(id).is_none());
    assert_eq!(bench.shown("a"), None);
    bench.sync();
    assert_eq!(bench.shown("a").as_deref(), Some("1"));
    assert!(bench.answer(id).unwrap().is_ok());
}

#[test]
fn what_is_ordered_while_a_ticket_is_out_shares_the_next_sync() {
    let mut bench = Bench::logged();
    bench.at_once = false;
    let before = bench.syncs;
    let mut ids = Vec::new();
    for n in 0..64 {
        let edits = vec![set(&format!("n{n}"), n)];
        let request = Request::Write(Box::new(intent([0; 16], 0, edits)));
        ids.push(bench.request_of(local(), request));
    }
    bench.sync();
    assert!(bench.answer(ids[0]).is_some());
    assert!(bench.answer(ids[1]).is_none());
    bench.sync();
    assert!(ids[1..].iter().all(|id| bench.answer(*id).is_some()));
    assert_eq!(bench.syncs - before, 2);
    assert!(bench.out.is_none());
}

#[test]
fn published_comes_before_the_answers_and_these_in_order() {
    let mut bench = Bench::logged();
    bench.at_once = false;
    for n in 0..3 {
        let request = Request::Write(Box::new(intent([0; 16], 0, vec![set("a", n)])));
        bench.request_of(local(), request);
    }
    bench.outputs.clear();
    bench.sync();
    bench.sync();
    let kinds: Vec<String> = bench
        .outputs
        .iter()
        .map(|output| match output {
            Output::Published { .. } => "published".to_owned(),
            Output::Answer { id, .. } => format!("answer {}", id.0),
            other => format!("{other:?}"),
        })
        .collect();
    assert_eq!(
        kinds,
        ["published", "answer 1", "published", "answer 2", "answer 3"]
    );
}

#[test]
fn a_transaction_is_all_or_nothing_and_names_the_edit() {
    let mut bench = Bench::logged();
    bench.set("a", 1);
    let revision = bench.revision().number;
    let refused = bench.write(vec![set("b", 2), set("a.x", 3)]).unwrap_err();
    assert_eq!(refused.kind(), RefusalKind::ThroughScalar);
    assert!(refused.message().starts_with("edit 1: "), "{refused}");
    assert_eq!(
        (bench.shown("b"), bench.revision().number),
        (None, revision)
    );
    let done = bench.write(vec![set("b", 2), set("c", 3)]).unwrap();
    assert_eq!(done.revision.number, revision + 1);
}

#[test]
fn a_batch_skips_what_is_refused_and_says_what() {
    let mut bench = Bench::logged();
    bench.set("a", 1);
    let mut batch = intent([0; 16], 0, vec![set("b", 2), set("a.x", 3), set("c", 4)]);
    batch.atomic = false;
    let done = written(bench.ask(local(), Request::Write(Box::new(batch))).unwrap());
    assert_eq!(done.skipped, 1);
    assert_eq!(done.first_skipped[0].kind(), RefusalKind::ThroughScalar);
    assert_eq!(
        (bench.shown("b").is_some(), bench.shown("c").is_some()),
        (true, true)
    );
}

#[test]
fn a_merge_of_a_batch_leaves_out_the_rows_that_are_refused() {
    let mut bench = Bench::logged();
    bench.set("in.a", 1);
    let rows = [
        dhlrs_bag::Row::bag(0, "a".parse().unwrap()),
        dhlrs_bag::Row::value(1, "x".parse().unwrap(), 1),
        dhlrs_bag::Row::value(0, "b".parse().unwrap(), 2),
    ];
    let branch = dhlrs_bag::Branch::from_rows(rows).unwrap();
    let edit = Edit::Merge {
        path: path("in"),
        branch,
    };
    let mut batch = intent([0; 16], 0, vec![edit.into()]);
    batch.atomic = false;
    let done = written(bench.ask(local(), Request::Write(Box::new(batch))).unwrap());
    assert_eq!((done.skipped, done.first_skipped.len()), (2, 1));
    assert_eq!(bench.shown("in.b").as_deref(), Some("2"));
}

#[test]
fn a_write_without_effect_takes_no_revision() {
    let mut bench = Bench::logged();
    let first = bench.set("a", 1);
    assert_eq!(bench.set("a", 1), first);
    let gone = bench
        .write(vec![
            Edit::Remove {
                path: path("nothing"),
            }
            .into(),
        ])
        .unwrap();
    assert_eq!(gone.revision.number, first);
}

#[test]
fn preconditions_are_judged_on_head_not_on_what_is_published() {
    let mut bench = Bench::logged();
    bench.at_once = false;
    let mut only_once = set("a", 1);
    only_once.precondition = Some(Precondition::Missing);
    let request = || Request::Write(Box::new(intent([0; 16], 0, vec![only_once.clone()])));
    let first = bench.request_of(local(), request());
    let second = bench.request_of(local(), request());
    bench.sync();
    bench.at_once = true;
    if bench.out.is_some() {
        bench.sync();
    }
    assert!(bench.answer(first).unwrap().is_ok());
    let refused = bench.answer(second).unwrap().unwrap_err();
    assert_eq!(refused.kind(), RefusalKind::PreconditionFailed);
}

#[test]
fn a_revision_of_another_incarnation_does_not_hold() {
    let mut bench = Bench::logged();
    let revision = bench.set("a", 1);
    let mut guarded = set("a", 2);
    guarded.precondition = Some(Precondition::Revision(revision));
    let mut write = intent([0; 16], 0, vec![guarded]);
    write.incarnation = Some(dhlrs_wire::Incarnation(1));
    let refused = bench
        .ask(local(), Request::Write(Box::new(write.clone())))
        .unwrap_err();
    assert_eq!(refused.kind(), RefusalKind::PreconditionFailed);
    write.incarnation = Some(bench.revision().incarnation);
    assert!(bench.ask(local(), Request::Write(Box::new(write))).is_ok());
}

#[test]
fn a_trigger_answers_with_a_write_of_the_next_revision() {
    let mut bench = Bench::logged();
    let pattern: dhlrs_path::Pattern = "orders.*".parse().unwrap();
    bench
        .store
        .triggers_mut()
        .on(
            pattern,
            |event: &dhlrs_trigger::Event<'_>, then: &mut dhlrs_trigger::Reactions| {
                let label = event.path().as_str().replace("orders.", "seen.");
                then.emit_here(Edit::set(label.parse().unwrap(), 1));
                dhlrs_trigger::Flow::Continue
            },
        )
        .unwrap();
    let revision = bench.set("orders.o1", 5);
    assert_eq!(bench.shown("seen.o1").as_deref(), Some("1"));
    assert_eq!(bench.revision().number, revision + 1);
    bench.restart();
    assert_eq!(bench.shown("seen.o1").as_deref(), Some("1"));
}

#[test]
fn two_triggers_that_answer_each_other_come_to_rest() {
    let mut bench = Bench::in_memory();
    for (from, to) in [("ping", "pong"), ("pong", "ping")] {
        let pattern: dhlrs_path::Pattern = from.parse().unwrap();
        bench
            .store
            .triggers_mut()
            .on(
                pattern,
                move |event: &dhlrs_trigger::Event<'_>, then: &mut dhlrs_trigger::Reactions| {
                    then.emit_here(Edit::set(path(to), event.revision() as i64));
                    dhlrs_trigger::Flow::Continue
                },
            )
            .unwrap();
    }
    bench.set("ping", 0);
    assert!(bench.revision().number < 8, "{}", bench.revision());
    assert!(!bench.warnings().is_empty());
}
