//! What a forward sends, in which session and under which counters.

use dhlrs_bag::{Edit, MsgId};
use dhlrs_store::{Config, ErrandId, Forward, Input, Output};
use dhlrs_wire::{Intent, Refusal, RefusalKind, Reply, Request, Written};

use crate::bench::{Bench, config, path, resolvers};

pub(crate) fn forwarding() -> Config {
    let mut config = config(true);
    config.forwards.push(Forward {
        pattern: "orders.**".parse().unwrap(),
        to: "b/main/in/box".parse().unwrap(),
    });
    config
}

/// What the store asked of the target since the last look, in order.
pub(crate) fn errands(bench: &mut Bench) -> Vec<(ErrandId, Request)> {
    let mut found = Vec::new();
    let mut rest = Vec::new();
    for output in bench.outputs.drain(..) {
        match output {
            Output::Errand {
                errand, request, ..
            } => found.push((errand, request)),
            other => rest.push(other),
        }
    }
    bench.outputs = rest;
    found
}

pub(crate) fn answer_session(bench: &mut Bench, session: [u8; 16]) {
    let (errand, request) = errands(bench).remove(0);
    assert_eq!(request, Request::OpenSession);
    bench.handle(Input::ErrandDone {
        errand,
        result: Ok(Reply::Session { session }),
    });
}

pub(crate) fn sent(bench: &mut Bench) -> Vec<(ErrandId, Intent)> {
    let intent = |(errand, request)| match request {
        Request::Write(intent) => (errand, *intent),
        other => panic!("{other:?}"),
    };
    errands(bench).into_iter().map(intent).collect()
}

pub(crate) fn done(bench: &mut Bench, errand: ErrandId) {
    let written = Written {
        revision: bench.revision(),
        skipped: 0,
        first_skipped: Vec::new(),
    };
    bench.handle(Input::ErrandDone {
        errand,
        result: Ok(Reply::Written(written)),
    });
}

pub(crate) fn edits(intent: &Intent) -> Vec<String> {
    let line = |edit: &dhlrs_bag::GuardedEdit| match &edit.edit {
        Edit::Set {
            path,
            content: Some(dhlrs_bag::Content::Value(value)),
            ..
        } => format!("set {path} {value}"),
        Edit::Remove { path } => format!("remove {path}"),
        Edit::Merge { path, branch } => format!("merge {path} {}", branch.rows()[0].label),
        Edit::SetAttributes { path, .. } => format!("attributes {path}"),
        other => format!("{other:?}"),
    };
    intent.edits.iter().map(line).collect()
}

#[test]
fn each_change_below_the_pattern_is_sent_with_its_own_counter() {
    let mut bench = Bench::of(forwarding(), resolvers());
    bench.set("orders.o1", 1);
    bench.set("other", 1);
    bench.set("orders.o1", 2);
    answer_session(&mut bench, [5; 16]);
    let sent = sent(&mut bench);
    let lines: Vec<_> = sent
        .iter()
        .map(|(_, i)| (i.msg_id.counter, edits(i)))
        .collect();
    assert_eq!(
        lines,
        [
            (1, vec!["merge  box".to_owned(), "set box.o1 1".to_owned()]),
            (2, vec!["set box.o1 2".to_owned()]),
        ]
    );
    assert_eq!(
        sent[0].1.msg_id,
        MsgId {
            session: [5; 16],
            counter: 1
        }
    );
    assert_eq!(sent[0].1.cause.len(), 1);
}

#[test]
fn after_a_restart_the_same_messages_have_the_same_counters() {
    let mut bench = Bench::of(forwarding(), resolvers());
    for n in 1..=5 {
        bench.set("orders.o1", n);
    }
    answer_session(&mut bench, [5; 16]);
    let before = sent(&mut bench);
    done(&mut bench, before[0].0);
    done(&mut bench, before[1].0);
    // Whether the cursor was logged or not, nothing gets another counter.
    for wait_ms in [0, 2_000] {
        bench.pass_ms(wait_ms);
        bench.restart_as(forwarding(), resolvers());
        bench.set("orders.o1", 100 + wait_ms as i64);
        let after: Vec<_> = sent(&mut bench)
            .into_iter()
            .map(|(_, intent)| intent)
            .collect();
        for intent in &before {
            let same = after.iter().find(|again| again.msg_id == intent.1.msg_id);
            assert!(same.is_none_or(|again| again.edits == intent.1.edits));
        }
        let last = after.last().unwrap();
        assert_eq!(last.msg_id.session, [5; 16]);
        assert!(after.iter().any(|again| again.msg_id == before[4].1.msg_id));
    }
}

