//! A tree that stays as it is while its bag goes on.

use std::ops::Deref;

use crate::Tree;

/// A tree as it was at one moment. Cloning is O(1); what later writes change is copied by them,
/// page by page.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Snapshot {
    tree: Tree,
}

impl Snapshot {
    pub(crate) fn new(tree: Tree) -> Self {
        Self { tree }
    }

    pub(crate) fn into_tree(self) -> Tree {
        self.tree
    }
}

impl Deref for Snapshot {
    type Target = Tree;

    fn deref(&self) -> &Tree {
        &self.tree
    }
}
