//! A small tree that makes changes, and is walked by the simplest means.

use dhlrs_bag::{Change, ChangeKind, Changes, Meta, NodeId, Shown, Value};
use dhlrs_path::Path;
use dhlrs_trigger::Place;

#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) id: NodeId,
    pub(crate) parent: Option<NodeId>,
    pub(crate) label: String,
    pub(crate) is_bag: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Model {
    pub(crate) nodes: Vec<Node>,
    next: u8,
}

#[derive(Debug, Clone)]
pub(crate) enum Step {
    Insert {
        at: usize,
        label: usize,
        is_bag: bool,
    },
    Value {
        at: usize,
    },
    Branch {
        at: usize,
    },
    Attributes {
        at: usize,
    },
    Remove {
        at: usize,
    },
    Move {
        at: usize,
        to: usize,
    },
    Rename {
        at: usize,
        label: usize,
    },
    Sort {
        at: usize,
    },
    Replace {
        at: usize,
    },
}

pub(crate) const LABELS: [&str; 4] = ["a", "b", "c", "d"];

impl Model {
    pub(crate) fn new() -> Self {
        let root = Node {
            id: NodeId::ROOT,
            parent: None,
            label: String::new(),
            is_bag: true,
        };
        Self {
            nodes: vec![root],
            next: 0,
        }
    }

    /// A tree with these paths; all but the last steps are bags.
    pub(crate) fn of(paths: &[&str]) -> Self {
        let mut model = Self::new();
        for path in paths {
            let labels: Vec<_> = path.split('.').collect();
            let mut at = NodeId::ROOT;
            for (i, label) in labels.iter().enumerate() {
                at = match model.child(at, label) {
                    Some(node) => node.id,
                    None => model.add(at, label, i + 1 < labels.len()),
                };
            }
        }
        model
    }

    fn add(&mut self, parent: NodeId, label: &str, is_bag: bool) -> NodeId {
        self.next += 1;
        let id = NodeId::from_bytes([self.next; 16]);
        self.nodes.push(Node {
            id,
            parent: Some(parent),
            label: label.into(),
            is_bag,
        });
        id
    }

    pub(crate) fn child(&self, bag: NodeId, label: &str) -> Option<&Node> {
        self.nodes
            .iter()
            .find(|node| node.parent == Some(bag) && node.label == label)
    }

