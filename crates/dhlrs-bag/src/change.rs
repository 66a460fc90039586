//! What subscribers are told: enough that none of them has to look into the tree.

use dhlrs_path::Path;

use crate::{Meta, Name, NodeId, Value};

/// What happened to one node, with all that a subscriber may ask about it.
#[derive(Clone, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Change {
    /// What kind of change it is.
    pub kind: ChangeKind,
    /// The node.
    pub id: NodeId,
    /// Its path after the change, in labels; of a removed node, the path it had.
    #[cfg_attr(feature = "serde", serde(with = "crate::coding::path"))]
    pub path: Path<'static>,
    /// The path before a move or a rename, in labels.
    #[cfg_attr(feature = "serde", serde(with = "crate::coding::optional_path"))]
    pub old_path: Option<Path<'static>>,
    /// The bags that `path` leads through: the containing one first, the root last.
    #[cfg_attr(
        feature = "serde",
        serde(deserialize_with = "crate::coding::bounded::<_, _, { dhlrs_path::DEPTH_MAX }>")
    )]
    pub ancestors: Vec<NodeId>,
    /// The bags that `old_path` led through, when it led through others.
    #[cfg_attr(
        feature = "serde",
        serde(deserialize_with = "crate::coding::bounded::<_, _, { dhlrs_path::DEPTH_MAX }>")
    )]
    pub old_ancestors: Vec<NodeId>,
    /// What the node held before.
    pub old: Shown,
    /// What it holds now.
    pub new: Shown,
    /// The attributes that changed, by name.
    #[cfg_attr(
        feature = "serde",
        serde(deserialize_with = "crate::coding::bounded::<_, _, { 2 * crate::ATTRIBUTES_MAX }>")
    )]
    pub attributes: Vec<AttributeChange>,
    /// Its place in its bag after an insert or a move; before a remove, its last one.
    pub index: Option<u64>,
    /// Its place before a move.
    pub old_index: Option<u64>,
    /// It was made or became a bag because something below it was set.
    pub autocreated: bool,
    /// What its resolver gave was forgotten on demand; takes no revision.
    pub invalidated: bool,
}

impl Change {
    /// Whether everything at and below the path (and the old path) is touched, not only the node.
    pub fn is_of_branch(&self) -> bool {
        match self.kind {
            ChangeKind::Move | ChangeKind::Rename => true,
            ChangeKind::Sort | ChangeKind::Conflict => false,
            _ => self.old != self.new && (self.old.is_branch() || self.new.is_branch()),
        }
    }
}

/// The kinds of [`Change`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum ChangeKind {
    /// A node was made.
    Insert,
    /// Its content changed, between scalar and bag too, or its resolver.
    Value,
    /// Its attributes changed.
    Attributes,
    /// Content or resolver, and attributes, changed in one write.
    ValueAndAttributes,
    /// It was taken away with everything in it.
    Remove,
    /// It went elsewhere.
    Move,
    /// It got another label where it stands.
    Rename,
    /// Its children were sorted.
    Sort,
    /// Everything in a bag gave way to something else, or to nothing.
    Replace,
    /// Its overlay changed: a resolver answered, a derived value was computed or forgotten.
    Resolve,
    /// Replicas disagreed about it.
    Conflict,
}

impl ChangeKind {
    /// Every kind, in the order of declaration.
    pub const ALL: [Self; 11] = [
        Self::Insert,
        Self::Value,
        Self::Attributes,
        Self::ValueAndAttributes,
        Self::Remove,
        Self::Move,
        Self::Rename,
        Self::Sort,
        Self::Replace,
        Self::Resolve,
        Self::Conflict,
    ];

    /// The word for it: `insert`, `value`, `attrs`, `value+attrs`, `remove`, `move`, `rename`,
    /// `sort`, `replace`, `resolve`, `conflict`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::Value => "value",
            Self::Attributes => "attrs",
            Self::ValueAndAttributes => "value+attrs",
            Self::Remove => "remove",
            Self::Move => "move",
            Self::Rename => "rename",
            Self::Sort => "sort",
            Self::Replace => "replace",
            Self::Resolve => "resolve",
            Self::Conflict => "conflict",
        }
    }
}

impl std::fmt::Display for ChangeKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a node shows in a [`Change`]: a branch travels as its size, not its content.
#[derive(Clone, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Shown {
    /// The node is not there.
    Absent,
    /// A scalar or a list.
    Scalar(Value),
    /// A bag.
    Branch {
        /// How many nodes are in it, at every depth.
        nodes: u64,
    },
}

impl Shown {
    /// Whether it is a bag.
    pub const fn is_branch(&self) -> bool {
        matches!(self, Self::Branch { .. })
    }
}

/// One attribute before and after.
#[derive(Clone, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct AttributeChange {
    /// Its name.
    pub name: Name,
    /// Its value before; `None` when it was not there.
    pub old: Option<Value>,
    /// Its value now; `None` when it is gone.
    pub new: Option<Value>,
}

/// What one revision changed, in order, and where it came from.
#[derive(Clone, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Changes {
    /// Where it came from.
    pub meta: Meta,
    /// The changes, in order.
    pub list: Vec<Change>,
    /// Whether they came as one transaction.
    pub transaction: bool,
}
