//! What replicas promise, in numbers: bytes over a wire, crashes without loss, peers that mean harm.
//!
//! `DHLRS_LINE_SETS` and `DHLRS_CRASHES` make the first two larger than they are among other tests.

use dhlrs_bag::{Label, Value};
use dhlrs_clock::Stamp;
use dhlrs_feed::{
    Cell, Epoch, EventId, FeedId, HomePath, NewEvent, Payload, Run, RunLimits, RunWriter, StoreId,
    TreeOp,
};
use dhlrs_identity::{KeyedHashSigner, PublicKey};
use dhlrs_sim::{Loss, NodeIndex, Stranger};
use dhlrs_store::Store;
use dhlrs_wire::{Message, RefusalKind, Route};

use crate::replicas::{FIELD, Field};
use crate::world::set;

/// The realm of all keys of a simulation.
const REALM: [u8; 32] = [0x51; 32];
/// When simulated clocks begin, in milliseconds.
const WALL_MS: u64 = 1_700_000_000_000;

fn asked(name: &str, usual: u64) -> u64 {
    let asked = std::env::var(name).ok();
    asked.map_or(usual, |text| text.parse().unwrap())
}

fn store(field: &Field, at: usize) -> &Store {
    let engine = field.cluster.engine(field.nodes[at]).unwrap();
    engine.store(&FIELD.parse().unwrap()).unwrap()
}

/// What all feeds of a replica take, signed again in runs of 64.
fn bytes_of_full_runs(store: &Store) -> u64 {
    let mut bytes = 0;
    for (feed, _) in store.feeds_held() {
        let signer = KeyedHashSigner::new(REALM, feed.author);
        let mut writer = RunWriter::new(store.id(), feed, RunLimits::default());
        let mut events = store.events_of(&feed).map(|stored| stored.event).peekable();
        while let Some(first) = events.next() {
            let mut group = vec![first];
            group.extend(events.by_ref().take(usize::from(first.following)));
            let group = group.into_iter().map(|event| NewEvent {
                stamp: event.stamp,
                deps: event.deps.clone(),
                payload: event.payload.clone(),
            });
            let none = (0, EventId::NONE);
            let now = dhlrs_clock::Time::default();
            let written = writer.append(now, none, group.collect(), &signer).unwrap();
            bytes += written.sealed.map_or(0, |sealed| sealed.run.bytes().len());
        }
        let last = writer.seal(dhlrs_clock::Time::default(), &signer);
        bytes += last.map_or(0, |sealed| sealed.run.bytes().len());
    }
    bytes as u64
}

/// Both ends of a line write while its middle is down; then each run goes over each wire once.
#[test]
fn two_ends_that_never_meet_are_equal_for_the_bytes_of_their_runs() {
    let sets = asked("DHLRS_LINE_SETS", 600);
    let mut field = Field::line(6, 3);
    let middle = field.nodes[1];
    field.cluster.crash(middle, Loss::Process);
    for n in 0..sets {
        for at in [0, 2] {
            let value = i64::try_from(n * 2).unwrap() + i64::try_from(at).unwrap() / 2;
            field.write(at, set(&format!("n{at}.v{n}"), value));
        }
        if n % 64 == 63 {
            field.cluster.run_for(10);
        }
    }
    field.cluster.run_for(2_000);
    let before: Vec<_> = (field.wires.iter())
        .map(|wire| field.cluster.traffic(*wire))
        .collect();
    field.cluster.restart(middle);
    let count = 2 * sets + 2;
    let all_there = field.cluster.run_until(120_000, |cluster| {
        (0..3).all(|at| {
            let tree = cluster.published(NodeIndex(at), FIELD);
            tree.is_some_and(|tree| tree.len() == count)
        })
    });
    assert!(all_there, "not in time");
    field.cluster.run_for(1_000);
    field.assert_equal();
    for at in 0..3 {
        let reduced = store(&field, at).reduced();
        for (feed, state) in store(&field, at).feeds_held() {
            assert_eq!(reduced[&feed].seq, state.end.seq, "lag of n{at}");
        }
    }
    let floor = bytes_of_full_runs(store(&field, 1));
    for (wire, before) in field.wires.iter().zip(before) {
        let ways = field.cluster.traffic(*wire).into_iter().zip(before);
        let bytes: u64 = ways.map(|(now, before)| now.bytes - before.bytes).sum();
        println!(
            "{sets} sets at each end: {bytes} bytes over a wire, runs of 64 have {floor}: {:.3}",
            bytes as f64 / floor as f64
        );
        assert!(bytes * 10 <= floor * 13, "{bytes} bytes, runs have {floor}");
    }
}

