//! One event for what was done all or none.

use dhlrs_bag::ChangeKind;
use dhlrs_path::Pattern;
use dhlrs_trigger::{Flow, Kinds, Place, Subscription, Target, Triggers};

use crate::calls::Calls;
use crate::model::{Model, Step, transaction};

fn pattern(text: &str) -> Pattern {
    text.parse().unwrap()
}

#[test]
fn each_subscriber_gets_its_changes_in_one_event() {
    let mut model = Model::of(&["a.b.c", "x.y"]);
    let (mut triggers, calls) = (Triggers::new(1), Calls::default());
    calls.on(&mut triggers, "root", Target::Bag(Place::ROOT));
    calls.on(&mut triggers, "a", Target::Bag(model.place(model.at("a"))));
    calls.on(
        &mut triggers,
        "b",
        Target::Bag(model.place(model.at("a.b"))),
    );
    calls.on(
        &mut triggers,
        "y",
        Target::Node(model.place(model.at("x.y"))),
    );
    calls.on(
        &mut triggers,
        "values",
        Subscription::to(pattern("**")).kinds(ChangeKind::Value),
    );
    calls.on(
        &mut triggers,
        "all",
        Subscription::to(pattern("a.*")).kinds(Kinds::TRANSACTION),
    );
    let list = vec![
        model.insert(model.at("a"), "n", false),
        model.value(model.at("a.b.c")),
        model.value(model.at("x.y")),
        model.value(model.at("a.b.c")),
    ];
    triggers.dispatch(&transaction(1, list), None);
    assert_eq!(
        calls.take(),
        [
            r#"y [value node ""]"#,
            r#"b [value 0 "c", value 0 "c"]"#,
            r#"a [insert 0 "n", value -1 "b.c", value -1 "b.c"]"#,
            r#"root [insert -1 "a.n", value -2 "a.b.c", value -1 "x.y", value -2 "a.b.c"]"#,
            r#"values [value pattern "a.b.c", value pattern "x.y", value pattern "a.b.c"]"#,
            r#"all [insert pattern "a.n"]"#,
        ]
    );
}

#[test]
fn a_bag_stops_its_own_changes() {
    let model = Model::of(&["a.b.c", "x.y"]);
    let (mut triggers, calls) = (Triggers::new(1), Calls::default());
    calls.on(&mut triggers, "root", Target::Bag(Place::ROOT));
    calls.on(&mut triggers, "a", Target::Bag(model.place(model.at("a"))));
    calls.stopping(
        &mut triggers,
        "b",
        Target::Bag(model.place(model.at("a.b"))),
        Flow::Stop,
    );
    let list = vec![model.value(model.at("a.b.c")), model.value(model.at("x.y"))];
    triggers.dispatch(&transaction(1, list), None);
    assert_eq!(
        calls.take(),
        [r#"b [value 0 "c"]"#, r#"root [value -1 "x.y"]"#]
    );
}

#[test]
fn an_empty_transaction_tells_nobody() {
    let (mut triggers, calls) = (Triggers::new(1), Calls::default());
    calls.on(&mut triggers, "all", pattern("**"));
    triggers.dispatch(&transaction(1, vec![]), None);
    assert!(calls.take().is_empty());
}

#[test]
fn the_deepest_bag_is_called_first_whichever_change_came_first() {
    let mut model = Model::of(&["a.b"]);
    let (mut triggers, calls) = (Triggers::new(1), Calls::default());
    calls.on(&mut triggers, "root", Target::Bag(Place::ROOT));
    calls.on(&mut triggers, "a", Target::Bag(model.place(model.at("a"))));
    let inserted = model.insert(model.at(""), "n", false);
    let sorted = model.step(&Step::Sort { at: 1 }).unwrap();
    assert_eq!(sorted.path.as_str(), "a");
    triggers.dispatch(&transaction(1, vec![inserted, sorted]), None);
    assert_eq!(
        calls.take(),
        [r#"a [sort 1 ""]"#, r#"root [insert 0 "n", sort 0 "a"]"#]
    );
}
