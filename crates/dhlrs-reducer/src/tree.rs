//! The tree as the ops leave it: what each bag node was told, and which of it still counts.

use std::collections::{BTreeMap, BTreeSet};

use dhlrs_bag::NodeId;
use dhlrs_feed::{Capability, Cell, EventDot, HomePath, IdSet, OnConcurrentWrite, TreeOp};
use serde::{Deserialize, Serialize};

use crate::causality::Causality;
use crate::fault::{Fault, Planted};
use crate::moves::MoveLog;
use crate::node::{Node, Rank};
use crate::node_map::NodeMap;
use crate::view::Told;

/// The tree. Ops go in in causal order, in any such order to the same end; `settle` then brings up to date what is
/// derived, so that a batch pays for it once.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Tree {
    pub(crate) nodes: NodeMap,
    pub(crate) moves: MoveLog,
    pub(crate) removes: BTreeMap<EventDot, Remove>,
    #[serde(skip)]
    pub(crate) planted: Planted,
    /// Bag nodes whose own events have changed; some may be there twice.
    #[serde(skip)]
    pub(crate) touched: Vec<NodeId>,
    /// Bag nodes at and below which Removes may now reach more or less.
    #[serde(skip)]
    pub(crate) unsettled: BTreeSet<NodeId>,
    /// What the events were about since it was asked.
    #[serde(skip)]
    pub(crate) told: Vec<(NodeId, Told)>,
    /// Bag nodes that may show something else since the view was taken; some may be there twice.
    #[serde(skip)]
    pub(crate) changed: Vec<NodeId>,
}

/// A Remove or a Clear.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Remove {
    pub(crate) node: NodeId,
    pub(crate) is_clear: bool,
    pub(crate) unseen: OnConcurrentWrite,
    /// It kills only where its author may write.
    pub(crate) capability: Capability,
}

impl Tree {
    pub(crate) fn new() -> Self {
        let root = HomePath::root();
        let mut nodes = NodeMap::default();
        nodes.insert(root.id(), Node::new(root));
        Self {
            nodes,
            moves: MoveLog::default(),
            removes: BTreeMap::new(),
            planted: Planted::default(),
            touched: Vec::new(),
            told: Vec::new(),
            unsettled: BTreeSet::new(),
            changed: Vec::new(),
        }
    }

    /// Takes in one op. What it has seen must have been taken in before.
    pub(crate) fn apply(
        &mut self,
        causality: &Causality,
        rank: Rank,
        op: &TreeOp,
        capability: &Capability,
    ) {
        let has_seen = |other: &Rank| causality.sees(&rank.dot, &other.dot);
        let told = match op {
            TreeOp::Create { .. } => Told::Create,
            TreeOp::Clear { .. } => Told::Clear,
            _ => Told::Other,
        };
        self.told.push((op.node().id(), told));
        match op {
            TreeOp::Create { node, order } => {
                let parent = node.home().map(|(parent, _)| parent.id());
                let Some(node) = self.node_mut(node) else {
                    return;
                };
                node.assertions.retain(|other| !has_seen(other));
                node.assertions.push(rank);
                if let Some(parent) = parent {
                    let orders = node.orders.entry(parent).or_default();
                    orders.retain(|(other, _)| !has_seen(other));
                    orders.push((rank, order.clone()));
                }
            }
            TreeOp::Write { node, cell, value } => {
                let Some(node) = self.node_mut(node) else {
                    return;
                };
                let writes = match node.cells.get_mut(cell) {
                    Some(writes) => writes,
                    None => node.cells.entry(cell.clone()).or_default(),
                };
                writes.retain(|(other, _)| !has_seen(other));
                writes.push((rank, value.clone()));
            }
            TreeOp::Move {
                node,
                parent,
                order,
            } => {
                self.node_mut(parent);
                let to = parent.id();
                let id = node.id();
                let Some(node) = self.node_mut(node) else {
                    return;
                };
                node.assertions.retain(|other| !has_seen(other));
                node.assertions.push(rank);
                let orders = node.orders.entry(to).or_default();
                orders.retain(|(other, _)| !has_seen(other));
                orders.push((rank, order.clone()));
                self.insert_move(rank, id, to);
            }
            TreeOp::Rename { node, label } => {
                let Some(node) = self.node_mut(node) else {
                    return;
                };
                node.renames.retain(|other| !has_seen(other));
                node.renames.push(rank);
                if node.renamed.as_ref().is_none_or(|(last, _)| *last < rank) {
                    node.renamed = Some((rank, label.clone()));
                }
            }
            TreeOp::Reorder {
                node,
                parent,
                order,
            } => {
                let to = parent.id();
                let Some(node) = self.node_mut(node) else {
                    return;
                };
                let orders = node.orders.entry(to).or_default();
                orders.retain(|(other, _)| !has_seen(other));
                orders.push((rank, order.clone()));
            }
            TreeOp::Remove { node, unseen } => {
                self.place(rank.dot, node, false, *unseen, capability)
            }
            TreeOp::Clear { node, unseen } => self.place(rank.dot, node, true, *unseen, capability),
        }
    }

