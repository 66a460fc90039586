//! Edits that replicas make without knowing of each other: all end alike, and as promised.

use dhlrs_bag::{Bag, Branch, Edit, Position, Value};
use dhlrs_reducer::Reducer;

use crate::history::{Random, Replica, author};
use crate::intents::{EDITS, Edits, SEEDS, edit, path, remove, set};
use crate::naive;
use crate::scene::label;

#[test]
fn replicas_that_edit_apart_end_alike() {
    for seed in 0..SEEDS {
        let mut edits = Edits(Random(seed ^ 0x6d65_7368));
        let mut replicas: Vec<Replica> = (0..3)
            .map(|n| Replica::new(author(n), false, |reducer| reducer))
            .collect();
        let mut now_ms = 1_000;
        for _ in 0..EDITS {
            now_ms += 7;
            let n = edits.0.below(3);
            if edits.0.below(4) > 0 {
                let next = edits.next(&replicas[n].bag);
                // Refused or not: both are what an author would get.
                let _ = edit(&mut replicas[n], &[next], now_ms);
                continue;
            }
            let other = replicas[edits.0.below(3)].clone();
            replicas[n].fetch(&other, 1 + edits.0.below(9), 0, now_ms);
        }
        for round in 0..6 {
            let (to, from) = (round % 3, (round + 1 + round / 3) % 3);
            let other = replicas[from].clone();
            replicas[to].fetch(&other, 1 << 30, 0, now_ms);
        }
        let first = replicas[0].clone();
        for replica in &mut replicas {
            assert!(*replica.bag == *first.bag, "seed {seed}");
            assert_eq!(
                replica.reducer.state_hash(),
                first.reducer.clone().state_hash(),
                "seed {seed}"
            );
            let mut events: Vec<_> = replica.chains.values().flatten().cloned().collect();
            edits.0.shuffle(&mut events);
            let mut again = Reducer::without_root();
            let mut bag = Bag::new();
            while !events.is_empty() {
                let some = events.split_off(events.len() - 1 - edits.0.below(events.len()));
                let changes = again.reduce(some, [], now_ms);
                again.show(&changes, &mut bag, 1);
            }
            assert!(*bag == *first.bag, "seed {seed}: in another order");
            assert_eq!(
                naive::held_by(&bag),
                naive::held_by(&first.bag),
                "seed {seed}"
            );
        }
    }
}

/// What both replicas show once each has heard of the edits that the other did unseen.
fn meet(before: &[Edit], a: &[Edit], b: &[Edit]) -> String {
    let mut shown = Vec::new();
    for (first, second) in [(a, b), (b, a)] {
        let mut replicas = [0, 1].map(|n| Replica::new(author(n), false, |reducer| reducer));
        let mut now_ms = 1_000;
        let mut write = |replica: &mut Replica, edits: &[Edit]| {
            for own in edits {
                now_ms += 10;
                edit(replica, &[own.clone().into()], now_ms).unwrap();
            }
        };
        write(&mut replicas[0], before);
        let other = replicas[0].clone();
        replicas[1].fetch(&other, 1 << 30, 0, 1_000_000);
        write(&mut replicas[0], first);
        write(&mut replicas[1], second);
        let [left, right] = replicas.clone();
        replicas[0].fetch(&right, 1 << 30, 0, 1_000_000);
        replicas[1].fetch(&left, 1 << 30, 0, 1_000_000);
        assert!(*replicas[0].bag == *replicas[1].bag);
        shown.push(crate::scene::shown(&replicas[0].reducer));
    }
    // Who is first by the clock makes a difference to none of these.
    assert_eq!(shown[0], shown[1]);
    shown.remove(0)
}

fn clear(at: &str) -> Edit {
    Edit::Clear { path: path(at) }
}

fn shift(at: &str, to: &str) -> Edit {
    Edit::Move {
        path: path(at),
        to: path(to),
        position: None,
    }
}