    pub(crate) fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.iter().find(|node| node.id == id)
    }

    pub(crate) fn at(&self, path: &str) -> NodeId {
        let labels = path.split('.').filter(|label| !label.is_empty());
        labels.fold(NodeId::ROOT, |at, label| self.child(at, label).unwrap().id)
    }

    /// The bags around a node, by walking.
    pub(crate) fn ancestors(&self, id: NodeId) -> Vec<NodeId> {
        let mut ancestors = Vec::new();
        let mut at = self.node(id).and_then(|node| node.parent);
        while let Some(id) = at {
            ancestors.push(id);
            at = self.node(id).and_then(|node| node.parent);
        }
        ancestors
    }

    pub(crate) fn place(&self, id: NodeId) -> Place {
        Place {
            id,
            ancestors: self.ancestors(id),
        }
    }

    pub(crate) fn path(&self, id: NodeId) -> Path<'static> {
        let mut ids = self.ancestors(id);
        ids.insert(0, id);
        let labels = ids
            .iter()
            .rev()
            .skip(1)
            .map(|id| self.node(*id).unwrap().label.clone());
        Path::from_labels(labels).unwrap()
    }

    fn is_within(&self, id: NodeId, bag: NodeId) -> bool {
        id == bag || self.ancestors(id).contains(&bag)
    }

    fn shown(&self, id: NodeId) -> Shown {
        match self.node(id) {
            Some(node) if node.is_bag => {
                let below = self
                    .nodes
                    .iter()
                    .filter(|node| self.ancestors(node.id).contains(&id));
                Shown::Branch {
                    nodes: below.count() as u64,
                }
            }
            Some(_) => Shown::Scalar(Value::Int(1)),
            None => Shown::Absent,
        }
    }

    fn change(&self, kind: ChangeKind, id: NodeId) -> Change {
        Change {
            kind,
            id,
            path: self.path(id),
            old_path: None,
            ancestors: self.ancestors(id),
            old_ancestors: vec![],
            old: self.shown(id),
            new: self.shown(id),
            attributes: vec![],
            index: None,
            old_index: None,
            autocreated: false,
            invalidated: false,
        }
    }

    fn pick(&self, at: usize) -> NodeId {
        self.nodes[at % self.nodes.len()].id
    }

    /// Does it, if it can be done.
    pub(crate) fn step(&mut self, step: &Step) -> Option<Change> {
        match *step {
            Step::Insert { at, label, is_bag } => {
                let bag = self.pick(at);
                let label = LABELS[label % LABELS.len()];
                let ok = self.node(bag)?.is_bag && self.child(bag, label).is_none();
                let ok = ok && self.ancestors(bag).len() < 4 && self.next < 200;
                ok.then(|| self.insert(bag, label, is_bag))
            }
            Step::Value { at } => {
                let id = self.pick(at);
                if self.node(id)?.is_bag {
                    return None;
                }
                let mut change = self.change(ChangeKind::Value, id);
                change.new = Shown::Scalar(Value::Int(2));
                Some(change)
            }
            Step::Branch { at } => {
                let id = self.pick(at);
                let node = self
                    .nodes
                    .iter_mut()
                    .find(|node| node.id == id && !node.is_bag)?;
                node.is_bag = true;
                let mut change = self.change(ChangeKind::Value, id);
                change.old = Shown::Scalar(Value::Int(1));
                Some(change)
            }
            Step::Attributes { at } => Some(self.change(ChangeKind::Attributes, self.pick(at))),
            Step::Remove { at } => {
                let id = self.pick(at);
                (id != NodeId::ROOT).then(|| self.remove(id))
            }
            Step::Move { at, to } => self.moved(self.pick(at), self.pick(to)),
            Step::Rename { at, label } => {
                let id = self.pick(at);
                let label = LABELS[label % LABELS.len()];
                let bag = self.node(id)?.parent?;
                self.child(bag, label)
                    .is_none()
                    .then(|| self.rename(id, label))
            }
            Step::Sort { at } => {
                let id = self.pick(at);
                self.node(id)?
                    .is_bag
                    .then(|| self.change(ChangeKind::Sort, id))
            }
            Step::Replace { at } => {
                let id = self.pick(at);
                if !self.node(id)?.is_bag {
                    return None;
                }
                let mut change = self.change(ChangeKind::Replace, id);
                let gone: Vec<_> = self.nodes.iter().map(|node| node.id).collect();
                let gone: Vec<_> = gone
                    .into_iter()
                    .filter(|it| *it != id && self.is_within(*it, id))
                    .collect();
                self.nodes.retain(|node| !gone.contains(&node.id));
                change.new = self.shown(id);
                Some(change)
            }
        }
    }

    pub(crate) fn insert(&mut self, bag: NodeId, label: &str, is_bag: bool) -> Change {
        let id = self.add(bag, label, is_bag);
        let mut change = self.change(ChangeKind::Insert, id);
        change.old = Shown::Absent;
        change
    }

    pub(crate) fn value(&self, id: NodeId) -> Change {
        let mut change = self.change(ChangeKind::Value, id);
        change.new = Shown::Scalar(Value::Int(2));
        change
    }

    pub(crate) fn remove(&mut self, id: NodeId) -> Change {
        let mut change = self.change(ChangeKind::Remove, id);
        change.new = Shown::Absent;
        let all: Vec<_> = self.nodes.iter().map(|node| node.id).collect();
        let gone: Vec<_> = all
            .into_iter()
            .filter(|it| self.is_within(*it, id))
            .collect();
        self.nodes.retain(|node| !gone.contains(&node.id));
        change
    }

    pub(crate) fn moved(&mut self, id: NodeId, to: NodeId) -> Option<Change> {
        let label = self.node(id)?.label.clone();
        let parent = self.node(id)?.parent?;
        let ok = self.node(to)?.is_bag && !self.is_within(to, id) && parent != to;
        if !ok || self.child(to, &label).is_some() {
            return None;
        }
        let (old_path, old_ancestors) = (self.path(id), self.ancestors(id));
        self.nodes.iter_mut().find(|node| node.id == id)?.parent = Some(to);
        let mut change = self.change(ChangeKind::Move, id);
        (change.old_path, change.old_ancestors) = (Some(old_path), old_ancestors);
        Some(change)
    }

    pub(crate) fn rename(&mut self, id: NodeId, label: &str) -> Change {
        let old_path = self.path(id);
        self.nodes
            .iter_mut()
            .find(|node| node.id == id)
            .unwrap()
            .label = label.into();
        let mut change = self.change(ChangeKind::Rename, id);
        change.old_path = Some(old_path);
        change
    }
}

pub(crate) fn changes(revision: u64, list: Vec<Change>) -> Changes {
    Changes {
        meta: Meta {
            revision,
            ..Meta::default()
        },
        list,
        transaction: false,
    }
}

pub(crate) fn transaction(revision: u64, list: Vec<Change>) -> Changes {
    Changes {
        transaction: true,
        ..changes(revision, list)
    }
}
