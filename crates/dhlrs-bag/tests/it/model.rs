//! The bag against a tree of nested vectors that does everything the simple way.

use dhlrs_bag::{
    Attributes, AttributesWrite, Bag, Branch, Content, Edit, GuardedEdit, NodeId, Op, Position,
    Precondition, Row, Snapshot, SortField, SortKey, Value,
};
use proptest::prelude::*;

use crate::{label, name, path, position};

#[derive(Clone, Debug, PartialEq, Default)]
struct Node {
    label: String,
    content: Held,
    attributes: Vec<(String, i64)>,
}

#[derive(Clone, Debug, PartialEq)]
enum Held {
    Null,
    Int(i64),
    Bag(Vec<Node>),
}

impl Default for Held {
    fn default() -> Self {
        Self::Bag(Vec::new())
    }
}

impl Node {
    fn of(label: &str, content: Held) -> Self {
        Self {
            label: label.to_owned(),
            content,
            attributes: Vec::new(),
        }
    }

    fn children(&self) -> &[Node] {
        match &self.content {
            Held::Bag(children) => children,
            _ => &[],
        }
    }

    fn bag(&mut self) -> Option<&mut Vec<Node>> {
        match &mut self.content {
            Held::Bag(children) => Some(children),
            _ => None,
        }
    }

    fn at(&mut self, way: &[usize]) -> &mut Node {
        let mut node = self;
        for index in way {
            node = &mut node.bag().unwrap()[*index];
        }
        node
    }

    /// The indexes on the way, and the labels that are missing.
    fn find(&self, steps: &[Step]) -> Option<(Vec<usize>, Vec<String>)> {
        let (mut way, mut node, mut missing) = (Vec::new(), self, Vec::new());
        for step in steps {
            let children = node.children();
            let found = match step {
                _ if !missing.is_empty() => None,
                Step::Label(label) => children.iter().position(|own| own.label == *label),
                Step::Index(index) => {
                    let len = children.len() as i64;
                    let index = if *index < 0 { len + index } else { *index };
                    (0..len).contains(&index).then_some(index as usize)
                }
            };
            match (found, step) {
                (Some(index), _) => {
                    way.push(index);
                    node = &children[index];
                }
                (None, Step::Label(label)) => missing.push(label.clone()),
                (None, Step::Index(_)) => return None,
            }
        }
        Some((way, missing))
    }

    fn listed(&self, depth: u16, rows: &mut Vec<Row>) {
        for child in self.children() {
            let value = match child.content {
                Held::Null => Some(Value::Null),
                Held::Int(value) => Some(Value::Int(value)),
                Held::Bag(_) => None,
            };
            let attributes = child.attributes.iter();
            rows.push(Row {
                depth,
                label: label(&child.label),
                value,
                attributes: attributes.map(|(n, v)| (name(n), Value::Int(*v))).collect(),
                resolver: None,
            });
            child.listed(depth + 1, rows);
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) enum Step {
    Label(String),
    Index(i64),
}

fn printed(steps: &[Step]) -> String {
    let steps = steps.iter().map(|step| match step {
        Step::Label(label) => label.clone(),
        Step::Index(index) => format!("#{index}"),
    });
    steps.collect::<Vec<_>>().join(".")
}

#[derive(Clone, Debug)]
pub(crate) enum Act {
    Set(Vec<Step>, Option<i64>, Option<&'static str>, bool, u8),
    SetBranch(Vec<Step>, Vec<(String, i64)>),
    Attribute(Vec<Step>, &'static str, Option<i64>),
    Remove(Vec<Step>),
    Move(Vec<Step>, Vec<Step>, Option<&'static str>),
    Rename(Vec<Step>, String),
    Sort(Vec<Step>),
    Clear(Vec<Step>),
    Merge(Vec<Step>, Vec<(String, i64)>),
    Snapshot,
}

fn steps(max: usize) -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => "[a-e]".prop_map(Step::Label),
        1 => (-3_i64..4).prop_map(Step::Index),
    ];
    prop::collection::vec(step, 1..=max)
}

fn positions() -> impl Strategy<Value = Option<&'static str>> {
    prop::option::of(prop::sample::select(vec![
        "<", ">", "#0", "#1", "#-1", "#2", "<a", ">b", "<#1", ">#0", ">#-1",
    ]))
}

fn few() -> impl Strategy<Value = Vec<(String, i64)>> {
    prop::collection::btree_map("[a-e]", 0_i64..4, 0..4).prop_map(|map| map.into_iter().collect())
}

pub(crate) fn acts() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => (steps(4), prop::option::of(0_i64..4), positions(), prop::bool::ANY, 0_u8..6)
            .prop_map(|(a, b, c, d, e)| Act::Set(a, b, c, d, e)),
        1 => (steps(3), few()).prop_map(|(a, b)| Act::SetBranch(a, b)),
        2 => (steps(3), prop::sample::select(vec!["x", "y"]), prop::option::of(0_i64..3))
            .prop_map(|(a, b, c)| Act::Attribute(a, b, c)),
        2 => steps(3).prop_map(Act::Remove),
        4 => (steps(3), steps(3), positions()).prop_map(|(a, b, c)| Act::Move(a, b, c)),
        1 => (steps(3), "[a-e]").prop_map(|(a, b)| Act::Rename(a, b)),
        1 => steps(2).prop_map(Act::Sort),
        1 => steps(2).prop_map(Act::Clear),
        1 => (steps(2), few()).prop_map(|(a, b)| Act::Merge(a, b)),
        1 => Just(Act::Snapshot),
    ]
}

