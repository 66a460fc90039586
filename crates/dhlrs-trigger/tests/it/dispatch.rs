//! Levels, stopping, failing, answering.

use dhlrs_bag::{ChangeKind, Shown, Value};
use dhlrs_path::Pattern;
use dhlrs_trigger::{
    Event, Flow, Kinds, Place, Reactions, Subscription, Target, Triggers, touches_below,
};

use crate::calls::Calls;
use crate::model::{Model, changes};

fn pattern(text: &str) -> Pattern {
    text.parse().unwrap()
}

fn bag(model: &Model, path: &str) -> Target {
    Target::Bag(model.place(model.at(path)))
}

fn node(model: &Model, path: &str) -> Target {
    Target::Node(model.place(model.at(path)))
}

#[test]
fn a_change_climbs_from_its_node_to_the_root_and_then_reaches_patterns() {
    let model = Model::of(&["a.b.c", "a.x"]);
    let (mut triggers, calls) = (Triggers::new(1), Calls::default());
    calls.on(&mut triggers, "pattern", pattern("a.**"));
    calls.on(&mut triggers, "root", Target::Bag(Place::ROOT));
    calls.on(&mut triggers, "a", bag(&model, "a"));
    calls.on(
        &mut triggers,
        "branch",
        Target::Branch(model.place(model.at("a"))),
    );
    calls.on(&mut triggers, "b", bag(&model, "a.b"));
    calls.on(&mut triggers, "b2", bag(&model, "a.b"));
    calls.on(&mut triggers, "c", node(&model, "a.b.c"));
    calls.on(&mut triggers, "x", node(&model, "a.x"));
    calls.on(&mut triggers, "other", pattern("a.x.**"));
    let change = model.value(model.at("a.b.c"));
    let dispatched = triggers.dispatch(&changes(1, vec![change]), None);
    assert!(dispatched.failures.is_empty());
    assert_eq!(
        calls.take(),
        [
            r#"c value node """#,
            r#"b value 0 "c""#,
            r#"b2 value 0 "c""#,
            r#"a value -1 "b.c""#,
            r#"root value -2 "a.b.c""#,
            r#"pattern value pattern "a.b.c""#,
            r#"branch value pattern "a.b.c""#,
        ]
    );
}

