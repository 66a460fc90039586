//! Bag nodes for reading, and how paths find them.

use std::fmt;

use dhlrs_path::{Path, Step};

#[cfg(feature = "formats")]
use crate::branch::RowRef;
use crate::{
    Attributes, Label, NodeId, ResolverRef, Rows, Tree, Value, Walk,
    pages::NONE,
    slot::{Held, Slot, View},
    tree::ROOT_SLOT,
    walk::Cursor,
};

/// One node of a tree, for reading: a place in it, as cheap to copy as a few numbers.
#[derive(Clone, Copy)]
pub struct BagNode<'a> {
    pub(crate) tree: &'a Tree,
    pub(crate) at: u32,
    pub(crate) slot: &'a Slot,
}

impl Tree {
    /// The root: a bag without a label.
    pub fn root(&self) -> BagNode<'_> {
        self.seen(ROOT_SLOT)
    }

    /// The node at a path with steps of any form. A query at the end of the path is not looked at.
    ///
    /// O(1) a step by label, O(log n) by index; `#a=t` and `#=t` look at the children one by one.
    pub fn node(&self, path: &Path<'_>) -> Option<BagNode<'_>> {
        if let Some(labels) = path.plain_labels() {
            let mut node = self.root();
            for label in labels {
                node = node.child(label)?;
            }
            return Some(node);
        }
        let mut at = ROOT_SLOT;
        for step in path.steps() {
            at = self.step(at, View::Shown, &step)?;
        }
        Some(self.seen(at))
    }

    /// As [`node`](Self::node), but what is stored, whatever overlays stand before it or around it.
    pub fn stored_node(&self, path: &Path<'_>) -> Option<BagNode<'_>> {
        let mut at = ROOT_SLOT;
        for step in path.steps() {
            at = self.step(at, View::Stored, &step)?;
            if self.slot(at).is_overlay() {
                return None;
            }
        }
        Some(self.seen(at))
    }

    /// The node with this id. O(1).
    pub fn node_by_id(&self, id: NodeId) -> Option<BagNode<'_>> {
        self.by_id(id).map(|at| self.seen(at))
    }

    /// The value at a path; `None` where there is none: a missing node, a bag, a text that is no
    /// path.
    pub fn get(&self, path: &str) -> Option<&Value> {
        let path = Path::parse(path).ok()?;
        match path.query() {
            None => self.node(&path)?.value(),
            Some(query) => {
                let node = self.node(&path)?;
                let mut names = query.names();
                let name = names.next()?;
                match names.next() {
                    None => node.attribute(&name),
                    Some(_) => None,
                }
            }
        }
    }

    /// How many nodes there are, the root and overlays not counted. O(1).
    pub fn len(&self) -> u64 {
        self.node_count()
    }

    /// Whether the tree is its root alone.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The revision of the last change.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    pub(crate) fn seen(&self, at: u32) -> BagNode<'_> {
        BagNode {
            tree: self,
            at,
            slot: self.slot(at),
        }
    }

    pub(crate) fn step(&self, at: u32, view: View, step: &Step<'_>) -> Option<u32> {
        match step {
            Step::Label(label) => self.child(at, view, label),
            Step::Displaced { label, hex } => {
                let child = self.child(at, view, &format!("{label}~{hex}"))?;
                self.displaced(child).map(|_| child)
            }
            Step::Index(index) => self.child_at(at, view, *index),
            Step::Attribute { name, text } => self.list(at, view).find(|child| {
                let value = self.slot(*child).attributes().get(name);
                value.is_some_and(|value| value.prints_as(text))
            }),
            Step::Value(text) => self.list(at, view).find(|child| {
                let value = self.slot(*child).held(view).scalar();
                value.is_some_and(|value| value.prints_as(text))
            }),
            Step::Parent => Some(self.slot(at).parent).filter(|parent| *parent != NONE),
        }
    }

    pub(crate) fn path_of(&self, at: u32) -> Path<'static> {
        let labels = std::iter::once(at).chain(self.around(at));
        let mut labels: Vec<&str> = labels.map(|at| self.slot(at).label.as_str()).collect();
        // The last one is the root, which has none.
        labels.pop();
        labels.reverse();
        // Within the limits that every edit is held to, these are a path.
        let path = Path::from_labels(labels).unwrap_or_default();
        let is_displaced = |at: u32| self.displaced(at).is_some();
        match is_displaced(at) || self.around(at).any(is_displaced) {
            true => self.path_of_displaced(at).unwrap_or(path),
            false => path,
        }
    }

    fn path_of_displaced(&self, at: u32) -> Option<Path<'static>> {
        let mut way: Vec<u32> = std::iter::once(at).chain(self.around(at)).collect();
        way.pop();
        let mut path = Path::default();
        for at in way.into_iter().rev() {
            let label = self.slot(at).label.as_str();
            let step = match self.displaced(at) {
                Some(shared) => {
                    let shared = Path::from_labels([shared]).ok()?;
                    let step = format!("{shared}~{}", self.slot(at).id);
                    Path::parse(&step).ok()?.into_owned()
                }
                None => Path::from_labels([label]).ok()?,
            };
            path = path.join(&step).ok()?;
        }
        Some(path)
    }

    /// The label that a node shares with the sibling which keeps it, if its own is `label~ID`.
    fn displaced(&self, at: u32) -> Option<&str> {
        let slot = self.slot(at);
        let (label, hex) = slot.label.rsplit_once('~')?;
        (hex.len() == 32 && hex == slot.id.to_string()).then_some(label)
    }
}