    fn place(
        &mut self,
        dot: EventDot,
        node: &HomePath,
        is_clear: bool,
        unseen: OnConcurrentWrite,
        capability: &Capability,
    ) {
        if let Some(node) = self.node_mut(node) {
            node.placed.insert(dot);
        }
        self.unsettled.insert(node.id());
        self.removes.insert(
            dot,
            Remove {
                node: node.id(),
                is_clear,
                unseen,
                capability: capability.clone(),
            },
        );
    }

    /// The bag node, known from now on with all on its way home.
    pub(crate) fn node_mut(&mut self, home: &HomePath) -> Option<&mut Node> {
        let id = home.id();
        if self.touched.last() != Some(&id) {
            self.touched.push(id);
        }
        let mut missing = Vec::new();
        let mut at = home;
        // The first look-up is nearly always the last.
        while !self.nodes.contains_key(&at.id()) {
            missing.push(at);
            let Some((parent, _)) = at.home() else { break };
            at = parent;
        }
        for home in missing.into_iter().rev() {
            self.nodes.insert(home.id(), Node::new(home.clone()));
            let parent = home.home().map(|(parent, _)| parent.id());
            if let Some(parent) = parent.and_then(|parent| self.nodes.get_mut(&parent)) {
                parent.children.insert(home.id());
            }
        }
        self.nodes.get_mut(&id)
    }

    /// Brings up to date where bag nodes stand and which of them live.
    pub(crate) fn settle(&mut self, causality: &Causality) {
        self.redo_moves(causality);
        if self.planted.has(Fault::EagerRemove) {
            self.forget_removes(causality);
        }
        self.reach_below();
        let mut touched = std::mem::take(&mut self.touched);
        touched.sort_unstable();
        touched.dedup();
        for id in &touched {
            let Some(node) = self.nodes.get(id) else {
                continue;
            };
            let own_life = {
                let covering = Covering::of(self, causality, *id);
                let assertion = node
                    .assertions
                    .iter()
                    .any(|rank| !covering.kills(&rank.dot));
                assertion
                    || node.cells.iter().any(|(cell, writes)| {
                        writes
                            .iter()
                            .any(|(rank, _)| !covering.kills_in(cell, &rank.dot))
                    })
            };
            if own_life != node.own_life {
                self.set_own_life(*id, own_life);
            }
        }
        match self.changed.is_empty() {
            true => self.changed = touched,
            false => self.changed.extend(touched),
        }
    }

    /// Everything below what is unsettled has been touched.
    fn reach_below(&mut self) {
        if self.unsettled.is_empty() {
            return;
        }
        let mut open: Vec<NodeId> = std::mem::take(&mut self.unsettled).into_iter().collect();
        let mut reached = IdSet::default();
        while let Some(id) = open.pop() {
            if reached.insert(id)
                && let Some(node) = self.nodes.get(&id)
            {
                open.extend(&node.children);
            }
        }
        self.touched.extend(reached);
    }

    fn set_own_life(&mut self, id: NodeId, own_life: bool) {
        let Some(node) = self.nodes.get_mut(&id) else {
            return;
        };
        let was_alive = node.is_alive();
        node.own_life = own_life;
        if was_alive != node.is_alive() {
            let (parent, is_alive) = (node.parent(), node.is_alive());
            self.tell_parents(parent, is_alive);
        }
    }

    /// A child of `parent` has begun or ceased to live.
    pub(crate) fn tell_parents(&mut self, mut parent: Option<NodeId>, lives: bool) {
        while let Some(id) = parent {
            self.changed.push(id);
            let Some(node) = self.nodes.get_mut(&id) else {
                return;
            };
            let was_alive = node.is_alive();
            node.living_children = match lives {
                true => node.living_children + 1,
                false => node.living_children.saturating_sub(1),
            };
            if was_alive == node.is_alive() {
                return;
            }
            parent = node.parent();
        }
    }
}

/// The Removes that reach one bag node.
pub(crate) struct Covering<'a> {
    tree: &'a Tree,
    causality: &'a Causality,
    all: Vec<EventDot>,
    // Clears of the bag node itself, which reach its scalar only.
    inside: Vec<EventDot>,
}

impl<'a> Covering<'a> {
    pub(crate) fn of(tree: &'a Tree, causality: &'a Causality, id: NodeId) -> Self {
        let mut covering = Self {
            tree,
            causality,
            all: Vec::new(),
            inside: Vec::new(),
        };
        if !tree.removes.is_empty() {
            covering.all = tree.reaching(causality, id);
            covering.inside = tree
                .placed_clears(id)
                .filter(|dot| tree.may_kill_at(dot, id))
                .collect();
            covering.all.retain(|dot| tree.may_kill_at(dot, id));
        }
        covering
    }

    /// Whether the event, which names the bag node, has no effect any more.
    pub(crate) fn kills(&self, event: &EventDot) -> bool {
        self.all
            .iter()
            .any(|remove| self.is_killed_by(event, remove))
    }

