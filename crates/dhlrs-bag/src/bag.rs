//! The tree with its writer: edits go through judgement to ops, and ops to changes.

use std::ops::Deref;

use dhlrs_path::{Path, Query};
use triomphe::Arc;

use crate::{
    Attributes, Change, Content, Edit, EditError, EditErrorKind, GuardedEdit, Name, NodeId, Op,
    Snapshot, TransactionError, Tree, Value, apply::Applier, draft::Recording, order, slot::View,
    walk::Cursor,
};

/// A tree that can be written: ordered children under unique labels, values, attributes.
///
/// Every write is an [`Edit`] that is judged by [`order`](Self::order) and carried out by
/// [`apply`](Self::apply); [`edit`](Self::edit), [`set`](Self::set) and their like do both, for use
/// within one process. Reading is that of [`Tree`].
///
/// Taking a [`Snapshot`] or beginning a [`Draft`](crate::Draft) is O(1); the first write to a page
/// after that copies the page.
#[derive(Debug)]
pub struct Bag {
    tree: Tree,
    // Drafts know by these two whether their bag is still what it was when they began.
    pub(crate) lineage: Arc<()>,
    pub(crate) generation: u64,
    pub(crate) recording: Option<Recording>,
}

impl Bag {
    /// The seed of the label index when none is given.
    pub const SEED: u64 = 0x6468_6c72_735f_6261;

    /// A bag with nothing in it.
    pub fn new() -> Self {
        Self::with_seed(Self::SEED)
    }

    /// A bag whose label index is seeded; take a random seed where labels come from strangers.
    /// Nothing that can be seen depends on it.
    pub fn with_seed(seed: u64) -> Self {
        Self::of(Tree::new(seed))
    }

    pub(crate) fn of(tree: Tree) -> Self {
        Self {
            tree,
            lineage: Arc::new(()),
            generation: 0,
            recording: None,
        }
    }