#[test]
fn a_forward_begins_where_it_was_first_configured() {
    let mut bench = Bench::logged();
    bench.set("orders.old", 1);
    bench.restart_as(forwarding(), resolvers());
    assert!(errands(&mut bench).is_empty());
    bench.set("orders.new", 2);
    answer_session(&mut bench, [5; 16]);
    assert_eq!(edits(&sent(&mut bench)[0].1), ["set box.new 2"]);
}

#[test]
fn a_forward_that_comes_back_begins_anew_and_not_in_a_log_with_a_hole() {
    let mut bench = Bench::of(forwarding(), resolvers());
    bench.set("orders.sent", 1);
    answer_session(&mut bench, [5; 16]);
    let first = sent(&mut bench).remove(0);
    done(&mut bench, first.0);
    // Nobody holds the log for a forward that is not configured, and nobody can say what it missed.
    bench.restart_as(config(true), resolvers());
    let is_told = |output: &Output| matches!(output, Output::Warning(text) if text.contains("configured no longer"));
    assert!(bench.outputs.iter().any(is_told));
    bench.set("orders.missed", 2);
    bench.restart_as(forwarding(), resolvers());
    assert!(errands(&mut bench).is_empty());
    bench.set("orders.new", 3);
    answer_session(&mut bench, [6; 16]);
    let intents = sent(&mut bench);
    assert_eq!(intents.len(), 1);
    assert_eq!(edits(&intents[0].1), ["set box.new 3"]);
    assert_eq!(
        intents[0].1.msg_id,
        MsgId {
            session: [6; 16],
            counter: 1
        }
    );
}

#[test]
fn what_leaves_or_enters_the_pattern_is_removed_or_sent_whole() {
    let mut bench = Bench::of(forwarding(), resolvers());
    bench.set("drafts.d1.total", 7);
    bench.set("orders.o1.total", 8);
    answer_session(&mut bench, [5; 16]);
    sent(&mut bench);
    bench
        .write(vec![
            Edit::Move {
                path: path("drafts.d1"),
                to: path("orders.d1"),
                position: None,
            }
            .into(),
        ])
        .unwrap();
    bench
        .write(vec![
            Edit::Move {
                path: path("orders.o1"),
                to: path("drafts.o1"),
                position: None,
            }
            .into(),
        ])
        .unwrap();
    bench
        .write(vec![
            Edit::Remove {
                path: path("orders"),
            }
            .into(),
        ])
        .unwrap();
    let lines: Vec<_> = sent(&mut bench)
        .iter()
        .map(|(_, intent)| edits(intent))
        .collect();
    assert_eq!(lines[0], ["merge box d1", "set box.d1.total 7"]);
    assert_eq!(lines[1], ["remove box.o1"]);
    assert_eq!(lines[2], ["remove box"]);
}

#[test]
fn what_came_from_a_forward_is_not_sent_by_it_again() {
    let mut bench = Bench::of(forwarding(), resolvers());
    bench.set("orders.o1", 1);
    answer_session(&mut bench, [5; 16]);
    let first = sent(&mut bench).remove(0).1;
    let mut back = crate::bench::intent([0; 16], 0, vec![crate::bench::set("orders.o1", 9)]);
    back.cause = first.cause;
    bench
        .ask(crate::bench::local(), Request::Write(Box::new(back)))
        .unwrap();
    assert!(sent(&mut bench).is_empty());
    assert_eq!(bench.shown("orders.o1").as_deref(), Some("9"));
}

#[test]
fn nothing_leaves_under_a_session_that_is_not_on_disk() {
    let mut bench = Bench::of(forwarding(), resolvers());
    bench.set("orders.o1", 1);
    bench.at_once = false;
    answer_session(&mut bench, [5; 16]);
    assert!(sent(&mut bench).is_empty());
    while bench.out.is_some() {
        bench.sync();
    }
    assert_eq!(sent(&mut bench).len(), 1);
}