/// Where a position means, among `children` without the one at `moving`.
fn placed(text: &str, children: &[Node], moving: Option<usize>) -> Option<usize> {
    let index_of = |position: &Position| -> Option<usize> {
        let index = match position {
            Position::BeforeLabel(own) | Position::AfterLabel(own) => {
                return children.iter().position(|node| node.label == own.as_str());
            }
            Position::BeforeIndex(index) | Position::AfterIndex(index) => *index,
            _ => return None,
        };
        let index = if index < 0 {
            children.len() as i64 + index
        } else {
            index
        };
        (0..children.len() as i64)
            .contains(&index)
            .then_some(index as usize)
    };
    let others = children.len() - usize::from(moving.is_some());
    let without = |index: usize| index - usize::from(moving.is_some_and(|own| own < index));
    match position(text) {
        Position::First => Some(0),
        Position::Last => Some(others),
        Position::At(index) => {
            let index = if index < 0 {
                others as i64 + index
            } else {
                index
            };
            (0..=others as i64)
                .contains(&index)
                .then_some(index as usize)
        }
        own @ (Position::BeforeLabel(_) | Position::BeforeIndex(_)) => index_of(&own).map(without),
        own => {
            let index = index_of(&own)?;
            Some(if moving == Some(index) {
                without(index)
            } else {
                without(index) + 1
            })
        }
    }
}

impl Node {
    /// Does it the simple way; `None` is a refusal.
    fn act(&mut self, act: &Act) -> Option<()> {
        match act {
            Act::Set(steps, value, at, overwrite, guard) => {
                let (way, missing) = self.find(steps)?;
                let holds = match guard {
                    0 => missing.is_empty(),
                    1 => !missing.is_empty(),
                    _ => true,
                };
                let content = value.map_or(Held::Null, Held::Int);
                holds.then_some(())?;
                self.put(&way, &missing, content, at.as_deref(), *overwrite)
            }
            Act::SetBranch(steps, few) => {
                let (way, missing) = self.find(steps)?;
                let few = few.iter().map(|(l, v)| Node::of(l, Held::Int(*v)));
                self.put(&way, &missing, Held::Bag(few.collect()), None, false)
            }
            Act::Attribute(steps, attribute, value) => {
                let (way, missing) = self.find(steps)?;
                if value.is_none() && !missing.is_empty() {
                    return Some(());
                }
                let way = if missing.is_empty() {
                    way
                } else {
                    self.put(&way, &missing, Held::Null, None, false)?;
                    self.find(steps)?.0
                };
                let own = &mut self.at(&way).attributes;
                own.retain(|(name, _)| name != attribute || value.is_some());
                if let Some(value) = value {
                    match own.iter_mut().find(|(name, _)| name == attribute) {
                        Some(entry) => entry.1 = *value,
                        None => own.push(((*attribute).to_owned(), *value)),
                    }
                }
                Some(())
            }
            Act::Remove(steps) => {
                if let Some((mut way, missing)) = self.find(steps)
                    && missing.is_empty()
                {
                    let index = way.pop()?;
                    self.at(&way).bag()?.remove(index);
                }
                Some(())
            }
            Act::Move(from, to, at) => {
                let (Step::Label(label), above) = to.split_last()? else {
                    return None;
                };
                let (from, missing) = self.find(from)?;
                let (parent, no_parent) = self.find(above)?;
                if !missing.is_empty() || !no_parent.is_empty() || parent.starts_with(&from) {
                    return None;
                }
                self.relocate(&from, &parent, label, *at)
            }
            Act::Rename(steps, label) => {
                let (way, missing) = self.find(steps)?;
                if !missing.is_empty() {
                    return None;
                }
                self.relocate(&way, &way[..way.len() - 1], label, None)
            }
            Act::Sort(steps) | Act::Clear(steps) => {
                let (way, missing) = self.find(steps)?;
                if !missing.is_empty() {
                    return None;
                }
                let children = self.at(&way).bag()?;
                match act {
                    Act::Clear(_) => children.clear(),
                    _ => children.sort_by(|a, b| b.label.cmp(&a.label)),
                }
                Some(())
            }
            Act::Merge(steps, few) => {
                let (way, missing) = self.find(steps)?;
                let has_value = missing.is_empty() && matches!(self.at(&way).content, Held::Int(_));
                if has_value {
                    return None;
                }
                if !missing.is_empty() || self.at(&way).content == Held::Null {
                    self.put(&way, &missing, Held::default(), None, false)?;
                }
                let way = self.find(steps)?.0;
                let children = self.at(&way).bag()?;
                for (label, value) in few {
                    match children.iter_mut().find(|own| own.label == *label) {
                        Some(own) => own.content = Held::Int(*value),
                        None => children.push(Node::of(label, Held::Int(*value))),
                    }
                }
                Some(())
            }
            Act::Snapshot => Some(()),
        }
    }

