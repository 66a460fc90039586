//! What a subscriber listens to.

use dhlrs_bag::{BagNode, NodeId};
use dhlrs_path::Pattern;

use crate::kinds::Kinds;

/// A node by its identity, and where it is: whoever subscribes has looked it up in the tree, so
/// that nobody has to do that again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The node.
    pub id: NodeId,
    /// The bags around it, the containing one first, the root last; none around the root itself.
    pub ancestors: Vec<NodeId>,
}

impl Place {
    /// The root of a tree.
    pub const ROOT: Self = Self {
        id: NodeId::ROOT,
        ancestors: Vec::new(),
    };

    /// Where a node is. O(depth).
    pub fn of(node: &BagNode<'_>) -> Self {
        Self {
            id: node.id(),
            ancestors: node.ancestors().map(|bag| bag.id()).collect(),
        }
    }
}

/// What a subscriber listens to.
///
/// All of them hear of a change above them too: when a bag around is removed, moved, renamed or set
/// to a branch, that one event reaches them once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The places that fit, in the whole tree. With a query, the attributes that it names there.
    Pattern(Pattern),
    /// This node alone. It is followed where it goes.
    Node(Place),
    /// What is in this bag at any depth, as one link of the chain of levels: a subscriber further
    /// down may stop the event on its way up. The bag is followed where it goes.
    Bag(Place),
    /// This node and everything below it, like a pattern: nobody can stop the event. The node is
    /// followed where it goes.
    Branch(Place),
}

impl From<Pattern> for Target {
    fn from(pattern: Pattern) -> Self {
        Self::Pattern(pattern)
    }
}

/// What a subscriber listens to, and what it wants to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    pub(crate) target: Target,
    pub(crate) kinds: Kinds,
    pub(crate) tree: bool,
}

impl Subscription {
    /// To every kind of change, without the tree.
    pub fn to(target: impl Into<Target>) -> Self {
        Self {
            target: target.into(),
            kinds: Kinds::ALL,
            tree: false,
        }
    }

    /// Only these kinds.
    #[must_use]
    pub fn kinds(self, kinds: impl Into<Kinds>) -> Self {
        Self {
            kinds: kinds.into(),
            ..self
        }
    }

    /// Its events come with the tree of their revision.
    #[must_use]
    pub fn with_tree(self) -> Self {
        Self { tree: true, ..self }
    }
}

impl<T: Into<Target>> From<T> for Subscription {
    fn from(target: T) -> Self {
        Self::to(target)
    }
}
