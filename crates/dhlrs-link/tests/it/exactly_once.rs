//! Each message arrives once and in order, or its session ends with a count.

use bytes::Bytes;
use dhlrs_link::{EndingKind, LinkInput, SendErrorKind, Side};
use proptest::prelude::*;

use crate::wire::{Faults, World, config, connected, datagrams, links_with, open, pair};

fn numbered(count: u32) -> Vec<Bytes> {
    (0..count).map(|n| Bytes::from(n.to_string())).collect()
}

/// Sends messages from both ends, with the wire doing its worst, and looks at what arrives.
fn exchange(world: &mut World, count: u32, mut meanwhile: impl FnMut(&mut World)) {
    for message in numbered(count) {
        for at in 0..2 {
            world.send(at, message.clone());
        }
        let until_ms = world.now.monotonic_ms + world.dice.roll(5);
        while world.step(until_ms) {}
        meanwhile(world);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn over_a_stream_that_is_cut_again_and_again(seed: u64, cuts_in_100 in 0u64..20, delay_ms in 1u64..30) {
        let mut world = connected();
        (world.dice.0, world.delay_ms) = (seed, delay_ms);
        exchange(&mut world, 300, |world| {
            if world.dice.roll(100) < cuts_in_100 {
                world.cut();
                let pause_ms = world.dice.roll(50);
                world.run_for(pause_ms);
                world.connect();
            }
        });
        world.settle();
        for at in 0..2 {
            prop_assert_eq!(&world.ends[at].messages, &numbered(300));
            prop_assert_eq!(world.lost(at), vec![]);
            prop_assert_eq!(world.ends[at].links.counters().violations, 0);
        }
    }

    #[test]
    fn over_datagrams_that_are_dropped_doubled_and_reordered(
        seed: u64, drop in 0u64..40, double in 0u64..40, reorder in 0u64..40,
    ) {
        let mut world = pair();
        world.dice.0 = seed;
        world.faults = Faults { drop, double, reorder };
        // A greeting may take more tries than its time allows; then somebody connects again.
        while !world.ends.iter().all(|end| end.links.peers().any(|peer| end.links.link(peer).is_some())) {
            world.cut();
            world.connect_as(0, &datagrams(), Side::connected(), open());
            world.run_for(5_000);
        }
        let before = [0, 1].map(|at| world.ends[at].links.counters().violations);
        exchange(&mut world, 100, |_| {});
        world.settle();
        for (at, before) in before.into_iter().enumerate() {
            prop_assert_eq!(&world.ends[at].messages, &numbered(100));
            prop_assert_eq!(world.ends[at].links.counters().violations, before);
        }
    }
}

#[test]
fn what_was_sent_during_an_outage_arrives_after_it() {
    let mut world = connected();
    world.cut();
    world.send(0, "while away");
    world.run_for(60_000);
    assert!(world.ends[1].messages.is_empty());
    world.connect();
    world.settle();
    assert_eq!(world.ends[1].messages, ["while away"]);
    assert_eq!(world.ups(0), [false, true]);
}

#[test]
fn a_restarted_peer_reports_what_became_of_the_session() {
    let mut world = connected();
    world.send(0, "taken");
    world.settle();
    world.go_dead();
    world.send(0, "on the wire");
    world.cut();
    world.send(0, "never sent");
    world.faults = Faults::default();
    world.ends[1].links = links_with(2, 1, config(2));
    world.connect();
    world.run_for(10);
    assert_eq!(world.ups(0), [false, false]);
    assert_eq!(world.lost(0), [(1, 1)]);
    world.send(0, "anew");
    world.settle();
    assert_eq!(world.ends[1].messages, ["taken", "anew"]);
}

#[test]
fn a_session_is_not_held_for_ever() {
    let mut world = connected();
    let peer = world.peer(0);
    world.cut();
    world.send(0, "too late");
    world.run_for(config(1).session_hold_ms_max);
    assert_eq!(world.lost(0), [(0, 1)]);
    assert_eq!(world.lost(1), [(0, 0)]);
    let mut outputs = Vec::new();
    let err = world.ends[0]
        .links
        .send(world.now, &peer, "x".into(), &mut outputs)
        .unwrap_err();
    assert_eq!(err.kind(), SendErrorKind::NoSession);
    assert_eq!(err.into_message(), "x");
}

#[test]
fn a_session_ends_with_a_peer_that_is_done() {
    let mut world = connected();
    world.act(0, |links, now, outputs| links.shut_down(now, outputs));
    world.run_for(10);
    world.ended(1, EndingKind::Done);
    assert_eq!(world.lost(1), [(0, 0)]);
    assert_eq!(world.ends[1].links.peers().count(), 0);
}

#[test]
fn inputs_about_links_that_are_not_open_are_ignored() {
    let mut world = connected();
    let gone = dhlrs_link::LinkId::new(99);
    world.input(
        0,
        LinkInput::Sent {
            link: gone,
            frames: 7,
        },
    );
    world.input(
        0,
        LinkInput::Frame {
            link: gone,
            bytes: "x".into(),
        },
    );
    world.input(0, LinkInput::Closed { link: gone });
    world.input(0, LinkInput::Tick);
    world.send(0, "on");
    world.settle();
    assert_eq!(world.ends[1].messages, ["on"]);
}
