//! Nobody is sent more than it granted, and no driver is handed more than it can hold.

use bytes::Bytes;
use dhlrs_link::{
    CREDIT_FRAMES_MAX, EndingKind, LINK_BYTES_MAX, LINK_FRAMES_MAX, LinkId, LinkInput, LinkOutput,
    MESSAGE_BYTES_MAX, SESSION_MESSAGES_MAX, SendErrorKind, Side,
};

use crate::wire::{World, connected, datagrams, open, pair};

#[test]
fn a_held_peer_sends_what_was_granted_and_waits() {
    let mut world = connected();
    let peer = world.peer(1);
    world.act(1, |links, _, _| links.hold(&peer));
    let count = CREDIT_FRAMES_MAX + 500;
    for n in 0..count {
        world.send(0, n.to_string());
    }
    world.run_for(5_000);
    assert_eq!(world.ends[1].messages.len() as u64, CREDIT_FRAMES_MAX);
    world.cut();
    world.connect();
    world.run_for(5_000);
    assert_eq!(
        world.ends[1].messages.len() as u64,
        CREDIT_FRAMES_MAX,
        "a new connection grants no more"
    );
    world.act(1, |links, now, outputs| links.release(now, &peer, outputs));
    world.settle();
    assert_eq!(world.ends[1].messages.len() as u64, count);
}

#[test]
fn credit_that_was_lost_on_the_way_is_asked_for() {
    let mut world = pair();
    world.connect_as(0, &datagrams(), Side::connected(), open());
    world.run_for(100);
    let peer = world.peer(1);
    world.act(1, |links, _, _| links.hold(&peer));
    for n in 0..=CREDIT_FRAMES_MAX {
        world.send(0, n.to_string());
    }
    world.run_for(500);
    assert_eq!(world.ends[1].messages.len() as u64, CREDIT_FRAMES_MAX);
    world.faults.drop = 100;
    world.act(1, |links, now, outputs| links.release(now, &peer, outputs));
    world.faults.drop = 0;
    // Well before the question that an idle link asks.
    world.run_for(2_000);
    assert_eq!(world.ends[1].messages.len() as u64, CREDIT_FRAMES_MAX + 1);
}

/// Sends until the session is full, to a driver that sends nothing; the frames that were handed to it.
fn fill(world: &mut World, message: &Bytes) -> (usize, Vec<Bytes>) {
    let (peer, now) = (world.peer(0), world.now);
    let (mut taken, mut frames) = (0, Vec::new());
    loop {
        let mut outputs = Vec::new();
        let result = world.ends[0]
            .links
            .send(now, &peer, message.clone(), &mut outputs);
        for output in outputs {
            match output {
                LinkOutput::Send { frame, .. } => frames.push(frame),
                other => assert_eq!(
                    other,
                    LinkOutput::Close {
                        link: LinkId::new(0)
                    },
                    "only sends"
                ),
            }
        }
        match result {
            Ok(()) => taken += 1,
            Err(err) => {
                assert_eq!(err.kind(), SendErrorKind::Full);
                return (taken, frames);
            }
        }
    }
}

#[test]
fn a_driver_that_is_stuck_is_handed_a_bounded_number_of_frames() {
    let mut world = connected();
    let (taken, frames) = fill(&mut world, &Bytes::from_static(b"small"));
    assert_eq!(taken, SESSION_MESSAGES_MAX);
    assert!(
        frames.len() <= LINK_FRAMES_MAX && frames.len() > LINK_FRAMES_MAX / 2,
        "{}",
        frames.len()
    );
    // Nor does whatever the peer asks make it more.
    let link = *world.ends[0].open.first().unwrap();
    let mut outputs = Vec::new();
    for _ in 0..10_000 {
        let bytes = Bytes::from_static(&[5]);
        world.ends[0]
            .links
            .handle(world.now, LinkInput::Frame { link, bytes }, &mut outputs);
    }
    assert!(outputs.len() <= 1, "{}", outputs.len());
}