    /// The same for a write of this cell.
    pub(crate) fn kills_in(&self, cell: &Cell, event: &EventDot) -> bool {
        self.kills(event)
            || *cell == Cell::Scalar
                && (self.inside.iter()).any(|clear| self.is_killed_by(event, clear))
    }

    fn is_killed_by(&self, event: &EventDot, remove: &EventDot) -> bool {
        self.tree.would_kill(self.causality, remove, event)
    }

    /// Whether nothing reaches it.
    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty() && self.inside.is_empty()
    }

    /// Only those of these Removes.
    pub(crate) fn restrict(&mut self, to: &BTreeSet<EventDot>) {
        self.all.retain(|dot| to.contains(dot));
        self.inside.retain(|dot| to.contains(dot));
    }
}

impl Tree {
    /// Whether the Remove kills the event wherever it reaches it.
    pub(crate) fn would_kill(
        &self,
        causality: &Causality,
        remove: &EventDot,
        event: &EventDot,
    ) -> bool {
        let takes_unseen = self
            .removes
            .get(remove)
            .is_some_and(|remove| remove.unseen == OnConcurrentWrite::Remove);
        self.planted.has(Fault::ContextIgnored)
            || causality.sees(remove, event)
            || takes_unseen && remove != event && !causality.sees(event, remove)
    }

    pub(crate) fn may_kill_at(&self, remove: &EventDot, id: NodeId) -> bool {
        let Some(remove) = self.removes.get(remove) else {
            return false;
        };
        remove.capability.prefix.is_empty()
            || (self.nodes.get(&id))
                .is_some_and(|node| node.home.begins_with(&remove.capability.prefix))
    }

    fn placed_clears(&self, id: NodeId) -> impl Iterator<Item = EventDot> {
        let placed = self
            .nodes
            .get(&id)
            .into_iter()
            .flat_map(|node| &node.placed);
        placed
            .filter(|dot| self.removes.get(dot).is_some_and(|remove| remove.is_clear))
            .copied()
    }

    /// The bag node, and all bags around it.
    pub(crate) fn way_up(&self, id: NodeId) -> impl Iterator<Item = NodeId> {
        let above = |id: &NodeId| self.nodes.get(id).and_then(Node::parent);
        // There are no cycles; were there one, it would be seen and not go on for ever.
        std::iter::successors(Some(id), above).take(self.nodes.len() + 1)
    }

    /// The Removes and Clears that reach the bag node from where they were placed, or from the edge that carries them,
    /// without crossing the edge of a Move that they had not seen.
    pub(crate) fn reaching(&self, causality: &Causality, id: NodeId) -> Vec<EventDot> {
        let mut reaching = Vec::new();
        let mut crossed: Vec<EventDot> = Vec::new();
        for at in self.way_up(id) {
            let Some(node) = self.nodes.get(&at) else {
                break;
            };
            let comes_down = |remove: &EventDot, crossed: &[EventDot]| {
                crossed.iter().all(|mover| causality.sees(remove, mover))
            };
            let own = node.edge.as_ref().map(|edge| edge.rank.dot);
            for dot in &node.placed {
                let is_clear = self.removes.get(dot).is_some_and(|remove| remove.is_clear);
                let counts_here = match is_clear {
                    true => at != id,
                    false => own.is_none_or(|mover| causality.sees(dot, &mover)),
                };
                if counts_here && comes_down(dot, &crossed) {
                    reaching.push(*dot);
                }
            }
            if let Some(edge) = &node.edge {
                let carried = edge.carried.iter();
                reaching.extend(carried.filter(|dot| comes_down(dot, &crossed)));
                crossed.push(edge.rank.dot);
            }
        }
        reaching
    }
}

impl Tree {
    /// Whether a Create or Move of its own keeps the bag node alive.
    pub(crate) fn is_asserted(&self, causality: &Causality, id: NodeId) -> bool {
        let covering = Covering::of(self, causality, id);
        self.nodes.get(&id).is_some_and(|node| {
            let mut assertions = node.assertions.iter();
            assertions.any(|rank| !covering.kills(&rank.dot))
        })
    }

    /// Forgets what has changed since the view was taken.
    pub(crate) fn forget_changes(&mut self) {
        self.changed.clear();
        self.told.clear();
    }

    /// Makes again what is not written down: who stands below whom, and who lives. `None` if somebody stands nowhere,
    /// or within himself.
    pub(crate) fn restore(&mut self, causality: &Causality) -> Option<()> {
        let places: Vec<(NodeId, NodeId)> = (self.nodes.nodes())
            .filter_map(|node| Some((node.home.id(), node.parent()?)))
            .collect();
        for (id, parent) in places {
            self.nodes.get_mut(&parent)?.children.insert(id);
        }
        self.unsettled.insert(NodeId::ROOT);
        self.reach_below();
        if self.touched.len() != self.nodes.len() {
            return None;
        }
        self.settle(causality);
        Some(())
    }
}
