//! Runs: what was written is read, whoever cut it where; what was not is refused; a restart goes on.

use dhlrs_bag::{Label, Value};
use dhlrs_clock::{Dot, Stamp, Time};
use dhlrs_feed::{
    Cell, Dep, Epoch, Event, EventId, FeedId, HomePath, NewEvent, Payload, Run, RunError,
    RunErrorKind, RunLimits, RunWriter, StoreId, TreeOp, Written,
};
use dhlrs_identity::{
    Ed25519Signer, Ed25519Verifier, KeyedHashSigner, KeyedHashVerifier, PublicKey, SecretKey,
    Signer,
};
use proptest::prelude::*;

use crate::events::payloads;

const CONTROL: (u64, EventId) = (0, EventId::NONE);

fn at(monotonic_ms: u64) -> Time {
    Time {
        wall_ms: 1_700_000_000_000 + monotonic_ms,
        monotonic_ms,
    }
}

fn signer() -> Ed25519Signer {
    Ed25519Signer::new(SecretKey::from_bytes([7; 32]))
}

fn feed() -> FeedId {
    FeedId::new(signer().public_key(), Epoch::stamped(Stamp::ZERO, 5))
}

fn store() -> StoreId {
    StoreId::new("orders", None)
}

fn writer(limits: RunLimits) -> RunWriter {
    RunWriter::new(store(), feed(), limits)
}

pub(crate) fn set(stamp: u64, label: &str, value: i64) -> NewEvent {
    let label = Label::new(label).unwrap();
    NewEvent {
        stamp: Stamp::from_bits(stamp),
        deps: Vec::new(),
        payload: Payload::Tree(TreeOp::Write {
            node: HomePath::root().child(label, 0).unwrap(),
            cell: Cell::Scalar,
            value: Value::from(value),
        }),
    }
}

fn read(prev: &EventId, bytes: &[u8]) -> Result<(Run, Vec<(Event, EventId)>), RunError> {
    Run::read(
        &store(),
        &feed(),
        prev,
        &EventId::NONE,
        bytes,
        &Ed25519Verifier,
    )
}

/// Appends transactions and gives what they came to: the events, and the runs.
fn write(
    writer: &mut RunWriter,
    transactions: Vec<Vec<NewEvent>>,
) -> (Vec<(Event, EventId)>, Vec<Run>, Vec<Written>) {
    let (mut events, mut runs, mut all) = (Vec::new(), Vec::new(), Vec::new());
    for transaction in transactions {
        let written = writer
            .append(at(0), CONTROL, transaction, &signer())
            .unwrap();
        events.extend(written.events.clone());
        runs.extend(written.sealed.clone().map(|sealed| sealed.run));
        all.push(written);
    }
    runs.extend(writer.seal(at(0), &signer()).map(|sealed| sealed.run));
    (events, runs, all)
}

fn transactions() -> impl Strategy<Value = Vec<Vec<NewEvent>>> {
    let dep = |(author, seq): (u8, u64)| Dep {
        dot: Dot::new(
            FeedId::new(PublicKey::from_bytes([author; 32]), Epoch::numbered(1)),
            seq,
        ),
        id: EventId::NONE.followed_by(&[author]),
    };
    let deps = proptest::collection::btree_map(0..4u8, 1..99u64, 0..4);
    let stamp = prop_oneof![Just(1), 1..9u64, (1..9u64).prop_map(|wall| wall << 16)];
    let event = (stamp, deps, payloads()).prop_map(move |(delta, deps, payload)| NewEvent {
        stamp: Stamp::from_bits(delta),
        deps: deps.into_iter().map(dep).collect(),
        payload,
    });
    let transaction = proptest::collection::vec(event, 1..5);
    proptest::collection::vec(transaction, 1..20).prop_map(|mut transactions| {
        let mut last = 1_700_000_000_000 << 16;
        for event in transactions.iter_mut().flatten() {
            last += event.stamp.to_bits();
            event.stamp = Stamp::from_bits(last);
        }
        transactions
    })
}

