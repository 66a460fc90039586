//! What a forward's cursor and the history that was kept say after failed syncs, checkpoints and restarts.

use dhlrs_bag::Edit;
use dhlrs_store::{Config, Input, Output};
use dhlrs_wire::RefusalKind;

use crate::bench::{Bench, path, resolvers};
use crate::forwards::{
    answer_session, done, edits, errands, fail_and_recover, forwarding, lines, refuse, sent, set_of,
};

fn narrow() -> Config {
    let mut config = forwarding();
    config.limits.window_changes_max = 4;
    config
}

/// A change that was answered, and the ticket that tells so lost.
fn answered_and_unnoted() -> Bench {
    let mut bench = Bench::of(narrow(), resolvers());
    bench.set("orders.o1", 1);
    answer_session(&mut bench, [5; 16]);
    let first = sent(&mut bench);
    assert_eq!(lines(&first)[0].0, 1);
    done(&mut bench, first[0].0);
    bench.at_once = false;
    bench.pass_ms(2_000);
    assert!(bench.out.is_some(), "the cursor is on its way to the disk");
    fail_and_recover(&mut bench);
    bench
}

fn write_elsewhere_until_pruned(bench: &mut Bench) {
    bench.outputs.clear();
    for n in 0..40 {
        bench.set("elsewhere", n);
        bench.handle(Input::Checkpointed);
    }
    let pruned = |output: &Output| matches!(output, Output::Prune);
    assert!(bench.outputs.iter().any(pruned));
}

#[test]
fn a_cursor_whose_ticket_failed_is_noted_again_before_the_log_goes() {
    let mut bench = answered_and_unnoted();
    bench.pass_ms(10_000);
    write_elsewhere_until_pruned(&mut bench);
    bench.restart_as(narrow(), resolvers());
    bench.set("orders.o1", 2);
    let again = sent(&mut bench);
    let last = again.last().unwrap();
    // The target has had counter 1 of this session: under that it would drop the change.
    assert_eq!(last.1.msg_id.session, [5; 16]);
    assert_eq!(lines(&again).last(), Some(&set_of(2, "set box.o1 2")));
}

#[test]
fn an_answer_that_is_not_noted_holds_the_log() {
    let mut bench = answered_and_unnoted();
    // No time passes, so the cursor stays where it is.
    bench.outputs.clear();
    for n in 0..40 {
        bench.set("elsewhere", n);
        bench.handle(Input::Checkpointed);
    }
    let pruned = |output: &Output| matches!(output, Output::Prune);
    assert!(!bench.outputs.iter().any(pruned));
}

#[test]
fn a_session_that_a_failed_sync_left_on_disk_is_used_at_once() {
    let mut bench = Bench::of(forwarding(), resolvers());
    bench.set("orders.o1", 1);
    bench.at_once = false;
    answer_session(&mut bench, [5; 16]);
    let (_, records) = bench.out.take().unwrap();
    bench.disk.extend(records);
    fail_and_recover(&mut bench);
    assert_eq!(sent(&mut bench).len(), 1, "without another write");
}

#[test]
fn in_a_new_session_a_restart_gives_the_same_messages_the_same_counters() {
    let mut bench = Bench::of(forwarding(), resolvers());
    for n in 1..=3 {
        bench.set("orders.o1", n);
    }
    answer_session(&mut bench, [5; 16]);
    let first = sent(&mut bench);
    // The answer to the first was lost on its way, that to the second was not.
    done(&mut bench, first[1].0);
    refuse(&mut bench, first[0].0, RefusalKind::Timeout);
    bench.pass_ms(100);
    let retried = sent(&mut bench);
    refuse(&mut bench, retried[0].0, RefusalKind::UnknownSession);
    answer_session(&mut bench, [6; 16]);
    let before = sent(&mut bench);
    let what = [
        (1, edits(&first[0].1)),
        (2, vec!["set box.o1 3".to_owned()]),
    ];
    assert_eq!(lines(&before), what);
    bench.restart_as(forwarding(), resolvers());
    let again = sent(&mut bench);
    assert_eq!(lines(&again), what);
    // The cursor moves over the one that has no counter.
    done(&mut bench, again[0].0);
    bench.pass_ms(2_000);
    bench.restart_as(forwarding(), resolvers());
    assert_eq!(lines(&sent(&mut bench)), what[1..]);
}

