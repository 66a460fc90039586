//! Every way to a node, and walks and queries that go on where they paused.

use dhlrs_bag::{Bag, Content, Value};
use dhlrs_path::{Path, Pattern};
use proptest::prelude::*;

use crate::{listing, path};

fn bag() -> Bag {
    let mut bag = Bag::new();
    for (own, value) in [
        ("a.x", 1),
        ("a.y.x", 2),
        ("a.y.z", 3),
        ("b.x", 4),
        ("b.c.d.x", 5),
    ] {
        bag.set(own, value).unwrap();
    }
    bag.set_attribute("a.y", "color", "red").unwrap();
    bag.set_attribute("b.c", "color", 7).unwrap();
    bag
}

#[test]
fn every_step_form_finds_its_node() {
    let bag = bag();
    let found = [
        ("a.#1.x", "a.y.x"),
        ("#-1.x", "b.x"),
        ("a.#color=red.z", "a.y.z"),
        ("b.#color=7", "b.c"),
        ("b.#=4", "b.x"),
        ("a.y.#parent.x", "a.x"),
        ("a.y/parent", "a"),
        ("", ""),
        ("a.#parent", ""),
    ];
    for (asked, at) in found {
        assert_eq!(bag.node(&path(asked)).unwrap().path(), path(at), "{asked}");
    }
    let hex = "0".repeat(32);
    let missing = [
        "z",
        "a.#2",
        "a.#-3",
        "a.#=9",
        "#parent",
        "a.x.y",
        "a.x.#0",
        &format!("a~{hex}"),
    ];
    for asked in missing {
        assert_eq!(bag.node(&path(asked)), None, "{asked}");
    }
    assert_eq!(bag.get("a.y?color"), Some(&Value::from("red")));
    assert_eq!(bag.get("a..y"), None);
}

#[test]
fn a_node_knows_its_place() {
    let bag = bag();
    let node = bag.node(&path("b.c.d")).unwrap();
    assert_eq!(
        (node.depth(), node.index(), node.len(), node.nodes()),
        (3, 0, 1, 1)
    );
    let around: Vec<_> = node
        .ancestors()
        .map(|own| own.label().to_string())
        .collect();
    assert_eq!(around, ["c", "b", ""]);
    assert_eq!(bag.root().nodes(), bag.len());
    assert_eq!(bag.node_by_id(node.id()), Some(node));
}

#[test]
fn a_walk_goes_in_pre_order_and_can_leave_out_a_bag() {
    let bag = bag();
    assert_eq!(
        listing(&bag),
        "a a.x=1 a.y a.y.x=2 a.y.z=3 b b.x=4 b.c b.c.d b.c.d.x=5"
    );
    let mut walk = bag.root().walk();
    let mut seen = Vec::new();
    while let Some(visited) = walk.next() {
        seen.push(format!("{}{}", visited.depth, visited.node.label()));
        if ["y", "c", "x"].contains(&visited.node.label().as_str()) {
            walk.skip_inside();
            walk.skip_inside();
        }
    }
    assert_eq!(seen, ["0a", "1x", "1y", "0b", "1x", "1c"]);
}

#[test]
fn a_walk_at_one_go_comes_by_what_a_walk_step_by_step_does() {
    let mut bag = Bag::new();
    for number in 0..200 {
        bag.set(&format!("wide.n{number}"), number).unwrap();
        bag.set(&format!("b{}.few.n{number}", number % 7), number)
            .unwrap();
    }
    let overlay = Path::parse("b3.shown.x").unwrap();
    bag.set_overlay(&overlay, Some(Content::Value(1.into())))
        .unwrap();
    for walk in [bag.root().walk(), bag.root().stored_walk()] {
        let mut steps = walk.clone();
        loop {
            let mut at_one_go = Vec::new();
            steps.clone().for_each(|visited| at_one_go.push(visited));
            let mut step_by_step = Vec::new();
            for visited in steps.clone() {
                step_by_step.push(visited);
            }
            assert_eq!(at_one_go, step_by_step);
            if steps.next().is_none() {
                break;
            }
        }
    }
}

#[test]
fn walks_rows_queries_and_images_go_on_from_every_place() {
    let bag = bag();
    let pattern: Pattern = "**.x".parse().unwrap();
    let all: Vec<_> = bag.root().walk().collect();
    let rows: Vec<_> = bag.root().rows().collect();
    let matches: Vec<_> = bag.query(&pattern).collect();
    let image: Vec<_> = bag.image().collect();
    for done in 0..=all.len() {
        let mut walk = bag.root().walk();
        walk.by_ref().take(done).for_each(drop);
        let rest: Vec<_> = bag.root().walk().resume(&walk.pause()).collect();
        assert_eq!(rest, all[done..]);
        let mut some = bag.root().rows();
        some.by_ref().take(done).for_each(drop);
        let rest: Vec<_> = bag.root().rows().resume(&some.pause()).collect();
        assert_eq!(rest, rows[done..]);
        let mut some = bag.image();
        some.by_ref().take(done).for_each(drop);
        let rest: Vec<_> = bag.image().resume(&some.pause()).collect();
        assert_eq!(rest, image[done..]);
    }
    for done in 0..=matches.len() {
        let mut query = bag.query(&pattern);
        query.by_ref().take(done).for_each(drop);
        let rest: Vec<_> = bag.query(&pattern).resume(&query.pause()).collect();
        assert_eq!(rest, matches[done..]);
    }
}

proptest! {
    #[test]
    fn a_query_finds_what_the_pattern_matches(
        pattern in prop::collection::vec(prop::sample::select(vec!["a", "b", "c", "*", "**"]), 1..6),
        paths in prop::collection::vec("[abc](\\.[abc]){0,4}", 1..12),
        stop in 0_usize..20,
    ) {
        let mut bag = Bag::new();
        for own in &paths {
            let _ = bag.set(own, Value::Null);
        }
        let pattern: Pattern = pattern.join(".").parse().unwrap();
        let expected: Vec<_> = bag
            .root()
            .walk()
            .map(|visited| visited.node)
            .filter(|node| pattern.matches_path(&node.path()))
            .collect();
        let found: Vec<_> = bag.query(&pattern).collect();
        prop_assert_eq!(&found, &expected);
        let mut query = bag.query(&pattern);
        query.by_ref().take(stop).for_each(drop);
        let rest: Vec<_> = bag.query(&pattern).resume(&query.pause()).collect();
        prop_assert_eq!(&rest[..], &expected[stop.min(expected.len())..]);
    }
}

#[test]
fn readers_may_be_on_other_threads() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<dhlrs_bag::Snapshot>();
    shared::<Bag>();
    shared::<dhlrs_bag::Change>();
}
