//! Acknowledged is on disk, and what is shown is not taken back.

use dhlrs_sim::{Cluster, Loss};
use dhlrs_storage::{Fault, Vfs};
use dhlrs_wire::RefusalKind;

use crate::world::{ORDERS, World, set, shown};

#[test]
fn power_may_go_after_each_acknowledgement() {
    for loss in [Loss::Unsynced, Loss::Torn] {
        let mut world = World::line(1, 1);
        let base = world.first();
        for n in 1..=40 {
            let call = world.set(base, &format!("a.e{n}"), n);
            world.written(call);
            // Another write is on its way to the disk when the power goes.
            world.set(base, "b", n);
            world.cluster.crash(base, loss);
            world.cluster.restart(base);
            world.cluster.run_for(20);
            for before in 1..=n {
                assert_eq!(world.shown(&format!("a.e{before}")), Some(before));
            }
        }
        world.nothing_is_broken();
    }
}

#[test]
fn sixty_four_writers_share_syncs_and_one_writer_gets_one_each() {
    let syncs = |cluster: &Cluster, base| cluster.disk(base).unwrap().counts().syncs;
    let mut world = World::line(2, 1);
    let base = world.first();
    let before = syncs(&world.cluster, base);
    let calls: Vec<_> = (0..64)
        .map(|n| world.set(base, &format!("w{n}"), 1))
        .collect();
    for call in calls {
        world.written(call);
    }
    let shared = syncs(&world.cluster, base) - before;
    assert!(shared <= 2, "{shared} syncs for 64 writes at once");
    for n in 0..1_000 {
        let call = world.set(base, "a", n);
        world.written(call);
    }
    let alone = syncs(&world.cluster, base) - before - shared;
    println!("1,000 writes in turn: {alone} syncs; 64 writes at once: {shared}");
    assert!(alone >= 1_000, "{alone} syncs for 1,000 writes in turn");
}

#[test]
fn a_write_that_was_refused_before_the_crash_does_not_block_its_session() {
    let mut world = World::line(3, 2);
    let (source, base) = (world.first(), world.last());
    let call = world.set(source, "a", 1);
    world.written(call);
    let refused = world.set(source, "a.below", 1);
    let refusal = world.wait(refused).unwrap_err();
    assert_eq!(refusal.kind(), RefusalKind::ThroughScalar);
    world.cluster.crash(base, Loss::Unsynced);
    world.cluster.restart(base);
    let call = world.set(source, "a", 2);
    world.written(call);
    assert_eq!(world.shown("a"), Some(2));
}

#[test]
fn a_write_too_large_for_a_message_does_not_block_its_session() {
    let mut world = World::line(4, 3);
    let source = world.first();
    let big = "x".repeat(200 << 10);
    let edits = (0..8)
        .map(|n| {
            let path = format!("big.n{n}").parse().unwrap();
            dhlrs_bag::Edit::set(path, big.as_str()).into()
        })
        .collect();
    let calls = [
        world.set(source, "a", 1),
        world.write(source, edits),
        world.set(source, "a", 2),
    ];
    world.written(calls[0]);
    let refusal = world.wait(calls[1]).unwrap_err();
    assert_eq!(refusal.kind(), RefusalKind::TooLarge);
    assert!(!refusal.outcome_unknown());
    world.written(calls[2]);
    let call = world.set(source, "a", 3);
    world.written(call);
    assert_eq!(world.shown("a"), Some(3));
}

#[test]
fn a_failed_sync_fences_and_everything_goes_on_afterwards() {
    for fault in [Fault::Sync, Fault::Io, Fault::Full, Fault::ShortWrite] {
        let mut world = World::line(5, 2);
        let (source, base) = (world.first(), world.last());
        let call = world.set(source, "a", 1);
        world.written(call);
        let disk = world.cluster.disk(base).unwrap().clone();
        // The append, then the sync.
        for after in 1..=2 {
            disk.fail(disk.counts().operations + after, fault);
        }
        let own = world.set(base, "b", 1);
        let remote = world.set(source, "c", 1);
        let refusal = world.wait(own).unwrap_err();
        assert_eq!(refusal.kind(), RefusalKind::Unavailable);
        assert!(refusal.outcome_unknown(), "{fault:?}");
        assert_eq!(world.shown("a"), Some(1), "published stays readable");
        let meanwhile = world.set(base, "d", 1);
        let refusal = world.wait(meanwhile).unwrap_err();
        assert_eq!(refusal.kind(), RefusalKind::Unavailable);
        assert!(!refusal.outcome_unknown());
        // The remote write is repeated under its counter.
        world.written(remote);
        world.cluster.crash(base, Loss::Unsynced);
        world.cluster.restart(base);
        world.cluster.run_for(100);
        assert_eq!((world.shown("a"), world.shown("c")), (Some(1), Some(1)));
        world.nothing_is_broken();
    }
}

