//! Names, and the ways to them.

use dhlrs_sim::{Cluster, Loss};
use dhlrs_wire::{RefusalKind, Reply, Request};

use crate::world::{World, set};

fn ways(cluster: &mut Cluster, node: dhlrs_sim::NodeIndex) -> Vec<(String, u8)> {
    let name = cluster.name(node);
    let call = cluster.request(node, &name, None, Request::Status, 1_000);
    match cluster.answer(call) {
        Some(Ok(Reply::Status(status))) => status
            .routes
            .iter()
            .map(|route| (route.node.to_string(), route.hops))
            .collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn five_in_a_line_reach_one_another() {
    let mut world = World::line(1, 5);
    world.cluster.run_for(1_000);
    let first = world.first();
    let expected: Vec<_> = (1..5).map(|n| (format!("n{n}/p"), n)).collect();
    assert_eq!(ways(&mut world.cluster, first), expected);
    let call = world.set(first, "a", 1);
    world.written(call);
}

#[test]
fn a_ring_goes_the_other_way_round_when_it_is_cut() {
    let mut world = World::line(2, 5);
    let (first, last) = (world.first(), world.last());
    world.cluster.connect(last, first);
    world.cluster.run_for(1_000);
    assert!(ways(&mut world.cluster, first).contains(&("n4/p".to_owned(), 1)));
    let wire = world.wires[0];
    world.cluster.cut(wire);
    world.cluster.run_for(1_000);
    assert!(ways(&mut world.cluster, first).contains(&("n1/p".to_owned(), 4)));
    let call = world.set(world.nodes[1], "a", 1);
    world.written(call);
    world.cluster.heal(wire);
    world.cluster.run_for(1_000);
    assert!(ways(&mut world.cluster, first).contains(&("n1/p".to_owned(), 1)));
}

#[test]
fn a_name_that_is_cut_off_dies_out_in_a_ring() {
    let mut world = World::line(3, 4);
    let (nodes, wires) = (world.nodes.clone(), world.wires.clone());
    world.cluster.connect(nodes[2], nodes[0]);
    world.cluster.run_for(1_000);
    let call = world.set(nodes[0], "a", 1);
    world.written(call);
    world.cluster.cut(wires[2]);
    world.cluster.run_for(3_000);
    for node in &nodes[..3] {
        let known = ways(&mut world.cluster, *node);
        assert!(known.iter().all(|(name, _)| name != "n3/p"), "{known:?}");
    }
    let target = world.cluster.name(nodes[3]);
    let asked = world
        .cluster
        .request(nodes[0], &target, None, Request::Status, 1_000);
    let refusal = world.wait(asked).unwrap_err();
    assert_eq!(refusal.kind(), RefusalKind::NoRoute);
    world.cluster.heal(wires[2]);
    world.cluster.run_for(1_000);
    let call = world.set(nodes[0], "a", 2);
    world.written(call);
}

#[test]
fn a_process_beyond_the_hop_limit_is_out_of_reach() {
    let mut world = World::line(4, 19);
    world.cluster.run_for(3_000);
    let near = world.nodes[2];
    let call = world.set(near, "a", 1);
    world.written(call);
    let far = world.nodes[1];
    let call = world.set(far, "a", 2);
    let refusal = world.wait(call).unwrap_err();
    assert!(
        matches!(refusal.kind(), RefusalKind::NoRoute | RefusalKind::HopLimit),
        "{refusal:?}"
    );
}

#[test]
fn a_second_claimant_of_a_name_does_not_get_the_first_ones_messages() {
    let mut cluster = Cluster::new(5);
    let middle = cluster.add_node("middle/p");
    let first = cluster.add_node("base/main");
    let second = cluster.add_node("base/main");
    for node in [first, second] {
        cluster.add_store(node, "orders", |config| config.logged = true);
    }
    cluster.connect(first, middle);
    cluster.run_for(500);
    cluster.connect(second, middle);
    cluster.run_for(5_000);
    let call = cluster.write(middle, "base/main/orders", vec![set("a", 1)], 5_000);
    cluster.run_for(2_000);
    assert!(matches!(cluster.answer(call), Some(Ok(_))));
    assert_eq!(crate::world::shown(&cluster, first, "orders", "a"), Some(1));
    assert_eq!(crate::world::shown(&cluster, second, "orders", "a"), None);
}

#[test]
fn a_neighbour_that_comes_back_is_found_again() {
    let mut world = World::line(6, 3);
    let (source, middle) = (world.first(), world.nodes[1]);
    for n in 1..=5 {
        world.cluster.crash(middle, Loss::Process);
        world.cluster.run_for(300);
        world.cluster.restart(middle);
        world.cluster.run_for(1_000);
        let call = world.set(source, "a", n);
        world.written(call);
    }
    assert_eq!(world.shown("a"), Some(5));
}
