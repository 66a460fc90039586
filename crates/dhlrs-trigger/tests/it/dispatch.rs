//! Levels, stopping, failing, answering.

use dhlrs_bag::{CAUSE_SUBSCRIBERS_MAX, ChangeKind, Edit, SubscriberId, Value};
use dhlrs_path::{Path, Pattern, StoreAddress};
use dhlrs_trigger::{
    Destination, EMISSIONS_MAX, Event, FailureKind, Flow, Kinds, Place, Reactions, Subscription,
    Target, Triggers,
};

use crate::calls::Calls;
use crate::model::{Model, changes};

fn pattern(text: &str) -> Pattern {
    text.parse().unwrap()
}

fn set(path: &str) -> Edit {
    Edit::set(path.parse().unwrap(), Value::Int(1))
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
    calls.on(&mut triggers, "b2", bag(&model, "a.b"));
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
    assert_eq!(names, ["c", "b", "b2", "pattern", "branch"]);
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
fn a_subscriber_that_fails_disturbs_nobody() {
    let model = Model::of(&["a"]);
    let (mut triggers, calls) = (Triggers::new(1), Calls::default());
    let panics = triggers
        .on(pattern("a"), |_: &Event<'_>, then: &mut Reactions| {
            then.emit_here(set("lost"));
            std::panic::panic_any("out of order")
        })
        .unwrap();
    let fails = triggers
        .on(pattern("a"), |_: &Event<'_>, then: &mut Reactions| {
            then.emit_here(set("lost"));
            then.fail("no idea");
            Flow::Continue
        })
        .unwrap();
    calls.on(&mut triggers, "last", pattern("a"));
    for revision in 1..3 {
        let dispatched =
            triggers.dispatch(&changes(revision, vec![model.value(model.at("a"))]), None);
        assert_eq!(calls.take().len(), 1);
        assert!(dispatched.emissions.is_empty());
        let failures: Vec<_> = dispatched
            .failures
            .iter()
            .map(|it| (it.subscriber, it.kind.clone()))
            .collect();
        assert_eq!(
            failures,
            [
                (panics, FailureKind::Panicked("out of order".into())),
                (fails, FailureKind::Failed("no idea".into())),
            ]
        );
        assert!(dispatched.failures[0].to_string().contains("out of order"));
    }
}

#[test]
fn a_subscriber_answers_with_edits() {
    let model = Model::of(&["a"]);
    let mut triggers = Triggers::new(1);
    let to: StoreAddress = "m/p/s".parse().unwrap();
    let id = triggers
        .on(pattern("a"), move |_: &Event<'_>, then: &mut Reactions| {
            then.emit_here(set("b"));
            then.emit_because(to.clone(), set("c"), "because");
            Flow::Continue
        })
        .unwrap();
    let mut revision = changes(1, vec![model.value(model.at("a"))]);
    revision.meta.cause = vec![SubscriberId([9; 16])];
    let emissions = triggers.dispatch(&revision, None).emissions;
    assert_eq!(emissions.len(), 2);
    assert_eq!(emissions[0].to, Destination::Here);
    assert_eq!(emissions[0].edit.edit, set("b"));
    assert_eq!(emissions[0].cause, [SubscriberId([9; 16]), id]);
    assert_eq!(
        emissions[1].to,
        Destination::Store("m/p/s".parse().unwrap())
    );
    assert_eq!(emissions[1].reason.as_deref(), Some("because"));
}

#[test]
fn a_subscriber_in_the_cause_does_not_emit_again() {
    let model = Model::of(&["a"]);
    let mut triggers = Triggers::new(1);
    let id = triggers
        .on(pattern("a"), |_: &Event<'_>, then: &mut Reactions| {
            then.emit_here(set("a"));
            Flow::Continue
        })
        .unwrap();
    let other = SubscriberId([9; 16]);
    let mut revision = changes(2, vec![model.value(model.at("a"))]);
    revision.meta.cause = vec![id, other];
    let dispatched = triggers.dispatch(&revision, None);
    assert!(dispatched.emissions.is_empty());
    assert_eq!(
        dispatched.failures[0].kind,
        FailureKind::Loop {
            chain: vec![id, other, id]
        }
    );
    let said = dispatched.failures[0].to_string();
    assert!(said.contains(&format!("{id} -> {other} -> {id}")), "{said}");
}

