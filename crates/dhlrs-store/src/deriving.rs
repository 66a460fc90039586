//! The store's side of derived values: when they are computed, and who is told.

use dhlrs_bag::{Bag, BagNode, Change, ChangeKind, Changes, Meta, Shown};
use dhlrs_path::Path;

use crate::derived::{DefinitionError, Derived};
use crate::log::{Batch, Trees};
use crate::lost::Lost;
use crate::machine::Store;
use crate::port::Output;

impl Store {
    /// Defines a derived value; see [`Config::derived`](crate::Config::derived) for those that are
    /// there from the beginning. It shows as soon as the tickets before it are released, with the
    /// next input at the earliest, and takes no revision. One that is defined while the store is
    /// not open shows when it opens.
    ///
    /// Costs a pass over the definitions, and what computing it and those computed from it costs.
    ///
    /// # Errors
    ///
    /// [`DefinitionErrorKind`](crate::DefinitionErrorKind) tells why it cannot be defined: a cycle,
    /// or a place that is taken. Nothing has changed then.
    pub fn define(&mut self, derived: Derived) -> Result<(), DefinitionError> {
        let key = self.derivations.define(derived)?;
        if self.is_open() {
            let list = self.derivations.show(&mut self.head.bag, key);
            self.tell_of_overlays(list);
        }
        Ok(())
    }

    /// Takes a derived value away, with the next input; whether there was one at this path.
    pub fn undefine(&mut self, path: &Path<'_>) -> bool {
        let Some(list) = self.derivations.undefine(path, &mut self.head.bag) else {
            return false;
        };
        if self.is_open() {
            self.overlays_changed(list);
        }
        true
    }

    /// Where derived values show, each after those that it is computed from.
    pub fn derived(&self) -> impl Iterator<Item = &Path<'static>> {
        self.derivations.paths()
    }

    /// What has just changed on head, and what follows from it, as one batch of the next ticket
    /// that takes no revision and leaves no record.
    pub(crate) fn overlays_changed(&mut self, list: Vec<Change>) {
        if list.is_empty() {
            return;
        }
        let mut changes = self.overlay_changes(list);
        let followed = self.derivations.follow(&mut self.head.bag, &changes);
        changes.list.extend(followed);
        self.tell_of_overlays(changes.list);
    }

    fn overlay_changes(&self, list: Vec<Change>) -> Changes {
        let meta = Meta {
            revision: self.head.revision,
            ..Meta::default()
        };
        Changes {
            meta,
            list,
            transaction: false,
        }
    }

    fn tell_of_overlays(&mut self, list: Vec<Change>) {
        if list.is_empty() {
            return;
        }
        let changes = self.overlay_changes(list);
        let trees = self.triggers.wants_tree(&changes).then(|| Trees {
            before: None,
            after: self.head.bag.snapshot(),
        });
        self.tickets.tell(Batch {
            changes,
            trees,
            lost: Lost::default(),
        });
    }

    /// What is different from what readers see, of the derived values that a head shows which was
    /// read again after a fence.
    pub(crate) fn differences(&self, mut list: Vec<Change>) -> Vec<Change> {
        list.retain_mut(|change| {
            let before = self.published.tree.node(&change.path);
            change.old = before.as_ref().map_or(Shown::Absent, shown);
            // A branch tells its size only, so its content may have changed all the same.
            change.old != change.new || change.new.is_branch()
        });
        list
    }

    /// What readers see of overlays, and a head that was read again after a fence does not show: what
    /// resolvers gave, and derived values that have none any more.
    pub(crate) fn overlays_gone(&self, head: &Bag) -> Vec<Change> {
        let mut list = Vec::new();
        let mut walk = self.published.tree.root().walk();
        while let Some(visited) = walk.next() {
            let node = visited.node;
            if !node.has_overlay() {
                continue;
            }
            let path = node.path();
            if head.node(&path).is_some_and(|node| node.has_overlay()) {
                // What is in a derived branch is told as one with it.
                if self.derivations.covers(&path) {
                    walk.skip_inside();
                }
                continue;
            }
            walk.skip_inside();
            let new = match node.stored_value() {
                _ if node.is_overlay() => Shown::Absent,
                Some(value) => Shown::Scalar(value.clone()),
                None => Shown::Branch {
                    nodes: node.nodes(),
                },
            };
            let change = resolve_change(&node, shown(&node), new);
            list.extend((change.old != change.new).then_some(change));
        }
        list
    }

    /// The present values that a watch is told of which begins with an earlier revision: changes of
    /// overlays are not part of the history that it will read.
    pub(crate) fn derived_now(&self, revision: u64) -> Changes {
        let tree = &self.published.tree;
        let nodes = self.derivations.paths().filter_map(|path| tree.node(path));
        let nodes = nodes.filter(BagNode::has_overlay);
        let list = nodes.map(|node| resolve_change(&node, Shown::Absent, shown(&node)));
        Changes {
            meta: Meta {
                revision,
                ..Meta::default()
            },
            list: list.collect(),
            transaction: false,
        }
    }

    pub(crate) fn complain(&mut self, out: &mut Vec<Output>) {
        let complaints = self.derivations.take_complaints();
        out.extend(complaints.into_iter().map(Output::Warning));
    }
}

fn resolve_change(node: &BagNode<'_>, old: Shown, new: Shown) -> Change {
    Change {
        kind: ChangeKind::Resolve,
        id: node.id(),
        path: node.path(),
        old_path: None,
        ancestors: node.ancestors().map(|bag| bag.id()).collect(),
        old_ancestors: Vec::new(),
        old,
        new,
        attributes: Vec::new(),
        index: None,
        old_index: None,
        autocreated: false,
        invalidated: false,
    }
}

fn shown(node: &BagNode<'_>) -> Shown {
    match node.value() {
        Some(value) => Shown::Scalar(value.clone()),
        None => Shown::Branch {
            nodes: node.walk().count() as u64,
        },
    }
}
