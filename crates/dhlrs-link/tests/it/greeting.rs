//! Who may connect, how that is proven, and how a refusal reads.

use std::sync::Arc;

use bytes::Bytes;
use dhlrs_identity::{Ed25519Signer, Ed25519Verifier, SecretKey, Signer};
use dhlrs_link::{
    Config, Ending, EndingKind, LinkId, LinkInput, LinkOutput, Links, Party, Side, VERSION,
};

use crate::wire::{
    World, config, connected, datagrams, key, links, links_with, open, pair, stream,
};

const LISTED: Side = Side::Accepted { open: false };

fn admitting(allow: &[(u8, Option<u8>)]) -> Links {
    let mut config = config(2);
    for (number, name) in allow {
        let name = name.map(|name| format!("m{name}/p").parse().unwrap());
        config.admission.allow(key(*number), name);
    }
    links_with(2, 0, config)
}

/// Process 1 connects; how that ends at both sides.
fn meets(far: Links, accepting: Side) -> World {
    let mut world = World::new(links(1), far);
    world.connect_as(0, &stream(), Side::connected(), accepting);
    world.run_for(100);
    world
}

#[track_caller]
fn denies(far: Links, accepting: Side, reason: &str) {
    let world = meets(far, accepting);
    for (at, by) in [(0, Party::Peer), (1, Party::Us)] {
        let ending = world.ending(at);
        assert_eq!((ending.kind, ending.by), (EndingKind::Denied, by));
        assert!(ending.message.contains(reason), "{}", ending.message);
        assert_eq!(world.ups(at), []);
    }
}

#[test]
fn both_sides_learn_who_the_other_is() {
    let signer = |seed| Arc::new(Ed25519Signer::new(SecretKey::from_bytes([seed; 32])));
    let links = |seed: u8| {
        Links::new(
            config(seed),
            signer(seed),
            Arc::new(Ed25519Verifier),
            [seed; 32],
        )
    };
    let mut world = World::new(links(1), links(2));
    let key = Some(signer(2).public_key());
    let link = world.connect_as(0, &stream(), Side::Connected { key, last: None }, open());
    world.run_for(10);
    for at in 0..2 {
        let LinkOutput::Up {
            link: up,
            peer,
            clock_ms,
            resumed: false,
        } = &world.ends[at].events[0]
        else {
            panic!("{:?}", world.ends[at].events);
        };
        let other = 2 - at as u8;
        assert_eq!((*up, peer.key), (link, signer(other).public_key()));
        assert_eq!(peer.name.to_string(), format!("m{other}/p"));
        assert!((1_000_000..1_000_010).contains(clock_ms));
    }
}

#[test]
fn another_key_than_asked_for_is_refused() {
    let mut world = pair();
    let wanted = Side::Connected {
        key: Some(key(9)),
        last: None,
    };
    world.connect_as(0, &stream(), wanted, open());
    world.run_for(10);
    world.ended(0, EndingKind::WrongKey);
    world.ended(1, EndingKind::WrongKey);
    assert_eq!(world.ending(0).by, Party::Us);
    assert!(world.ending(0).message.contains(&key(9).to_string()));
    assert!(world.ending(0).message.contains(&key(2).to_string()));
}

#[test]
fn a_listener_that_is_not_open_takes_listed_keys_only() {
    denies(admitting(&[]), LISTED, "the key is not listed here");
    denies(
        admitting(&[(3, None)]),
        LISTED,
        "the key is not listed here",
    );
    assert_eq!(meets(admitting(&[(1, None)]), LISTED).ups(1), [false]);
    assert_eq!(meets(admitting(&[(1, Some(1))]), LISTED).ups(1), [false]);
    denies(
        admitting(&[(1, Some(7))]),
        LISTED,
        "the key is listed for other names only",
    );
}

#[test]
fn a_reserved_name_is_nobody_elses_even_where_anybody_may_connect() {
    denies(
        admitting(&[(3, Some(1))]),
        open(),
        "the name is reserved for another key",
    );
    assert_eq!(
        meets(admitting(&[(3, Some(1)), (1, Some(1))]), open()).ups(1),
        [false]
    );
    assert_eq!(meets(admitting(&[(3, Some(4))]), open()).ups(1), [false]);
}

#[test]
fn a_reserved_name_is_not_believed_of_whoever_answers_either() {
    let mut config = config(1);
    config
        .admission
        .allow(key(3), Some("m2/p".parse().unwrap()));
    let mut world = World::new(links_with(1, 0, config), links(2));
    world.connect();
    world.run_for(10);
    world.ended(0, EndingKind::Denied);
}

#[test]
fn a_process_does_not_talk_to_itself_nor_to_one_of_its_name() {
    let world = meets(links_with(1, 1, config(1)), open());
    world.ended(1, EndingKind::Myself);
    world.ended(0, EndingKind::Myself);
    let world = meets(links_with(2, 0, config(1)), open());
    world.ended(1, EndingKind::Denied);
}

/// Process 2 accepts and hears these frames; what it answers.
fn hears(frames: &[Bytes]) -> World {
    let mut world = World::new(links(1), links(2));
    // Greetings tell the time, and proofs cover them: the clock must read as it did then.
    world.run_for(world.delay_ms);
    let link = LinkId::new(77);
    world.ends[1].open.insert(link);
    world.input(
        1,
        LinkInput::Opened {
            link,
            capability: stream(),
            side: open(),
        },
    );
    for bytes in frames {
        world.input(
            1,
            LinkInput::Frame {
                link,
                bytes: bytes.clone(),
            },
        );
    }
    world
}