/// Power is lost again and again in the midst of writes.
#[test]
fn a_writer_that_loses_power_again_and_again_loses_nothing_and_goes_on_in_one_feed() {
    let crashes = asked("DHLRS_CRASHES", 60);
    let mut field = Field::line(8, 2);
    let writer = field.nodes[0];
    let target = format!("n0/p/{FIELD}");
    let (mut number, mut acknowledged) = (0_i64, Vec::new());
    for round in 0..crashes {
        let mut calls = Vec::new();
        for _ in 0..4 {
            number += 1;
            let path = format!("k{}.v{number}", number % 7);
            let edits = vec![set(&path, number)];
            calls.push((
                path,
                number,
                field.cluster.write(writer, &target, edits, 5_000),
            ));
            let pause_ms = field.cluster.dice().roll(5);
            field.cluster.run_for(pause_ms);
        }
        // Before an acknowledgement, or about when a run is signed.
        let most_ms = if round % 2 == 0 { 4 } else { 70 };
        let while_writing_ms = field.cluster.dice().roll(most_ms);
        field.cluster.run_for(while_writing_ms);
        let is_done = |call| matches!(field.cluster.answer(call), Some(Ok(_)));
        let done = calls.into_iter().filter(|(_, _, call)| is_done(*call));
        acknowledged.extend(done.map(|(path, value, _)| (path, value)));
        let loss = [Loss::Unsynced, Loss::Torn][usize::from(round % 3 == 0)];
        field.cluster.crash(writer, loss);
        field.cluster.restart(writer);
        field.cluster.run_for(30);
        assert!(
            store(&field, 0).is_open(),
            "crash {round}: it does not start"
        );
    }
    field.cluster.run_for(30_000);
    field.assert_equal();
    println!(
        "{crashes} crashes, {} writes acknowledged",
        acknowledged.len()
    );
    assert!(acknowledged.len() > crashes.try_into().unwrap());
    for at in 0..2 {
        let tree = field.cluster.published(field.nodes[at], FIELD).unwrap();
        for (path, value) in &acknowledged {
            assert_eq!(tree.get(path), Some(&Value::from(*value)), "{path}");
        }
        assert_eq!(store(&field, at).feeds_held().count(), 1, "one feed");
        assert_eq!(store(&field, at).feeds_closed().count(), 0, "no fork");
        assert_eq!(store(&field, at).draft_events().count(), 0, "no drafts");
    }
}

/// An author that is no process: it signs what a test likes.
struct Author {
    writer: RunWriter,
    signer: KeyedHashSigner,
    stamp: u64,
}

impl Author {
    fn new(number: u32) -> Self {
        let mut key = [7; 32];
        key[..4].copy_from_slice(&number.to_be_bytes());
        Self::with_key(PublicKey::from_bytes(key))
    }

    fn with_key(key: PublicKey) -> Self {
        let feed = FeedId::new(key, Epoch::stamped(Stamp::ZERO, 1));
        let store = StoreId::new(FIELD, None);
        Self {
            writer: RunWriter::new(store, feed, RunLimits::default()),
            signer: KeyedHashSigner::new(REALM, key),
            stamp: WALL_MS << 16,
        }
    }