    fn put(
        &mut self,
        way: &[usize],
        missing: &[String],
        content: Held,
        at: Option<&str>,
        overwrite: bool,
    ) -> Option<()> {
        let node = self.at(way);
        let Some((last, above)) = missing.split_last() else {
            node.content = content;
            return Some(());
        };
        if matches!(node.content, Held::Int(_)) && !overwrite {
            return None;
        }
        let is_fresh = !above.is_empty() || !matches!(node.content, Held::Bag(_));
        let children = if is_fresh { &[] } else { node.children() };
        let at = placed(at.unwrap_or(">"), children, None)?;
        if !matches!(node.content, Held::Bag(_)) {
            node.content = Held::default();
        }
        let mut node = node;
        for label in above {
            let children = node.bag()?;
            children.push(Node::of(label, Held::default()));
            node = children.last_mut()?;
        }
        node.bag()?.insert(at, Node::of(last, content));
        Some(())
    }

    fn relocate(
        &mut self,
        from: &[usize],
        parent: &[usize],
        label: &str,
        at: Option<&str>,
    ) -> Option<()> {
        let (index, old_parent) = from.split_last()?;
        let is_same_bag = old_parent == parent;
        let moving = is_same_bag.then_some(*index);
        let is_null = self.at(parent).content == Held::Null;
        let children = match is_null {
            true => Vec::new(),
            false => self.at(parent).bag()?.clone(),
        };
        let taken = children.iter().position(|own| own.label == label);
        if taken.is_some() && taken != moving {
            return None;
        }
        let place = match at {
            Some(at) => placed(at, &children, moving)?,
            None if is_same_bag => *index,
            None => children.len(),
        };
        if is_null {
            self.at(parent).content = Held::default();
        }
        // Taking the node out shifts the indexes behind it, also of the new parent's bag.
        let mut node = self.at(old_parent).bag()?.remove(*index);
        let mut parent = parent.to_vec();
        if parent.starts_with(old_parent)
            && let Some(next) = parent.get_mut(old_parent.len())
            && *next > *index
        {
            *next -= 1;
        }
        node.label = label.to_owned();
        self.at(&parent).bag()?.insert(place, node);
        Some(())
    }
}

pub(crate) fn edit(act: &Act) -> Option<GuardedEdit> {
    let at = |steps: &[Step]| path(&printed(steps));
    let branch = |few: &[(String, i64)]| {
        let rows = few.iter().map(|(l, v)| Row::value(0, label(l), *v));
        Branch::from_rows(rows).unwrap()
    };
    let mut precondition = None;
    let edit = match act {
        Act::Set(steps, value, place, overwrite, guard) => {
            precondition = match guard {
                0 => Some(Precondition::Present),
                1 => Some(Precondition::Missing),
                _ => None,
            };
            Edit::Set {
                path: at(steps),
                content: Some(Content::Value(value.map_or(Value::Null, Value::Int))),
                attributes: None,
                position: place.map(position),
                overwrite: *overwrite,
            }
        }
        Act::SetBranch(steps, few) => Edit::set(at(steps), branch(few)),
        Act::Attribute(steps, attribute, value) => Edit::SetAttributes {
            path: at(steps),
            attributes: Attributes::from_iter([(
                name(attribute),
                value.map_or(Value::Null, Value::Int),
            )]),
        },
        Act::Remove(steps) => Edit::Remove { path: at(steps) },
        Act::Move(from, to, place) => Edit::Move {
            path: at(from),
            to: at(to),
            position: place.map(position),
        },
        Act::Rename(steps, to) => Edit::Rename {
            path: at(steps),
            label: label(to),
        },
        Act::Sort(steps) => {
            let mut by = SortKey::from(SortField::Label);
            by.terms[0].descending = true;
            let path = at(steps);
            Edit::Sort { path, by }
        }
        Act::Clear(steps) => Edit::Clear { path: at(steps) },
        Act::Merge(steps, few) => Edit::Merge {
            path: at(steps),
            branch: branch(few),
        },
        Act::Snapshot => return None,
    };
    Some(GuardedEdit { edit, precondition })
}

