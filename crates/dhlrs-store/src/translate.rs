//! What a revision becomes when it is forwarded: edits of the target, in messages of bounded size.
//!
//! The target's path is the forward's address plus what follows the pattern's literal leading steps.
//! A node that leaves the pattern is a remove there, one that enters it comes with all of it that
//! matches. What matters is the tree that the revision found and the one that it left: what came and
//! went in between is nothing there. The order of children is the target's own.

use std::collections::BTreeMap;

use dhlrs_bag::{
    Attributes, BagNode, Branch, Change, ChangeKind, Changes, Content, Edit, GuardedEdit, Label,
    Row, Snapshot, Value,
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
    for region in regions(&changes.list) {
        translation.region(&region, before, after);
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

/// A part of the tree that a revision touched.
#[derive(Clone, Copy)]
struct Region<'a> {
    path: &'a Path<'static>,
    /// Everything below the path too.
    whole: bool,
}

/// What is to be looked at, no part of it twice, in the order in which it was touched first: a bag
/// is touched by becoming one before anything in it is.
fn regions(changes: &[Change]) -> Vec<Region<'_>> {
    let mut touched: BTreeMap<&str, (usize, Region<'_>)> = BTreeMap::new();
    let mut touch = |path, whole| {
        let place = touched.len();
        let new = (place, Region { path, whole });
        let (_, region) = touched.entry(Path::as_str(path)).or_insert(new);
        region.whole |= whole;
    };
    for change in changes {
        match change.kind {
            // A resolved value is this process's own; the order of children is the target's.
            ChangeKind::Resolve | ChangeKind::Conflict | ChangeKind::Sort => {}
            _ => {
                if let Some(old_path) = &change.old_path {
                    touch(old_path, true);
                }
                touch(&change.path, touches_below(change));
            }
        }
    }
    let is_whole = |path: &str| touched.get(path).is_some_and(|(_, own)| own.whole);
    let is_covered = |region: &Region<'_>| {
        let text = region.path.as_str();
        let mut end = text.len();
        region.path.step_texts().rev().any(|step| {
            // The step and the dot before it, if there is one.
            end = end.saturating_sub(step.len() + 1);
            text.get(..end).is_some_and(is_whole)
        })
    };
    let mut regions: Vec<_> = touched.values().copied().collect();
    regions.retain(|(_, region)| !is_covered(region));
    regions.sort_unstable_by_key(|(place, _)| *place);
    regions.into_iter().map(|(_, region)| region).collect()
}

struct Translation<'a> {
    forward: &'a Forward,
    edits: Vec<GuardedEdit>,
}

impl Translation<'_> {
    fn region(&mut self, region: &Region<'_>, before: &Snapshot, after: &Snapshot) {
        let (was, is) = (
            before.stored_node(region.path),
            after.stored_node(region.path),
        );
        if region.whole {
            if let Some(was) = was {
                self.leave(&was, region.path);
            }
            if let Some(is) = is {
                self.enter(&is, region.path);
            }
        } else if self.forward.pattern.matches_path(region.path)
            && let (Some(is), Some(target)) = (is, self.target(region.path))
        {
            match was {
                Some(was) => self.difference(&was, &is, target),
                None => self.node(row_of(&is), target),
            }
        }
    }

    /// What became of a node that stayed where it is.
    fn difference(&mut self, was: &BagNode<'_>, is: &BagNode<'_>, target: Path<'static>) {
        match (was.stored_value(), is.stored_value()) {
            (old, Some(new)) if old != Some(new) => {
                self.push(Edit::set(target.clone(), Content::Value(new.clone())));
            }
            (Some(_), None) => self.push(Edit::set(target.clone(), Branch::new())),
            _ => {}
        }
        let (old, new) = (was.attributes(), is.attributes());
        let written = new
            .iter()
            .filter(|(name, value)| old.get(name.as_str()) != Some(*value))
            .map(|(name, value)| (name.clone(), value.clone()));
        let gone = old
            .iter()
            .filter(|(name, _)| new.get(name.as_str()).is_none())
            .map(|(name, _)| (name.clone(), Value::Null));
        let attributes: Attributes = written.chain(gone).collect();
        if attributes.is_empty() {
            return;
        }
        match is.stored_value() {
            Some(_) => self.push(Edit::SetAttributes {
                path: target,
                attributes,
            }),
            None => self.bag(target, attributes),
        }
    }

    /// Removes, at the target, what matched at `path` or below it: the topmost nodes are enough.
    fn leave(&mut self, node: &BagNode<'_>, path: &Path<'_>) {
        if self.forward.pattern.matches_path(path) {
            return self.remove(path);
        }
        let mut way = Way::new(path);
        let mut gone: Option<u16> = None;
        for row in node.rows() {
            if gone.is_some_and(|depth| row.depth > depth) {
                continue;
            }
            gone = None;
            if let Some(path) = way.to(&row)
                && self.forward.pattern.matches_path(path)
            {
                gone = Some(row.depth);
                self.remove(path);
            }
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
    fn enter(&mut self, node: &BagNode<'_>, path: &Path<'_>) {
        self.enter_one(row_of(node), path);
        let mut way = Way::new(path);
        for row in node.rows() {
            if let Some(path) = way.to(&row) {
                self.enter_one(row, path);
            }
        }
    }

    fn enter_one(&mut self, row: Row, path: &Path<'_>) {
        if self.forward.pattern.matches_path(path)
            && let Some(target) = self.target(path)
        {
            self.node(row, target);
        }
    }

    fn node(&mut self, row: Row, target: Path<'static>) {
        match row.value {
            Some(value) => self.push(Edit::Set {
                path: target,
                content: Some(Content::Value(value)),
                attributes: Some(row.attributes),
                position: None,
                overwrite: false,
            }),
            None => self.bag(target, row.attributes),
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

/// A node as a row of its own. The root has no label; it needs none here.
fn row_of(node: &BagNode<'_>) -> Row {
    Row {
        depth: 0,
        label: node.label().clone(),
        value: node.stored_value().cloned(),
        attributes: node.attributes().clone(),
        resolver: None,
    }
}

/// The paths of rows as they come.
struct Way {
    /// The path of the node that the rows are in, and of each row above the last one.
    paths: Vec<Path<'static>>,
}

impl Way {
    fn new(top: &Path<'_>) -> Self {
        Self {
            paths: vec![top.borrowed().into_owned()],
        }
    }

    /// `None` if that is no possible path, which no limit lets happen.
    fn to(&mut self, row: &Row) -> Option<&Path<'static>> {
        let above = usize::from(row.depth) + 1;
        if self.paths.len() < above {
            return None;
        }
        self.paths.truncate(above);
        let path = self.paths.last()?.child(row.label.as_str()).ok()?;
        self.paths.push(path);
        self.paths.last()
    }
}