#[test]
fn a_forgotten_session_sends_the_unanswered_again_and_warns() {
    let mut bench = Bench::of(forwarding(), resolvers());
    bench.set("orders.o1", 1);
    bench.set("orders.o1", 2);
    answer_session(&mut bench, [5; 16]);
    let first = sent(&mut bench);
    done(&mut bench, first[0].0);
    let refusal = dhlrs_wire::Refusal::new(dhlrs_wire::RefusalKind::UnknownSession, "gone");
    bench.handle(Input::ErrandDone {
        errand: first[1].0,
        result: Err(refusal),
    });
    assert!(
        bench
            .warnings()
            .iter()
            .any(|text| text.contains("sent again"))
    );
    answer_session(&mut bench, [6; 16]);
    let again = sent(&mut bench);
    assert_eq!(again.len(), 1);
    assert_eq!(
        again[0].1.msg_id,
        MsgId {
            session: [6; 16],
            counter: 1
        }
    );
    assert_eq!(edits(&again[0].1), ["set box.o1 2"]);
}

#[test]
fn more_than_may_wait_stops_the_forward_for_good() {
    let mut config = forwarding();
    config.limits.forward_log_bytes_max = 4_096;
    let mut bench = Bench::of(config, resolvers());
    for n in 0..50 {
        bench.set("orders.o1", n);
    }
    let state = bench.store.status().forwards[0].state.clone();
    assert!(state.starts_with("stopped"), "{state}");
    bench.restart_as(forwarding(), resolvers());
    bench.set("orders.o1", 99);
    assert!(errands(&mut bench).is_empty());
    assert!(
        bench.store.status().forwards[0]
            .state
            .starts_with("stopped")
    );
}

pub(crate) fn set_of(counter: u64, line: &str) -> (u64, Vec<String>) {
    (counter, vec![line.to_owned()])
}

pub(crate) fn fail_and_recover(bench: &mut Bench) {
    bench.out = None;
    bench.at_once = false;
    bench.handle(Input::PersistFailed {
        message: "no space left on device".to_owned(),
    });
    bench.at_once = true;
    bench.recover();
}

pub(crate) fn lines(sent: &[(ErrandId, Intent)]) -> Vec<(u64, Vec<String>)> {
    sent.iter()
        .map(|(_, intent)| (intent.msg_id.counter, edits(intent)))
        .collect()
}

pub(crate) fn refuse(bench: &mut Bench, errand: ErrandId, kind: RefusalKind) {
    let result = Err(Refusal::new(kind, "no"));
    bench.handle(Input::ErrandDone { errand, result });
}

#[test]
fn a_session_that_a_failed_sync_took_away_is_not_counted_in() {
    let mut bench = Bench::of(forwarding(), resolvers());
    bench.set("orders.o1", 1);
    answer_session(&mut bench, [5; 16]);
    let first = sent(&mut bench);
    done(&mut bench, first[0].0);
    bench.pass_ms(2_000);
    bench.set("orders.o1", 2);
    let second = sent(&mut bench);
    bench.at_once = false;
    refuse(&mut bench, second[0].0, RefusalKind::UnknownSession);
    answer_session(&mut bench, [6; 16]);
    assert!(sent(&mut bench).is_empty(), "the session is not on disk");
    fail_and_recover(&mut bench);
    answer_session(&mut bench, [7; 16]);
    let again = sent(&mut bench);
    assert_eq!(lines(&again), [set_of(1, "set box.o1 2")]);
    assert_eq!(again[0].1.msg_id.session, [7; 16]);
}

#[test]
fn an_answer_that_comes_while_the_log_is_read_again_writes_nothing() {
    let mut bench = Bench::of(forwarding(), resolvers());
    bench.set("orders.o1", 1);
    let open = errands(&mut bench).remove(0).0;
    bench.at_once = false;
    bench.set_later("a", 1);
    bench.out = None;
    bench.handle(Input::PersistFailed {
        message: "no space left on device".to_owned(),
    });
    bench.handle(Input::ErrandDone {
        errand: open,
        result: Ok(Reply::Session { session: [5; 16] }),
    });
    assert!(bench.out.is_none(), "a fenced store wants nothing written");
    bench.at_once = true;
    bench.recover();
    bench.pass_ms(1_000);
    answer_session(&mut bench, [6; 16]);
    assert_eq!(sent(&mut bench)[0].1.msg_id.session, [6; 16]);
}