fn rows(bag: &dhlrs_bag::Tree) -> Vec<Row> {
    bag.root().rows().collect()
}

/// Everything an image says, and what is found by each way there is to a node.
fn check(bag: &Bag, model: &Node) {
    let mut expected = Vec::new();
    model.listed(0, &mut expected);
    assert_eq!(rows(bag), expected);
    assert_eq!(bag.len(), expected.len() as u64);
    for visited in bag.root().walk() {
        let node = visited.node;
        assert_eq!(bag.node(&node.path()), Some(node));
        assert_eq!(bag.node_by_id(node.id()), Some(node));
        let parent = node.parent().unwrap();
        assert_eq!(parent.child_at(node.index() as i64), Some(node));
        let from_end = node.index() as i64 - parent.len() as i64;
        assert_eq!(parent.child_at(from_end), Some(node));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn does_what_the_simple_tree_does(acts in prop::collection::vec(acts(), 1..60)) {
        let mut bag = Bag::new();
        let mut model = Node::default();
        let mut kept: Vec<(Snapshot, Vec<Row>)> = Vec::new();
        // From here on, ops alone must lead to the same state.
        let mut replica: Option<Bag> = None;
        for act in &acts {
            let Some(edit) = edit(act) else {
                kept.push((bag.snapshot(), rows(&bag)));
                if replica.is_none() {
                    let restored = Bag::restore(bag.image_counters(), bag.image()).unwrap();
                    replica = Some(restored);
                }
                continue;
            };
            let before = model.clone();
            let expected = model.act(act);
            if expected.is_none() {
                model = before.clone();
            }
            let image: Vec<_> = bag.image().collect();
            let ordered = bag.order(&edit);
            prop_assert_eq!(ordered.is_ok(), expected.is_some(), "{:?}: {:?} on {:?}", act, ordered, before);
            prop_assert!(bag.image().eq(image.iter().cloned()));
            if let Ok(ops) = ordered {
                let revision = bag.revision() + 1;
                let changes = bag.apply(&ops, revision);
                prop_assert_eq!(changes.is_empty(), before == model, "{:?} told {:?}", act, changes);
                prop_assert_eq!(changes.is_empty(), bag.image().eq(image));
                if let Some(replica) = &mut replica {
                    prop_assert_eq!(replica.apply(&ops, revision), changes);
                }
            }
            check(&bag, &model);
        }
        for (snapshot, rows_then) in kept {
            prop_assert_eq!(rows(&snapshot), rows_then);
        }
        if let Some(replica) = replica {
            prop_assert!(replica.image().eq(bag.image()));
            prop_assert_eq!(replica.image_counters(), bag.image_counters());
        }
    }

    #[test]
    fn ops_out_of_place_change_nothing_that_is_sound(
        acts in prop::collection::vec(acts(), 1..20),
        picks in prop::collection::vec((0_u8..6, 0_u64..40, 0_u64..40, prop::option::of(0_u64..40), "[a-e]"), 1..30),
    ) {
        let mut bag = Bag::new();
        for edit in acts.iter().filter_map(edit) {
            let _ = bag.edit(edit);
        }
        for (kind, a, b, after, to) in picks {
            let id = |n: u64| NodeId::from_bytes(u128::from(n).to_be_bytes());
            let op = match kind {
                0 => Op::Remove { id: id(a) },
                1 => Op::Rename { id: id(a), label: label(&to) },
                2 | 3 => Op::Move { id: id(a), parent: id(b), after: after.map(id), label: label(&to) },
                4 => Op::Write {
                    id: id(a),
                    content: None,
                    attributes: Some(AttributesWrite::Replace(Attributes::new())),
                    resolver: None,
                    autocreated: false,
                },
                _ => Op::Insert {
                    parent: id(a),
                    after: after.map(id),
                    id: id(b),
                    label: label(&to),
                    content: Content::Value(Value::Int(1)),
                    attributes: Attributes::new(),
                    resolver: None,
                    autocreated: false,
                },
            };
            let image: Vec<_> = bag.image().collect();
            let revision = bag.revision() + 1;
            let changes = bag.apply(&[op], revision);
            prop_assert_eq!(changes.is_empty(), bag.image().eq(image));
            // What stands there is still a tree that each way leads through.
            let restored = Bag::restore(bag.image_counters(), bag.image()).unwrap();
            prop_assert!(restored.image().eq(bag.image()));
            prop_assert_eq!(bag.root().walk().count() as u64, bag.len());
        }
    }
}