    fn run(&mut self, label: &str, value: i64) -> Run {
        self.stamp += 1;
        let node = HomePath::root().child(Label::new(label).unwrap(), 0);
        let event = NewEvent {
            stamp: Stamp::from_bits(self.stamp),
            deps: Vec::new(),
            payload: Payload::Tree(TreeOp::Write {
                node: node.unwrap(),
                cell: Cell::Scalar,
                value: Value::from(value),
            }),
        };
        let (now, none) = (dhlrs_clock::Time::default(), (0, EventId::NONE));
        let written = self.writer.append(now, none, vec![event], &self.signer);
        let sealed = written.unwrap().sealed;
        let sealed = sealed.or_else(|| self.writer.seal(now, &self.signer));
        sealed.unwrap().run
    }
}

/// A run as the wire has it: with the name of its feed and the head before it.
fn as_message(feed: &FeedId, run: &Run) -> Vec<u8> {
    let mut bytes = vec![4, 3];
    bytes.extend(feed.author.as_bytes());
    for mut number in [feed.epoch.number(), feed.epoch.random()] {
        while number >= 0x80 {
            bytes.push((number & 0x7f) as u8 | 0x80);
            number >>= 7;
        }
        bytes.push(number as u8);
    }
    bytes.extend(run.claim().prev.as_bytes());
    bytes.extend(run.bytes());
    bytes
}

struct Hostile {
    field: Field,
    stranger: Stranger,
}

impl Hostile {
    fn new(seed: u64) -> Self {
        let mut field = Field::line(seed, 2);
        let name = "evil/p".parse().unwrap();
        let mut stranger = field.cluster.stranger(&name, field.nodes[0]);
        let own = Route {
            node: name,
            hops: 0,
        };
        stranger.send(&mut field.cluster, &Message::Announce(vec![own]));
        Self { field, stranger }
    }

    fn says(&mut self, bytes: Vec<u8>) {
        let store = *StoreId::new(FIELD, None).as_bytes();
        let message = Message::Gossip { store, bytes };
        self.stranger.send(&mut self.field.cluster, &message);
        self.field.cluster.run_for(5);
    }

    fn feeds(&self, at: usize) -> usize {
        store(&self.field, at).feeds_held().count()
    }

    /// What the honest write goes to both, and they agree.
    #[track_caller]
    fn the_honest_go_on(&mut self) {
        for at in 0..2 {
            self.field.write(at, set(&format!("honest{at}"), 1));
        }
        self.field.cluster.run_for(30_000);
        self.field.assert_equal();
        for at in 0..2 {
            let tree = self.field.cluster.published(self.field.nodes[at], FIELD);
            let tree = tree.unwrap();
            assert!(tree.get("honest0").is_some() && tree.get("honest1").is_some());
        }
    }
}

#[test]
fn a_strangers_event_under_any_name_is_refused_and_locks_nobody_out() {
    let mut hostile = Hostile::new(11);
    let run = Author::new(1).run("forged", 1);
    // Signed by one author, in the name of the process that listens and of one that nobody knows.
    let mut names = vec![*Author::new(2).writer.feed()];
    hostile.field.write(0, set("mine", 1));
    hostile.field.cluster.run_for(500);
    names.extend(store(&hostile.field, 0).feeds_held().map(|(feed, _)| feed));
    for feed in &names {
        hostile.says(as_message(feed, &run));
    }
    assert_eq!(hostile.feeds(0), 1);
    let mut changed = as_message(Author::new(1).writer.feed(), &run);
    *changed.last_mut().unwrap() ^= 1;
    hostile.says(changed);
    assert_eq!(hostile.feeds(0), 1, "a wrong signature");
    hostile.the_honest_go_on();
}

#[test]
fn one_stamp_of_the_far_future_is_kept_and_poisons_no_clock() {
    let mut hostile = Hostile::new(12);
    let mut liar = Author::new(1);
    liar.stamp = 1 << 62;
    let run = liar.run("far", 1);
    hostile.says(as_message(liar.writer.feed(), &run));
    hostile.the_honest_go_on();
    for at in 0..2 {
        assert!(
            store(&hostile.field, at).feeds_held().count() == 3,
            "it is relayed"
        );
        let tree = store(&hostile.field, at).published();
        assert_eq!(tree.get("far"), None, "and held");
    }
}