#[test]
fn a_driver_that_is_stuck_is_handed_a_bounded_number_of_bytes() {
    let mut world = connected();
    let message = Bytes::from(vec![0; MESSAGE_BYTES_MAX]);
    let (_, frames) = fill(&mut world, &message);
    let bytes: usize = frames.iter().map(Bytes::len).sum();
    assert!(bytes < LINK_BYTES_MAX + MESSAGE_BYTES_MAX + 100, "{bytes}");
    assert!(frames.len() >= 2);
}

#[test]
fn a_refused_sender_is_told_once_when_there_is_room() {
    let mut world = connected();
    let (taken, frames) = fill(&mut world, &Bytes::from_static(b"x"));
    let link = *world.ends[0].open.first().unwrap();
    for bytes in &frames {
        world.input(
            1,
            LinkInput::Frame {
                link,
                bytes: bytes.clone(),
            },
        );
    }
    world.input(
        0,
        LinkInput::Sent {
            link,
            frames: frames.len(),
        },
    );
    world.settle();
    assert_eq!(world.ends[1].messages.len(), taken);
    let told = world.ends[0]
        .events
        .iter()
        .filter(|event| matches!(event, LinkOutput::Writable { .. }));
    assert_eq!(told.count(), 1);
}

#[test]
fn a_message_fits_at_the_limit_and_not_one_byte_above() {
    let mut world = connected();
    let peer = world.peer(0);
    let above = Bytes::from(vec![7; MESSAGE_BYTES_MAX + 1]);
    let err = world.ends[0]
        .links
        .send(world.now, &peer, above.clone(), &mut Vec::new())
        .unwrap_err();
    assert_eq!(err.kind(), SendErrorKind::TooLarge);
    assert_eq!(
        err.to_string(),
        "message too large: 1048545 bytes, limit 1048544"
    );
    let at = above.slice(1..);
    for _ in 0..20 {
        world.send(0, at.clone());
        world.settle();
    }
    assert_eq!(world.ends[1].messages, vec![at; 20]);
}

#[test]
fn who_sends_more_than_was_granted_is_cut_off() {
    let mut world = connected();
    let peer = world.peer(1);
    world.act(1, |links, _, _| links.hold(&peer));
    let link = *world.ends[1].open.first().unwrap();
    for seq in 1..=CREDIT_FRAMES_MAX + 1 {
        let mut frame = vec![3, (seq & 0x7f) as u8 | 0x80, (seq >> 7) as u8];
        frame.extend([0, b'x']);
        world.input(
            1,
            LinkInput::Frame {
                link,
                bytes: frame.into(),
            },
        );
    }
    world.ended(1, EndingKind::Violation);
    assert_eq!(world.ends[1].messages.len() as u64, CREDIT_FRAMES_MAX);
}

#[test]
fn what_only_waits_here_cannot_be_acknowledged() {
    let mut world = connected();
    let (_, frames) = fill(&mut world, &Bytes::from_static(b"x"));
    let link = *world.ends[0].open.first().unwrap();
    let ack = |received: usize| {
        let bytes = vec![
            4,
            (received & 0x7f) as u8 | 0x80,
            (received >> 7) as u8,
            1,
            1,
        ];
        LinkInput::Frame {
            link,
            bytes: bytes.into(),
        }
    };
    world.input(0, ack(frames.len()));
    assert!(!world.ends[0].open.is_empty());
    world.input(0, ack(frames.len() + 1));
    world.ended(0, EndingKind::Violation);
    assert_eq!(
        world.lost(0),
        [(0, (SESSION_MESSAGES_MAX - frames.len()) as u64)]
    );
}

#[test]
fn credit_is_renewed_though_messages_carry_every_acknowledgement() {
    let mut world = connected();
    let start_ms = world.now.monotonic_ms;
    let rounds = 2 * CREDIT_FRAMES_MAX;
    for round in 0..rounds {
        for at in 0..2 {
            world.send(at, round.to_string());
            world.run_for(world.delay_ms);
        }
    }
    assert_eq!(world.ends[0].messages.len() as u64, rounds);
    assert_eq!(world.ends[1].messages.len() as u64, rounds);
    assert_eq!(
        world.now.monotonic_ms - start_ms,
        rounds * 2 * world.delay_ms
    );
}
