//! What a channel must promise.

use dhlrs_link::{Capability, EndingKind, FRAME_BYTES_MAX, Missing, Requirements, Side};

use crate::wire::{World, config, datagrams, links, links_with, open, pair, stream};

#[test]
fn a_stream_needs_acknowledgements_only() {
    let additions = Requirements::default().compare(&stream()).unwrap();
    assert!(additions.acknowledgement && !additions.retransmission && !additions.order);
}

#[test]
fn datagrams_need_repetition_and_order_too() {
    let additions = Requirements::default().compare(&datagrams()).unwrap();
    assert!(additions.acknowledgement && additions.retransmission && additions.order);
    // Order alone does not help: what is missing must come again.
    let unordered = Capability {
        ordered: false,
        ..stream()
    };
    assert!(Requirements::default().compare(&unordered).unwrap().order);
}

#[test]
fn everything_that_is_missing_is_listed() {
    let poor = Capability {
        frame_bytes_max: 500,
        point_to_point: false,
        ..stream()
    };
    let required = Requirements {
        encrypted: true,
        ..Requirements::default()
    };
    let err = required.compare(&poor).unwrap_err();
    let frames = Missing::FrameBytes {
        needed: FRAME_BYTES_MAX,
        frame_bytes_max: 500,
    };
    assert_eq!(
        err.list(),
        [frames, Missing::Encryption, Missing::PointToPoint]
    );
    assert_eq!(
        err.to_string(),
        "the transport lacks what is required: frames of 1048576 bytes (limit 500); encryption; \
         a channel for each peer",
    );
}

#[test]
fn frames_count_at_the_limit() {
    let at = |frame_bytes_max| Capability {
        frame_bytes_max,
        ..stream()
    };
    assert!(
        Requirements::default()
            .compare(&at(FRAME_BYTES_MAX))
            .is_ok()
    );
    assert!(
        Requirements::default()
            .compare(&at(FRAME_BYTES_MAX - 1))
            .is_err()
    );
}

#[test]
fn connecting_fails_with_the_list() {
    let mut strict = config(1);
    strict.requirements.encrypted = true;
    let mut world = World::new(links_with(1, 0, strict), links(2));
    world.connect_as(0, &stream(), Side::connected(), open());
    world.run_for(10);
    world.ended(0, EndingKind::Missing);
    world.ended(1, EndingKind::Missing);
    assert!(world.ending(1).message.contains("encryption"));

    let mut world = pair();
    world.connect_as(
        0,
        &Capability {
            encrypted: true,
            ..stream()
        },
        Side::connected(),
        open(),
    );
    world.run_for(10);
    assert_eq!(world.ups(0), [false]);
}
