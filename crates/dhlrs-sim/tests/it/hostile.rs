//! A peer that keeps no rule harms itself alone.

use dhlrs_engine::{CallId, REMOTE_RESOLVER};
use dhlrs_resolver::Binding;
use dhlrs_sim::{Dice, Stranger};
use dhlrs_wire::{
    Delivery, Incarnation, Message, Page, PageCursor, Read, ReadRow, RefusalKind, Reply, Request,
    RequestMessage, Revision, Selection, View,
};

use crate::world::{World, watch};

fn request(world: &World, id: u64, request: Request) -> Message {
    Message::Request(Box::new(RequestMessage {
        id,
        source: "evil/p".parse().unwrap(),
        target: world.cluster.name(world.last()),
        store: Some("orders".parse().unwrap()),
        hops: 16,
        timeout_ms: 5_000,
        request,
    }))
}

fn read() -> Request {
    Request::Read(Box::new(Read {
        selection: Selection::Path("".parse().unwrap()),
        depth: 1,
        view: View::Stored,
        arguments: dhlrs_bag::Attributes::new(),
        at: None,
    }))
}

/// Honest writes go through, before and after.
#[track_caller]
fn honest_traffic_goes_on(world: &mut World, value: i64) {
    let call = world.set(world.first(), "honest", value);
    world.written(call);
    world.nothing_is_broken();
}

#[test]
fn random_bytes_end_the_strangers_connection_alone() {
    let mut world = World::line(1, 3);
    let middle = world.nodes[1];
    let name = "evil/p".parse().unwrap();
    for seed in 0..200 {
        let mut stranger = world.cluster.stranger(&name, middle);
        assert!(stranger.is_up);
        let mut dice = Dice::new(seed);
        let bytes = (0..dice.between(1, 60))
            .map(|_| u8::try_from(dice.roll(256)).unwrap())
            .collect();
        stranger.send_bytes(&mut world.cluster, bytes);
        world.cluster.run_for(5);
    }
    honest_traffic_goes_on(&mut world, 1);
}

#[test]
fn flipped_bits_of_good_messages_harm_nobody() {
    let mut world = World::line(2, 3);
    let middle = world.nodes[1];
    let name = "evil/p".parse().unwrap();
    let good = request(&world, 1, read()).encode().unwrap();
    for at in 0..good.len() * 8 {
        let mut stranger = world.cluster.stranger(&name, middle);
        let mut bytes = good.clone();
        bytes[at / 8] ^= 1 << (at % 8);
        stranger.send_bytes(&mut world.cluster, bytes);
        world.cluster.run_for(2);
    }
    honest_traffic_goes_on(&mut world, 1);
}

#[test]
fn nobody_answers_somebody_elses_request() {
    let mut world = World::line(3, 3);
    let (source, middle) = (world.first(), world.nodes[1]);
    let name = "evil/p".parse().unwrap();
    let mut stranger = world.cluster.stranger(&name, middle);
    honest_traffic_goes_on(&mut world, 1);
    world.cluster.cut(world.wires[1]);
    let call = world.set(source, "honest", 2);
    world.cluster.run_for(50);
    for id in 0..2_000 {
        let result = Ok(Box::new(Reply::Done));
        stranger.send(&mut world.cluster, &Message::Reply { id, result });
    }
    world.cluster.run_for(50);
    assert!(world.cluster.answer(call).is_none());
    world.cluster.heal(world.wires[1]);
    world.written(call);
    assert_eq!(world.shown("honest"), Some(2));
}

#[test]
fn a_request_number_used_twice_ends_the_connection() {
    let mut world = World::line(4, 3);
    let middle = world.nodes[1];
    let mut stranger = world.cluster.stranger(&"evil/p".parse().unwrap(), middle);
    let message = request(&world, 7, Request::Watch(Box::new(watch(None, 10))));
    stranger.send(&mut world.cluster, &message);
    stranger.send(&mut world.cluster, &message);
    world.cluster.run_for(50);
    stranger.listen(&mut world.cluster);
    assert!(!stranger.is_up);
    honest_traffic_goes_on(&mut world, 1);
    world.cluster.run_for(100);
    let open = world
        .cluster
        .status(world.last(), "orders")
        .unwrap()
        .watches;
    assert_eq!(open, 0, "its watch went with its session");
}

