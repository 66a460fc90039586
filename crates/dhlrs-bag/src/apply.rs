//! Apply: ops are carried out, nothing is decided, and nothing can fail.

use dhlrs_path::Path;

use crate::{
    AttributeChange, Attributes, AttributesWrite, Branch, Change, ChangeKind, Content, Label,
    NodeId, Op, Placed, ResolverRef, ResolverWrite, Row, Shown, Tree, Value,
    slot::{Held, Slot, VACANT, View, extra},
    tree::{Place, ROOT_SLOT},
};

/// Carries out ops on a tree, with or without a report of what changed.
pub(crate) struct Applier<'a> {
    tree: &'a mut Tree,
    revision: u64,
    report: Option<Vec<Change>>,
}

/// What a write did to a node's attributes.
struct AttributesWritten {
    after: Attributes,
    changes: Vec<AttributeChange>,
}

impl<'a> Applier<'a> {
    pub(crate) fn quiet(tree: &'a mut Tree, revision: u64) -> Self {
        Self {
            tree,
            revision,
            report: None,
        }
    }

    pub(crate) fn reporting(tree: &'a mut Tree, revision: u64) -> Self {
        Self {
            tree,
            revision,
            report: Some(Vec::new()),
        }
    }

    pub(crate) fn into_changes(self) -> Vec<Change> {
        self.report.unwrap_or_default()
    }

    pub(crate) fn run(&mut self, ops: &[Op]) {
        for op in ops {
            // An op whose nodes are not there has no effect.
            let _: Option<()> = self.op(op);
        }
    }

    fn op(&mut self, op: &Op) -> Option<()> {
        match op {
            Op::Insert {
                parent,
                after,
                id,
                label,
                content,
                attributes,
                resolver,
                autocreated,
            } => {
                let slot = Slot {
                    id: *id,
                    label: label.clone(),
                    held: held_of(content),
                    extra: extra(attributes.clone().without_nulls(), resolver.clone()),
                    revision: self.revision,
                    ..VACANT.clone()
                };
                let parent = self.stored(*parent)?;
                self.insert(parent, *after, slot, content, *autocreated)
            }
            Op::Write {
                id,
                content,
                attributes,
                resolver,
                autocreated,
            } => {
                let at = self.stored(*id)?;
                self.write(
                    at,
                    content.as_ref(),
                    attributes.as_ref(),
                    resolver.as_ref(),
                    *autocreated,
                )
            }
            Op::Remove { id } => self.remove(self.stored(*id)?),
            Op::Move {
                id,
                parent,
                after,
                label,
            } => {
                let (at, parent) = (self.stored(*id)?, self.stored(*parent)?);
                self.shift(at, parent, *after, label)
            }
            Op::Rename { id, label } => self.rename(self.stored(*id)?, label),
            Op::Sort { id, order } => self.sort(self.stored(*id)?, order),
            Op::Invalidate { id } => self.invalidate(*id),
        }
    }

    fn stored(&self, id: NodeId) -> Option<u32> {
        let at = self.tree.by_id(id)?;
        (!self.tree.slot(at).is_overlay()).then_some(at)
    }

    fn insert(
        &mut self,
        parent: u32,
        after: Option<NodeId>,
        slot: Slot,
        content: &Content,
        autocreated: bool,
    ) -> Option<()> {
        let id = slot.id;
        let branch = match content {
            Content::Branch(branch) => Some(branch),
            Content::Value(_) => None,
        };
        let taken = self.use_ids(id, 1 + branch.map_or(0, Branch::len));
        if taken || id.is_overlay() {
            return None;
        }
        self.tree.children(parent, View::Stored)?;
        let place = self.place(parent, after);
        let at = match self.tree.child(parent, View::Stored, &slot.label) {
            None => {
                let hash = self.tree.hash(slot.label.as_bytes());
                self.tree.add_in(parent, View::Stored, place, hash, slot)
            }
            Some(there) if !self.tree.slot(there).is_overlay() => return None,
            // What was only shown so far gets something stored beneath it.
            Some(there) => {
                let is_free = |row: &Row| {
                    let label = &row.label;
                    row.depth > 0 || self.tree.child(there, View::Stored, label).is_none()
                };
                let stays = match content {
                    Content::Value(value) => *value == Value::Null,
                    Content::Branch(branch) => {
                        let is_way = self.tree.slot(there).id.is_way();
                        is_way && branch.rows().iter().all(is_free)
                    }
                };
                self.tree.detach(there);
                self.put_beneath(there, slot, stays);
                self.tree.attach(parent, View::Stored, place, there);
                there
            }
        };
        if let Some(branch) = branch {
            self.tree
                .fill(at, View::Stored, branch, id.plus(1), self.revision);
        }
        self.touch(parent);
        self.change(ChangeKind::Insert, at, |tree, change| {
            change.new = tree.shown(at, View::Stored);
            let attributes = tree.slot(at).attributes().iter();
            change.attributes = attributes
                .map(|(name, value)| AttributeChange {
                    name: name.clone(),
                    old: None,
                    new: Some(value.clone()),
                })
                .collect();
            change.autocreated = autocreated;
        });
        Some(())
    }

