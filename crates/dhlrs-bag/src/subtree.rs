//! Whole branches: into the arena, out of it, compared, counted.

use crate::{
    BagNode, Branch, BranchBuilder, NodeId, Row, Shown, Tree,
    load::{Loaded, Loader},
    slot::{Held, Slot, View, extra},
    tree::ROOT_SLOT,
    walk::Cursor,
};

impl BagNode<'_> {
    /// Everything stored in it, as a branch. O(n).
    pub fn branch(&self) -> Branch {
        self.tree.branch_of(self.at, View::Stored)
    }
}

impl Tree {
    /// Puts the rows of a branch into a bag that has none of the branch's own labels.
    pub(crate) fn fill(
        &mut self,
        bag: u32,
        view: View,
        branch: &Branch,
        first: NodeId,
        revision: u64,
    ) {
        let mut loader = Loader::new(self, bag, view);
        for (number, row) in branch.rows().iter().enumerate() {
            let node = Loaded {
                id: first.plus(number as u64),
                label: row.label.clone(),
                value: row.value.clone(),
                extra: extra(row.attributes.clone().without_nulls(), row.resolver.clone()),
                revision,
            };
            loader.push(self, usize::from(row.depth), node);
        }
        loader.finish(self);
    }

    pub(crate) fn shown(&self, at: u32, view: View) -> Shown {
        match self.slot(at).held(view) {
            Held::Scalar(value) => Shown::Scalar(value.clone()),
            Held::Bag(_) => Shown::Branch {
                nodes: match view {
                    View::Stored => self.nodes_in(at),
                    View::Shown => Cursor::new(self, at, view).count() as u64,
                },
            },
        }
    }

    pub(crate) fn branch_of(&self, at: u32, view: View) -> Branch {
        self.branch_without(at, view, |slot| view == View::Stored && slot.is_overlay())
    }

    /// What an overlay shows, without other overlays that stand in it; those in `kept` are its own.
    pub(crate) fn shown_branch(&self, at: u32, kept: &[u32]) -> Branch {
        let is_kept = |slot: &Slot| kept.iter().any(|at| std::ptr::eq(self.slot(*at), slot));
        self.branch_without(at, View::Shown, |slot| {
            (slot.id.is_way() || slot.id.is_lone_overlay()) && !is_kept(slot)
        })
    }

    fn branch_without(&self, at: u32, view: View, is_left_out: impl Fn(&Slot) -> bool) -> Branch {
        let mut builder = BranchBuilder::new();
        let mut skip_below = None;
        for (depth, at) in Cursor::new(self, at, view) {
            let slot = self.slot(at);
            if skip_below.is_some_and(|above| depth > above) {
                continue;
            }
            skip_below = is_left_out(slot).then_some(depth);
            if skip_below.is_some() {
                continue;
            }
            let pushed = builder.push(Row {
                depth,
                label: slot.label.clone(),
                value: slot.held(view).scalar().cloned(),
                attributes: slot.attributes().clone(),
                resolver: slot.resolver().cloned(),
            });
            // A tree keeps the rules of a branch; only a branch can be too long, then it is cut.
            if pushed.is_err() {
                break;
            }
        }
        builder.finish()
    }

    /// Whether the content of a node is this branch.
    pub(crate) fn holds_branch(&self, at: u32, view: View, branch: &Branch) -> bool {
        if self.children(at, view).is_none() {
            return false;
        }
        let mut rows = branch.rows().iter();
        for (depth, at) in Cursor::new(self, at, view) {
            let slot = self.slot(at);
            let is_same = rows.next().is_some_and(|row| {
                row.depth == depth
                    && row.label == slot.label
                    && row.value.as_ref() == slot.held(view).scalar()
                    && row.attributes == *slot.attributes()
                    && row.resolver.as_ref() == slot.resolver()
            });
            if !is_same {
                return false;
            }
        }
        rows.next().is_none()
    }

    pub(crate) fn nodes_in(&self, at: u32) -> u64 {
        if at == ROOT_SLOT {
            return self.node_count();
        }
        Cursor::new(self, at, View::Stored).count() as u64
    }
}