fn first(at: &str) -> Edit {
    Edit::Move {
        path: path(at),
        to: path(at),
        position: Some(Position::First),
    }
}

#[test]
fn what_is_done_unseen_comes_out_as_promised() {
    let bag = |at: &str| Edit::set(path(at), Branch::new());
    let rename = |at: &str, to: &str| Edit::Rename {
        path: path(at),
        label: label(to),
    };
    // One path made twice.
    assert_eq!(meet(&[], &[set("o.x", 1)], &[set("o.x", 1)]), "o{x=1}");
    assert_eq!(
        meet(&[set("o.z", 0)], &[set("o.x", 1)], &[remove("o.z")]),
        "o{x=1}"
    );
    // What was removed, and what somebody set in it.
    let a = [set("a.y", 1)];
    assert_eq!(meet(&a, &[remove("a")], &[set("a.x", 2)]), "a{x=2}");
    assert_eq!(
        meet(&[set("a.y", 1), set("b", 1)], &[clear("a")], &[clear("a")]),
        "a{} b=1"
    );
    assert_eq!(
        meet(&a, &[remove("a"), set("a.z", 3)], &[set("a.x", 2)]),
        "a{z=3 x=2}"
    );
    // Labels and places.
    assert_eq!(
        meet(&a, &[rename("a", "b")], &[set("a.y", 1), set("a.x", 2)]),
        "b{y=1 x=2}"
    );
    let two = [bag("q"), set("a", 1)];
    assert_eq!(meet(&two, &[first("a")], &[shift("a", "q.a")]), "q{a=1}");
    // What moves while something is removed.
    let moved = [set("p.x", 1), set("n.v", 2)];
    assert_eq!(
        meet(&moved, &[remove("p")], &[shift("n", "p.n")]),
        "p{n{v=2}}"
    );
    let inside = [set("p.n.v", 1), bag("q")];
    assert_eq!(
        meet(&inside, &[remove("p")], &[shift("p.n", "q.n")]),
        "q{n{v=1}}"
    );
    let again = [remove("p"), set("p.z", 3), shift("n", "p.n")];
    assert_eq!(meet(&moved, &again, &[]), "p{z=3 n{v=2}}");
    // A scalar, and something in it.
    assert_eq!(meet(&[], &[set("a", 5)], &[set("a.x", 1)]), "a=5{x=1}");
}

#[test]
fn a_cycle_is_not_made_and_a_conflict_is_told() {
    let both = [set("a.v", 1), set("b.w", 2)];
    let mut replicas = [0, 1].map(|n| Replica::new(author(n), false, |reducer| reducer));
    for own in &both {
        edit(&mut replicas[0], &[own.clone().into()], 1_000).unwrap();
    }
    let other = replicas[0].clone();
    replicas[1].fetch(&other, 1 << 30, 0, 2_000);
    edit(&mut replicas[0], &[shift("a", "b.a").into()], 3_000).unwrap();
    edit(&mut replicas[1], &[shift("b", "a.b").into()], 4_000).unwrap();
    let other = replicas[0].clone();
    replicas[1].fetch(&other, 1 << 30, 0, 5_000);
    assert_eq!(crate::scene::shown(&replicas[1].reducer), "b{w=2 a{v=1}}");

    let other = replicas[1].clone();
    replicas[0].fetch(&other, 1 << 30, 0, 5_000);
    edit(&mut replicas[0], &[set("c", 5).into()], 6_000).unwrap();
    edit(&mut replicas[1], &[set("c.x", 1).into()], 7_000).unwrap();
    edit(&mut replicas[1], &[set("d", 1).into()], 7_001).unwrap();
    let other = replicas[0].clone();
    replicas[1].fetch(&other, 1 << 30, 0, 8_000);
    let told: Vec<_> = (replicas[1].told.iter())
        .map(|change| format!("{} {} {:?}", change.kind, change.path, change.old))
        .collect();
    assert!(
        told.contains(&"conflict c Scalar(Int(5))".to_owned()),
        "{told:?}"
    );
    // What hid it goes, and it shows.
    edit(&mut replicas[1], &[remove("c.x").into()], 9_000).unwrap();
    assert_eq!(replicas[1].bag.get("c"), Some(&Value::from(5)));
}

