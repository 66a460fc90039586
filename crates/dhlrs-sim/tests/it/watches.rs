//! One stream across every hop: no gap and no duplicate, or a word about it.

use dhlrs_engine::Local;
use dhlrs_sim::Loss;

use crate::world::{World, numbers};

#[test]
fn a_watch_goes_on_after_links_middles_and_stores_have_died() {
    let mut world = World::line(1, 4);
    let (watcher, base) = (world.first(), world.last());
    let call = world.watch(watcher, None, 10_000);
    let mut written = 0;
    for round in 0..12 {
        for _ in 0..10 {
            written += 1;
            world.set(base, "a", written);
            world.cluster.run_for(5);
        }
        match round % 4 {
            0 => world.cluster.flap(world.wires[1]),
            1 => world.cluster.crash(world.nodes[1], Loss::Process),
            2 => world.cluster.cut(world.wires[2]),
            _ => {
                world.cluster.run_for(10);
                world.cluster.crash(base, Loss::Unsynced);
            }
        }
        world.cluster.run_for(60);
        for node in world.nodes.clone() {
            world.cluster.restart(node);
        }
        for wire in world.wires.clone() {
            world.cluster.heal(wire);
        }
        world.cluster.run_for(100);
    }
    world.cluster.run_for(10_000);
    assert_eq!(world.told(call), numbers(1..=120));
    world.nothing_is_broken();
}

#[test]
fn no_more_is_told_than_there_is_credit_for_across_interruptions_too() {
    let mut world = World::line(2, 3);
    let (watcher, base) = (world.first(), world.last());
    let call = world.watch(watcher, None, 5);
    for n in 1..=20 {
        world.set(base, "a", n);
    }
    world.cluster.run_for(1_000);
    assert_eq!(world.told(call), numbers(1..=5));
    world.cluster.flap(world.wires[0]);
    world.cluster.crash(world.nodes[1], Loss::Process);
    world.cluster.restart(world.nodes[1]);
    world.cluster.run_for(10_000);
    assert_eq!(world.told(call), numbers(1..=5));
    world.cluster.cut(world.wires[0]);
    let credit = Local::Credit { call, changes: 3 };
    world.cluster.local(watcher, credit);
    world.cluster.heal(world.wires[0]);
    world.cluster.run_for(10_000);
    assert_eq!(world.told(call), numbers(1..=8));
    let credit = Local::Credit { call, changes: 100 };
    world.cluster.local(watcher, credit);
    world.cluster.run_for(1_000);
    assert_eq!(world.told(call), numbers(1..=20));
}

#[test]
fn a_watch_that_falls_behind_is_told_how_much_it_missed() {
    let mut world = World::line_with(3, 2, |config| config.limits.window_changes_max = 10);
    let (watcher, base) = (world.first(), world.last());
    let call = world.watch(watcher, None, 3);
    for n in 1..=30 {
        let write = world.set(base, "a", n);
        world.written(write);
    }
    world.cluster.run_for(100);
    let credit = Local::Credit { call, changes: 100 };
    world.cluster.local(watcher, credit);
    world.cluster.run_for(1_000);
    let mut expected = numbers(1..=3);
    expected.push("L17>21".to_owned());
    expected.extend(numbers(21..=30));
    assert_eq!(world.told(call), expected);
}

#[test]
fn a_watch_that_comes_back_too_late_is_told_so_and_ends() {
    let mut world = World::line_with(4, 2, |config| config.limits.window_changes_max = 10);
    let (watcher, base) = (world.first(), world.last());
    let call = world.watch(watcher, None, 100);
    let write = world.set(base, "a", 1);
    world.written(write);
    world.cluster.run_for(50);
    // The session ends with the process, and the history that the watch needs goes with the window.
    world.cluster.cut(world.wires[0]);
    world.cluster.crash(base, Loss::Unsynced);
    world.cluster.restart(base);
    world.cluster.run_for(100);
    for n in 2..=30 {
        let write = world.set(base, "a", n);
        world.written(write);
    }
    world.cluster.heal(world.wires[0]);
    world.cluster.run_for(10_000);
    let told = world.told(call);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[1].starts_with("ECompacted"), "{told:?}");
}

#[test]
fn a_neighbour_that_hears_nothing_for_long_gets_no_gap() {
    let mut world = World::line(5, 3);
    let (watcher, base) = (world.first(), world.last());
    let call = world.watch(watcher, None, u32::MAX);
    world.cluster.cut(world.wires[0]);
    // More than the session and what is kept beside it can take.
    let writes = 6_000;
    for n in 1..=writes {
        world.set(base, "a", n);
        if n % 50 == 0 {
            world.cluster.run_for(10);
        }
    }
    world.cluster.run_for(100);
    world.cluster.heal(world.wires[0]);
    world.cluster.run_for(20_000);
    assert_eq!(world.told(call), numbers(1..=6_000));
}

#[test]
fn a_neighbour_that_takes_too_little_is_told_how_much_it_missed() {
    let mut world = World::line_with(6, 3, |config| config.limits.window_changes_max = 100);
    let (watcher, base) = (world.first(), world.last());
    let call = world.watch(watcher, None, u32::MAX);
    world.cluster.cut(world.wires[0]);
    for n in 1..=6_000 {
        world.set(base, "a", n);
        if n % 50 == 0 {
            world.cluster.run_for(10);
        }
    }
    world.cluster.run_for(100);
    world.cluster.heal(world.wires[0]);
    world.cluster.run_for(20_000);
    let told = world.told(call);
    let before = told
        .iter()
        .take_while(|line| !line.starts_with('L'))
        .count() as u64;
    let mut expected = numbers(1..=before);
    expected.push(format!("L{}>5901", 5_900 - before));
    expected.extend(numbers(5_901..=6_000));
    assert_eq!(told, expected);
    // The stream is as it was.
    world.set(base, "a", 6_001);
    world.cluster.run_for(1_000);
    assert_eq!(world.told(call).last().unwrap(), "6001");
    world.nothing_is_broken();
}
