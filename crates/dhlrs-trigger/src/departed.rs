//! Nodes that went away without a change of their own.

use dhlrs_bag::{Change, ChangeKind, NodeId};
use dhlrs_path::DEPTH_MAX;

use crate::reach::loses_children;

/// How many nodes of one revision are noted; of a larger one none is.
pub const DEPARTED_NODES_MAX: usize = 262_144;

/// The nodes that one revision took away together with a bag around them, each with the bag that it
/// was in. The change names that bag alone; whoever followed a node in it asks here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Departed {
    nodes: Vec<(NodeId, NodeId)>,
    is_incomplete: bool,
}

impl Departed {
    /// Notes a node and the bag that it is in, which may depart too.
    pub fn push(&mut self, node: NodeId, bag: NodeId) {
        if self.nodes.len() >= DEPARTED_NODES_MAX {
            self.nodes = Vec::new();
            self.is_incomplete = true;
        }
        if !self.is_incomplete {
            self.nodes.push((node, bag));
        }
    }

    /// Whether nothing departed.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty() && !self.is_incomplete
    }

    /// Whether there were too many to note.
    pub(crate) fn is_incomplete(&self) -> bool {
        self.is_incomplete
    }

    pub(crate) fn sort(&mut self) {
        self.nodes.sort_unstable();
        self.nodes.shrink_to_fit();
    }

    pub(crate) fn bytes(&self) -> usize {
        self.nodes.len() * size_of::<(NodeId, NodeId)>()
    }

    /// The bags around a node before the change that took it away, if it was this one.
    pub(crate) fn around(&self, id: NodeId, change: &Change) -> Option<Vec<NodeId>> {
        if change.kind != ChangeKind::Remove && !loses_children(change) {
            return None;
        }
        let mut around = Vec::new();
        let mut at = id;
        for _ in 0..DEPTH_MAX {
            let place = self.nodes.binary_search_by_key(&at, |(node, _)| *node);
            let (_, bag) = self.nodes.get(place.ok()?)?;
            around.push(*bag);
            if *bag == change.id {
                around.extend(&change.ancestors);
                return Some(around);
            }
            at = *bag;
        }
        None
    }
}
