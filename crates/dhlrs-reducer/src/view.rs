//! The view: what bag nodes show, and in which order.

use std::collections::{BTreeMap, BTreeSet};

use dhlrs_bag::{Label, Name, NodeId, Value};
use dhlrs_clock::Stamp;
use dhlrs_feed::{Cell, OrderKey};

use crate::causality::Causality;
use crate::fault::Fault;
use crate::node::{Node, Rank};
use crate::tree::{Covering, Tree};

/// What one bag node shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeView {
    /// The bag that it shows in.
    pub parent: NodeId,
    /// The label that it goes by.
    pub label: Label,
    /// Another child keeps the label; this one is reached as `label~ID`.
    pub is_displaced: bool,
    /// Its scalar; `None` is a bag.
    pub value: Option<Value>,
    /// The scalar that its children hide.
    pub hidden: Option<Value>,
    /// Its attributes.
    pub attributes: BTreeMap<Name, Value>,
}

impl NodeView {
    /// Whether replicas disagreed about it so that a person should look.
    #[must_use]
    pub fn is_in_conflict(&self) -> bool {
        self.is_displaced || self.hidden.is_some()
    }
}

/// What a reduction changed: the view before beside the view after, where they differ.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ViewChanges {
    /// The bag nodes that came, went, or show something else: before, and now.
    pub nodes: BTreeMap<NodeId, (Option<NodeView>, Option<NodeView>)>,
    /// The bags whose list of children is another one, with that list.
    pub bags: BTreeMap<NodeId, Vec<NodeId>>,
    /// The attributes of the root, if they changed.
    pub root_attributes: Option<BTreeMap<Name, Value>>,
}

impl ViewChanges {
    /// Whether nothing shows otherwise.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty() && self.bags.is_empty() && self.root_attributes.is_none()
    }
}

/// What was shown last.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shown {
    pub(crate) nodes: BTreeMap<NodeId, NodeView>,
    pub(crate) bags: BTreeMap<NodeId, Vec<NodeId>>,
    pub(crate) root_attributes: BTreeMap<Name, Value>,
}

/// How a child shows in its bag.
struct Child {
    key: OrderKey,
    placed: Option<Rank>,
    id: NodeId,
    label: Label,
    claim: Option<Stamp>,
}

impl Shown {
    /// Shows what the settled tree has come to; `whole` looks at all of it.
    pub(crate) fn update(
        &mut self,
        tree: &mut Tree,
        causality: &Causality,
        whole: bool,
    ) -> ViewChanges {
        let mut nodes = std::mem::take(&mut tree.changed);
        let mut bags = std::mem::take(&mut tree.changed_bags);
        if whole {
            nodes.extend(tree.nodes.keys().chain(self.nodes.keys()));
            bags.extend(tree.nodes.keys().chain(self.bags.keys()));
        }
        let mut changes = ViewChanges::default();
        let mut labels: BTreeMap<NodeId, (Label, bool)> = BTreeMap::new();
        for bag in bags {
            let children = tree.children(causality, bag);
            for (child, is_displaced) in displaced(&children) {
                // What a sibling shows has not changed because the list has.
                let is_same = self.nodes.get(&child.id).is_some_and(|view| {
                    view.parent == bag
                        && view.label == child.label
                        && view.is_displaced == is_displaced
                });
                if !is_same {
                    labels.insert(child.id, (child.label.clone(), is_displaced));
                    nodes.insert(child.id);
                }
            }
            let list: Vec<NodeId> = children.iter().map(|child| child.id).collect();
            let before = self.bags.get(&bag).map_or(&[][..], Vec::as_slice);
            if *before != *list {
                changes.bags.insert(bag, list.clone());
            }
            match list.is_empty() {
                true => self.bags.remove(&bag),
                false => self.bags.insert(bag, list),
            };
        }
        for id in nodes {
            if id == NodeId::ROOT {
                let attributes = tree.attributes(causality, id);
                if attributes != self.root_attributes {
                    self.root_attributes.clone_from(&attributes);
                    changes.root_attributes = Some(attributes);
                }
                continue;
            }
            let known = self.nodes.get(&id);
            let label = labels
                .remove(&id)
                .or_else(|| known.map(|view| (view.label.clone(), view.is_displaced)));
            let now = label.and_then(|label| tree.view(causality, id, label));
            if known != now.as_ref() {
                let before = match &now {
                    Some(view) => self.nodes.insert(id, view.clone()),
                    None => self.nodes.remove(&id),
                };
                changes.nodes.insert(id, (before, now));
            }
        }
        changes
    }
}