#[test]
fn a_huge_revision_is_sent_a_window_of_messages_at_a_time() {
    let mut bench = Bench::of(forwarding(), resolvers());
    for n in 0..100 {
        bench.set(&format!("drafts.n{n}"), "x".repeat(150 << 10));
    }
    bench.set("orders.first", 1);
    answer_session(&mut bench, [5; 16]);
    for (errand, _) in sent(&mut bench) {
        done(&mut bench, errand);
    }
    let shift = Edit::Move {
        path: path("drafts"),
        to: path("orders.drafts"),
        position: None,
    };
    bench.write(vec![shift.into()]).unwrap();
    let first = sent(&mut bench);
    assert_eq!(first.len(), 64);
    for (errand, _) in first.iter().skip(1) {
        done(&mut bench, *errand);
    }
    assert!(
        sent(&mut bench).is_empty(),
        "the first one holds the rest up"
    );
    done(&mut bench, first[0].0);
    assert!(!sent(&mut bench).is_empty());
}

/// The older checkpoint cannot be read: the history begins with the newer one.
fn begun_by_the_newer_checkpoint(bench: &mut Bench) -> String {
    let checkpointed =
        |output: &Output| matches!(output, Output::Warning(text) if text == "checkpoint");
    assert!(bench.outputs.iter().any(checkpointed));
    bench.restart_as(narrow(), resolvers());
    bench.store.status().forwards[0].state.clone()
}

#[test]
fn a_forward_does_not_go_on_over_a_hole_in_the_history() {
    let mut bench = Bench::of(narrow(), resolvers());
    // Nobody answers. The last one is in the ticket of the checkpoint itself.
    for n in 1..=5 {
        bench.set("orders.o1", n);
    }
    let state = begun_by_the_newer_checkpoint(&mut bench);
    assert!(state.contains("compacted"), "{state}");
    bench.set("orders.o1", 9);
    assert!(errands(&mut bench).is_empty());
    let is_told = |text: &String| text.contains("compacted");
    assert!(bench.warnings().iter().any(is_told));
    bench.restart_as(narrow(), resolvers());
    assert!(
        bench.store.status().forwards[0]
            .state
            .starts_with("stopped")
    );
}

#[test]
fn a_forward_that_had_nothing_to_send_goes_on_from_any_checkpoint() {
    let mut bench = Bench::of(narrow(), resolvers());
    bench.set("orders.o1", 1);
    answer_session(&mut bench, [5; 16]);
    for (errand, _) in sent(&mut bench) {
        done(&mut bench, errand);
    }
    bench.pass_ms(2_000);
    for n in 0..10 {
        bench.set("elsewhere", n);
        // It touches the pattern and is nothing to the target.
        let edits = vec![
            crate::bench::set("orders.gone", n),
            Edit::Remove {
                path: path("orders.gone"),
            }
            .into(),
        ];
        bench.write(edits).unwrap();
    }
    assert_eq!(begun_by_the_newer_checkpoint(&mut bench), "running");
    bench.set("orders.o1", 2);
    assert_eq!(lines(&sent(&mut bench)), [set_of(2, "set box.o1 2")]);
}

#[test]
fn a_forward_goes_on_when_its_process_has_another_name() {
    let mut bench = Bench::of(forwarding(), resolvers());
    bench.set("orders.o1", 1);
    bench.set("orders.o1", 2);
    answer_session(&mut bench, [5; 16]);
    let before = sent(&mut bench);
    let mut config = forwarding();
    config.node = "base/renamed".parse().unwrap();
    bench.restart_as(config, resolvers());
    let after = sent(&mut bench);
    assert_eq!(lines(&after), lines(&before));
    // Whoever has the like of it is another subscriber, as the cause of a change tells.
    assert_ne!(after[0].1.cause, before[0].1.cause);
}