#[test]
fn a_fork_is_proven_to_all_and_ends_the_liar_alone() {
    let mut hostile = Hostile::new(13);
    let (mut one, mut other) = (Author::new(1), Author::new(1));
    let feed = *one.writer.feed();
    let (first, second) = (one.run("fork", 1), other.run("fork", 2));
    hostile.says(as_message(&feed, &first));
    hostile.field.cluster.run_for(1_000);
    hostile.says(as_message(&feed, &second));
    hostile.the_honest_go_on();
    for at in 0..2 {
        let closed: Vec<_> = store(&hostile.field, at).feeds_closed().collect();
        assert_eq!(closed, [(feed, 0)]);
    }
}

#[test]
fn events_that_come_too_early_wait_within_a_bound_and_displace_no_genuine_one() {
    let mut hostile = Hostile::new(14);
    for number in 0..30 {
        let mut author = Author::new(number);
        author.run("early", 0);
        for value in 0..20 {
            let run = author.run("early", value);
            hostile.says(as_message(author.writer.feed(), &run));
        }
    }
    assert_eq!(hostile.feeds(0), 0, "none of them is whole");
    hostile.the_honest_go_on();
}

#[test]
fn malformed_and_repeated_messages_of_every_kind_change_nothing() {
    let mut hostile = Hostile::new(15);
    let mut author = Author::new(1);
    let run = author.run("once", 1);
    let run = as_message(author.writer.feed(), &run);
    for _ in 0..5 {
        hostile.says(run.clone());
    }
    let revision = store(&hostile.field, 0).revision();
    for kind in 0..=12_u8 {
        for length in [0, 1, 7, 40, 200] {
            let dice = hostile.field.cluster.dice();
            let noise = (0..length).map(|_| u8::try_from(dice.roll(256)).unwrap());
            let bytes = std::iter::once(kind).chain(noise).collect();
            hostile.says(bytes);
        }
        let mut cut = run.clone();
        cut[0] = kind;
        cut.truncate(usize::from(kind) * 9 + 2);
        hostile.says(cut);
    }
    assert_eq!(store(&hostile.field, 0).revision(), revision);
    hostile.the_honest_go_on();
}

#[test]
fn a_full_replica_keeps_what_it_has_and_refuses_feeds_that_are_new() {
    const AUTHORS_MAX: usize = 50;
    let mut field = Field::line_with(16, 2, |config| {
        if let Some(replication) = &mut config.replication {
            replication.limits.authors_max = AUTHORS_MAX;
        }
    });
    // One has a feed before the replica is full, the other has none.
    field.write(1, set("early", 1));
    field.cluster.run_for(1_000);
    let name = "evil/p".parse().unwrap();
    let mut stranger = field.cluster.stranger(&name, field.nodes[0]);
    let own = Route {
        node: name,
        hops: 0,
    };
    stranger.send(&mut field.cluster, &Message::Announce(vec![own]));
    let mut hostile = Hostile { field, stranger };
    for number in 0..400 {
        let mut author = Author::new(number);
        let run = author.run("bogus", i64::from(number));
        hostile.says(as_message(author.writer.feed(), &run));
    }
    hostile.field.cluster.run_for(20_000);
    for at in 0..2 {
        assert_eq!(hostile.feeds(at), AUTHORS_MAX, "n{at}");
    }
    let node = hostile.field.nodes[0];
    let target = format!("n0/p/{FIELD}");
    let edits = vec![set("late", 1)];
    let call = hostile.field.cluster.write(node, &target, edits, 5_000);
    hostile.field.write(1, set("early", 2));
    hostile.field.cluster.run_for(10_000);
    let refusal = hostile.field.cluster.answer(call).unwrap().clone();
    assert_eq!(refusal.unwrap_err().kind(), RefusalKind::StoreFull);
    let tree = hostile.field.cluster.published(node, FIELD).unwrap();
    assert_eq!(tree.get("early"), Some(&Value::from(2_i64)));
    hostile.field.assert_equal();
}
