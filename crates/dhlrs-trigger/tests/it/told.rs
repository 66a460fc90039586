//! What subscribers, and those who keep keys, can ask.

use dhlrs_bag::{ChangeKind, Meta, MsgId};
use dhlrs_path::Path;
use dhlrs_trigger::{
    EventKind, Flow, Interest, Interests, Kinds, Level, Place, Selector, SubscribeErrorKind,
    Target, Triggers, Window, WindowLimits,
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

#[test]
fn all_keys_are_counted() {
    let model = Model::of(&["a", "b"]);
    let mut interests = Interests::default();
    for (key, path) in [(1, "a"), (2, "b")] {
        interests
            .insert(key, node(&model, path), Kinds::ALL)
            .unwrap();
    }
    assert_eq!(interests.len(), 2);
}

#[test]
fn what_is_removed_leaves_nothing_behind() {
    let model = Model::of(&["a.b.c"]);
    let mut interests = Interests::default();
    let before = format!("{interests:?}");
    for key in 0..3 {
        interests
            .insert(key, node(&model, "a.b.c"), Kinds::ALL)
            .unwrap();
    }
    assert!(interests.remove(0) && interests.remove(1));
    // The last that listens to the node still hears of what happens around it.
    let mut later = model.clone();
    let gone = changes(1, vec![later.remove(later.at("a"))]);
    assert_eq!(interests.matching(&gone).len(), 1);
    assert!(interests.remove(2));
    assert_eq!(format!("{interests:?}"), before);
    for key in 0..2 {
        interests
            .insert(key, node(&model, "a.b"), Kinds::ALL)
            .unwrap();
        assert!(interests.remove(key));
    }
    assert_eq!(format!("{interests:?}"), before);
}

#[test]
fn a_selector_says_whom_it_follows_and_goes_on_from_another_place() {
    let model = Model::of(&["a.n", "z.q"]);
    let pattern: dhlrs_path::Pattern = "a.n".parse().unwrap();
    assert_eq!(Selector::new(pattern, Kinds::ALL).follows(), None);
    let n = model.at("a.n");
    for target in [Target::Node, Target::Bag, Target::Branch] {
        let mut selector = Selector::new(target(model.place(n)), Kinds::ALL);
        assert_eq!(selector.follows(), Some(n));
        let elsewhere = Place {
            id: n,
            ancestors: vec![model.at("z"), dhlrs_bag::NodeId::ROOT],
        };
        selector.resume_at(elsewhere);
        let mut around = |path: &str| {
            let mut change = model.value(model.at(path));
            change.kind = ChangeKind::Rename;
            selector.selects(&change, false)
        };
        assert_eq!((around("a"), around("z")), (false, true));
    }
}

#[test]
fn a_window_says_in_words_what_it_cannot_give() {
    let model = Model::of(&["a"]);
    let mut window = Window::new(5, WindowLimits::default());
    let said = |result: Result<_, dhlrs_trigger::WindowError>| result.unwrap_err().to_string();
    assert_eq!(
        said(window.begin_at(4).map(drop)),
        "compacted: the oldest revision that is kept is 5"
    );
    assert_eq!(
        said(window.begin_at(6).map(drop)),
        "the revision is beyond the next one, which is 5"
    );
    assert_eq!(
        said(window.push(changes(4, vec![model.value(model.at("a"))]))),
        "revision 4 came after it was due: the next one is 5"
    );
}