    /// The tree as it is now, for good. O(1).
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::new(self.tree.clone())
    }

    /// Judges an edit against the tree as it is and says what is to be done; changes nothing.
    ///
    /// An edit without effect gives no ops, or ops whose `apply` gives no change. The ops hold for
    /// this state only: apply them before anything else is ordered.
    ///
    /// # Errors
    /// When the edit cannot be done; see [`EditErrorKind`].
    pub fn order(&self, edit: &GuardedEdit) -> Result<Vec<Op>, EditError> {
        order::judge(&self.tree, edit)
    }

    /// Judges edits one after the other, each on the state that those before it leave; all or
    /// nothing, and changes nothing yet.
    ///
    /// # Errors
    /// With the first edit that cannot be done.
    pub fn order_all(&self, edits: &[GuardedEdit]) -> Result<Vec<Op>, TransactionError> {
        let refused = |index| move |error| TransactionError { index, error };
        if let [edit] = edits {
            return self.order(edit).map_err(refused(0));
        }
        let mut tree = self.tree.clone();
        let revision = self.next_revision();
        let mut all = Vec::new();
        for (index, edit) in edits.iter().enumerate() {
            let ops = order::judge(&tree, edit).map_err(refused(index))?;
            Applier::quiet(&mut tree, revision).run(&ops);
            all.extend(ops);
        }
        Ok(all)
    }

    /// Carries out what was ordered and says what changed, in order.
    ///
    /// Cannot fail, and does the same wherever the same ops were applied before: to the bag, to
    /// its copy, to what was restored from its image. `revision` becomes that of every node that
    /// changes. Ops without effect give no change; only [`Op::Invalidate`] always gives one.
    pub fn apply(&mut self, ops: &[Op], revision: u64) -> Vec<Change> {
        let mut applier = Applier::reporting(&mut self.tree, revision);
        applier.run(ops);
        let changes = applier.into_changes();
        self.applied(ops);
        changes
    }

    /// Gives the nodes in a bag, in pre-order, these ids instead of those that followed the bag's.
    ///
    /// For who made the bag as one branch and has ids that do not follow one another. An id that is taken, and one too
    /// many, is passed over. O(n).
    pub fn identify(&mut self, bag: NodeId, ids: impl IntoIterator<Item = NodeId>) {
        let tree = self.tree_mut();
        let Some(bag) = tree.by_id(bag) else { return };
        let inside: Vec<u32> = Cursor::new(tree, bag, View::Stored)
            .map(|(_, at)| at)
            .collect();
        for (at, id) in inside.into_iter().zip(ids) {
            if tree.by_id(id).is_none() {
                tree.reidentify(at, id);
            }
        }
    }

    fn apply_quietly(&mut self, ops: &[Op]) {
        let revision = self.next_revision();
        Applier::quiet(&mut self.tree, revision).run(ops);
        self.applied(ops);
    }

    fn applied(&mut self, ops: &[Op]) {
        if ops.is_empty() {
            return;
        }
        self.generation += 1;
        if let Some(recording) = &mut self.recording {
            recording.ops.extend_from_slice(ops);
        }
    }

    /// The revision of the next edit. All edits of a draft share one.
    pub(crate) fn next_revision(&self) -> u64 {
        match &self.recording {
            Some(recording) => recording.revision,
            None => self.tree.revision + 1,
        }
    }

    /// Orders an edit and applies it, as the next revision.
    ///
    /// # Errors
    /// Those of [`order`](Self::order); nothing has changed then.
    pub fn edit(&mut self, edit: impl Into<GuardedEdit>) -> Result<Vec<Change>, EditError> {
        let mut edit = edit.into();
        if let Some(changes) = self.edit_directly(&mut edit) {
            return Ok(changes);
        }
        let ops = self.order(&edit)?;
        Ok(self.apply(&ops, self.next_revision()))
    }

    /// Orders edits and applies them all, as the next revision, or none of them.
    ///
    /// # Errors
    /// Those of [`order_all`](Self::order_all); nothing has changed then.
    pub fn edit_all(&mut self, edits: &[GuardedEdit]) -> Result<Vec<Change>, TransactionError> {
        let ops = self.order_all(edits)?;
        Ok(self.apply(&ops, self.next_revision()))
    }

    /// Writes a value or a branch to a path, and makes the bags on the way; with `path?a`, an
    /// attribute. What changed is not reported.
    ///
    /// # Errors
    /// `BadPath` for a text that is no path, and those of [`order`](Self::order).
    pub fn set(&mut self, path: &str, content: impl Into<Content>) -> Result<(), EditError> {
        let path = Path::parse(path).map_err(EditError::from_path)?;
        let content = match content.into() {
            Content::Value(value) => match self.set_directly(&path, value) {
                None => return Ok(()),
                Some(value) => Content::Value(value),
            },
            branch => branch,
        };
        let edit = Edit::set(path.into_owned(), content);
        let ops = self.order(&edit.into())?;
        self.apply_quietly(&ops);
        Ok(())
    }

    /// Writes one attribute; Null removes it. A missing node is made and holds Null.
    ///
    /// # Errors
    /// `BadPath` for a text that is no path or no name, and those of [`order`](Self::order).
    pub fn set_attribute(
        &mut self,
        path: &str,
        name: &str,
        value: impl Into<Value>,
    ) -> Result<(), EditError> {
        let path = Path::parse(path).map_err(EditError::from_path)?;
        let name = Name::new(name).map_err(EditError::from_path)?;
        let value = value.into();
        if self.set_attribute_directly(&path, &name, &value) {
            return Ok(());
        }
        let edit = Edit::SetAttributes {
            path: path.into_owned(),
            attributes: Attributes::from_iter([(name, value)]),
        };
        let ops = self.order(&edit.into())?;
        self.apply_quietly(&ops);
        Ok(())
    }

    /// Takes a node away, or with `path?a` an attribute, and says whether there was one.
    ///
    /// # Errors
    /// `BadPath` for a text that is no path, and those of [`order`](Self::order).
    pub fn remove(&mut self, path: &str) -> Result<bool, EditError> {
        let path = Path::parse(path).map_err(EditError::from_path)?;
        let edit = Edit::Remove {
            path: path.into_owned(),
        };
        let ops = self.order(&edit.into())?;
        self.apply_quietly(&ops);
        Ok(!ops.is_empty())
    }

    /// Takes a node or an attribute away and hands back what it held; a missing one is `None`.
    ///
    /// # Errors
    /// `BadPath` for a text that is no path, and those of [`order`](Self::order).
    pub fn pop(&mut self, path: &str) -> Result<Option<Content>, EditError> {
        let parsed = Path::parse(path).map_err(EditError::from_path)?;
        let content = match parsed.query() {
            None => self
                .tree
                .node(&parsed)
                .map(|node| match node.stored_value() {
                    Some(value) => Content::Value(value.clone()),
                    None => Content::Branch(node.branch()),
                }),
            Some(Query::Names(_)) => self.tree.get(path).cloned().map(Content::Value),
            Some(Query::All) => {
                let path = parsed.into_owned();
                return Err(EditError::new(EditErrorKind::BadPath, path));
            }
        };
        self.remove(path)?;
        Ok(content)
    }

    pub(crate) fn tree_mut(&mut self) -> &mut Tree {
        self.generation += 1;
        &mut self.tree
    }
}

impl Deref for Bag {
    type Target = Tree;

    fn deref(&self) -> &Tree {
        &self.tree
    }
}

impl Default for Bag {
    fn default() -> Self {
        Self::new()
    }
}

impl Clone for Bag {
    /// A bag of its own with the same content, ids and revisions. O(1).
    fn clone(&self) -> Self {
        Self {
            recording: self.recording.clone(),
            ..Self::of(self.tree.clone())
        }
    }
}

impl From<Snapshot> for Bag {
    /// A bag that goes on from the snapshot. O(1).
    fn from(snapshot: Snapshot) -> Self {
        Self::of(snapshot.into_tree())
    }
}

impl PartialEq for Bag {
    /// As trees are equal.
    fn eq(&self, other: &Self) -> bool {
        self.tree == other.tree
    }
}

impl Eq for Bag {}
