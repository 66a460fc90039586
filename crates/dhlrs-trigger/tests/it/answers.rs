//! What subscribers answer, and what becomes of those that fail.

use dhlrs_bag::{CAUSE_SUBSCRIBERS_MAX, Edit, SubscriberId, Value};
use dhlrs_path::{Pattern, StoreAddress};
use dhlrs_trigger::{Destination, EMISSIONS_MAX, Event, FailureKind, Flow, Reactions, Triggers};

use crate::calls::Calls;
use crate::model::{Model, changes};

fn pattern(text: &str) -> Pattern {
    text.parse().unwrap()
}

fn set(path: &str) -> Edit {
    Edit::set(path.parse().unwrap(), Value::Int(1))
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
        for failure in &dispatched.failures {
            assert!(matches!(failure.kind, FailureKind::TooDeep { .. }));
            let said = failure.to_string();
            assert!(
                said.contains("chain of subscribers too long, limit "),
                "{said}"
            );
        }
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
        for failure in &dispatched.failures {
            assert_eq!(failure.kind, FailureKind::TooManyEmissions(edits));
            let said = failure.to_string();
            assert!(
                said.ends_with("too many edits for one event: 1025, limit 1024"),
                "{said}"
            );
        }
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
fn callbacks_may_subscribe_many() {
    const MANY: usize = 1_001;
    let model = Model::of(&["a", "b"]);
    let (mut triggers, calls) = (Triggers::new(1), Calls::default());
    for _ in 1..MANY {
        calls.on(&mut triggers, "other", pattern("b"));
    }
    for _ in 0..2 {
        triggers
            .on(pattern("a"), |_: &Event<'_>, then: &mut Reactions| {
                for _ in 0..MANY {
                    then.on(pattern("b"), |_: &Event<'_>, _: &mut Reactions| {
                        Flow::Continue
                    })
                    .unwrap();
                }
                Flow::Continue
            })
            .unwrap();
    }
    let dispatched = triggers.dispatch(&changes(1, vec![model.value(model.at("a"))]), None);
    assert_eq!(dispatched.failures, []);
    assert_eq!(triggers.len(), 3 * MANY + 1);
}

#[test]
fn the_first_subscribers_may_subscribe_more_than_there_are() {
    let model = Model::of(&["a"]);
    let mut triggers = Triggers::new(1);
    let ids = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    for _ in 0..2 {
        let made = ids.clone();
        let callback = move |_: &Event<'_>, then: &mut Reactions| {
            for _ in 0..3 {
                let id = then.on(pattern("b"), |_: &Event<'_>, _: &mut Reactions| {
                    Flow::Continue
                });
                made.lock().unwrap().push(id.unwrap());
            }
            let shown = format!("{then:?}");
            assert!(shown.contains("subscribed: 3"), "{shown}");
            Flow::Continue
        };
        triggers.on(pattern("a"), callback).unwrap();
    }
    let dispatched = triggers.dispatch(&changes(1, vec![model.value(model.at("a"))]), None);
    assert_eq!(dispatched.failures, []);
    let ids = ids.lock().unwrap().clone();
    assert!(ids.iter().all(|id| triggers.off(*id)));
    assert_eq!((ids.len(), triggers.len()), (6, 2));
}