/// Each child, and whether another one keeps its label.
fn displaced(children: &[Child]) -> impl Iterator<Item = (&Child, bool)> {
    let mut keepers: BTreeMap<&Label, &Child> = BTreeMap::new();
    for child in children {
        let keeper = keepers.entry(&child.label).or_insert(child);
        if (child.claim, child.id) > (keeper.claim, keeper.id) {
            *keeper = child;
        }
    }
    (children.iter()).map(move |child| {
        (
            child,
            keepers
                .get(&child.label)
                .is_some_and(|keeper| keeper.id != child.id),
        )
    })
}

impl Tree {
    /// The living children in their order.
    fn children(&self, causality: &Causality, bag: NodeId) -> Vec<Child> {
        let all: Option<&BTreeSet<NodeId>> = self.nodes.get(&bag).map(|node| &node.children);
        let mut children: Vec<Child> = all
            .into_iter()
            .flatten()
            .filter_map(|id| self.child(causality, bag, *id))
            .collect();
        children.sort_by(|a, b| (&a.key, a.placed, a.id).cmp(&(&b.key, b.placed, b.id)));
        children
    }

    fn child(&self, causality: &Causality, bag: NodeId, id: NodeId) -> Option<Child> {
        let node = self.nodes.get(&id).filter(|node| node.is_alive())?;
        let covering = Covering::of(self, causality, id);
        let is_live = |rank: &Rank| !covering.kills(&rank.dot);
        let orders = node.orders.get(&bag).into_iter().flatten();
        let greatest = orders
            .filter(|(rank, _)| is_live(rank))
            .max_by_key(|(rank, _)| *rank);
        let claims = node.assertions.iter().chain(&node.renames);
        Some(Child {
            key: greatest.map(|(_, key)| key.clone()).unwrap_or_default(),
            placed: greatest.map(|(rank, _)| *rank),
            id,
            label: node.label()?,
            claim: claims
                .filter(|rank| is_live(rank))
                .map(|rank| rank.stamp)
                .max(),
        })
    }

    fn view(&self, causality: &Causality, id: NodeId, label: (Label, bool)) -> Option<NodeView> {
        let node: &Node = self.nodes.get(&id).filter(|node| node.is_alive())?;
        let scalar = self.read(causality, id, &Cell::Scalar);
        let is_bag = node.living_children > 0;
        let (label, is_displaced) = label;
        Some(NodeView {
            parent: node.parent()?,
            label,
            is_displaced,
            value: scalar.clone().filter(|_| !is_bag),
            // `overwrite` writes Null to what it passes, so that nothing is hidden there.
            hidden: scalar.filter(|value| is_bag && !value.is_null()),
            attributes: self.attributes(causality, id),
        })
    }

    fn attributes(&self, causality: &Causality, id: NodeId) -> BTreeMap<Name, Value> {
        let cells = self
            .nodes
            .get(&id)
            .into_iter()
            .flat_map(|node| node.cells.keys());
        cells
            .filter_map(|cell| match cell {
                Cell::Scalar => None,
                Cell::Attribute(name) => {
                    let value = self.read(causality, id, cell)?;
                    (!value.is_null()).then(|| (name.clone(), value))
                }
            })
            .collect()
    }

    /// The greatest of the live writes.
    fn read(&self, causality: &Causality, id: NodeId, cell: &Cell) -> Option<Value> {
        let writes = self.live_writes(causality, id, cell);
        writes.last().map(|(_, value)| value.clone())
    }

    /// The live writes of which none has seen another, the greatest last.
    pub(crate) fn live_writes(
        &self,
        causality: &Causality,
        id: NodeId,
        cell: &Cell,
    ) -> Vec<(Rank, Value)> {
        let Some(writes) = self.nodes.get(&id).and_then(|node| node.cells.get(cell)) else {
            return Vec::new();
        };
        let covering = Covering::of(self, causality, id);
        let mut live: Vec<(Rank, Value)> = writes
            .iter()
            .filter(|(rank, _)| !covering.kills_in(cell, &rank.dot))
            .cloned()
            .collect();
        if self.planted.has(Fault::NoTieBreak) {
            live.sort_by_key(|(rank, _)| rank.stamp);
        } else if !self.planted.has(Fault::ArrivalOrderWins) {
            live.sort_by_key(|(rank, _)| *rank);
        }
        live
    }
}
