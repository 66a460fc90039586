//! Order and identity hold in bags of every width, whichever end they grow and shrink at.

use dhlrs_bag::{Bag, Edit, NodeId, Value};
use proptest::prelude::*;

use crate::{label, path, position};

fn set_at(to: &str, place: &str) -> Edit {
    Edit::Set {
        path: path(to),
        content: Some(1.into()),
        attributes: None,
        position: Some(position(place)),
        overwrite: false,
    }
}

#[track_caller]
fn ordered(bag: &Bag, expected: &[String]) {
    let root = bag.root();
    assert_eq!(root.len(), expected.len() as u64);
    let labels = root.children().map(|node| node.label().to_string());
    assert!(labels.eq(expected.iter().cloned()));
    for index in (0..expected.len()).step_by(1 + expected.len() / 500) {
        let node = root.child_at(index as i64).unwrap();
        assert_eq!(node.label().as_str(), expected[index]);
        assert_eq!(node.index(), index as u64);
        assert_eq!(root.child(&expected[index]), Some(node));
    }
    assert_eq!(root.child_at(expected.len() as i64), None);
}

#[test]
fn children_keep_their_order_at_all_widths() {
    for width in [1, 2, 63, 64, 65, 112, 113, 128, 2048, 2049, 5000, 100_000] {
        let mut bag = Bag::new();
        let mut expected: Vec<String> = (0..width).map(|n| format!("n{n}")).collect();
        for own in &expected {
            bag.set(own, 1).unwrap();
        }
        ordered(&bag, &expected);
        // Out of the middle, from both ends, and back in by position.
        for _ in 0..width.min(200) {
            let at = expected.len() / 2;
            bag.remove(&format!("#{at}")).unwrap();
            let gone = expected.remove(at);
            let place = expected.len() / 3;
            bag.edit(set_at(&gone, &format!("#{place}"))).unwrap();
            expected.insert(place, gone);
        }
        ordered(&bag, &expected);
    }
}

#[test]
fn a_wide_bag_empties_from_either_end_and_fills_again() {
    for (index, place) in [("#0", "<"), ("#-1", ">"), ("#1", "#1")] {
        let mut bag = Bag::new();
        for n in 0..3000 {
            bag.edit(set_at(&format!("n{n}"), if n < 2 { ">" } else { place }))
                .unwrap();
        }
        while bag.root().len() > 2 {
            bag.remove(index).unwrap();
        }
        bag.remove("#0").unwrap();
        bag.remove("#0").unwrap();
        assert!(bag.is_empty());
        bag.set("again", 1).unwrap();
        ordered(&bag, &["again".to_owned()]);
        assert!(bag.node_by_id(NodeId::ROOT).is_some());
    }
}

#[test]
fn snapshots_of_a_wide_bag_stay_as_they_were() {
    let mut bag = Bag::new();
    for n in 0..5000 {
        bag.set(&format!("n{n}"), n).unwrap();
    }
    let snapshot = bag.snapshot();
    for n in 0..5000 {
        match n % 3 {
            0 => drop(bag.remove(&format!("n{n}")).unwrap()),
            1 => bag.set(&format!("n{n}"), -1).unwrap(),
            _ => drop(bag.edit(set_at(&format!("m{n}"), "<")).unwrap()),
        }
    }
    for (n, node) in snapshot.root().children().enumerate() {
        assert_eq!(node.label().as_str(), format!("n{n}"));
        assert_eq!(node.value(), Some(&Value::Int(n as i64)));
        assert_eq!(node.index(), n as u64);
    }
    assert_eq!(snapshot.len(), 5000);
    let going_on = Bag::from(snapshot.clone());
    assert_eq!(*going_on, *snapshot);
}

#[test]
fn nothing_seen_depends_on_the_seed() {
    let build = |seed| {
        let mut bag = Bag::with_seed(seed);
        for n in 0..500 {
            bag.set(&format!("n{}.x", n % 150), n).unwrap();
        }
        bag.edit(Edit::Rename {
            path: path("n7"),
            label: label("renamed"),
        })
        .unwrap();
        bag
    };
    assert!(build(1).image().eq(build(2).image()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn places_among_many_are_those_of_a_vector(
        start in 0_usize..300,
        moves in prop::collection::vec((0_u8..3, 0_usize..4000, 0_usize..4000), 1..900),
    ) {
        let mut bag = Bag::new();
        let mut expected: Vec<String> = Vec::new();
        for n in 0..start {
            bag.set(&format!("s{n}"), 1).unwrap();
            expected.push(format!("s{n}"));
        }
        let mut next = 0;
        for (kind, from, to) in moves {
            match kind {
                0 if !expected.is_empty() => {
                    let from = from % expected.len();
                    bag.remove(&format!("#{from}")).unwrap();
                    expected.remove(from);
                }
                1 if !expected.is_empty() => {
                    let from = from % expected.len();
                    let own = expected.remove(from);
                    let to = to % (expected.len() + 1);
                    let place = Some(position(&format!("#{to}")));
                    bag.edit(Edit::Move { path: path(&own), to: path(&own), position: place }).unwrap();
                    expected.insert(to, own);
                }
                _ => {
                    let to = to % (expected.len() + 1);
                    let own = format!("n{next}");
                    next += 1;
                    bag.edit(set_at(&own, &format!("#{to}"))).unwrap();
                    expected.insert(to, own);
                }
            }
        }
        ordered(&bag, &expected);
    }
}

#[test]
fn a_wide_bag_that_is_thinned_out_keeps_its_order() {
    for (width, kept) in [(3000, 10), (30_000, 40), (30_000, 700)] {
        let mut bag = Bag::new();
        (0..width).for_each(|n| bag.set(&format!("n{n}"), 1).unwrap());
        let mut expected = Vec::new();
        for n in 0..width {
            match n % kept {
                0 => expected.push(format!("n{n}")),
                _ => drop(bag.remove(&format!("n{n}")).unwrap()),
            }
        }
        ordered(&bag, &expected);
        for n in 0..200 {
            let place = (n * 7) % (expected.len() + 1);
            bag.edit(set_at(&format!("m{n}"), &format!("#{place}")))
                .unwrap();
            expected.insert(place, format!("m{n}"));
        }
        ordered(&bag, &expected);
    }
}