    // Makes an ordinary node of one that is only an overlay; that stays before it, or goes.
    fn put_beneath(&mut self, at: u32, slot: Slot, overlay_stays: bool) {
        let id = slot.id;
        let mut shown = Held::Scalar(Value::Null);
        self.tree.edit(at, |own| {
            shown = std::mem::replace(&mut own.held, slot.held);
            own.extra = slot.extra;
            own.revision = slot.revision;
        });
        self.tree.reidentify(at, id);
        let is_bag = self.tree.slot(at).held.children().is_some();
        match (overlay_stays, is_bag) {
            // What is shown in the bag stands among what will be stored in it.
            (true, true) => self.tree.edit(at, |own| own.held = shown),
            (true, false) => self.tree.edit(at, |own| {
                own.edit_extra(|extra| extra.overlay = Some(shown))
            }),
            (false, _) => self.tree.discard_held(&shown),
        }
    }

    fn write(
        &mut self,
        at: u32,
        content: Option<&Placed>,
        attributes: Option<&AttributesWrite>,
        resolver: Option<&ResolverWrite>,
        autocreated: bool,
    ) -> Option<()> {
        if let Some(Placed {
            content: Content::Branch(branch),
            first,
        }) = content
            && self.use_ids(*first, branch.len())
        {
            return None;
        }
        if content.is_some() || resolver.is_some() {
            self.tree.take_overlay(at);
        }
        let old = self
            .report
            .is_some()
            .then(|| self.tree.shown(at, View::Stored));
        let written = self.write_attributes(at, attributes);
        let resolver_written = resolver.is_some_and(|write| self.write_resolver(at, write));
        let content_written = content.and_then(|placed| self.write_content(at, placed));
        let kind = match (content_written, resolver_written, &written) {
            (Some(ChangeKind::Replace), _, _) => ChangeKind::Replace,
            (None, false, None) => return None,
            (None, false, Some(_)) => ChangeKind::Attributes,
            (_, _, None) => ChangeKind::Value,
            (_, _, Some(_)) => ChangeKind::ValueAndAttributes,
        };
        self.touch(at);
        self.change(kind, at, |tree, change| {
            change.old = old.unwrap_or(Shown::Absent);
            change.new = tree.shown(at, View::Stored);
            change.attributes = written.map_or_else(Vec::new, |written| written.changes);
            change.autocreated = autocreated;
        });
        Some(())
    }

    fn write_attributes(
        &mut self,
        at: u32,
        write: Option<&AttributesWrite>,
    ) -> Option<AttributesWritten> {
        let written = attributes_after(self.tree.slot(at).attributes(), write?);
        if written.changes.is_empty() {
            return None;
        }
        let after = written.after.clone();
        self.tree
            .edit(at, |slot| slot.edit_extra(|extra| extra.attributes = after));
        Some(written)
    }

    fn write_resolver(&mut self, at: u32, write: &ResolverWrite) -> bool {
        let after: Option<&ResolverRef> = match write {
            ResolverWrite::Put(resolver) => Some(resolver),
            ResolverWrite::Remove => None,
        };
        if at == ROOT_SLOT || self.tree.slot(at).resolver() == after {
            return false;
        }
        let after = after.cloned();
        self.tree
            .edit(at, |slot| slot.edit_extra(|extra| extra.resolver = after));
        true
    }

