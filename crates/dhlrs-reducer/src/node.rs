//! What is known of one bag node.

use std::collections::{BTreeMap, BTreeSet};

use dhlrs_bag::{Label, NodeId, Value};
use dhlrs_clock::Stamp;
use dhlrs_feed::{Cell, EventDot, HomePath, HomeStep, OrderKey};
use serde::{Deserialize, Serialize};

/// Where an event stands in the total order: by stamp, then by feed and number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Rank {
    pub(crate) stamp: Stamp,
    pub(crate) dot: EventDot,
}

/// What an effective Move made of a bag node's place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Edge {
    pub(crate) parent: NodeId,
    pub(crate) rank: Rank,
    /// The Removes that had reached the bag node before, and that the mover had seen.
    pub(crate) carried: Vec<EventDot>,
}

/// One bag node. Lists hold what no other event of the same kind has seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Node {
    pub(crate) home: HomePath,
    pub(crate) edge: Option<Edge>,
    /// The greatest Rename, dead or alive.
    pub(crate) renamed: Option<(Rank, Label)>,
    pub(crate) renames: Vec<Rank>,
    /// The Removes and Clears that name it.
    pub(crate) placed: BTreeSet<EventDot>,
    /// The Creates and Moves that name it.
    pub(crate) assertions: Vec<Rank>,
    /// The places it was given, by the bag that they name.
    pub(crate) orders: BTreeMap<NodeId, Vec<(Rank, OrderKey)>>,
    pub(crate) cells: BTreeMap<Cell, Vec<(Rank, Value)>>,
    /// All bag nodes that stand below it, dead or alive.
    #[serde(skip)]
    pub(crate) children: BTreeSet<NodeId>,
    /// It lives by an event of its own.
    #[serde(skip)]
    pub(crate) own_life: bool,
    #[serde(skip)]
    pub(crate) living_children: usize,
}

impl Node {
    pub(crate) fn new(home: HomePath) -> Self {
        Self {
            home,
            edge: None,
            renamed: None,
            renames: Vec::new(),
            placed: BTreeSet::new(),
            assertions: Vec::new(),
            orders: BTreeMap::new(),
            cells: BTreeMap::new(),
            children: BTreeSet::new(),
            own_life: false,
            living_children: 0,
        }
    }

    /// The bag that it stands in; `None` for the root.
    pub(crate) fn parent(&self) -> Option<NodeId> {
        match &self.edge {
            Some(edge) => Some(edge.parent),
            None => self.home_parent(),
        }
    }

    pub(crate) fn home_parent(&self) -> Option<NodeId> {
        self.home.home().map(|(parent, _)| parent.id())
    }

    pub(crate) fn is_alive(&self) -> bool {
        self.own_life || self.living_children > 0
    }

    /// The label it goes by, whether it can keep it or not; `None` for the root.
    pub(crate) fn label(&self) -> Option<Label> {
        if let Some((_, label)) = &self.renamed {
            return Some(label.clone());
        }
        match self.home.home()?.1 {
            HomeStep::Labelled { label, .. } => Some(label.clone()),
            // Nobody has named it: its random bytes do.
            HomeStep::Anonymous(random) => {
                Label::new(&format!("{:032x}", u128::from_be_bytes(*random))).ok()
            }
        }
    }

    /// Whether nothing would be different without it, but for what stands below it.
    pub(crate) fn is_blank(&self) -> bool {
        self.edge.is_none()
            && self.renamed.is_none()
            && self.renames.is_empty()
            && self.placed.is_empty()
            && self.assertions.is_empty()
            && self.orders.is_empty()
            && self.cells.is_empty()
    }
}
