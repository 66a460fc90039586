//! `set` and `edit` take a shorter way than `order` and `apply`, and come to the same.

use dhlrs_bag::{Bag, Content, Edit, NODE_BYTES_MAX, ResolverRef, Value};
use dhlrs_path::Path;
use proptest::prelude::*;

use crate::{name, path};

/// Sets a path in each way and holds the results against each other.
#[track_caller]
fn set_both(bags: &mut [Bag; 3], to: &str, value: &Value) {
    let [short, long, told] = bags;
    let done = match to.split_once('?') {
        Some((own, attribute)) => short.set_attribute(own, attribute, value.clone()),
        None => short.set(to, value.clone()),
    };
    let done = done.map_err(|error| error.kind());
    let revision = long.revision() + 1;
    let ordered = match Path::parse(to) {
        Ok(path) => long
            .order(&Edit::set(path.into_owned(), value.clone()).into())
            .map_err(|error| error.kind()),
        Err(_) => return assert!(done.is_err()),
    };
    let edited = told.edit(Edit::set(path(to), value.clone()));
    let edited = edited.map_err(|error| error.kind());
    let changes = ordered.clone().map(|ops| long.apply(&ops, revision));
    assert_eq!(edited, changes, "{to} = {value}");
    assert!(told.image().eq(long.image()), "{to} = {value}");
    assert_eq!(done, ordered.map(|_| ()), "{to} = {value}");
    assert!(short.image().eq(long.image()), "{to} = {value}");
    assert_eq!(short.image_counters(), long.image_counters());
    for visited in short.root().walk() {
        let (node, path) = (visited.node, visited.node.path());
        assert_eq!(short.node(&path), Some(node));
        assert_eq!(short.node_by_id(node.id()), Some(node));
        let place = node.parent().unwrap().child_at(node.index() as i64);
        assert_eq!(place, Some(node));
    }
}

fn values() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        (0_i64..3).prop_map(Value::Int),
        "[xyz]{0,30}".prop_map(Value::from),
    ]
}

proptest! {
    #[test]
    fn both_ways_come_to_the_same(
        sets in prop::collection::vec(
            (r"([abc]|[abc]\\\.[abc]|#0|#-1|é{1,9})(\.[abc]|\.#0|\.#parent){0,4}(\?[xy])?", values()),
            1..40,
        ),
        removed in prop::collection::vec("[abc](\\.[abc]){0,2}", 0..6),
        overlay in prop::option::of("[abc](\\.[abc]){0,2}"),
    ) {
        let mut bags = [Bag::new(), Bag::new(), Bag::new()];
        let half = sets.len() / 2;
        for (at, (to, value)) in sets.iter().enumerate() {
            if at == half {
                for bag in &mut bags {
                    for from in &removed {
                        bag.remove(from).unwrap();
                    }
                    if let Some(overlay) = &overlay {
                        let _ = bag.set_overlay(&path(overlay), Some(Content::Value(1.into())));
                    }
                }
            }
            set_both(&mut bags, to, value);
        }
    }
}

#[test]
fn what_the_short_way_does_not_take_goes_the_long_one() {
    let mut bag = Bag::new();
    bag.set("a.b", 1).unwrap();
    bag.set("empty", Value::Null).unwrap();
    bag.edit(Edit::SetResolver {
        path: path("lazy"),
        resolver: Some(ResolverRef::new(name("remote"))),
        content: None,
        attributes: None,
        position: None,
    })
    .unwrap();
    let mut bags = [bag.clone(), bag.clone(), bag];
    let long = "x".repeat(NODE_BYTES_MAX);
    let cases: [(&str, Value); 15] = [
        ("", 1.into()),
        ("a", 1.into()),
        ("a.b.c", 1.into()),
        ("empty.c.d", 1.into()),
        ("lazy", 1.into()),
        ("lazy.c", 1.into()),
        ("a?x", 1.into()),
        ("a?x", 2.into()),
        ("a?x", long.as_str().into()),
        ("a?x", Value::Null),
        ("lazy?x", 1.into()),
        ("lazy?x", 2.into()),
        ("a.b", long.as_str().into()),
        ("a.new", long.as_str().into()),
        ("a.b", 1.into()),
    ];
    for (to, value) in cases {
        set_both(&mut bags, to, &value);
    }
}

#[test]
fn a_draft_records_what_it_is_set_to() {
    let mut bag = Bag::new();
    let mut draft = bag.begin();
    draft.set("a.b", 1).unwrap();
    draft.set("a.b", 2).unwrap();
    bag.commit(draft).unwrap();
    assert_eq!(bag.get("a.b"), Some(&Value::Int(2)));
}

#[test]
fn ids_far_apart_and_close_together_are_found_and_forgotten() {
    let mut bag = Bag::new();
    for n in 0..5000 {
        bag.set(&format!("n{n}"), n).unwrap();
    }
    let mut ids: Vec<_> = bag.root().children().map(|node| node.id()).collect();
    // All but a few go, and what comes has ids far from these.
    for n in (0..5000).filter(|n| n % 500 != 0) {
        bag.remove(&format!("n{n}")).unwrap();
    }
    for _ in 0..20_000 {
        bag.set("again", 1).unwrap();
        bag.remove("again").unwrap();
    }
    bag.set("last", 1).unwrap();
    let kept: Vec<_> = bag.root().children().map(|node| node.id()).collect();
    assert_eq!(kept.len(), 11);
    ids.extend(&kept);
    for id in ids {
        assert_eq!(bag.node_by_id(id).is_some(), kept.contains(&id), "{id}");
    }
    let restored = Bag::restore(bag.image_counters(), bag.image()).unwrap();
    assert!(kept.iter().all(|id| restored.node_by_id(*id).is_some()));
}
