//! Frames that no honest peer sends.

use bytes::Bytes;
use dhlrs_link::{
    EndingKind, FRAME_BYTES_MAX, HANDSHAKES_MAX, LinkId, LinkInput, LinkOutput, Side,
};

use crate::wire::{Dice, World, config, connected, datagrams, open, pair, stream};

/// All that end `from` sent in a conversation that uses every kind of frame.
fn conversation(from: usize) -> Vec<Bytes> {
    let mut world = connected();
    for message in ["one", "two", "three"] {
        world.send(0, message);
        world.run_for(50);
        world.send(1, message);
        world.run_for(50);
    }
    world.run_for(25_000);
    world.act(from, |links, now, outputs| links.shut_down(now, outputs));
    world.ends[from].frames_sent.clone()
}

/// A fresh end that heard all of `frames`, at the side that `from` talked to.
fn heard(from: usize, frames: &[Bytes]) -> (World, LinkId) {
    let mut world = pair();
    // Greetings tell the time, and proofs cover them: each end must read the clock as it did then.
    world.run_for(if from == 0 { world.delay_ms } else { 0 });
    let (at, link) = (1 - from, LinkId::new(1));
    let side = if from == 0 { open() } else { Side::connected() };
    world.ends[at].open.insert(link);
    world.input(
        at,
        LinkInput::Opened {
            link,
            capability: stream(),
            side,
        },
    );
    let mut answered = false;
    for bytes in frames {
        world.input(
            at,
            LinkInput::Frame {
                link,
                bytes: bytes.clone(),
            },
        );
        if !answered && !world.ups(at).is_empty() {
            answered = true;
            // What the frames to come acknowledge.
            for message in ["one", "two", "three"] {
                world.send(at, message);
            }
        }
    }
    (world, link)
}

#[track_caller]
fn survives(from: usize, before: &[Bytes], mutant: Bytes) {
    let at = 1 - from;
    let (mut world, link) = heard(from, before);
    let ups = world.ups(at).len();
    let sent = world.ends[at].frames_sent.len();
    world.input(
        at,
        LinkInput::Frame {
            link,
            bytes: mutant.clone(),
        },
    );
    assert_eq!(
        world.ups(at).len(),
        ups,
        "a changed frame must not bring a connection up: {mutant:?}"
    );
    assert!(world.ends[at].frames_sent.len() <= sent + 3, "{mutant:?}");
    let downs = world.ends[at]
        .events
        .iter()
        .filter(|event| matches!(event, LinkOutput::Down { .. }));
    assert!(downs.count() <= 1);
}

#[test]
fn every_truncation_and_every_flipped_bit_of_every_frame() {
    for from in 0..2 {
        let frames = conversation(from);
        for kind in 1..=6 {
            assert!(
                frames.iter().any(|frame| frame[0] == kind),
                "kind {kind} from {from}"
            );
        }
        let (world, _) = heard(from, &frames);
        assert_eq!(
            (world.ups(1 - from), world.ends[1 - from].messages.len()),
            (vec![false], 3)
        );
        for (at, frame) in frames.iter().enumerate() {
            for length in 0..frame.len() {
                survives(from, &frames[..at], frame.slice(..length));
            }
            for bit in 0..frame.len() * 8 {
                let mut bytes = frame.to_vec();
                bytes[bit / 8] ^= 1 << (bit % 8);
                survives(from, &frames[..at], bytes.into());
            }
        }
    }
}

#[test]
fn random_frames_end_a_stream_with_one_farewell_each_and_nothing_else() {
    let mut dice = Dice(3);
    let mut world = pair();
    for n in 1..=10_000 {
        let link = LinkId::new(1_000 + n);
        world.ends[1].open.insert(link);
        world.input(
            1,
            LinkInput::Opened {
                link,
                capability: stream(),
                side: open(),
            },
        );
        let length = dice.roll(60) as usize;
        let mut bytes: Vec<u8> = (0..length).map(|_| dice.roll(256) as u8).collect();
        if dice.roll(2) == 0 {
            bytes.insert(0, dice.roll(8) as u8);
        }
        for _ in 0..3 {
            world.input(
                1,
                LinkInput::Frame {
                    link,
                    bytes: bytes.clone().into(),
                },
            );
        }
        assert!(world.ends[1].frames_sent.len() as u64 <= n);
    }
    let counters = *world.ends[1].links.counters();
    assert_eq!(counters.refused, 10_000);
    assert!(counters.malformed > 5_000, "{counters:?}");
    world.connect_as(0, &stream(), Side::connected(), open());
    world.run_for(10);
    assert_eq!(world.ups(1), [false]);
}

