//! The order of a dispatch against the simplest walk that could find it.

use dhlrs_bag::{Change, ChangeKind, NodeId};
use dhlrs_path::Pattern;
use dhlrs_trigger::{Interests, Kinds, Selector, Subscription, Target, Triggers, touches_below};
use proptest::prelude::*;

use crate::calls::Calls;
use crate::model::{Model, Step, changes};

#[derive(Debug, Clone)]
enum Wish {
    Node(usize),
    Bag(usize),
    Branch(usize),
    Pattern(Pattern),
}

#[derive(Debug, Clone)]
enum Act {
    Subscribe(Wish, Option<ChangeKind>),
    Unsubscribe(usize),
    Step(Step),
}

fn act() -> impl Strategy<Value = Act> {
    let at = 0_usize..40;
    let word = prop_oneof![3 => Just("a"), 2 => Just("b"), 2 => Just("*"), 2 => Just("**")];
    let pattern = prop::collection::vec(word, 0..5).prop_map(|it| it.join(".").parse().unwrap());
    let wish = prop_oneof![
        at.clone().prop_map(Wish::Node),
        at.clone().prop_map(Wish::Bag),
        at.clone().prop_map(Wish::Branch),
        pattern.prop_map(Wish::Pattern),
    ];
    let kind = prop::option::weighted(0.2, prop::sample::select(ChangeKind::ALL.to_vec()));
    prop_oneof![
        2 => (wish, kind).prop_map(|(wish, kind)| Act::Subscribe(wish, kind)),
        1 => at.prop_map(Act::Unsubscribe),
        6 => step().prop_map(Act::Step),
    ]
}

pub(crate) fn step() -> impl Strategy<Value = Step> {
    let at = 0_usize..40;
    let label = 0_usize..4;
    prop_oneof![
        6 => (at.clone(), label.clone(), any::<bool>())
            .prop_map(|(at, label, is_bag)| Step::Insert { at, label, is_bag }),
        1 => at.clone().prop_map(|at| Step::Value { at }),
        1 => at.clone().prop_map(|at| Step::Branch { at }),
        1 => at.clone().prop_map(|at| Step::Attributes { at }),
        1 => at.clone().prop_map(|at| Step::Remove { at }),
        3 => (at.clone(), at.clone()).prop_map(|(at, to)| Step::Move { at, to }),
        1 => (at.clone(), label).prop_map(|(at, label)| Step::Rename { at, label }),
        1 => at.clone().prop_map(|at| Step::Sort { at }),
        1 => at.prop_map(|at| Step::Replace { at }),
    ]
}

/// Who is called, by walking the tree as it was before and as it is after.
fn walk(before: &Model, after: &Model, change: &Change, targets: &[(usize, Target)]) -> Vec<usize> {
    let below = touches_below(change);
    let inside = matches!(change.kind, ChangeKind::Sort | ChangeKind::Replace);
    let is_below = |id: NodeId| below && before.ancestors(id).contains(&change.id);
    let mut called = Vec::new();
    let mut call = |fits: &dyn Fn(&Target) -> bool| {
        called.extend(
            targets
                .iter()
                .filter(|(_, target)| fits(target))
                .map(|(name, _)| *name),
        );
    };
    call(&|target| matches!(target, Target::Node(place) if place.id == change.id));
    call(&|target| match target {
        Target::Node(place) => is_below(place.id),
        Target::Bag(place) => is_below(place.id) || below && !inside && place.id == change.id,
        _ => false,
    });
    let (left, present) = match change.kind {
        ChangeKind::Remove => (vec![], before.ancestors(change.id)),
        ChangeKind::Move => (before.ancestors(change.id), after.ancestors(change.id)),
        _ => (vec![], after.ancestors(change.id)),
    };
    let mut bags: Vec<_> = inside
        .then_some((present.len(), &change.id))
        .into_iter()
        .collect();
    bags.extend(
        left.iter()
            .rev()
            .enumerate()
            .filter(|(_, id)| !present.contains(id)),
    );
    bags.extend(present.iter().rev().enumerate());
    bags.sort_by_key(|(depth, _)| std::cmp::Reverse(*depth));
    for (_, bag) in &bags {
        call(&|target| matches!(target, Target::Bag(place) if place.id == **bag));
    }
    call(&|target| match target {
        Target::Branch(place) => {
            let around = |model: &Model| model.ancestors(change.id).contains(&place.id);
            place.id == change.id || around(before) || around(after) || is_below(place.id)
        }
        Target::Pattern(pattern) => [Some(&change.path), change.old_path.as_ref()]
            .into_iter()
            .flatten()
            .any(|path| pattern.matches_path(path) || below && pattern.intersects_subtree(path)),
        _ => false,
    });
    called
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn a_dispatch_calls_as_a_walk_does(acts in prop::collection::vec(act(), 1..80)) {
        let mut model = Model::of(&["a.b.c", "b.a"]);
        let (mut triggers, calls) = (Triggers::new(1), Calls::default());
        let mut interests = Interests::default();
        let mut live = Vec::new();
        let mut revision = 0;
        for (name, act) in acts.into_iter().enumerate() {
            match act {
                Act::Subscribe(wish, kind) => {
                    let place = |at: usize| model.place(model.nodes[at % model.nodes.len()].id);
                    let target = match wish {
                        Wish::Node(at) => Target::Node(place(at)),
                        Wish::Bag(at) => Target::Bag(place(at)),
                        Wish::Branch(at) => Target::Branch(place(at)),
                        Wish::Pattern(pattern) => Target::Pattern(pattern),
                    };
                    let kinds = kind.map_or(Kinds::ALL, Kinds::of);
                    let subscription = Subscription::to(target.clone()).kinds(kinds);
                    let id = calls.on(&mut triggers, &name.to_string(), subscription);
                    interests.insert(name as u64, target.clone(), kinds).unwrap();
                    live.push((name, id, Selector::new(target.clone(), kinds), target, kinds));
                }
                Act::Unsubscribe(at) => {
                    if !live.is_empty() {
                        let (name, id, ..) = live.remove(at % live.len());
                        prop_assert!(triggers.off(id));
                        prop_assert!(interests.remove(name as u64));
                    }
                }
                Act::Step(step) => {
                    let before = model.clone();
                    let Some(change) = model.step(&step) else { continue };
                    revision += 1;
                    let wanted: Vec<_> = live
                        .iter()
                        .filter(|(.., kinds)| kinds.contains(change.kind))
                        .map(|(name, _, _, target, _)| (*name, target.clone()))
                        .collect();
                    let mut expected = walk(&before, &model, &change, &wanted);
                    let revision = changes(revision, vec![change.clone()]);
                    triggers.dispatch(&revision, None);
                    let called: Vec<usize> = calls
                        .take()
                        .iter()
                        .map(|call| call.split(' ').next().unwrap().parse().unwrap())
                        .collect();
                    prop_assert_eq!(&called, &expected, "{:?}", change);

                    expected.sort_unstable();
                    let interested = interests.matching(&revision);
                    prop_assert!(interested.iter().all(|interest| interest.matching == [0]));
                    let interested: Vec<_> = interested.iter().map(|it| it.key as usize).collect();
                    prop_assert_eq!(&interested, &expected);
                    let selected: Vec<_> = live
                        .iter_mut()
                        .filter_map(|(name, _, selector, ..)| {
                            selector.selects(&change, false).then_some(*name)
                        })
                        .collect();
                    prop_assert_eq!(&selected, &expected);
                }
            }
        }
    }
}
