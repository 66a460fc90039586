//! The state hash: equal reduced sets, equal bytes, whatever was compacted.

use std::collections::BTreeMap;

use core::fmt;

use dhlrs_bag::NodeId;
use dhlrs_feed::{Cell, FeedEnd, FeedId, IdMap, IdSet};
use serde::Serialize;

use crate::causality::Causality;
use crate::node::Rank;
use crate::tree::{Covering, Tree};

const NODE: &str = "dhlrs 1 state hash: bag node";
const STATE: &str = "dhlrs 1 state hash";
const LANES: usize = 1024;
// More than a node can hold: one cell of the largest value for each attribute.
const NODE_BYTES_MAX: usize = 1 << 30;

/// The hash of everything that is live, and of the frontier that was reduced. Prints as 64 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StateHash([u8; 32]);

impl StateHash {
    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for StateHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for StateHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StateHash({self})")
    }
}

/// A hash of a set of bag nodes: one that changes is taken out and put in again, the others are not looked at.
///
/// The sum of 1,024 lanes of 16 bits (LtHash): taking two different sets for one is as hard as finding short vectors.
#[derive(Clone, Debug)]
pub(crate) struct Sum {
    lanes: Box<[u16; LANES]>,
    nodes: IdMap<[u8; 32]>,
    /// Bag nodes that have changed since; nobody pays for a hash that is not asked for.
    stale: IdSet,
}

impl Default for Sum {
    fn default() -> Self {
        Self {
            lanes: Box::new([0; LANES]),
            nodes: IdMap::default(),
            stale: IdSet::default(),
        }
    }
}

impl Sum {
    /// Notes that these bag nodes have changed.
    pub(crate) fn outdate(&mut self, ids: impl IntoIterator<Item = NodeId>) {
        self.stale.extend(ids);
    }

    /// Notes that any bag node may have changed.
    pub(crate) fn outdate_all(&mut self) {
        self.stale.extend(self.nodes.keys());
    }

    /// Brings the bag nodes that have changed up to date.
    pub(crate) fn update(&mut self, tree: &Tree, causality: &Causality) {
        for id in std::mem::take(&mut self.stale) {
            let now = node_hash(tree, causality, id);
            let before = match now {
                Some(hash) => self.nodes.insert(id, hash),
                None => self.nodes.remove(&id),
            };
            if before != now {
                before
                    .iter()
                    .for_each(|hash| self.add(hash, u16::wrapping_sub));
                now.iter()
                    .for_each(|hash| self.add(hash, u16::wrapping_add));
            }
        }
    }

    fn add(&mut self, hash: &[u8; 32], add: fn(u16, u16) -> u16) {
        let mut bytes = [0; 2 * LANES];
        blake3::Hasher::new_derive_key(NODE)
            .update(hash)
            .finalize_xof()
            .fill(&mut bytes);
        for (lane, pair) in self.lanes.iter_mut().zip(bytes.chunks_exact(2)) {
            if let &[low, high] = pair {
                *lane = add(*lane, u16::from_le_bytes([low, high]));
            }
        }
    }

    pub(crate) fn finish(&self, frontier: &BTreeMap<FeedId, FeedEnd>) -> StateHash {
        let mut hasher = blake3::Hasher::new_derive_key(STATE);
        for lane in self.lanes.iter() {
            hasher.update(&lane.to_le_bytes());
        }
        for (feed, end) in frontier {
            hasher
                .update(feed.author.as_bytes())
                .update(&encoded(&feed.epoch))
                .update(&end.seq.to_le_bytes())
                .update(end.id.as_bytes());
        }
        StateHash(*hasher.finalize().as_bytes())
    }
}

/// All of a bag node that is live, and its registers; `None` if there is nothing.
fn node_hash(tree: &Tree, causality: &Causality, id: NodeId) -> Option<[u8; 32]> {
    let node = tree.nodes.get(&id)?;
    let covering = Covering::of(tree, causality, id);
    let live = |ranks: &[Rank]| -> Vec<Rank> {
        let mut live: Vec<Rank> = ranks
            .iter()
            .filter(|rank| !covering.kills(&rank.dot))
            .copied()
            .collect();
        live.sort_unstable();
        live
    };
    let edge = node.edge.as_ref().map(|edge| (edge.parent, edge.rank));
    let (assertions, renames) = (live(&node.assertions), live(&node.renames));
    let mut orders = Vec::new();
    for (parent, entries) in &node.orders {
        let mut entries: Vec<_> = entries
            .iter()
            .filter(|(rank, _)| !covering.kills(&rank.dot))
            .collect();
        entries.sort_by_key(|(rank, _)| *rank);
        orders.extend(entries.into_iter().map(|entry| (*parent, entry)));
    }
    let cells: Vec<_> = node
        .cells
        .keys()
        .filter_map(|cell: &Cell| {
            let greatest = tree.live(&covering, node, cell).pop()?;
            Some((cell, greatest))
        })
        .collect();
    let is_nothing = edge.is_none()
        && node.renamed.is_none()
        && assertions.is_empty()
        && renames.is_empty()
        && orders.is_empty()
        && cells.is_empty();
    if is_nothing {
        return None;
    }
    let bytes = encoded(&(id, edge, &node.renamed, assertions, renames, orders, cells));
    Some(*blake3::hash(&bytes).as_bytes())
}

fn encoded<T: Serialize>(value: &T) -> Vec<u8> {
    // None of the types has a form that the encoding lacks, and none is that large.
    dhlrs_codec::encode(value, NODE_BYTES_MAX).unwrap_or_default()
}