#[test]
fn random_datagrams_are_counted_and_skipped() {
    let mut world = pair();
    let link = world.connect_as(0, &datagrams(), Side::connected(), open());
    world.run_for(100);
    let mut dice = Dice(4);
    for n in 0..2_000 {
        let bytes: Vec<u8> = (0..dice.roll(40))
            .map(|_| dice.roll(256) as u8 | 0x10)
            .collect();
        world.input(
            1,
            LinkInput::Frame {
                link,
                bytes: bytes.into(),
            },
        );
        if n % 100 == 0 {
            world.send(0, n.to_string());
        }
    }
    world.settle();
    assert_eq!(world.ends[1].messages.len(), 20);
    assert_eq!(world.ends[1].links.counters().malformed, 2_000);
}

#[track_caller]
fn ends(frame: impl Into<Bytes>, kind: EndingKind, message: &str) {
    let mut world = connected();
    world.send(1, "sent and never acknowledged");
    let link = *world.ends[1].open.first().unwrap();
    world.input(
        1,
        LinkInput::Frame {
            link,
            bytes: frame.into(),
        },
    );
    let ending = world.ending(1);
    assert_eq!(ending.kind, kind);
    assert!(ending.message.contains(message), "{}", ending.message);
    world.run_for(10);
    world.ended(0, kind);
}

#[test]
fn each_broken_rule_has_its_name() {
    ends(&b""[..], EndingKind::Malformed, "empty frame");
    ends(
        &b"\xff"[..],
        EndingKind::Malformed,
        "unknown kind of frame: 255",
    );
    ends(&b"\x05\0"[..], EndingKind::Malformed, "limit 0");
    ends(&b"\x03\x01"[..], EndingKind::Malformed, "ends too early");
    let above = vec![3; FRAME_BYTES_MAX + 1];
    ends(
        above,
        EndingKind::Malformed,
        "frame too large: 1048577 bytes, limit 1048576",
    );
    ends(
        &b"\x03\x02\0x"[..],
        EndingKind::Violation,
        "a message is missing before this one",
    );
    ends(
        &b"\x03\x01\x02x"[..],
        EndingKind::Violation,
        "acknowledged that was never sent",
    );
    ends(
        &b"\x04\x07\x00\x00"[..],
        EndingKind::Violation,
        "acknowledged that was never sent",
    );
    ends(
        connected().ends[0].frames_sent[0].clone(),
        EndingKind::Violation,
        "a second greeting",
    );
}

#[test]
fn nothing_is_heard_before_the_greeting() {
    for frame in [&b"\x03\x01\0x"[..], b"\x04\0\0\0", b"\x05"] {
        let (mut world, link) = heard(0, &[]);
        world.input(
            1,
            LinkInput::Frame {
                link,
                bytes: Bytes::from_static(frame),
            },
        );
        world.ended(1, EndingKind::Violation);
        assert!(world.ends[1].messages.is_empty());
    }
    let (hello, proof) = (&conversation(0)[0], &conversation(0)[1]);
    heard(0, std::slice::from_ref(proof))
        .0
        .ended(1, EndingKind::Violation);
    let mut other = hello.to_vec();
    *other.last_mut().unwrap() ^= 1;
    heard(0, &[hello.clone(), other.into()])
        .0
        .ended(1, EndingKind::Violation);
}

#[test]
fn strangers_that_say_nothing_are_bounded() {
    let mut world = pair();
    for n in 0..HANDSHAKES_MAX as u64 + 10 {
        let (link, side) = (LinkId::new(n), open());
        world.input(
            1,
            LinkInput::Opened {
                link,
                capability: stream(),
                side,
            },
        );
    }
    world.ended(1, EndingKind::Busy);
    assert_eq!(world.ends[1].links.counters().refused, 10);
    world.run_for(config(2).handshake_ms_max);
    assert_eq!(
        world.ends[1].links.counters().refused,
        HANDSHAKES_MAX as u64 + 10
    );
    assert_eq!(world.ends[1].links.deadline(), None);
}

#[test]
fn a_peer_that_forgot_what_it_acknowledged_loses_the_session() {
    let mut world = connected();
    // Process 2 as it was right after the greeting: a machine that was copied and is started again.
    let (mut copy, link) = heard(0, &world.ends[0].frames_sent[..2]);
    copy.input(1, LinkInput::Closed { link });
    world.send(0, "acknowledged");
    world.settle();
    world.cut();
    std::mem::swap(&mut world.ends[1].links, &mut copy.ends[1].links);
    world.connect();
    world.run_for(10);
    world.ended(0, EndingKind::Violation);
    assert!(world.ending(0).message.contains("asked for again"));
    assert_eq!(world.lost(0), [(0, 0)]);
    world.connect();
    world.run_for(10);
    assert_eq!(world.ups(0), [false, false]);
}