#[test]
fn of_two_with_one_label_the_later_keeps_it_and_both_can_be_reached() {
    let mut replicas = [0, 1].map(|n| Replica::new(author(n), false, |reducer| reducer));
    edit(&mut replicas[0], &[set("a", 1).into()], 1_000).unwrap();
    let other = replicas[0].clone();
    replicas[1].fetch(&other, 1 << 30, 0, 2_000);
    edit(&mut replicas[0], &[set("c", 2).into()], 3_000).unwrap();
    let rename = Edit::Rename {
        path: path("a"),
        label: label("c"),
    };
    edit(&mut replicas[1], &[rename.into()], 4_000).unwrap();
    let other = replicas[0].clone();
    let here = &mut replicas[1];
    here.fetch(&other, 1 << 30, 0, 5_000);
    assert_eq!(here.bag.get("c"), Some(&Value::from(1)));
    let told: Vec<_> = (here.told.iter())
        .map(|change| (change.kind.as_str(), change.path.clone()))
        .collect();
    let [("insert", displaced), ("conflict", again)] = told.as_slice() else {
        panic!("{told:?}");
    };
    assert_eq!(displaced, again);
    assert!(displaced.as_str().starts_with("c~"), "{displaced}");
    // Found by the path that was told, written and renamed by it, and then by its new label.
    assert_eq!(here.bag.get(displaced.as_str()), Some(&Value::from(2)));
    let write = Edit::set(displaced.clone(), 3);
    edit(here, &[write.into()], 6_000).unwrap();
    let rename = Edit::Rename {
        path: displaced.clone(),
        label: label("d"),
    };
    edit(here, &[rename.into()], 7_000).unwrap();
    assert_eq!(here.bag.get("d"), Some(&Value::from(3)));
    assert_eq!(here.bag.get("c"), Some(&Value::from(1)));
}

/// Two replicas, of which the second has seen all that the first did.
fn two(before: &[Edit]) -> [Replica; 2] {
    let mut replicas = [0, 1].map(|n| Replica::new(author(n), false, |reducer| reducer));
    for own in before {
        edit(&mut replicas[0], &[own.clone().into()], 1_000).unwrap();
    }
    let other = replicas[0].clone();
    replicas[1].fetch(&other, 1 << 30, 0, 2_000);
    replicas
}

#[test]
fn a_shell_that_is_cleared_stays_as_an_empty_bag() {
    let [mut here, mut there] = two(&[set("a.y", 1)]);
    edit(&mut here, &[remove("a").into()], 3_000).unwrap();
    edit(&mut there, &[set("a.x", 2).into()], 4_000).unwrap();
    here.fetch(&there, 1 << 30, 0, 5_000);
    edit(&mut here, &[clear("a").into()], 6_000).unwrap();
    assert_eq!(crate::scene::shown(&here.reducer), "a{}");
}

#[test]
fn something_fits_between_two_that_were_appended_at_once() {
    let [mut here, mut there] = two(&[set("a", 1)]);
    edit(&mut here, &[set("x", 2).into()], 3_000).unwrap();
    edit(&mut there, &[set("y", 3).into()], 4_000).unwrap();
    here.fetch(&there, 1 << 30, 0, 5_000);
    assert_eq!(crate::scene::shown(&here.reducer), "a=1 x=2 y=3");
    let between = Edit::Set {
        path: path("z"),
        content: Some(Value::from(4).into()),
        attributes: None,
        position: Some(Position::AfterLabel(label("x"))),
        overwrite: false,
    };
    edit(&mut here, &[between.into()], 6_000).unwrap();
    assert_eq!(crate::scene::shown(&here.reducer), "a=1 x=2 z=4 y=3");
}
