//! While the disk stalls, what waits for it stays within its limits, whoever goes on asking.

use dhlrs_bag::Edit;
use dhlrs_identity::PublicKey;
use dhlrs_store::{Caller, Input, RECORD_BYTES_MAX, TICKET_BYTES_MAX, TICKET_MEMORY_BYTES_MAX};
use dhlrs_trigger::{Event, Flow, Reactions};
use dhlrs_wire::{RefusalKind, Request};

use crate::bench::{Bench, counted, path, remote};

/// A store whose disk is busy with a ticket.
fn stalled() -> (Bench, [u8; 16]) {
    let mut bench = Bench::logged();
    let session = bench.open_session();
    bench.at_once = false;
    bench.set_later("a", 1);
    bench.outputs.clear();
    (bench, session)
}

/// Asks until the store has had enough; says how often that was. Nobody waits for the answers, so
/// nothing that counts requests under way would stop it.
#[track_caller]
fn flood(
    bench: &mut Bench,
    caller: &Caller,
    request: impl Fn() -> Request,
    at_most: usize,
) -> usize {
    for asked in 0..at_most {
        let id = bench.request_of(caller.clone(), request());
        bench.handle(Input::Cancel(id));
        if let Some(answer) = bench.answer(id) {
            assert_eq!(answer.unwrap_err().kind(), RefusalKind::Overloaded);
            return asked;
        }
    }
    panic!("{at_most} requests wait for the disk");
}

/// Lets the disk take what has gathered, and gives its size.
fn next_ticket(bench: &mut Bench) -> usize {
    bench.sync();
    bench.outputs.clear();
    let Some((_, records)) = &bench.out else {
        return 0;
    };
    records.iter().map(Vec::len).sum()
}

fn someone() -> Caller {
    let name = format!("{}/{}", "m".repeat(200), "p".repeat(200));
    Caller {
        source: name.parse().unwrap(),
        neighbour: Some(PublicKey::from_bytes([2; 32])),
    }
}

#[test]
fn sessions_do_not_pile_up() {
    let (mut bench, _) = stalled();
    flood(&mut bench, &someone(), || Request::OpenSession, 200_000);
    let bytes = next_ticket(&mut bench);
    assert!((1..=TICKET_BYTES_MAX + RECORD_BYTES_MAX).contains(&bytes));
    assert_eq!(next_ticket(&mut bench), 0);
    bench.at_once = true;
    bench.open_session();
}

#[test]
fn refusals_do_not_pile_up_either() {
    let gap = |session| counted(session, 9, Vec::new());
    let close = |_| Request::CloseSession { session: [9; 16] };
    let requests: [&dyn Fn([u8; 16]) -> Request; 2] = [&gap, &close];
    for request in requests {
        let (mut bench, session) = stalled();
        let asked = flood(&mut bench, &remote(), || request(session), 1_000_000);
        assert!(asked < TICKET_MEMORY_BYTES_MAX / 256, "{asked}");
        assert_eq!(next_ticket(&mut bench), 0);
        bench.at_once = true;
        bench.set("b", 1);
    }
}

#[test]
fn answers_that_are_asked_for_again_do_not_pile_up() {
    let (mut bench, session) = stalled();
    let first = bench.request_of(
        remote(),
        counted(session, 1, vec![crate::bench::set("b", 1)]),
    );
    let again = || counted(session, 1, Vec::new());
    // Its ticket gathers, then it is out.
    flood(&mut bench, &remote(), again, 1_000_000);
    bench.sync();
    assert!(bench.answer(first).is_none());
    flood(&mut bench, &remote(), again, 1_000_000);
    bench.sync();
    assert!(bench.answer(first).unwrap().is_ok());
}

#[test]
fn what_triggers_emit_waits_for_room_in_a_ticket() {
    const WRITES: usize = 400;
    let mut bench = Bench::logged();
    let emit = |_: &Event<'_>, then: &mut Reactions| {
        for n in 0..WRITES {
            then.emit_here(Edit::set(path(&format!("big.n{n}")), "x".repeat(200 << 10)));
        }
        Flow::Continue
    };
    let go: dhlrs_path::Pattern = "go".parse().unwrap();
    bench.store.triggers_mut().on(go, emit).unwrap();
    bench.at_once = false;
    bench.set_later("go", 1);
    let mut tickets = 0;
    loop {
        let bytes = next_ticket(&mut bench);
        if bytes == 0 {
            break;
        }
        assert!(bytes <= TICKET_BYTES_MAX + RECORD_BYTES_MAX, "{bytes}");
        tickets += 1;
        if tickets == 1 {
            // Whoever asks meanwhile does not come in between.
            let id = bench.request_of(remote(), Request::OpenSession);
            let refused = bench.answer(id).unwrap().unwrap_err();
            assert_eq!(refused.kind(), RefusalKind::Overloaded);
        }
    }
    assert!(tickets > 8, "{tickets}");
    let last = format!("big.n{}", WRITES - 1);
    assert!(bench.shown(&last).is_some());
    assert_eq!(
        bench.store.published().node(&path("big")).unwrap().len(),
        WRITES as u64
    );
}

/// Many writes for one: some are on their way to the disk, some gather, some wait for room.
fn emitting() -> Bench {
    let mut bench = Bench::logged();
    let emit = |_: &Event<'_>, then: &mut Reactions| {
        for n in 0..100 {
            then.emit_here(Edit::set(path(&format!("big.n{n}")), "x".repeat(200 << 10)));
        }
        Flow::Continue
    };
    let go: dhlrs_path::Pattern = "go".parse().unwrap();
    bench.store.triggers_mut().on(go, emit).unwrap();
    bench.at_once = false;
    bench.set_later("go", 1);
    bench.sync();
    bench
}

#[test]
fn what_triggers_emitted_outlives_a_failed_sync_and_is_ordered_once() {
    for is_on_disk in [false, true] {
        let mut bench = emitting();
        let before = bench.revision().number;
        let (_, records) = bench.out.take().unwrap();
        assert!(records.len() > 1);
        // What the failed sync left behind is found when the log is read again, or it is not.
        if is_on_disk {
            bench.disk.extend(records);
        }
        let message = "no space left on device".to_owned();
        bench.handle(Input::PersistFailed { message });
        bench.at_once = true;
        bench.recover();
        while bench.out.is_some() {
            bench.sync();
        }
        let big = bench.store.published().node(&path("big")).unwrap().len();
        assert_eq!(big, 100);
        assert_eq!(bench.revision().number, before + 100, "each of them once");
        // The next one to ask is not held up.
        bench.set("b", 1);
    }
}

#[test]
fn what_a_trigger_emitted_that_changed_nothing_is_judged_anew_too() {
    let mut bench = Bench::logged();
    let emit = |_: &Event<'_>, then: &mut Reactions| {
        then.emit_here(Edit::set(path("a"), 1));
        Flow::Continue
    };
    let go: dhlrs_path::Pattern = "go".parse().unwrap();
    bench.store.triggers_mut().on(go, emit).unwrap();
    bench.at_once = false;
    bench.set_later("go", 1);
    // Somebody else's write makes the trigger's needless, and is lost with its ticket.
    bench.set_later("a", 1);
    bench.sync();
    assert!(bench.out.take().is_some());
    let message = "no space left on device".to_owned();
    bench.handle(Input::PersistFailed { message });
    bench.at_once = true;
    bench.recover();
    assert_eq!(bench.shown("a").as_deref(), Some("1"));
}