#[test]
fn writes_over_hops_are_applied_once_and_in_order_whoever_dies() {
    for hops in 2..=4 {
        for victim in 1..hops {
            let mut world = World::line(6, hops);
            let source = world.first();
            let mut calls = Vec::new();
            for n in 1..=60 {
                let edits = vec![set(&format!("a.e{n}"), n), set("count", n)];
                calls.push(world.write(source, edits));
                world.cluster.run_for(7);
                if n % 20 == 0 {
                    let victim = world.nodes[victim];
                    world.cluster.crash(victim, Loss::Unsynced);
                    world.cluster.run_for(50);
                    world.cluster.restart(victim);
                }
            }
            for call in calls {
                world.written(call);
            }
            world.cluster.run_for(100);
            let tree = world.cluster.published(world.last(), ORDERS).unwrap();
            let bag = tree.root().child("a").unwrap();
            let order: Vec<_> = bag
                .children()
                .map(|node| node.label().to_string())
                .collect();
            let expected: Vec<_> = (1..=60).map(|n| format!("e{n}")).collect();
            assert_eq!(order, expected);
            // Each write made one revision: none was applied twice.
            assert_eq!(tree.revision(), 60);
            world.nothing_is_broken();
        }
    }
}

#[test]
fn small_windows_and_many_crashes_leave_the_same_state_and_a_refilled_window() {
    let mut world = World::line_with(7, 1, |config| {
        config.limits.window_changes_max = 16;
    });
    let base = world.first();
    for n in 1..=300 {
        let call = world.set(base, &format!("k{}", n % 9), n);
        world.written(call);
        if n % 23 == 0 {
            world.cluster.run_for(30);
            world.cluster.crash(base, Loss::Torn);
            world.cluster.restart(base);
            world.cluster.run_for(30);
            for back in 0..9 {
                let value = n - back;
                let path = format!("k{}", value % 9);
                assert_eq!(shown(&world.cluster, base, ORDERS, &path), Some(value));
            }
        }
    }
    world.cluster.crash(base, Loss::Unsynced);
    world.cluster.restart(base);
    world.cluster.run_for(30);
    let watch = world.watch(base, Some(300 - 15), 1_000);
    world.cluster.run_for(10);
    assert_eq!(world.told(watch), crate::world::numbers(285..=300));
    // What checkpoints cover is given up: the disk does not grow with history.
    let disk = world.cluster.disk(base).unwrap();
    let files = disk.list(std::path::Path::new(ORDERS)).unwrap();
    assert!(files.len() <= 6, "{files:?}");
    world.nothing_is_broken();
}

#[test]
fn a_write_that_was_said_to_be_undone_is_not_done_later() {
    let mut world = World::line(8, 2);
    let source = world.first();
    let call = world.set(source, "a", 1);
    world.written(call);
    world.cluster.cut(world.wires[0]);
    world.cluster.run_for(10);
    let target = world.target();
    let write = |world: &mut World, path: &str, timeout_ms| {
        let edits = vec![set(path, 1)];
        world.cluster.write(source, &target, edits, timeout_ms)
    };
    let first = write(&mut world, "patient.first", 30_000);
    let hasty = write(&mut world, "hasty", 200);
    let last = write(&mut world, "patient.last", 30_000);
    let refusal = world.wait(hasty).unwrap_err();
    assert_eq!(refusal.kind(), RefusalKind::Timeout);
    assert!(!refusal.outcome_unknown(), "it has never left");
    world.cluster.heal(world.wires[0]);
    world.written(first);
    world.written(last);
    assert_eq!(world.shown("hasty"), None);
    let call = world.set(source, "a", 2);
    world.written(call);
}