    fn write_content(&mut self, at: u32, placed: &Placed) -> Option<ChangeKind> {
        let was_bag = match (&placed.content, &self.tree.slot(at).held) {
            (Content::Value(value), Held::Scalar(old)) if value == old => return None,
            (Content::Value(_), _) if at == ROOT_SLOT => return None,
            (Content::Branch(branch), Held::Bag(_)) => {
                if branch.is_empty() && self.tree.stored_list(at).is_empty() {
                    return None;
                }
                true
            }
            _ => false,
        };
        let new = held_of(&placed.content);
        let mut old = Held::Scalar(Value::Null);
        self.tree
            .edit(at, |slot| old = std::mem::replace(&mut slot.held, new));
        self.tree.discard_held(&old);
        if let Content::Branch(branch) = &placed.content {
            self.tree
                .fill(at, View::Stored, branch, placed.first, self.revision);
        }
        Some(match was_bag {
            true => ChangeKind::Replace,
            false => ChangeKind::Value,
        })
    }

    fn remove(&mut self, at: u32) -> Option<()> {
        if at == ROOT_SLOT {
            return None;
        }
        let parent = self.tree.slot(at).parent;
        self.change(ChangeKind::Remove, at, |tree, change| {
            change.old = tree.shown(at, View::Stored);
        });
        self.tree.detach(at);
        self.tree.discard(at);
        self.touch(parent);
        Some(())
    }

    fn shift(&mut self, at: u32, parent: u32, after: Option<NodeId>, label: &Label) -> Option<()> {
        let into_itself = at == parent || self.tree.around(parent).any(|bag| bag == at);
        if at == ROOT_SLOT || into_itself {
            return None;
        }
        self.tree.children(parent, View::Stored)?;
        let there = self.tree.child(parent, View::Stored, label);
        match there.filter(|there| *there != at) {
            Some(there) if self.tree.slot(there).is_overlay() => {
                self.tree.detach(there);
                self.tree.discard(there);
            }
            Some(_) => return None,
            None => {}
        }
        let before = self.tree.slot(at);
        let (old_parent, old_label) = (before.parent, before.label.clone());
        let old_index = self.tree.index_of(at);
        let old_place = self.report.is_some().then(|| self.tree.place_of(at));
        let stays = after == Some(self.tree.slot(at).id);
        if !(stays && old_parent == parent) {
            let place = self.place(parent, after);
            self.tree.detach(at);
            if old_label != *label {
                let label = label.clone();
                self.tree.edit(at, |slot| slot.label = label);
            }
            self.tree.attach(parent, View::Stored, place, at);
        } else if old_label != *label {
            self.tree.relabel(at, label.clone());
        }
        let moved = old_parent != parent || old_index != self.tree.index_of(at);
        let kind = match (moved, old_label == *label) {
            (false, true) => return None,
            (false, false) => ChangeKind::Rename,
            (true, _) => ChangeKind::Move,
        };
        self.touch(at);
        self.touch(old_parent);
        self.touch(parent);
        self.change(kind, at, |tree, change| {
            let (path, ancestors) = old_place.unwrap_or_default();
            change.old = tree.shown(at, View::Stored);
            change.new = change.old.clone();
            change.old_path = Some(path);
            if old_parent != parent {
                change.old_ancestors = ancestors;
            }
            change.old_index = Some(old_index);
        });
        Some(())
    }

    fn rename(&mut self, at: u32, label: &Label) -> Option<()> {
        let slot = self.tree.slot(at);
        let after = Some(slot.id);
        self.shift(at, slot.parent, after, label)
    }

    fn sort(&mut self, at: u32, order: &[u32]) -> Option<()> {
        let children = self.tree.stored_list(at);
        let mut sorted = Vec::with_capacity(children.len());
        let mut seen = vec![false; children.len()];
        for place in order {
            let place = *place as usize;
            if std::mem::replace(seen.get_mut(place)?, true) {
                return None;
            }
            sorted.push(*children.get(place)?);
        }
        if sorted.len() != children.len() || sorted == children {
            return None;
        }
        let moved = sorted.iter().zip(&children).filter(|(new, old)| new != old);
        let moved: Vec<u32> = moved.map(|(new, _)| *new).collect();
        let overlays = self.tree.list(at, View::Stored);
        let overlays = overlays.filter(|child| self.tree.slot(*child).is_overlay());
        sorted.extend(overlays.collect::<Vec<_>>());
        self.tree.reorder(at, &sorted);
        moved.into_iter().for_each(|child| self.touch(child));
        self.touch(at);
        self.change(ChangeKind::Sort, at, |tree, change| {
            change.old = tree.shown(at, View::Stored);
            change.new = change.old.clone();
        });
        Some(())
    }

