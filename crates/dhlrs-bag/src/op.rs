//! Ops name ids and siblings, which mean the same on every copy of the tree; indexes would not.

use crate::{Attributes, Content, Label, NodeId, ResolverRef};

/// The most children of a bag that can be sorted.
pub const SORTED_CHILDREN_MAX: usize = 1 << 20;

/// What is done to a tree, with nothing left to decide; this is what a store logs.
///
/// [`Bag::apply`](crate::Bag::apply) carries it out the same way wherever the same ops came before.
/// A place is named as the sibling `after` which the node stands; `None` is the first place. An op
/// that names a node which is not there has no effect.
#[derive(Clone, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Op {
    /// Makes a node.
    Insert {
        /// The bag it goes into.
        parent: NodeId,
        /// The sibling before it.
        after: Option<NodeId>,
        /// Its id. The rows of a branch take the ids that follow, in their order.
        id: NodeId,
        /// Its label.
        label: Label,
        /// What it holds.
        content: Content,
        /// Its attributes.
        attributes: Attributes,
        /// Its resolver.
        resolver: Option<ResolverRef>,
        /// Made because something below it was set.
        autocreated: bool,
    },
    /// Writes content, attributes and resolver of a node at once, as one change.
    Write {
        /// The node.
        id: NodeId,
        /// What it holds from now on; what it held goes, an overlay too.
        content: Option<Placed>,
        /// What happens to its attributes.
        attributes: Option<AttributesWrite>,
        /// What happens to its resolver.
        resolver: Option<ResolverWrite>,
        /// Written because something below it was set.
        autocreated: bool,
    },
    /// Takes a node away with everything in it.
    Remove {
        /// The node.
        id: NodeId,
    },
    /// Puts a node somewhere else, under another label perhaps.
    Move {
        /// The node.
        id: NodeId,
        /// The bag it goes into.
        parent: NodeId,
        /// The sibling before it.
        after: Option<NodeId>,
        /// Its label there.
        label: Label,
    },
    /// Gives a node another label.
    Rename {
        /// The node.
        id: NodeId,
        /// The new label.
        label: Label,
    },
    /// Gives the children of a bag another order.
    Sort {
        /// The bag.
        id: NodeId,
        /// The present places of the children, overlays not counted, in their new order.
        #[cfg_attr(
            feature = "serde",
            serde(deserialize_with = "crate::coding::bounded::<_, _, SORTED_CHILDREN_MAX>")
        )]
        order: Vec<u32>,
    },
    /// Forgets what a resolver gave. Changes nothing that is logged, takes no revision.
    Invalidate {
        /// The node.
        id: NodeId,
    },
}

/// Content, and the ids of the nodes in it.
#[derive(Clone, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Placed {
    /// The content.
    pub content: Content,
    /// The id of the first row of a branch; the other rows take those that follow.
    pub first: NodeId,
}

/// What an [`Op::Write`] does to the attributes.
#[derive(Clone, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum AttributesWrite {
    /// These and no others.
    Replace(Attributes),
    /// These over those that are there; Null removes one.
    Merge(Attributes),
}

/// What an [`Op::Write`] does to the resolver.
#[derive(Clone, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum ResolverWrite {
    /// This one from now on.
    Put(ResolverRef),
    /// None from now on.
    Remove,
}