#[test]
fn cancels_and_credit_for_nothing_are_ignored() {
    let mut world = World::line(5, 3);
    let middle = world.nodes[1];
    let mut stranger = world.cluster.stranger(&"evil/p".parse().unwrap(), middle);
    for id in 0..10_000 {
        stranger.send(&mut world.cluster, &Message::Cancel { id });
        let changes = u32::MAX;
        stranger.send(&mut world.cluster, &Message::Credit { id, changes });
        let refusal = dhlrs_wire::Refusal::new(RefusalKind::Denied, "no");
        let delivery = Box::new(Delivery::Ended(Box::new(refusal)));
        stranger.send(&mut world.cluster, &Message::Deliver { id, delivery });
    }
    assert!(stranger.is_up);
    honest_traffic_goes_on(&mut world, 1);
}

#[test]
fn a_flood_of_requests_is_refused_beyond_a_limit() {
    let mut world = World::line(6, 3);
    let middle = world.nodes[1];
    let mut stranger = world.cluster.stranger(&"evil/p".parse().unwrap(), middle);
    world.cluster.cut(world.wires[1]);
    // The way is known for a moment longer than it is there.
    for id in 1..=9_000 {
        let mut message = request(&world, id, read());
        if let Message::Request(request) = &mut message {
            request.target = world.cluster.name(world.first());
            request.store = None;
            request.request = Request::Status;
        }
        stranger.send(&mut world.cluster, &message);
    }
    world.cluster.heal(world.wires[1]);
    world.cluster.run_for(10_000);
    stranger.listen(&mut world.cluster);
    let answers = stranger
        .received
        .iter()
        .filter(|message| matches!(message, Message::Reply { .. }))
        .count();
    assert!(answers > 0);
    honest_traffic_goes_on(&mut world, 1);
}

/// A process whose `far` is what the stranger says it is, and the read that it is asked for.
fn asked_by_a_resolver(seed: u64) -> (World, Stranger, CallId) {
    let mut world = World::line_with(seed, 1, |config| {
        let address = "evil/p/box/tree".parse().unwrap();
        let binding = Binding::new("far".parse().unwrap(), REMOTE_RESOLVER).unwrap();
        config.bindings.add(binding.with_address(address)).unwrap();
    });
    let node = world.first();
    let mut stranger = world.cluster.stranger(&"evil/p".parse().unwrap(), node);
    let read = Request::Read(Box::new(Read {
        selection: Selection::Path("far".parse().unwrap()),
        depth: 1,
        view: View::Resolve,
        arguments: dhlrs_bag::Attributes::new(),
        at: None,
    }));
    let name = world.cluster.name(node);
    let call = world
        .cluster
        .request(node, &name, Some("orders"), read, 60_000);
    stranger.listen(&mut world.cluster);
    (world, stranger, call)
}

/// Answers page after page, each of which says that there is another, until nobody asks for one.
fn pages_without_end(world: &mut World, stranger: &mut Stranger, rows: &[ReadRow]) -> usize {
    let mut pages = 0;
    loop {
        let asked = std::mem::take(&mut stranger.received);
        let asked = asked.into_iter().find_map(|message| match message {
            Message::Request(request) => Some(request.id),
            _ => None,
        });
        let Some(id) = asked else { return pages };
        let page = Page {
            revision: Revision {
                incarnation: Incarnation(1),
                number: 1,
            },
            rows: rows.to_vec(),
            next: Some(PageCursor {
                read: 1,
                page: pages as u32 + 1,
            }),
        };
        let result = Ok(Box::new(Reply::Page(Box::new(page))));
        stranger.send(&mut world.cluster, &Message::Reply { id, result });
        pages += 1;
        assert!(pages < 1_000, "it asks for ever");
    }
}

#[test]
fn a_resolved_tree_without_end_is_given_up() {
    let row = ReadRow {
        depth: 1,
        name: "big".to_owned(),
        value: Some("x".repeat(200_000).as_str().into()),
        attributes: dhlrs_bag::Attributes::new(),
        resolver: None,
        revision: 1,
        children: 0,
    };
    for (rows, pages_max) in [(vec![row], 100), (Vec::new(), 1)] {
        let (mut world, mut stranger, call) = asked_by_a_resolver(7);
        let pages = pages_without_end(&mut world, &mut stranger, &rows);
        assert!((1..=pages_max).contains(&pages), "{pages} pages");
        world.wait(call).unwrap_err();
        honest_traffic_goes_on(&mut world, 1);
    }
}
