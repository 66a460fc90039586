//! The move log: Moves in their total order, undone and redone so that all replicas replay them alike.

use std::collections::BTreeMap;

use dhlrs_bag::NodeId;
use dhlrs_feed::EventDot;
use serde::{Deserialize, Serialize};

use crate::causality::Causality;
use crate::fault::Fault;
use crate::node::{Edge, Node, Rank};
use crate::tree::Tree;

/// Moves by rank, the first `applied` of them in effect.
///
/// After Kleppmann et al., "A highly-available move operation for replicated trees" (2021).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MoveLog {
    pub(crate) entries: Vec<LoggedMove>,
    pub(crate) applied: usize,
    /// The edges as they were at the last redo, of the bag nodes whose edge was taken back since.
    #[serde(skip)]
    before: BTreeMap<NodeId, Option<Edge>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LoggedMove {
    pub(crate) rank: Rank,
    pub(crate) node: NodeId,
    pub(crate) parent: NodeId,
    /// What it replaced, when it is applied and has an effect.
    pub(crate) replaced: Option<Option<Edge>>,
}

impl Tree {
    /// Puts a Move into the log; `redo_moves` brings it into effect.
    pub(crate) fn insert_move(&mut self, rank: Rank, node: NodeId, parent: NodeId) {
        let at = match self.planted.has(Fault::NoUndo) {
            true => self.moves.entries.len(),
            false => self
                .moves
                .entries
                .partition_point(|entry| entry.rank < rank),
        };
        self.undo_moves(at);
        self.moves.entries.insert(
            at,
            LoggedMove {
                rank,
                node,
                parent,
                replaced: None,
            },
        );
    }

    /// Takes the Moves from the `keep`th on out of effect.
    pub(crate) fn undo_moves(&mut self, keep: usize) {
        while self.moves.applied > keep {
            self.moves.applied -= 1;
            let at = self.moves.applied;
            let Some(entry) = self.moves.entries.get_mut(at) else {
                return;
            };
            let node = entry.node;
            if let Some(edge) = entry.replaced.take() {
                self.put_edge(node, edge);
            }
        }
    }

    /// Brings the rest of the Moves into effect, in their order.
    pub(crate) fn redo_moves(&mut self, causality: &Causality) {
        while let Some(entry) = self.moves.entries.get(self.moves.applied) {
            let (rank, node, parent) = (entry.rank, entry.node, entry.parent);
            let is_cycle = self.stands_within(parent, node);
            let is_effective = !is_cycle || self.planted.has(Fault::NoCycleCheck);
            let replaced = is_effective.then(|| {
                let mut carried = self.reaching(causality, node);
                carried.retain(|remove| causality.sees(&rank.dot, remove));
                if self.planted.has(Fault::CarryFiltered) {
                    carried.retain(|remove| self.may_kill_at(remove, node));
                }
                carried.sort_unstable();
                carried.dedup();
                self.put_edge(
                    node,
                    Some(Edge {
                        parent,
                        rank,
                        carried,
                    }),
                )
            });
            if let Some(entry) = self.moves.entries.get_mut(self.moves.applied) {
                entry.replaced = replaced;
            }
            self.moves.applied += 1;
        }
        for (id, before) in std::mem::take(&mut self.moves.before) {
            let now = self.nodes.get(&id).and_then(|node| node.edge.as_ref());
            if now != before.as_ref() {
                self.unsettled.insert(id);
            }
        }
    }

    /// Whether `id` is `ancestor` or stands below it.
    pub(crate) fn stands_within(&self, id: NodeId, ancestor: NodeId) -> bool {
        self.way_up(id).any(|id| id == ancestor)
    }

    fn put_edge(&mut self, id: NodeId, edge: Option<Edge>) -> Option<Edge> {
        let node = self.nodes.get_mut(&id)?;
        let (from, is_alive) = (node.parent(), node.is_alive());
        let replaced = std::mem::replace(&mut node.edge, edge);
        let to = node.parent();
        self.moves
            .before
            .entry(id)
            .or_insert_with(|| replaced.clone());
        if from != to {
            for (bag, stands_there) in [(from, false), (to, true)] {
                let Some(bag) = bag else { continue };
                if let Some(node) = self.nodes.get_mut(&bag) {
                    match stands_there {
                        true => node.children.insert(id),
                        false => node.children.remove(&id),
                    };
                }
                if is_alive {
                    self.tell_parents(Some(bag), stands_there);
                }
            }
        }
        replaced
    }

    /// Takes the Moves below `rank` out of the log; their effect stays for good.
    pub(crate) fn settle_moves(&mut self, settled: usize, is_dropped: impl Fn(&EventDot) -> bool) {
        self.undo_moves(settled);
        self.moves
            .entries
            .drain(..settled.min(self.moves.entries.len()));
        self.moves.applied = 0;
        let carries = |node: &Node| {
            let edge = node.edge.iter();
            edge.flat_map(|edge| &edge.carried).any(&is_dropped)
        };
        for id in self.nodes.ids_where(carries) {
            let node = self.nodes.get_mut(&id);
            if let Some(edge) = node.and_then(|node| node.edge.as_mut()) {
                edge.carried.retain(|remove| !is_dropped(remove));
            }
        }
    }
}