impl<'a> BagNode<'a> {
    /// Its id.
    pub fn id(&self) -> NodeId {
        self.slot.id
    }

    /// Its label. The root has none; this is then empty.
    pub fn label(&self) -> &'a Label {
        &self.slot.label
    }

    /// The scalar or list that it shows: its overlay if there is one. `None` for a bag.
    pub fn value(&self) -> Option<&'a Value> {
        self.slot.held(View::Shown).scalar()
    }

    /// The scalar or list that is stored, whatever overlay stands before it. `None` for a bag.
    pub fn stored_value(&self) -> Option<&'a Value> {
        self.slot.held.scalar()
    }

    /// Whether it shows a bag.
    pub fn is_bag(&self) -> bool {
        matches!(self.slot.held(View::Shown), Held::Bag(_))
    }

    /// Its attributes.
    pub fn attributes(&self) -> &'a Attributes {
        self.slot.attributes()
    }

    /// The value of one attribute.
    pub fn attribute(&self, name: &str) -> Option<&'a Value> {
        self.attributes().get(name)
    }

    /// The resolver that stands in for its value.
    pub fn resolver(&self) -> Option<&'a ResolverRef> {
        self.slot.resolver()
    }

    /// The revision of its last change: value, attributes, resolver, label, place; a child added,
    /// removed, moved, renamed.
    pub fn revision(&self) -> u64 {
        self.slot.revision
    }

    /// Whether it exists only as an overlay: nothing of it is logged or exported.
    pub fn is_overlay(&self) -> bool {
        self.slot.is_overlay()
    }

    /// Whether what it shows is an overlay, over something stored or over nothing.
    pub fn has_overlay(&self) -> bool {
        self.slot.is_overlay() || self.slot.overlay().is_some()
    }

    /// Its place in its bag, from 0; the root's is 0. O(log n).
    pub fn index(&self) -> u64 {
        self.tree.index_of(self.at)
    }

    /// How many children it shows.
    pub fn len(&self) -> u64 {
        let children = self.slot.held(View::Shown).children();
        children.map_or(0, |children| children.len() as u64)
    }

    /// Whether it shows no children.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many nodes are stored in it, at every depth. O(n).
    pub fn nodes(&self) -> u64 {
        self.tree.nodes_in(self.at)
    }

    /// Its children, in order.
    pub fn children(&self) -> impl Iterator<Item = BagNode<'a>> + use<'a> {
        let tree = self.tree;
        tree.list(self.at, View::Shown).map(|at| tree.seen(at))
    }

    /// The child with this label. O(1).
    #[inline]
    pub fn child(&self, label: &str) -> Option<BagNode<'a>> {
        let children = self.slot.held(View::Shown).children()?;
        let hash = self.tree.hash(label.as_bytes());
        let found = self.tree.child_of(children, hash, label)?;
        Some(BagNode {
            tree: self.tree,
            at: found.at,
            slot: found.slot,
        })
    }

    /// The child with this index; one below 0 counts from the end. O(log n).
    pub fn child_at(&self, index: i64) -> Option<BagNode<'a>> {
        let at = self.tree.child_at(self.at, View::Shown, index)?;
        Some(self.tree.seen(at))
    }

    /// The bag that it is in; `None` for the root.
    pub fn parent(&self) -> Option<BagNode<'a>> {
        let parent = self.slot.parent;
        (parent != NONE).then(|| self.tree.seen(parent))
    }

    /// The bags around it: the containing one first, the root last.
    pub fn ancestors(&self) -> impl Iterator<Item = BagNode<'a>> + use<'a> {
        let tree = self.tree;
        tree.around(self.at).map(|at| tree.seen(at))
    }

    /// How many bags are around it; 0 for the root.
    pub fn depth(&self) -> usize {
        self.tree.depth(self.at)
    }

    /// Its path, in labels. O(depth).
    pub fn path(&self) -> Path<'static> {
        self.tree.path_of(self.at)
    }

    /// Everything in it as it shows, in pre-order; not the node itself.
    pub fn walk(&self) -> Walk<'a> {
        Walk::new(Cursor::new(self.tree, self.at, View::Shown))
    }

    /// Everything stored in it, in pre-order, whatever overlays stand before it or in it.
    pub fn stored_walk(&self) -> Walk<'a> {
        Walk::new(Cursor::new(self.tree, self.at, View::Stored))
    }

    /// Children that are stored, 0 in a leaf. O(1); O(n) in a tree that holds overlays.
    pub fn stored_len(&self) -> u64 {
        if !self.tree.knows_overlays {
            return self.len();
        }
        let stored = self.tree.list(self.at, View::Stored);
        stored
            .filter(|child| !self.tree.slot(*child).is_overlay())
            .count() as u64
    }

    /// Everything stored in it, in pre-order, without overlays: the rows of its branch.
    pub fn rows(&self) -> Rows<'a> {
        Rows::new(Cursor::new(self.tree, self.at, View::Stored))
    }

    /// The same, without copies.
    #[cfg(feature = "formats")]
    pub(crate) fn row_refs(&self) -> impl Iterator<Item = RowRef<'a>> + use<'a> {
        let mut rows = self.rows();
        std::iter::from_fn(move || rows.next_ref())
    }
}

impl PartialEq for BagNode<'_> {
    /// Whether both are the same node of the same tree in memory.
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.tree, other.tree) && self.at == other.at
    }
}

impl fmt::Debug for BagNode<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BagNode")
            .field("id", &self.id())
            .field("path", &self.path())
            .field("value", &self.value())
            .finish_non_exhaustive()
    }
}
