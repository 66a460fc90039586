//! Events come back from their encoding, have one spelling, and break no limit.

use dhlrs_bag::{Label, Text, Value};
use dhlrs_clock::{Dot, Stamp};
use dhlrs_feed::{
    Cell, Dep, Epoch, Event, EventErrorKind, EventId, FeedEnd, FeedId, HomePath, OnConcurrentWrite,
    OrderKey, Payload, TRANSACTION_EVENTS_MAX, TreeOp,
};
use dhlrs_identity::PublicKey;
use proptest::prelude::*;

fn feed(author: u8) -> FeedId {
    FeedId::new(PublicKey::from_bytes([author; 32]), Epoch::numbered(1))
}

fn home_paths() -> impl Strategy<Value = HomePath> {
    proptest::collection::vec(("[a-c]{1,3}", 0..3u32), 0..4).prop_map(|steps| {
        steps
            .into_iter()
            .fold(HomePath::root(), |at, (label, incarnation)| {
                at.child(Label::new(&label).unwrap(), incarnation).unwrap()
            })
    })
}

fn ops() -> impl Strategy<Value = TreeOp> {
    let order = || (1..=255u8).prop_map(|byte| OrderKey::from_bytes(&[byte]).unwrap());
    let unseen = || {
        prop_oneof![
            Just(OnConcurrentWrite::Keep),
            Just(OnConcurrentWrite::Remove)
        ]
    };
    prop_oneof![
        (home_paths(), order()).prop_map(|(node, order)| TreeOp::Create { node, order }),
        (home_paths(), any::<i64>()).prop_map(|(node, value)| TreeOp::Write {
            node,
            cell: Cell::Scalar,
            value: Value::from(value),
        }),
        (home_paths(), home_paths(), order()).prop_map(|(node, parent, order)| TreeOp::Move {
            node,
            parent,
            order
        }),
        (home_paths(), "[a-z]{1,9}").prop_map(|(node, label)| TreeOp::Rename {
            node,
            label: Label::new(&label).unwrap(),
        }),
        (home_paths(), home_paths(), order()).prop_map(|(node, parent, order)| TreeOp::Reorder {
            node,
            parent,
            order
        }),
        (home_paths(), unseen()).prop_map(|(node, unseen)| TreeOp::Remove { node, unseen }),
        (home_paths(), unseen()).prop_map(|(node, unseen)| TreeOp::Clear { node, unseen }),
    ]
}

pub(crate) fn payloads() -> impl Strategy<Value = Payload> {
    prop_oneof![
        Just(Payload::Seen),
        ops().prop_map(Payload::Tree),
        proptest::collection::vec(any::<u8>(), 0..9).prop_map(|bytes| Payload::Other {
            kind: Text::new("notes.add"),
            bytes,
        }),
        (any::<u64>(), proptest::option::of(1..99u64)).prop_map(|(random, seq)| Payload::Close {
            epoch: Epoch::stamped(Stamp::ZERO, random),
            end: seq.map(|seq| FeedEnd {
                seq,
                id: EventId::NONE.followed_by(b"end")
            }),
        }),
    ]
}

fn events() -> impl Strategy<Value = Event> {
    let dep = |(author, seq)| Dep {
        dot: Dot::new(feed(author), seq),
        id: EventId::NONE.followed_by(&[author]),
    };
    let deps = proptest::collection::btree_map(2..9u8, 1..99u64, 0..4);
    (1..999u64, 0..1u64 << 40, deps, 0..4u16, payloads()).prop_map(
        move |(seq, wall_ms, deps, following, payload)| Event {
            dot: Dot::new(feed(1), seq),
            stamp: Stamp::new(wall_ms, 3).unwrap(),
            control: seq,
            deps: deps.into_iter().map(dep).collect(),
            following,
            payload,
        },
    )
}

proptest! {
    #[test]
    fn an_event_comes_back(event in events()) {
        let bytes = event.encode().unwrap();
        prop_assert_eq!(Event::decode(&bytes).unwrap(), event);
    }

    #[test]
    fn changed_bytes_do_no_harm(event in events(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = event.encode().unwrap();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(event) = Event::decode(&bytes) {
            prop_assert_eq!(Event::decode(&event.encode().unwrap()).unwrap(), event);
        }
    }
}

fn plain() -> Event {
    Event {
        dot: Dot::new(feed(1), 1),
        stamp: Stamp::ZERO,
        control: 0,
        deps: Vec::new(),
        following: 0,
        payload: Payload::Seen,
    }
}

#[track_caller]
fn refuses(event: &Event, kind: EventErrorKind) {
    let bytes = dhlrs_codec::encode(event, 1 << 20).unwrap();
    let err = Event::decode(&bytes).unwrap_err();
    assert_eq!(err.kind(), kind, "{err}");
    assert_eq!(event.encode().unwrap_err().kind(), kind);
}

#[test]
fn refuses_a_feed_named_twice_or_out_of_order() {
    let dep = |author, seq| Dep {
        dot: Dot::new(feed(author), seq),
        id: EventId::NONE,
    };
    let with = |deps| Event { deps, ..plain() };
    assert!(with(vec![dep(2, 1), dep(3, 1)]).encode().is_ok());
    refuses(&with(vec![dep(3, 1), dep(2, 1)]), EventErrorKind::Malformed);
    refuses(&with(vec![dep(2, 1), dep(2, 2)]), EventErrorKind::Malformed);
    refuses(&with(vec![dep(1, 1)]), EventErrorKind::Malformed);
    refuses(&with(vec![dep(2, 0)]), EventErrorKind::Malformed);
}

#[test]
fn refuses_event_0_and_a_transaction_too_large() {
    let zeroth = Event {
        dot: Dot::new(feed(1), 0),
        ..plain()
    };
    refuses(&zeroth, EventErrorKind::Malformed);
    let following = |following| Event {
        following,
        ..plain()
    };
    let most = u16::try_from(TRANSACTION_EVENTS_MAX - 1).unwrap();
    assert!(following(most).encode().is_ok());
    refuses(&following(most + 1), EventErrorKind::TooLarge);
}

#[test]
fn an_id_covers_the_event_and_all_before_it() {
    let first = EventId::NONE.followed_by(b"a");
    assert_ne!(first, EventId::NONE.followed_by(b"b"));
    assert_ne!(first.followed_by(b"b"), EventId::NONE.followed_by(b"b"));
    assert_eq!(
        first.as_bytes(),
        &blake3::derive_key("dhlrs 1 event id", &[&[0; 32][..], b"a"].concat())
    );
}

#[test]
fn what_the_root_cannot_take_is_not_well_formed() {
    let root = HomePath::root();
    let write = |cell| TreeOp::Write {
        node: HomePath::root(),
        cell,
        value: Value::Null,
    };
    assert!(!write(Cell::Scalar).is_well_formed());
    assert!(write(Cell::Attribute(dhlrs_bag::Name::new("a").unwrap())).is_well_formed());
    let unseen = OnConcurrentWrite::Keep;
    assert!(
        TreeOp::Clear {
            node: root.clone(),
            unseen
        }
        .is_well_formed()
    );
    assert!(!TreeOp::Remove { node: root, unseen }.is_well_formed());
}
