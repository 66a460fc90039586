//! Compaction: at a Mark, what can make no difference any more is dropped, everywhere the same.

use std::collections::BTreeSet;

use dhlrs_bag::NodeId;
use dhlrs_clock::{Stamp, VersionVector};
use dhlrs_feed::{EventDot, FeedId};

use crate::causality::Causality;
use crate::fault::Fault;
use crate::node::Node;
use crate::tree::{Covering, Tree};

impl Tree {
    /// Drops what is settled. `last` is the frontier that every event to come has seen, `quiet_below` a stamp below
    /// which none will come.
    pub(crate) fn compact(
        &mut self,
        causality: &mut Causality,
        last: &VersionVector<FeedId>,
        quiet_below: Stamp,
    ) {
        self.settle(causality);
        let settled = (self.moves.entries).partition_point(|entry| {
            entry.rank.stamp < quiet_below || self.planted.has(Fault::LogCutEarly)
        });
        let left = self.moves.entries.get(settled..).unwrap_or_default();
        let dropped: BTreeSet<EventDot> = self
            .removes
            .keys()
            .filter(|remove| last.contains(remove))
            .filter(|remove| {
                self.planted.has(Fault::RemoveDroppedEarly)
                    || !(left.iter()).any(|entry| causality.are_concurrent(remove, &entry.rank.dot))
            })
            .copied()
            .collect();
        match self.planted.has(Fault::KillsPurgedEarly) {
            true => {
                let inside = self.removes.keys().filter(|remove| last.contains(remove));
                self.purge_killed(causality, &inside.copied().collect());
            }
            false => self.purge_killed(causality, &dropped),
        }
        self.settle_moves(settled, |remove| dropped.contains(remove));
        for dot in &dropped {
            if let Some(remove) = self.removes.remove(dot)
                && let Some(node) = self.nodes.get_mut(&remove.node)
            {
                node.placed.remove(dot);
            }
        }
        self.redo_moves(causality);
        self.purge_overwritten(causality, last);
        self.purge_blank_nodes();
        // A Remove that is kept asks who had seen what among what is settled.
        if !self.removes.keys().any(|remove| last.contains(remove)) {
            causality.settle(last);
        }
        self.settle(causality);
    }

    /// What [`Fault::EagerRemove`] does.
    pub(crate) fn forget_removes(&mut self, causality: &Causality) {
        let all: BTreeSet<EventDot> = self.removes.keys().copied().collect();
        self.purge_killed(causality, &all);
        self.removes.clear();
        for id in self.nodes.ids_where(|_| true) {
            if let Some(node) = self.nodes.get_mut(&id) {
                node.placed.clear();
                node.edge.iter_mut().for_each(|edge| edge.carried.clear());
            }
        }
    }

    fn purge_killed(&mut self, causality: &Causality, dropped: &BTreeSet<EventDot>) {
        if dropped.is_empty() {
            return;
        }
        for id in self.nodes.ids_where(|_| true) {
            let mut covering = Covering::of(self, causality, id);
            covering.restrict(dropped);
            if covering.is_empty() {
                continue;
            }
            let Some(mut node) = self.nodes.get(&id).cloned() else {
                continue;
            };
            node.assertions.retain(|rank| !covering.kills(&rank.dot));
            node.renames.retain(|rank| !covering.kills(&rank.dot));
            for orders in node.orders.values_mut() {
                orders.retain(|(rank, _)| !covering.kills(&rank.dot));
            }
            node.orders.retain(|_, orders| !orders.is_empty());
            for (cell, writes) in &mut node.cells {
                writes.retain(|(rank, _)| !covering.kills_in(cell, &rank.dot));
            }
            node.cells.retain(|_, writes| !writes.is_empty());
            self.nodes.insert(id, node);
        }
    }

    /// Of concurrent writes only the greatest shows; a lesser one waits only for a Remove that takes the greater alone.
    fn purge_overwritten(&mut self, causality: &Causality, last: &VersionVector<FeedId>) {
        let kept: Vec<EventDot> = self.removes.keys().copied().collect();
        let has_several = |node: &Node| node.cells.values().any(|writes| writes.len() > 1);
        for id in self.nodes.ids_where(has_several) {
            let Some(mut node) = self.nodes.get(&id).cloned() else {
                continue;
            };
            for writes in node.cells.values_mut() {
                if writes.len() < 2 {
                    continue;
                }
                let all: Vec<_> = writes.iter().map(|(rank, _)| *rank).collect();
                writes.retain(|(rank, _)| {
                    let is_overwritten = last.contains(&rank.dot)
                        && all.iter().any(|other| {
                            let outlives = |remove: &EventDot| {
                                self.would_kill(causality, remove, &other.dot)
                                    && !self.would_kill(causality, remove, &rank.dot)
                            };
                            other > rank && last.contains(&other.dot) && !kept.iter().any(outlives)
                        });
                    !is_overwritten
                });
            }
            self.nodes.insert(id, node);
        }
    }

    fn purge_blank_nodes(&mut self) {
        let mut open = self.nodes.ids_where(Node::is_blank);
        while let Some(id) = open.pop() {
            let Some(node) = self.nodes.get(&id) else {
                continue;
            };
            let Some(parent) = node.parent() else {
                continue;
            };
            let is_needed = self.is_target_of_move(id);
            if node.is_blank() && node.children.is_empty() && !is_needed {
                self.nodes.remove(&id);
                if let Some(parent) = self.nodes.get_mut(&parent) {
                    parent.children.remove(&id);
                }
                open.push(parent);
            }
        }
    }

    // Undoing and redoing may put something below it again; and a home may be on the way of something that moved.
    fn is_target_of_move(&self, id: NodeId) -> bool {
        self.moves.entries.iter().any(|entry| {
            let replaced = entry.replaced.as_ref().and_then(Option::as_ref);
            entry.parent == id || replaced.is_some_and(|edge| edge.parent == id)
        }) || self.moves.entries.iter().any(|entry| {
            (self.nodes.get(&entry.node)).is_some_and(|node| node.home_parent() == Some(id))
        })
    }
}