#[test]
fn another_version_is_refused_with_both_numbers() {
    let hello = &connected().ends[0].frames_sent[0];
    for theirs in [0, 2, 99] {
        let mut hello = hello.to_vec();
        // The byte after the kind and the four of the protocol's mark.
        hello[5] = theirs;
        // What follows is that version's own and must not matter.
        hello.truncate(9);
        let world = hears(&[hello.into()]);
        let theirs = u32::from(theirs);
        world.ended(
            1,
            EndingKind::Version {
                ours: VERSION,
                theirs,
            },
        );
        assert!(world.ending(1).message.contains("upgrade the older one"));
        assert_eq!(world.ends[1].frames_sent.len(), 1);
    }
}

#[test]
fn a_farewell_of_another_version_says_which() {
    let mut world = pair();
    let link = world.connect();
    // Kind, version 7, code 4, no message.
    world.input(
        0,
        LinkInput::Frame {
            link,
            bytes: Bytes::from_static(&[6, 7, 4, 0]),
        },
    );
    world.ended(
        0,
        EndingKind::Version {
            ours: VERSION,
            theirs: 7,
        },
    );
    assert_eq!(world.ending(0).by, Party::Peer);
}

#[test]
fn a_proof_cannot_be_replayed_or_reflected() {
    let honest = connected();
    let (hello, proof) = (
        &honest.ends[0].frames_sent[0],
        &honest.ends[0].frames_sent[1],
    );
    // The same process again, in its next life: its nonce differs, so the old proof proves nothing.
    let mut world = World::new(links(1), links_with(2, 1, config(2)));
    let link = LinkId::new(77);
    world.ends[1].open.insert(link);
    world.input(
        1,
        LinkInput::Opened {
            link,
            capability: stream(),
            side: open(),
        },
    );
    world.input(
        1,
        LinkInput::Frame {
            link,
            bytes: hello.clone(),
        },
    );
    let their_proof = world.ends[1].frames_sent[1].clone();
    world.input(
        1,
        LinkInput::Frame {
            link,
            bytes: proof.clone(),
        },
    );
    world.ended(1, EndingKind::BadSignature);
    assert_eq!(world.ends[1].links.counters().bad_signatures, 1);
    assert_eq!(world.ups(1), []);

    // A stranger claims to be process 2 and gives its proof back.
    let world = hears(&[hello.clone(), their_proof]);
    world.ended(1, EndingKind::BadSignature);

    // A stranger claims to be another process of process 2's own key, and gives its proof back.
    let mut namesake = World::new(links_with(2, 1, config(3)), links(1));
    namesake.connect();
    let hello = namesake.ends[0].frames_sent[0].clone();
    let their_proof = hears(std::slice::from_ref(&hello)).ends[1].frames_sent[1].clone();
    let world = hears(&[hello, their_proof]);
    world.ended(1, EndingKind::BadSignature);

    // Greetings of two connections of one process differ.
    let mut world = connected();
    world.cut();
    world.connect();
    let hellos: Vec<_> = world.ends[0]
        .frames_sent
        .iter()
        .filter(|frame| frame[0] == 1)
        .collect();
    assert_eq!(hellos.len(), 2);
    assert_ne!(hellos[0], hellos[1]);
}

#[test]
fn a_proof_covers_every_bit_of_both_greetings() {
    let honest = connected();
    let (hello, proof) = (
        &honest.ends[0].frames_sent[0],
        &honest.ends[0].frames_sent[1],
    );
    assert_eq!(
        hears(&[hello.clone(), proof.clone()]).ups(1),
        [false],
        "the unchanged frames are good"
    );
    for bit in 0..hello.len() * 8 {
        let mut hello = hello.to_vec();
        hello[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(
            hears(&[hello.into(), proof.clone()]).ups(1),
            [],
            "bit {bit}"
        );
    }
}

#[test]
fn each_frame_of_a_greeting_may_be_lost() {
    for lost_ms in 0..3 {
        let mut world = pair();
        world.faults.drop = if lost_ms == 0 { 100 } else { 0 };
        world.connect_as(0, &datagrams(), Side::connected(), open());
        for ms in 1..=4 {
            world.faults.drop = if ms == lost_ms { 100 } else { 0 };
            world.run_for(1);
        }
        world.run_for(1_000);
        assert_eq!(
            (world.ups(0), world.ups(1)),
            (vec![false], vec![false]),
            "lost at {lost_ms} ms"
        );
    }
}

#[test]
fn the_limits_of_waiting_are_the_configurations() {
    let config = Config {
        handshake_ms_max: 50,
        ..config(2)
    };
    let mut world = World::new(links(1), links_with(2, 0, config));
    world.go_dead();
    world.connect();
    world.run_for(50);
    world.ended(1, EndingKind::Silent);
    assert_eq!(world.ending(1).message.as_ref(), "no greeting within 50 ms");
}

#[test]
fn an_ending_says_whose_words_it_tells() {
    let told = |by, kind| {
        let message = "so it is".into();
        Ending { by, kind, message }.to_string()
    };
    assert_eq!(told(Party::Us, EndingKind::Denied), "so it is");
    assert_eq!(
        told(Party::Peer, EndingKind::Denied),
        "the peer says: so it is"
    );
    assert_eq!(
        told(Party::Peer, EndingKind::Lost),
        "so it is",
        "nobody said that the connection was lost"
    );
}
