//! Changes as a real tree reports them.

use dhlrs_bag::{Bag, Change, Changes, Edit, GuardedEdit, Label, Value};
use dhlrs_path::{Path, Pattern};
use dhlrs_trigger::{Event, Flow, Place, Reactions, Subscription, Target, Triggers};

use crate::calls::Calls;
use crate::model::changes;

fn path(text: &str) -> Path<'static> {
    text.parse().unwrap()
}

fn pattern(text: &str) -> Pattern {
    text.parse().unwrap()
}

fn edited(bag: &mut Bag, edit: impl Into<GuardedEdit>) -> Changes {
    let list: Vec<Change> = bag.edit(edit).unwrap();
    changes(bag.revision(), list)
}

#[test]
fn a_tree_reports_what_dispatch_needs() {
    let mut bag = Bag::new();
    bag.set("x", 1).unwrap();
    let (mut triggers, calls) = (Triggers::new(1), Calls::default());
    calls.on(&mut triggers, "root", Target::Bag(Place::of(&bag.root())));
    calls.on(&mut triggers, "a.b.c", pattern("a.b.c"));
    let set = edited(&mut bag, Edit::set(path("a.b.c"), Value::Int(1)));
    triggers.dispatch(&set, None);
    assert_eq!(
        calls.take(),
        [
            r#"root insert 0 "a""#,
            r#"root insert -1 "a.b""#,
            r#"root insert -2 "a.b.c""#,
            r#"a.b.c insert pattern "a.b.c""#,
        ]
    );
    let c = Place::of(&bag.node(&path("a.b.c")).unwrap());
    calls.on(&mut triggers, "c", Target::Node(c));
    let to = Edit::Move {
        path: path("a.b"),
        to: path("b"),
        position: None,
    };
    let moved = edited(&mut bag, to);
    triggers.dispatch(&moved, None);
    assert_eq!(
        calls.take(),
        [
            "c move node above",
            r#"root move 0 "b""#,
            "a.b.c move pattern above",
        ]
    );
    let rename = Edit::Rename {
        path: path("b"),
        label: Label::new("k").unwrap(),
    };
    let renamed = edited(&mut bag, rename);
    triggers.dispatch(&renamed, None);
    assert_eq!(
        calls.take(),
        ["c rename node above", r#"root rename 0 "k""#]
    );
    let removed = edited(&mut bag, Edit::Clear { path: path("") });
    triggers.dispatch(&removed, None);
    assert_eq!(
        calls.take(),
        [
            "c replace node above",
            r#"root replace 1 """#,
            "a.b.c replace pattern above",
        ]
    );
}

#[test]
fn a_reader_of_trees_gets_that_of_the_revision() {
    let mut bag = Bag::new();
    let (mut triggers, calls) = (Triggers::new(1), Calls::default());
    let told = calls.clone();
    let reader = move |event: &Event<'_>, _: &mut Reactions| {
        told.write(format!("{:?}", event.tree().unwrap().get("a")));
        Flow::Continue
    };
    let id = triggers
        .on(Subscription::to(pattern("a")).with_tree(), reader)
        .unwrap();
    let first = edited(&mut bag, Edit::set(path("a"), Value::Int(1)));
    assert!(triggers.wants_tree(&first));
    let tree = bag.snapshot();
    let other = edited(&mut bag, Edit::set(path("b"), Value::Int(2)));
    assert!(!triggers.wants_tree(&other));
    edited(&mut bag, Edit::set(path("a"), Value::Int(3)));
    triggers.dispatch(&first, Some(&tree));
    assert_eq!(calls.take(), ["Some(Int(1))"]);

    triggers.off(id);
    assert!(!triggers.wants_tree(&first));
    let told = calls.clone();
    let modest = move |event: &Event<'_>, _: &mut Reactions| {
        told.write(format!("{}", event.tree().is_some()));
        Flow::Continue
    };
    triggers.on(pattern("a"), modest).unwrap();
    triggers.dispatch(&first, Some(&tree));
    assert_eq!(calls.take(), ["false"]);
}
