//! What subscribers, and those who keep keys, can ask.

use dhlrs_bag::{ChangeKind, Meta, MsgId};
use dhlrs_path::Path;
use dhlrs_trigger::{
    EventKind, Flow, Interest, Interests, Kinds, Level, Place, Selector, SubscribeErrorKind,
    Target, Triggers,
};

use crate::model::{Model, changes, transaction};

fn node(model: &Model, path: &str) -> Target {
    Target::Node(model.place(model.at(path)))
}

#[test]
fn an_event_carries_where_it_came_from() {
    let model = Model::of(&["a.b"]);
    let mut told = changes(7, vec![model.value(model.at("a.b"))]);
    told.list[0].index = Some(3);
    let msg_id = MsgId {
        session: [9; 16],
        counter: 4,
    };
    told.meta.origin = Some("m/p".parse().unwrap());
    told.meta.msg_id = Some(msg_id);
    told.meta.reason = Some("moved house".into());
    let mut triggers = Triggers::new(1);
    let meta: Meta = told.meta.clone();
    let change = told.list[0].clone();
    let id = triggers
        .on(Target::Bag(Place::ROOT), move |event, then| {
            assert_eq!(event.kind(), EventKind::Change(ChangeKind::Value));
            assert_eq!(event.level(), Level::Bag(-1));
            assert_eq!(event.origin().unwrap().as_str(), "m/p");
            assert_eq!(event.msg_id(), Some(msg_id));
            assert_eq!(event.reason(), Some("moved house"));
            assert_eq!(event.revision(), 7);
            assert_eq!(event.meta(), &meta);
            assert_eq!(event.index(), Some(3));
            assert_eq!(event.path().as_str(), "a.b");
            assert_eq!(event.old(), &change.old);
            assert_eq!(event.new(), &change.new);
            assert_eq!(event.first().change(), &change);
            assert_eq!(event.first().level(), Level::Bag(-1));
            assert!(!event.first().is_above());
            assert_eq!(event.relative_path(), Some(change.path.borrowed()));
            assert_eq!(event.changes().len(), 1);
            assert!(event.tree().is_none());
            then.off(event.subscriber());
            Flow::Continue
        })
        .unwrap();
    let dispatched = triggers.dispatch(&told, None);
    assert_eq!(dispatched.failures, []);
    assert!(!triggers.off(id), "it has left by itself");
}

#[test]
fn a_change_above_a_subscriber_says_so_and_has_no_path_from_it() {
    let mut model = Model::of(&["a.b"]);
    let mut triggers = Triggers::new(1);
    triggers
        .on(node(&model, "a.b"), |event, _| {
            assert!(event.first().is_above());
            assert_eq!(event.relative_path(), None);
            assert_eq!(event.path(), &Path::parse("a").unwrap());
            Flow::Continue
        })
        .unwrap();
    let gone = model.remove(model.at("a"));
    assert_eq!(
        triggers.dispatch(&changes(1, vec![gone]), None).failures,
        []
    );
}

#[test]
fn a_node_that_went_hears_no_more_of_the_bags_that_were_around_it() {
    let model = Model::of(&["a.b.c"]);
    let (target, mut interests) = (node(&model, "a.b.c"), Interests::default());
    let mut selector = Selector::new(target.clone(), Kinds::ALL);
    interests.insert(1, target, Kinds::ALL).unwrap();
    // A scalar takes the place of the bag `a.b`, and `c` goes with what was in there.
    let lost = {
        let mut change = model.value(model.at("a.b"));
        change.old = dhlrs_bag::Shown::Branch { nodes: 1 };
        change
    };
    assert!(selector.selects(&lost, false));
    assert_eq!(interests.matching(&changes(1, vec![lost])).len(), 1);
    let later = model.clone().remove(model.at("a"));
    assert!(!selector.selects(&later, false));
    assert_eq!(interests.matching(&changes(2, vec![later])), []);
}

#[test]
fn a_key_is_in_use_until_it_is_removed() {
    let model = Model::of(&["a"]);
    let mut interests = Interests::default();
    assert!(interests.is_empty());
    interests.insert(7, node(&model, "a"), Kinds::ALL).unwrap();
    let again = interests.insert(7, node(&model, "a"), Kinds::ALL);
    assert_eq!(again.unwrap_err().kind(), SubscribeErrorKind::KeyInUse);
    assert_eq!((interests.len(), interests.is_empty()), (1, false));
    let told = changes(1, vec![model.value(model.at("a"))]);
    let interest = Interest {
        key: 7,
        matching: vec![0],
    };
    assert_eq!(interests.matching(&told), std::slice::from_ref(&interest));
    assert!(interest.changes(&told).eq(&told.list));
    assert!(interests.remove(7));
    assert!(!interests.remove(7));
    assert!(interests.is_empty());
    assert_eq!(interests.matching(&told), []);
    interests.insert(7, node(&model, "a"), Kinds::ALL).unwrap();
}

#[test]
fn a_list_says_how_many_listen() {
    let model = Model::of(&["a"]);
    let mut triggers = Triggers::new(1);
    assert!(triggers.is_empty());
    let id = triggers
        .on(node(&model, "a"), |_, _| Flow::Continue)
        .unwrap();
    assert_eq!((triggers.len(), triggers.is_empty()), (1, false));
    assert_eq!(format!("{triggers:?}"), "Triggers { subscribers: 1, .. }");
    assert!(triggers.off(id));
    assert!(triggers.is_empty());
}

#[test]
fn a_transaction_is_one_event_of_its_own_kind() {
    let model = Model::of(&["a", "b"]);
    let list = vec![model.value(model.at("a")), model.value(model.at("b"))];
    let mut triggers = Triggers::new(1);
    triggers
        .on(Target::Bag(Place::ROOT), |event, _| {
            assert_eq!(event.kind(), EventKind::Transaction);
            let paths: Vec<_> = event
                .changes()
                .iter()
                .map(|own| own.path.as_str())
                .collect();
            assert_eq!(paths, ["a", "b"]);
            Flow::Continue
        })
        .unwrap();
    let dispatched = triggers.dispatch(&transaction(1, list), None);
    assert_eq!(dispatched.failures, []);
}

#[test]
fn a_refusal_says_in_words_what_is_wrong() {
    let model = Model::of(&["a"]);
    let mut interests = Interests::default();
    interests.insert(1, node(&model, "a"), Kinds::ALL).unwrap();
    let refused = interests.insert(1, node(&model, "a"), Kinds::ALL);
    assert_eq!(
        refused.unwrap_err().to_string(),
        "the key of the subscription is in use"
    );
    let unknown = "value,vale".parse::<Kinds>().unwrap_err();
    assert_eq!(unknown.at(), 6);
    assert!(
        unknown
            .to_string()
            .starts_with("unknown kind of change (at byte 6); known: "),
        "{unknown}"
    );
    assert_eq!(
        format!("{:?}", Kinds::of(ChangeKind::Value)),
        "Kinds(value)"
    );
}