proptest! {
    #[test]
    fn what_was_written_is_read(
        transactions in transactions(),
        events_max in 1..12usize,
        bytes_max in 40..2_000usize,
    ) {
        let limits = RunLimits { events_max, bytes_max, flush_ms: 50 };
        let (written, runs, _) = write(&mut writer(limits), transactions);
        let mut prev = EventId::NONE;
        let mut events = Vec::new();
        for run in &runs {
            let (again, part) = read(&prev, run.bytes()).unwrap();
            prop_assert_eq!(&again, run);
            // A transaction is in one run, and only a long one goes over the limit.
            let is_one = usize::from(part[0].0.following) + 1 == part.len();
            prop_assert!(part.len() <= events_max || is_one);
            prev = run.claim().last;
            events.extend(part);
        }
        prop_assert_eq!(events, written);
    }

    #[test]
    fn a_restart_goes_on_with_what_was_logged(
        transactions in transactions(),
        more in transactions(),
        events_max in 1..12usize,
    ) {
        let limits = RunLimits { events_max, ..RunLimits::default() };
        let mut before = writer(limits);
        let mut after = writer(limits);
        for transaction in transactions {
            let written = before.append(at(0), CONTROL, transaction, &signer()).unwrap();
            if let Some(sealed) = &written.sealed {
                prop_assert_eq!(&after.replay_seal(&sealed.record).unwrap(), &sealed.run);
            }
            prop_assert_eq!(after.replay(&written.record).unwrap(), written.events);
        }
        let from = before.head().seq << 32;
        for mut transaction in more {
            for event in &mut transaction {
                event.stamp = Stamp::from_bits(event.stamp.to_bits() + (1 << 40) + from);
            }
            let one = before.append(at(9), CONTROL, transaction.clone(), &signer()).unwrap();
            let other = after.append(at(9), CONTROL, transaction, &signer()).unwrap();
            prop_assert_eq!(one, other);
        }
        prop_assert_eq!(before.seal(at(9), &signer()), after.seal(at(9), &signer()));
    }

    #[test]
    fn no_other_bytes_are_the_run(
        transactions in transactions(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let (_, runs, _) = write(&mut writer(RunLimits::default()), transactions);
        let mut bytes = runs[0].bytes().to_vec();
        let at = at.index(bytes.len());
        let other = bytes[at] ^ byte;
        bytes[at] = other;
        prop_assert_eq!(read(&EventId::NONE, &bytes).is_ok(), byte == 0);
        prop_assert!(read(&EventId::NONE, &bytes[..at]).is_err());
    }
}

fn one_run() -> Run {
    let (_, runs, _) = write(
        &mut writer(RunLimits::default()),
        vec![vec![set(9, "a", 1)]],
    );
    runs[0].clone()
}

#[test]
fn a_run_is_good_in_one_store_one_feed_and_one_place_only() {
    let run = one_run();
    let good = |store: &str, feed: FeedId, prev: EventId, control: EventId| {
        let store = StoreId::new(store, None);
        Run::read(
            &store,
            &feed,
            &prev,
            &control,
            run.bytes(),
            &Ed25519Verifier,
        )
        .map_err(|error| error.kind())
        .map(drop)
    };
    let none = EventId::NONE;
    let other = EventId::NONE.followed_by(b"x");
    let elsewhere = FeedId::new(feed().author, Epoch::numbered(1));
    let stranger = FeedId::new(PublicKey::from_bytes([9; 32]), feed().epoch);
    assert_eq!(good("orders", feed(), none, none), Ok(()));
    let refused = Err(RunErrorKind::BadSignature);
    assert_eq!(good("stock", feed(), none, none), refused);
    assert_eq!(good("orders", elsewhere, none, none), refused);
    assert_eq!(good("orders", stranger, none, none), refused);
    assert_eq!(good("orders", feed(), other, none), refused);
    assert_eq!(good("orders", feed(), none, other), refused);
}

#[test]
fn another_cut_is_another_chain() {
    let events = || {
        (1..=4)
            .map(|stamp| vec![set(stamp, "a", 1)])
            .collect::<Vec<_>>()
    };
    let of = |events_max| {
        let limits = RunLimits {
            events_max,
            ..RunLimits::default()
        };
        write(&mut writer(limits), events()).0
    };
    let (pairs, whole) = (of(2), of(4));
    assert_eq!(pairs[1], whole[1]);
    assert_ne!(pairs[2].1, whole[2].1);
}

#[test]
fn a_stamp_that_does_not_rise_is_refused_and_changes_nothing() {
    let mut writer = writer(RunLimits::default());
    let mut append = |transaction| writer.append(at(0), CONTROL, transaction, &signer());
    append(vec![set(9, "a", 1)]).unwrap();
    for transaction in [
        vec![set(9, "b", 1)],
        vec![set(10, "b", 1), set(10, "c", 1)],
        vec![],
    ] {
        append(transaction).unwrap_err();
    }
    let next = append(vec![set(10, "b", 1)]).unwrap();
    assert_eq!(next.events[0].0.dot.seq, 2);
    let run = writer.seal(at(0), &signer()).unwrap().run;
    assert_eq!(read(&EventId::NONE, run.bytes()).unwrap().1.len(), 2);
}

#[test]
fn a_run_is_cut_when_full_when_due_and_when_control_rises() {
    let limits = RunLimits {
        events_max: 3,
        ..RunLimits::default()
    };
    let mut writer = writer(limits);
    let mut stamp = 0;
    let mut append = |writer: &mut RunWriter, now, control| {
        stamp += 1;
        let written = writer.append(at(now), control, vec![set(stamp, "a", 1)], &signer());
        written
            .unwrap()
            .sealed
            .map(|sealed| sealed.run.claim().header.count)
    };
    assert_eq!(writer.due(), None);
    assert_eq!(append(&mut writer, 1_000, CONTROL), None);
    assert_eq!(
        writer.due(),
        Some(at(1_000)),
        "the first after a quiet time goes at once"
    );
    writer.seal(at(1_000), &signer());
    assert_eq!(append(&mut writer, 1_010, CONTROL), None);
    assert_eq!(writer.due(), Some(at(1_060)));
    append(&mut writer, 1_011, CONTROL);
    append(&mut writer, 1_012, CONTROL);
    assert_eq!(writer.due(), Some(at(1_010)), "a full one waits for nobody");
    assert_eq!(append(&mut writer, 1_013, CONTROL), Some(3));
    let risen = (1, EventId::NONE.followed_by(b"control"));
    assert_eq!(append(&mut writer, 1_014, risen), Some(1));
    let run = writer.seal(at(1_014), &signer()).unwrap().run;
    assert_eq!(run.claim().header.control, 1);
    let heads = [EventId::NONE, risen.1];
    let results = heads.map(|head| {
        let prev = run.claim().prev;
        Run::read(
            &store(),
            &feed(),
            &prev,
            &head,
            run.bytes(),
            &Ed25519Verifier,
        )
        .is_ok()
    });
    assert_eq!(results, [false, true], "the control head is signed");
}

#[test]
fn a_transaction_is_whole_or_the_run_is_malformed() {
    let mut writer = writer(RunLimits::default());
    let transaction = vec![set(1, "a", 1), set(2, "b", 1)];
    let written = writer
        .append(at(0), CONTROL, transaction, &signer())
        .unwrap();
    assert_eq!(written.events[0].0.following, 1);
    // The first event's tag says that one more follows; two more would lead out of the run.
    let run = writer.seal(at(0), &signer()).unwrap().run;
    let mut bytes = run.bytes().to_vec();
    let body = bytes.len()
        - run.bytes()[..]
            .iter()
            .rev()
            .position(|byte| *byte == b'a')
            .unwrap();
    let following = (0..body).rev().find(|at| bytes[*at] == 1).unwrap();
    bytes[following] = 2;
    let error = read(&EventId::NONE, &bytes).unwrap_err();
    assert_eq!(error.kind(), RunErrorKind::Malformed, "{error}");
}

#[test]
fn limits_hold() {
    let most = dhlrs_feed::RUN_EVENTS_MAX;
    let many: Vec<_> = (0..=most as u64)
        .map(|stamp| set(stamp + 1, "a", 1))
        .collect();
    let mut writer = writer(RunLimits::default());
    let error = writer
        .append(at(0), CONTROL, many.clone(), &signer())
        .unwrap_err();
    assert_eq!(error.kind(), RunErrorKind::TooLarge, "{error}");
    let written = writer
        .append(at(0), CONTROL, many[..most].to_vec(), &signer())
        .unwrap();
    assert_eq!(written.events.len(), most);
    let run = writer.seal(at(0), &signer()).unwrap().run;
    assert_eq!(read(&EventId::NONE, run.bytes()).unwrap().1.len(), most);
    let long = vec![0; dhlrs_feed::RUN_BYTES_MAX + 1];
    assert_eq!(
        read(&EventId::NONE, &long).unwrap_err().kind(),
        RunErrorKind::TooLarge
    );
}

#[test]
fn a_log_with_a_hole_is_noticed() {
    let limits = RunLimits {
        events_max: 2,
        ..RunLimits::default()
    };
    let transactions = (1..=5).map(|stamp| vec![set(stamp, "a", 1)]).collect();
    let (_, _, written) = write(&mut writer(limits), transactions);
    let mut after = writer(limits);
    after.replay(&written[0].record).unwrap();
    let error = after.replay(&written[2].record).unwrap_err();
    assert_eq!(error.kind(), RunErrorKind::OutOfPlace, "{error}");
    let seal = written[2].sealed.as_ref().unwrap().record;
    assert_eq!(
        after.replay_seal(&seal).unwrap_err().kind(),
        RunErrorKind::OutOfPlace
    );
}

#[test]
fn sixty_four_sets_take_few_bytes() {
    let signer = KeyedHashSigner::new([1; 32], PublicKey::from_bytes([1; 32]));
    let feed = FeedId::new(signer.public_key(), Epoch::stamped(Stamp::ZERO, 5));
    let mut writer = RunWriter::new(store(), feed, RunLimits::default());
    for n in 0..64_i64 {
        let event = set(
            1_700_000_000_000 << 16 | n as u64,
            &format!("p{}", n * 151),
            n,
        );
        writer.append(at(0), CONTROL, vec![event], &signer).unwrap();
    }
    let run = writer.seal(at(0), &signer).unwrap().run;
    let verifier = KeyedHashVerifier::new([1; 32]);
    let read = Run::read(
        &store(),
        &feed,
        &EventId::NONE,
        &EventId::NONE,
        run.bytes(),
        &verifier,
    );
    assert_eq!(read.unwrap().1.len(), 64);
    let per_event = run.bytes().len() as f64 / 64.0;
    assert!(per_event <= 11.5, "{per_event} bytes an event");
}