#[test]
fn a_chain_of_subscribers_has_an_end() {
    let model = Model::of(&["a"]);
    let mut triggers = Triggers::new(1);
    triggers
        .on(pattern("a"), |_: &Event<'_>, then: &mut Reactions| {
            then.emit_here(set("b"));
            Flow::Continue
        })
        .unwrap();
    for (causes, emissions) in [(CAUSE_SUBSCRIBERS_MAX - 1, 1), (CAUSE_SUBSCRIBERS_MAX, 0)] {
        let mut revision = changes(1, vec![model.value(model.at("a"))]);
        revision.meta.cause = (0..causes)
            .map(|i| SubscriberId([i as u8 + 9; 16]))
            .collect();
        let dispatched = triggers.dispatch(&revision, None);
        assert_eq!(dispatched.emissions.len(), emissions);
        assert_eq!(dispatched.failures.len(), 1 - emissions);
    }
}

#[test]
fn one_call_emits_at_most_so_much() {
    for (edits, kept) in [(EMISSIONS_MAX, EMISSIONS_MAX), (EMISSIONS_MAX + 1, 0)] {
        let model = Model::of(&["a"]);
        let mut triggers = Triggers::new(1);
        triggers
            .on(pattern("a"), move |_: &Event<'_>, then: &mut Reactions| {
                (0..edits).for_each(|_| then.emit_here(set("b")));
                Flow::Continue
            })
            .unwrap();
        let dispatched = triggers.dispatch(&changes(1, vec![model.value(model.at("a"))]), None);
        assert_eq!(dispatched.emissions.len(), kept);
        assert_eq!(dispatched.failures.len(), usize::from(kept == 0));
    }
}

#[test]
fn subscribing_and_unsubscribing_inside_a_callback_is_allowed() {
    let model = Model::of(&["a"]);
    let (mut triggers, calls) = (Triggers::new(1), Calls::default());
    let victim = std::sync::Arc::new(std::sync::Mutex::new(None));
    let (told, its_victim) = (calls.clone(), victim.clone());
    triggers
        .on(
            pattern("a"),
            move |event: &Event<'_>, then: &mut Reactions| {
                told.write("once");
                then.off(event.subscriber());
                then.off(its_victim.lock().unwrap().unwrap());
                let told = told.clone();
                then.on(pattern("a"), move |_: &Event<'_>, _: &mut Reactions| {
                    told.write("new");
                    Flow::Continue
                })
                .unwrap();
                let dropped = then
                    .on(
                        pattern("a"),
                        |_: &Event<'_>, _: &mut Reactions| unreachable!(),
                    )
                    .unwrap();
                then.off(dropped);
                Flow::Continue
            },
        )
        .unwrap();
    *victim.lock().unwrap() = Some(calls.on(&mut triggers, "victim", pattern("a")));
    calls.on(&mut triggers, "last", pattern("a"));
    let both = vec![model.value(model.at("a")), model.value(model.at("a"))];
    triggers.dispatch(&changes(1, both), None);
    assert_eq!(
        calls.take(),
        [
            "once",
            r#"last value pattern "a""#,
            r#"last value pattern "a""#
        ]
    );
    triggers.dispatch(&changes(2, vec![model.value(model.at("a"))]), None);
    assert_eq!(calls.take(), [r#"last value pattern "a""#, "new"]);
    assert_eq!(triggers.len(), 2);
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
    triggers
        .on(pattern("a"), move |event: &Event<'_>, _: &mut Reactions| {
            told.write(format!(
                "{} {} {} {:?}",
                event.revision(),
                event.reason().unwrap(),
                event.origin().unwrap(),
                event.tree().is_some(),
            ));
            Flow::Continue
        })
        .unwrap();
    let mut revision = changes(8, vec![model.value(model.at("a"))]);
    revision.meta.reason = Some("why".into());
    revision.meta.origin = Some("m/p".parse().unwrap());
    triggers.dispatch(&revision, None);
    assert_eq!(calls.take(), ["8 why m/p false"]);
    assert!(!triggers.wants_trees());
    triggers
        .on(
            Subscription::to(pattern("a")).with_tree(),
            |_: &Event<'_>, _: &mut Reactions| Flow::Continue,
        )
        .unwrap();
    assert!(triggers.wants_trees());
    assert_eq!(Path::ROOT.depth(), 0);
}
