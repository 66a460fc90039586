//! The bag nodes by id, in pages that copies share until one of them is written.

use std::collections::BTreeMap;

use dhlrs_bag::NodeId;
use dhlrs_feed::IdMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use triomphe::Arc;

use crate::node::Node;

const PAGE: usize = 16;

/// All known bag nodes.
///
/// A look-up costs one hash; a copy O(bag nodes / 16), and the first write to a page after it a copy of that page. The
/// first bag node that is added after a copy costs a copy of the index.
#[derive(Clone, Debug, Default)]
pub(crate) struct NodeMap {
    index: Arc<IdMap<usize>>,
    pages: Vec<Arc<Vec<Option<Node>>>>,
    free: Vec<usize>,
}

impl NodeMap {
    pub(crate) fn len(&self) -> usize {
        self.index.len()
    }

    pub(crate) fn get(&self, id: &NodeId) -> Option<&Node> {
        let slot = *self.index.get(id)?;
        self.pages.get(slot / PAGE)?.get(slot % PAGE)?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, id: &NodeId) -> Option<&mut Node> {
        let slot = *self.index.get(id)?;
        let page = self.pages.get_mut(slot / PAGE)?;
        Arc::make_mut(page).get_mut(slot % PAGE)?.as_mut()
    }

    pub(crate) fn contains_key(&self, id: &NodeId) -> bool {
        self.index.contains_key(id)
    }

    pub(crate) fn insert(&mut self, id: NodeId, node: Node) {
        if let Some(known) = self.get_mut(&id) {
            *known = node;
            return;
        }
        let slot = self.free.pop().unwrap_or_else(|| self.grow());
        if let Some(place) = self.place(slot) {
            *place = Some(node);
            Arc::make_mut(&mut self.index).insert(id, slot);
        }
    }

    pub(crate) fn remove(&mut self, id: &NodeId) -> Option<Node> {
        let slot = Arc::make_mut(&mut self.index).remove(id)?;
        self.free.push(slot);
        self.place(slot)?.take()
    }

    /// A slot that no other one is.
    fn grow(&mut self) -> usize {
        let pages = self.pages.len();
        match self.pages.last_mut() {
            Some(page) if page.len() < PAGE => {
                let page = Arc::make_mut(page);
                page.push(None);
                (pages - 1) * PAGE + page.len() - 1
            }
            _ => {
                let mut page = Vec::with_capacity(PAGE);
                page.push(None);
                self.pages.push(Arc::new(page));
                pages * PAGE
            }
        }
    }

    fn place(&mut self, slot: usize) -> Option<&mut Option<Node>> {
        let page = self.pages.get_mut(slot / PAGE)?;
        Arc::make_mut(page).get_mut(slot % PAGE)
    }

    /// All ids, in no order.
    pub(crate) fn ids(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.index.keys().copied()
    }

    /// The ids of those of which this holds, in their order.
    pub(crate) fn ids_where(&self, holds: impl Fn(&Node) -> bool) -> Vec<NodeId> {
        let nodes = self.nodes().filter(|node| holds(node));
        let mut ids: Vec<NodeId> = nodes.map(|node| node.home.id()).collect();
        ids.sort_unstable();
        ids
    }

    /// All bag nodes, in no order.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.pages.iter().flat_map(|page| page.iter().flatten())
    }

    /// All bag nodes, in the order of their ids.
    pub(crate) fn sorted(&self) -> Vec<&Node> {
        let mut nodes: Vec<&Node> = self.nodes().collect();
        nodes.sort_unstable_by_key(|node| node.home.id());
        nodes
    }
}

impl Serialize for NodeMap {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let sorted = self.sorted().into_iter();
        serializer.collect_map(sorted.map(|node| (node.home.id(), node)))
    }
}

impl<'de> Deserialize<'de> for NodeMap {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut map = Self::default();
        for (id, node) in BTreeMap::<NodeId, Node>::deserialize(deserializer)? {
            if node.home.id() != id {
                return Err(serde::de::Error::custom("a bag node under another id"));
            }
            map.insert(id, node);
        }
        Ok(map)
    }
}