#[test]
fn a_bag_hears_that_its_own_children_were_sorted_or_replaced() {
    let mut model = Model::of(&["a.b.c"]);
    let (mut triggers, calls) = (Triggers::new(1), Calls::default());
    calls.on(&mut triggers, "root", Target::Bag(Place::ROOT));
    calls.on(&mut triggers, "a", bag(&model, "a"));
    calls.on(&mut triggers, "b", bag(&model, "a.b"));
    for step in [
        crate::model::Step::Sort { at: 1 },
        crate::model::Step::Replace { at: 1 },
    ] {
        let change = model.step(&step).unwrap();
        assert_eq!(change.path.as_str(), "a");
        triggers.dispatch(&changes(1, vec![change]), None);
    }
    assert_eq!(
        calls.take(),
        [
            r#"a sort 1 "a""#.replace("\"a\"", "\"\""),
            r#"root sort 0 "a""#.into(),
            "b replace node above".into(),
            r#"a replace 1 """#.into(),
            r#"root replace 0 "a""#.into(),
        ]
    );
    let change = model.step(&crate::model::Step::Sort { at: 0 }).unwrap();
    triggers.dispatch(&changes(2, vec![change]), None);
    assert_eq!(calls.take(), [r#"root sort 1 """#]);
}

#[test]
fn a_bag_stops_the_rest_of_the_chain_and_nobody_else() {
    let model = Model::of(&["a.b.c"]);
    let (mut triggers, calls) = (Triggers::new(1), Calls::default());
    calls.stopping(&mut triggers, "c", node(&model, "a.b.c"), Flow::Stop);
    calls.stopping(&mut triggers, "b", bag(&model, "a.b"), Flow::Stop);
    calls.on(&mut triggers, "later in b", bag(&model, "a.b"));
    calls.on(&mut triggers, "a", bag(&model, "a"));
    calls.on(&mut triggers, "root", Target::Bag(Place::ROOT));
    calls.stopping(&mut triggers, "pattern", pattern("**"), Flow::Stop);
    calls.on(
        &mut triggers,
        "branch",
        Target::Branch(model.place(model.at("a.b"))),
    );
    triggers.dispatch(&changes(1, vec![model.value(model.at("a.b.c"))]), None);
    let names: Vec<_> = calls
        .take()
        .iter()
        .map(|it| it.split(' ').next().unwrap().to_owned())
        .collect();
    assert_eq!(names, ["c", "b", "pattern", "branch"]);
}

#[test]
fn what_happens_above_reaches_a_subscription_once() {
    let mut model = Model::of(&["a.b.c", "x"]);
    let (mut triggers, calls) = (Triggers::new(1), Calls::default());
    calls.on(&mut triggers, "c", node(&model, "a.b.c"));
    calls.on(&mut triggers, "b", bag(&model, "a.b"));
    calls.on(
        &mut triggers,
        "branch",
        Target::Branch(model.place(model.at("a.b"))),
    );
    calls.on(&mut triggers, "**.c", pattern("**.c"));
    calls.on(&mut triggers, "missing", pattern("a.b.c.d.e"));
    calls.on(&mut triggers, "other", pattern("x.**"));
    let rename = model.rename(model.at("a"), "z");
    let remove = model.remove(model.at("z"));
    triggers.dispatch(&changes(1, vec![rename]), None);
    assert_eq!(
        calls.take(),
        [
            "c rename node above",
            "b rename node above",
            "branch rename pattern above",
            "**.c rename pattern above",
            "missing rename pattern above",
        ]
    );
    triggers.dispatch(&changes(2, vec![remove]), None);
    assert_eq!(
        calls.take(),
        [
            "c remove node above",
            "b remove node above",
            "branch remove pattern above",
            "**.c remove pattern above",
        ]
    );
}

#[test]
fn a_bag_that_was_made_on_the_way_does_not_reach_what_is_below() {
    let mut model = Model::of(&["x"]);
    let (mut triggers, calls) = (Triggers::new(1), Calls::default());
    calls.on(&mut triggers, "a.b", pattern("a.b"));
    calls.on(&mut triggers, "a", pattern("a"));
    let mut insert = model.insert(model.at(""), "a", true);
    triggers.dispatch(&changes(1, vec![insert.clone()]), None);
    assert_eq!(
        calls.take(),
        ["a.b insert pattern above", r#"a insert pattern "a""#]
    );
    insert.autocreated = true;
    let reason = calls.clone();
    triggers
        .on(pattern("a"), move |event: &Event<'_>, _: &mut Reactions| {
            reason.write(event.reason().unwrap());
            Flow::Continue
        })
        .unwrap();
    triggers.dispatch(&changes(2, vec![insert]), None);
    assert_eq!(calls.take(), [r#"a insert pattern "a""#, "autocreate"]);
}

#[test]
fn a_moved_node_is_followed_and_told_to_both_bags() {
    let mut model = Model::of(&["a.b.n", "z.q"]);
    let (mut triggers, calls) = (Triggers::new(1), Calls::default());
    let n = model.at("a.b.n");
    for path in ["a", "a.b", "z"] {
        calls.on(&mut triggers, path, bag(&model, path));
    }
    calls.on(&mut triggers, "root", Target::Bag(Place::ROOT));
    calls.on(&mut triggers, "n", Target::Node(model.place(n)));
    calls.on(&mut triggers, "a.**", pattern("a.**"));
    let (b, z) = (model.at("a.b"), model.at("z"));
    let moved = model.moved(b, z).unwrap();
    triggers.dispatch(&changes(1, vec![moved]), None);
    assert_eq!(
        calls.take(),
        [
            "a.b move node above",
            "n move node above",
            r#"a move 0 "b""#,
            r#"z move 0 "b""#,
            r#"root move -1 "z.b""#,
            r#"a.** move pattern "z.b""#,
        ]
    );
    // From now on what happens to the new bag around happens to the node.
    let remove = model.remove(model.at("z"));
    triggers.dispatch(&changes(2, vec![remove]), None);
    assert_eq!(
        calls.take(),
        [
            "a.b remove node above",
            "z remove node above",
            "n remove node above",
            r#"root remove 0 "z""#,
        ]
    );
}

#[test]
fn a_bag_that_was_left_is_told_the_former_path() {
    let mut model = Model::of(&["a.n", "z.q"]);
    let (mut triggers, calls) = (Triggers::new(1), Calls::default());
    calls.on(&mut triggers, "a", bag(&model, "a"));
    calls.on(&mut triggers, "z", bag(&model, "z"));
    let (n, z) = (model.at("a.n"), model.at("z"));
    let mut moved = model.moved(n, z).unwrap();
    moved.path = "z.new".parse().unwrap();
    triggers.dispatch(&changes(1, vec![moved]), None);
    assert_eq!(calls.take(), [r#"a move 0 "n""#, r#"z move 0 "new""#]);
}

#[test]
fn a_node_that_comes_back_is_followed_again() {
    let mut model = Model::of(&["a.n"]);
    let (mut triggers, calls) = (Triggers::new(1), Calls::default());
    calls.on(&mut triggers, "n", node(&model, "a.n"));
    let remove = model.remove(model.at("a.n"));
    let mut back = remove.clone();
    back.kind = ChangeKind::Insert;
    std::mem::swap(&mut back.old, &mut back.new);
    let around = model.remove(model.at("a"));
    triggers.dispatch(
        &changes(1, vec![remove, around.clone(), back, around]),
        None,
    );
    assert_eq!(
        calls.take(),
        [
            r#"n remove node """#,
            r#"n insert node """#,
            "n remove node above",
        ]
    );
}

#[test]
fn content_that_comes_or_goes_as_a_branch_touches_what_is_below() {
    let mut model = Model::of(&["a.b", "s"]);
    let branch = Shown::Branch { nodes: 1 };
    let scalar = Shown::Scalar(Value::Int(1));
    let change = model.remove(model.at("s"));
    for (kind, old, new, touches) in [
        (ChangeKind::Insert, Shown::Absent, &branch, true),
        (ChangeKind::Insert, Shown::Absent, &scalar, false),
        (ChangeKind::Value, scalar.clone(), &branch, true),
        (ChangeKind::Value, branch.clone(), &scalar, true),
        (ChangeKind::Value, branch.clone(), &branch, false),
        (ChangeKind::Value, scalar.clone(), &scalar, false),
        (
            ChangeKind::ValueAndAttributes,
            scalar.clone(),
            &branch,
            true,
        ),
        (ChangeKind::Attributes, branch.clone(), &branch, false),
        (ChangeKind::Sort, branch.clone(), &branch, false),
        (ChangeKind::Replace, branch.clone(), &branch, true),
        (ChangeKind::Remove, scalar.clone(), &Shown::Absent, true),
        (ChangeKind::Resolve, branch.clone(), &branch, true),
        (ChangeKind::Resolve, scalar.clone(), &scalar, false),
    ] {
        let mut change = change.clone();
        (change.kind, change.old, change.new) = (kind, old, new.clone());
        assert_eq!(touches_below(&change), touches, "{change:?}");
        change.autocreated = true;
        let is_set = matches!(kind, ChangeKind::Insert | ChangeKind::Value);
        assert!(!is_set || !touches_below(&change), "{change:?}");
    }
}

#[test]
fn kinds_are_filtered() {
    let model = Model::of(&["a"]);
    let (mut triggers, calls) = (Triggers::new(1), Calls::default());
    calls.on(
        &mut triggers,
        "value",
        Subscription::to(pattern("a")).kinds(ChangeKind::Value),
    );
    calls.on(
        &mut triggers,
        "insert",
        Subscription::to(pattern("a")).kinds(ChangeKind::Insert),
    );
    calls.on(
        &mut triggers,
        "none",
        Subscription::to(node(&model, "a")).kinds(Kinds::NONE),
    );
    triggers.dispatch(&changes(1, vec![model.value(model.at("a"))]), None);
    assert_eq!(calls.take(), [r#"value value pattern "a""#]);
}

#[test]
fn a_query_asks_for_its_attributes_alone() {
    let model = Model::of(&["a.b"]);
    let (mut triggers, calls) = (Triggers::new(1), Calls::default());
    calls.on(&mut triggers, "x", pattern("a.b?x"));
    calls.on(&mut triggers, "all", pattern("a.b?"));
    let id = model.at("a.b");
    let mut attributes = model.value(id);
    attributes.kind = ChangeKind::Attributes;
    attributes.attributes = vec![dhlrs_bag::AttributeChange {
        name: dhlrs_bag::Name::new("y").unwrap(),
        old: None,
        new: Some(Value::Int(1)),
    }];
    triggers.dispatch(&changes(1, vec![model.value(id), attributes.clone()]), None);
    assert_eq!(calls.take(), [r#"all attrs pattern "a.b""#]);
    attributes.attributes[0].name = dhlrs_bag::Name::new("x").unwrap();
    triggers.dispatch(&changes(2, vec![attributes]), None);
    assert_eq!(calls.take().len(), 2);
}

#[test]
fn a_subscriber_is_told_where_it_came_from() {
    let model = Model::of(&["a"]);
    let (mut triggers, calls) = (Triggers::new(1), Calls::default());
    let told = calls.clone();
    let callback = move |event: &Event<'_>, _: &mut Reactions| {
        let (reason, origin) = (event.reason().unwrap(), event.origin().unwrap());
        told.write(format!("{} {reason} {origin}", event.revision()));
        Flow::Continue
    };
    triggers.on(pattern("a"), callback).unwrap();
    let mut revision = changes(8, vec![model.value(model.at("a"))]);
    revision.meta.reason = Some("why".into());
    revision.meta.origin = Some("m/p".parse().unwrap());
    triggers.dispatch(&revision, None);
    assert_eq!(calls.take(), ["8 why m/p"]);
}

#[test]
fn a_bag_that_stops_what_happens_to_its_own_children_stops_it_for_those_around() {
    let mut model = Model::of(&["a.b"]);
    let (mut triggers, calls) = (Triggers::new(1), Calls::default());
    calls.on(&mut triggers, "root", Target::Bag(Place::ROOT));
    calls.stopping(&mut triggers, "a", bag(&model, "a"), Flow::Stop);
    let sorted = model.step(&crate::model::Step::Sort { at: 1 }).unwrap();
    assert_eq!(sorted.path.as_str(), "a");
    triggers.dispatch(&changes(1, vec![sorted]), None);
    assert_eq!(calls.take(), [r#"a sort 1 """#]);
}

#[test]
fn a_node_behind_an_overlay_or_in_a_bag_that_stays_one_is_still_followed() {
    let mut model = Model::of(&["a.b.c"]);
    let (mut triggers, calls) = (Triggers::new(1), Calls::default());
    calls.on(&mut triggers, "c", node(&model, "a.b.c"));
    let b = model.at("a.b");
    // What a resolver showed in the place of the bag gives way to another branch, then to a value,
    // and a resolver is set on the bag: what is stored in it stays.
    let branch = Shown::Branch { nodes: 1 };
    for (kind, new) in [
        (ChangeKind::Resolve, branch.clone()),
        (ChangeKind::Resolve, Shown::Scalar(Value::Int(1))),
        (ChangeKind::Value, branch.clone()),
    ] {
        let mut change = model.value(b);
        (change.kind, change.old, change.new) = (kind, branch.clone(), new);
        triggers.dispatch(&changes(1, vec![change]), None);
    }
    calls.take();
    let gone = model.remove(model.at("a"));
    triggers.dispatch(&changes(2, vec![gone]), None);
    assert_eq!(calls.take(), ["c remove node above"]);
}

#[test]
fn an_event_shows_the_attributes_that_changed() {
    let model = Model::of(&["a"]);
    let mut change = model.value(model.at("a"));
    change.kind = ChangeKind::Attributes;
    change.attributes = vec![dhlrs_bag::AttributeChange {
        name: dhlrs_bag::Name::new("x").unwrap(),
        old: None,
        new: Some(Value::Int(1)),
    }];
    let (mut triggers, calls) = (Triggers::new(1), Calls::default());
    let told = calls.clone();
    let callback = move |event: &Event<'_>, _: &mut Reactions| {
        for attribute in event.attributes() {
            told.write(format!("{} {:?}", attribute.name, attribute.new));
        }
        Flow::Continue
    };
    triggers.on(pattern("a"), callback).unwrap();
    triggers.dispatch(&changes(1, vec![change]), None);
    assert_eq!(calls.take(), ["x Some(Int(1))"]);
}

#[test]
fn a_bag_that_stops_what_left_it_does_not_stop_it_for_the_bag_that_it_came_to() {
    let mut model = Model::of(&["a.n", "z.q"]);
    let (mut triggers, calls) = (Triggers::new(1), Calls::default());
    calls.on(&mut triggers, "root", Target::Bag(Place::ROOT));
    calls.on(&mut triggers, "z", bag(&model, "z"));
    calls.stopping(&mut triggers, "a", bag(&model, "a"), Flow::Stop);
    calls.on(&mut triggers, "later in a", bag(&model, "a"));
    let (n, z) = (model.at("a.n"), model.at("z"));
    let moved = model.moved(n, z).unwrap();
    triggers.dispatch(&changes(1, vec![moved]), None);
    assert_eq!(calls.take(), [r#"a move 0 "n""#, r#"z move 0 "n""#]);
}