    fn invalidate(&mut self, id: NodeId) -> Option<()> {
        let at = self.tree.by_id(id)?;
        let forgotten = |change: &mut Change, old, new| {
            (change.old, change.new) = (old, new);
            change.invalidated = true;
        };
        let old = self.tree.shown(at, View::Shown);
        if self.tree.slot(at).is_overlay() {
            self.change(ChangeKind::Resolve, at, |_, change| {
                forgotten(change, old, Shown::Absent);
            });
            self.tree.remove_overlay_node(at);
        } else {
            self.tree.take_overlay(at);
            self.change(ChangeKind::Resolve, at, |tree, change| {
                forgotten(change, old, tree.shown(at, View::Shown));
            });
        }
        Some(())
    }

    fn place(&self, parent: u32, after: Option<NodeId>) -> Place {
        match after {
            None => Place::First,
            Some(id) => match self.stored(id) {
                Some(at) if self.tree.slot(at).parent == parent => Place::After(at),
                _ => Place::Last,
            },
        }
    }

    /// Notes that ids are used, and says whether one of them is taken.
    fn use_ids(&mut self, first: NodeId, count: usize) -> bool {
        let count = count as u64;
        match first.counter() {
            Some(counter) if counter >= self.tree.next_id => {
                self.tree.next_id = counter.saturating_add(count);
                false
            }
            _ => (0..count).any(|n| self.tree.by_id(first.plus(n)).is_some()),
        }
    }

    fn touch(&mut self, at: u32) {
        let revision = self.revision;
        self.tree.edit(at, |slot| slot.revision = revision);
        self.tree.revision = revision;
    }

    fn change(&mut self, kind: ChangeKind, at: u32, fill: impl FnOnce(&Tree, &mut Change)) {
        if let Some(report) = &mut self.report {
            let mut change = self.tree.change(kind, at);
            fill(self.tree, &mut change);
            report.push(change);
        }
    }
}

fn held_of(content: &Content) -> Held {
    match content {
        Content::Value(value) => Held::Scalar(value.clone()),
        Content::Branch(_) => Held::empty_bag(),
    }
}

fn attributes_after(before: &Attributes, write: &AttributesWrite) -> AttributesWritten {
    let after = write.over(before);
    let mut changes = Vec::new();
    for (name, new) in after.iter() {
        let old = before.get(name);
        if old != Some(new) {
            changes.push(AttributeChange {
                name: name.clone(),
                old: old.cloned(),
                new: Some(new.clone()),
            });
        }
    }
    for (name, old) in before.iter() {
        if after.get(name).is_none() {
            changes.push(AttributeChange {
                name: name.clone(),
                old: Some(old.clone()),
                new: None,
            });
        }
    }
    AttributesWritten { after, changes }
}

impl AttributesWrite {
    /// What the attributes are after the write.
    pub(crate) fn over(&self, before: &Attributes) -> Attributes {
        match self {
            Self::Replace(attributes) => attributes.clone().without_nulls(),
            Self::Merge(attributes) => {
                let mut after = before.clone();
                after.merge(attributes);
                after
            }
        }
    }
}

impl Tree {
    pub(crate) fn place_of(&self, at: u32) -> (Path<'static>, Vec<NodeId>) {
        let ancestors = self.around(at).map(|bag| self.slot(bag).id).collect();
        (self.path_of(at), ancestors)
    }

    pub(crate) fn change(&self, kind: ChangeKind, at: u32) -> Change {
        let (path, ancestors) = self.place_of(at);
        Change {
            kind,
            id: self.slot(at).id,
            path,
            old_path: None,
            ancestors,
            old_ancestors: Vec::new(),
            old: Shown::Absent,
            new: Shown::Absent,
            attributes: Vec::new(),
            index: (at != ROOT_SLOT).then(|| self.index_of(at)),
            old_index: None,
            autocreated: false,
            invalidated: false,
        }
    }
}
