//! A watch that is bound to a node is told the same whatever happens to links and processes
//! meanwhile, wherever the node goes.

use dhlrs_bag::{Branch, Edit, GuardedEdit};
use dhlrs_path::Path;
use dhlrs_sim::{Dice, Loss};
use dhlrs_wire::{Delivery, Kinds, RefusalKind, Reply, Selection, Watch};

use crate::world::{World, set};

const BAGS: [&str; 6] = ["a", "b", "a.b", "b.a", "a.b.a", "b.a.b"];

fn some_edit(dice: &mut Dice, number: i64) -> GuardedEdit {
    let mut bag = || BAGS[dice.roll(6) as usize];
    let (one, other) = (bag(), bag());
    let node = |bag: &str| format!("{bag}.n").parse::<Path<'static>>().unwrap();
    let edit = match dice.roll(10) {
        0..3 => return set(node(one).as_str(), number),
        3..5 => Edit::Move {
            path: node(one),
            to: node(other),
            position: None,
        },
        5..7 => Edit::Move {
            path: one.parse().unwrap(),
            to: other.parse().unwrap(),
            position: None,
        },
        7 => Edit::Rename {
            path: one.parse().unwrap(),
            label: if dice.chance(50) { "a" } else { "b" }.parse().unwrap(),
        },
        8 if dice.chance(10) => Edit::Replace {
            path: one.parse().unwrap(),
            branch: Branch::default(),
        },
        _ if dice.chance(10) => Edit::Remove {
            path: one.parse().unwrap(),
        },
        _ => return set(&format!("{one}.other"), number),
    };
    edit.into()
}

fn interrupt(world: &mut World, dice: &mut Dice) {
    let wire = world.wires[dice.roll(2) as usize];
    match dice.roll(8) {
        0 | 1 => world.cluster.cut(wire),
        2 => world.cluster.heal(wire),
        3 => world.cluster.flap(wire),
        4 => world.cluster.crash(world.nodes[1], Loss::Process),
        5 => world.cluster.crash(world.last(), Loss::Unsynced),
        _ => {}
    }
    for node in [world.nodes[1], world.last()] {
        world.cluster.restart(node);
    }
}

/// What a watch of the node `a.b.n` is told, as `revision kind path` each.
fn told(seed: u64, is_interrupted: bool) -> Vec<String> {
    let mut world = World::line(seed, 3);
    let (watcher, base) = (world.first(), world.last());
    for path in ["a.b.n", "b.a.b.other"] {
        let write = world.set(base, path, 0);
        world.written(write);
    }
    let watch = Watch {
        selection: Selection::Path("a.b.#0".parse().unwrap()),
        from: None,
        kinds: Kinds::default(),
        credit: u32::MAX,
        node: None,
    };
    let target = world.target();
    let call = world.cluster.watch(watcher, &target, watch);
    assert!(matches!(world.wait(call), Ok(Reply::Watching { .. })));
    let mut edits = Dice::new(seed);
    let mut faults = Dice::new(!seed);
    for number in 1..=40 {
        if is_interrupted {
            interrupt(&mut world, &mut faults);
        }
        let edit = some_edit(&mut edits, number);
        loop {
            let write = world.write(base, vec![edit.clone()]);
            match world.wait(write) {
                // The store is being opened again.
                Err(refusal) if refusal.kind() == RefusalKind::Unavailable => {
                    world.cluster.run_for(10);
                }
                // Any other refusal is the same with and without interruptions.
                _ => break,
            }
        }
    }
    for wire in world.wires.clone() {
        world.cluster.heal(wire);
    }
    world.cluster.run_for(30_000);
    world.nothing_is_broken();
    let deliveries = &world.cluster.call(call).unwrap().deliveries;
    let lines = deliveries.iter().flat_map(|delivery| match delivery {
        Delivery::Changes(piece) => {
            let number = piece.revision.number;
            let line = |change: &dhlrs_wire::WatchedChange| {
                format!("{number} {} {}", change.kind, change.path)
            };
            piece.changes.iter().map(line).collect()
        }
        other => vec![format!("{other:?}")],
    });
    lines.collect()
}

#[test]
fn what_it_is_told_does_not_depend_on_interruptions() {
    let mut changes = 0;
    for seed in 0..60 {
        let expected = told(seed, false);
        assert_eq!(told(seed, true), expected, "seed {seed}");
        changes += expected.len();
    }
    assert!(changes > 100, "too little happened: {changes}");
}