#[test]
fn a_late_answer_of_a_session_given_up_says_nothing_of_the_next_one() {
    let mut bench = Bench::of(forwarding(), resolvers());
    bench.set("orders.o1", 1);
    bench.set("orders.o1", 2);
    answer_session(&mut bench, [5; 16]);
    let old = sent(&mut bench);
    refuse(&mut bench, old[0].0, RefusalKind::UnknownSession);
    answer_session(&mut bench, [6; 16]);
    assert_eq!(sent(&mut bench).len(), 2);
    refuse(&mut bench, old[1].0, RefusalKind::UnknownSession);
    assert!(errands(&mut bench).is_empty(), "the new session stays");
}

#[test]
fn messages_that_were_answered_out_of_order_leave_no_hole_in_a_new_session() {
    let mut bench = Bench::of(forwarding(), resolvers());
    for n in 1..=3 {
        bench.set("orders.o1", n);
    }
    answer_session(&mut bench, [5; 16]);
    let old = sent(&mut bench);
    done(&mut bench, old[1].0);
    refuse(&mut bench, old[0].0, RefusalKind::UnknownSession);
    answer_session(&mut bench, [6; 16]);
    let counters: Vec<u64> = sent(&mut bench)
        .iter()
        .map(|(_, intent)| intent.msg_id.counter)
        .collect();
    assert_eq!(counters, [1, 2]);
}

#[test]
fn what_fits_no_message_is_passed_over_and_its_counter_used() {
    let mut bench = Bench::of(forwarding(), resolvers());
    bench.set("orders.o1", 1);
    bench.set("orders.o1", 2);
    answer_session(&mut bench, [5; 16]);
    let first = sent(&mut bench);
    refuse(&mut bench, first[0].0, RefusalKind::TooLarge);
    let again = sent(&mut bench);
    assert_eq!(lines(&again), [(1, Vec::new())]);
    refuse(&mut bench, again[0].0, RefusalKind::Invalid);
    let status = bench.store.status();
    assert_eq!(status.forwards[0].refused, 1);
}

#[test]
fn what_was_answered_long_ago_does_not_stop_a_forward_that_is_read_back() {
    let mut config = forwarding();
    config.limits.forward_log_bytes_max = 100_000;
    let mut bench = Bench::of(config, resolvers());
    bench.set("orders.o0", 0);
    answer_session(&mut bench, [5; 16]);
    for n in 1..=200 {
        bench.set("orders.o1", n);
        for (errand, _) in sent(&mut bench) {
            done(&mut bench, errand);
        }
    }
    bench.pass_ms(2_000);
    let mut config = forwarding();
    config.limits.forward_log_bytes_max = 100_000;
    bench.restart_as(config, resolvers());
    assert_eq!(bench.store.status().forwards[0].state, "running");
}

#[test]
fn a_backup_that_was_put_back_does_not_use_its_counters_again() {
    let mut bench = Bench::of(forwarding(), resolvers());
    bench.set("orders.o1", 1);
    answer_session(&mut bench, [5; 16]);
    for (errand, _) in sent(&mut bench) {
        done(&mut bench, errand);
    }
    bench.pass_ms(2_000);
    let mut config = forwarding();
    config.restored = true;
    bench.restart_as(config, resolvers());
    bench.set("orders.o1", 2);
    answer_session(&mut bench, [6; 16]);
    assert_eq!(lines(&sent(&mut bench)), [set_of(1, "set box.o1 2")]);
}

#[test]
fn a_store_without_a_log_forwards_too() {
    let mut config = forwarding();
    config.logged = false;
    let mut bench = Bench::of(config, resolvers());
    bench.set("orders.o1", 1);
    answer_session(&mut bench, [5; 16]);
    assert_eq!(sent(&mut bench).len(), 1);
}

#[test]
fn a_fenced_store_does_not_ask_to_be_woken_for_a_cursor_it_cannot_log() {
    let mut bench = Bench::of(forwarding(), resolvers());
    bench.set("orders.o1", 1);
    answer_session(&mut bench, [5; 16]);
    for (errand, _) in sent(&mut bench) {
        done(&mut bench, errand);
    }
    bench.at_once = false;
    bench.set_later("a", 1);
    bench.out = None;
    bench.handle(Input::PersistFailed {
        message: "no space left on device".to_owned(),
    });
    bench.pass_ms(60_000);
    assert_eq!(bench.store.next_wake_ms(), None);
    bench.at_once = true;
    bench.recover();
    assert!(bench.store.next_wake_ms().is_some());
}
