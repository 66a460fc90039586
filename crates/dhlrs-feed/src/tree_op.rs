//! What an event does to the tree: ids and keys, which mean the same on every replica.

use dhlrs_bag::{Label, Name, Value};
use serde::{Deserialize, Serialize};

use crate::{HomePath, OrderKey};

/// One change of the replicated tree.
///
/// It names the bag node that its author resolved; what it comes to beside concurrent ones is for the reducer to say.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum TreeOp {
    /// Asserts that the bag node is there, and its place where it is at home.
    Create {
        /// The bag node; not the root.
        node: HomePath,
        /// Its place.
        order: OrderKey,
    },
    /// Writes the scalar or an attribute.
    Write {
        /// The bag node. The root has attributes and no scalar.
        node: HomePath,
        /// Which of its values.
        cell: Cell,
        /// The value. Null takes an attribute away; a scalar can be Null.
        value: Value,
    },
    /// Puts the bag node into another bag, with all below it.
    Move {
        /// The bag node; not the root.
        node: HomePath,
        /// The bag.
        parent: HomePath,
        /// Its place there.
        order: OrderKey,
    },
    /// Gives the bag node another label.
    Rename {
        /// The bag node; not the root.
        node: HomePath,
        /// The label.
        label: Label,
    },
    /// Gives the bag node another place, which counts while it shows in that bag.
    Reorder {
        /// The bag node; not the root.
        node: HomePath,
        /// The bag.
        parent: HomePath,
        /// Its place there.
        order: OrderKey,
    },
    /// Takes away what the author has seen of the bag node and of all below it.
    Remove {
        /// The bag node; not the root.
        node: HomePath,
        /// What becomes of what the author has not seen.
        unseen: OnConcurrentWrite,
    },
    /// Takes away what the author has seen inside the bag node: its scalar, and all below it.
    Clear {
        /// The bag node.
        node: HomePath,
        /// What becomes of what the author has not seen.
        unseen: OnConcurrentWrite,
    },
}

impl TreeOp {
    /// The bag node that is changed.
    #[must_use]
    pub const fn node(&self) -> &HomePath {
        match self {
            Self::Create { node, .. }
            | Self::Write { node, .. }
            | Self::Move { node, .. }
            | Self::Rename { node, .. }
            | Self::Reorder { node, .. }
            | Self::Remove { node, .. }
            | Self::Clear { node, .. } => node,
        }
    }

    /// Whether it is one that the root can take.
    #[must_use]
    pub fn is_well_formed(&self) -> bool {
        !self.node().is_root()
            || matches!(
                self,
                Self::Clear { .. }
                    | Self::Write {
                        cell: Cell::Attribute(_),
                        ..
                    }
            )
    }
}

/// One of the values of a bag node.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Cell {
    /// What it holds beside its children.
    Scalar,
    /// The attribute of this name.
    Attribute(Name),
}

/// What a Remove or Clear does to what is written at the same time, unseen by it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum OnConcurrentWrite {
    /// It stays; the bag nodes around it stay as empty shells.
    Keep,
    /// It goes too.
    Remove,
}
