//! What a revision becomes when it is forwarded: edits of the target, in messages of bounded size.
//!
//! The target's path is the forward's address plus what follows the pattern's literal leading steps.
//! A node that leaves the pattern is a remove there, one that enters it comes with all of it that
//! matches. The order of children is the target's own.

use dhlrs_bag::{Attributes, BagNode, Label, Snapshot};
use dhlrs_bag::{
    Branch, Change, ChangeKind, Changes, Content, Edit, GuardedEdit, Row, Shown, Value,
};
use dhlrs_codec as codec;
use dhlrs_path::Path;
use dhlrs_trigger::touches_below;
use dhlrs_wire::{EDITS_MAX, PAGE_BYTES_MAX};

use crate::config::Forward;

/// The edits that tell the target of a revision, as few messages as fit. A pure function: after a
/// restart it gives the same messages again.
pub(crate) fn messages(
    forward: &Forward,
    changes: &Changes,
    before: &Snapshot,
    after: &Snapshot,
) -> Vec<Vec<GuardedEdit>> {
    let mut translation = Translation {
        forward,
        edits: Vec::new(),
    };
    for change in &changes.list {
        translation.change(change, before, after);
    }
    let mut messages: Vec<Vec<GuardedEdit>> = Vec::new();
    let mut bytes = 0;
    for edit in translation.edits {
        let edit_bytes =
            codec::encode(&edit, 2 * PAGE_BYTES_MAX).map_or(PAGE_BYTES_MAX, |e| e.len());
        let fits = bytes + edit_bytes <= PAGE_BYTES_MAX
            && messages
                .last()
                .is_some_and(|message| message.len() < EDITS_MAX);
        match messages.last_mut() {
            Some(message) if fits => {
                message.push(edit);
                bytes += edit_bytes;
            }
            _ => {
                messages.push(vec![edit]);
                bytes = edit_bytes;
            }
        }
    }
    messages
}

struct Translation<'a> {
    forward: &'a Forward,
    edits: Vec<GuardedEdit>,
}

impl Translation<'_> {
    fn change(&mut self, change: &Change, before: &Snapshot, after: &Snapshot) {
        match change.kind {
            // A resolved value is this process's own; the order of children is the target's.
            ChangeKind::Resolve | ChangeKind::Conflict | ChangeKind::Sort => {}
            ChangeKind::Move | ChangeKind::Rename | ChangeKind::Replace | ChangeKind::Remove => {
                self.leave(before, change.old_path.as_ref().unwrap_or(&change.path));
                if change.kind != ChangeKind::Remove {
                    self.enter(after, &change.path);
                }
            }
            _ if touches_below(change) => {
                if change.old != Shown::Absent {
                    self.leave(before, &change.path);
                }
                self.enter(after, &change.path);
            }
            _ => self.scalar(change),
        }
    }

    fn scalar(&mut self, change: &Change) {
        if !self.forward.pattern.matches_path(&change.path) {
            return;
        }
        let Some(path) = self.target(&change.path) else {
            return;
        };
        let attributes: Attributes = change
            .attributes
            .iter()
            .map(|attribute| {
                let value = attribute.new.clone().unwrap_or(Value::Null);
                (attribute.name.clone(), value)
            })
            .collect();
        if let (Shown::Scalar(value), true) = (&change.new, change.old != change.new) {
            self.push(Edit::set(path.clone(), Content::Value(value.clone())));
        } else if change.kind == ChangeKind::Insert {
            self.bag(path.clone(), Attributes::new());
        }
        if !attributes.is_empty() {
            self.push(Edit::SetAttributes { path, attributes });
        }
    }

    /// Removes, at the target, what matched at `path` or below it: the topmost nodes are enough.
    fn leave(&mut self, before: &Snapshot, path: &Path<'_>) {
        if self.forward.pattern.matches_path(path) {
            return self.remove(path);
        }
        let Some(node) = before.node(path) else {
            return;
        };
        let mut gone = Vec::new();
        let mut walk = node.walk();
        while let Some(visited) = walk.next() {
            // Overlays never travelled, and after a restart they are not in the tree before.
            if visited.node.is_overlay() {
                walk.skip_inside();
                continue;
            }
            let path = visited.node.path();
            if self.forward.pattern.matches_path(&path) {
                walk.skip_inside();
                gone.push(path);
            }
        }
        for path in gone {
            self.remove(&path);
        }
    }

    fn remove(&mut self, path: &Path<'_>) {
        match self.target(path) {
            Some(path) if path.is_root() => self.push(Edit::Clear { path }),
            Some(path) => self.push(Edit::Remove { path }),
            None => {}
        }
    }

    /// Sends every node that matches at `path` or below it.
    fn enter(&mut self, after: &Snapshot, path: &Path<'_>) {
        let Some(node) = after.node(path) else { return };
        let below = node.walk().map(|visited| visited.node);
        for node in std::iter::once(node).chain(below) {
            let path = node.path();
            if node.is_overlay() || !self.forward.pattern.matches_path(&path) {
                continue;
            }
            if let Some(target) = self.target(&path) {
                self.node(&node, target);
            }
        }
    }

    fn node(&mut self, node: &BagNode<'_>, target: Path<'static>) {
        let attributes = node.attributes().clone();
        match node.stored_value() {
            Some(value) if !node.is_bag() => self.push(Edit::Set {
                path: target,
                content: Some(Content::Value(value.clone())),
                attributes: Some(attributes),
                position: None,
                overwrite: false,
            }),
            _ => self.bag(target, attributes),
        }
    }

    /// A bag there, whatever is in it.
    fn bag(&mut self, target: Path<'static>, attributes: Attributes) {
        let label = target.last().and_then(|step| step.label().map(Label::new));
        let (Some(parent), Some(Ok(label))) = (target.parent(), label) else {
            if !attributes.is_empty() {
                self.push(Edit::SetAttributes {
                    path: target,
                    attributes,
                });
            }
            return;
        };
        let row = Row {
            attributes,
            ..Row::bag(0, label)
        };
        if let Ok(branch) = Branch::from_rows([row]) {
            self.push(Edit::Merge {
                path: parent.into_owned(),
                branch,
            });
        }
    }

    /// Where a node of ours is at the target; `None` if that is no possible path.
    fn target(&self, path: &Path<'_>) -> Option<Path<'static>> {
        let prefix = self.forward.pattern.literal_prefix();
        let rest = path.strip_prefix(&prefix)?;
        self.forward.to.path().join(&rest).ok()
    }

    fn push(&mut self, edit: Edit) {
        self.edits.push(edit.into());
    }
}
