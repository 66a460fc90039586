//! What resolvers give and what is derived: shown, never logged.

use dhlrs_path::Path;

use crate::{
    Bag, Change, ChangeKind, Content, EditError, EditErrorKind, Label, NodeId, Shown, Tree, Value,
    fit::Fit,
    slot::{Held, Slot, VACANT, View, extra},
    tree::{Place, ROOT_SLOT},
};

impl Bag {
    /// Shows content at a path that is not stored: what a resolver gave, a derived value. `None`
    /// takes it away.
    ///
    /// Where nothing is stored, nodes are made that exist only as overlay, bags on the way too.
    /// Neither they nor the content are in rows, images or ops, and no revision changes. Gives a
    /// change of kind `Resolve` when something else shows now. Writing below an overlay is refused
    /// until it is materialised.
    ///
    /// # Errors
    /// `BadPath` for the root, a query, or a missing step that is no label; `ThroughScalar` below
    /// a value; and when the content is beyond the limits of nodes.
    pub fn set_overlay(
        &mut self,
        path: &Path<'_>,
        content: Option<Content>,
    ) -> Result<Vec<Change>, EditError> {
        let refuse = |kind| Err(EditError::new(kind, path.clone().into_owned()));
        let mut at = ROOT_SLOT;
        let mut missing = Vec::new();
        for step in path.steps() {
            let found = match missing.is_empty() {
                true => self.step(at, View::Shown, &step),
                false => None,
            };
            match (found, step.label()) {
                (Some(child), _) => at = child,
                (None, Some(label)) => {
                    missing.push(Label::new(label).map_err(EditError::from_path)?);
                }
                (None, None) => return refuse(EditErrorKind::BadPath),
            }
        }
        if path.query().is_some() || (at == ROOT_SLOT && missing.is_empty()) {
            return refuse(EditErrorKind::BadPath);
        }
        let Some(content) = content else {
            return Ok(match missing.is_empty() {
                true => self.tree_mut().hide_overlay(at).into_iter().collect(),
                false => Vec::new(),
            });
        };
        let may_hold = missing.is_empty() || self.may_show_children(at);
        if !may_hold {
            return Err(EditError::new(
                EditErrorKind::ThroughScalar,
                self.path_of(at),
            ));
        }
        let fit = Fit::of(self, at).below(&missing);
        fit.check_content(&content)
            .map_err(|kind| EditError::new(kind, path.clone().into_owned()))?;
        let change = self.tree_mut().show_overlay(at, &missing, &content);
        Ok(change.into_iter().collect())
    }
}

impl Tree {
    fn may_show_children(&self, at: u32) -> bool {
        match self.slot(at).held(View::Shown) {
            Held::Bag(_) | Held::Scalar(Value::Null) => true,
            Held::Scalar(_) => false,
        }
    }

    fn show_overlay(&mut self, at: u32, missing: &[Label], content: &Content) -> Option<Change> {
        self.knows_overlays = true;
        let mut at = at;
        let mut old = self.shown(at, View::Shown);
        for label in missing {
            old = Shown::Absent;
            if self.children(at, View::Shown).is_none() {
                self.put_overlay(at, Held::empty_bag());
            }
            let child = self.add_way(label.clone());
            self.attach(at, View::Shown, Place::Last, child);
            at = child;
        }
        if self.slot(at).id.is_way() {
            self.reidentify(at, NodeId::lone_overlay(self.next_overlay));
            self.next_overlay += 1;
        }
        let is_same = old != Shown::Absent
            && match content {
                Content::Value(value) => self.slot(at).held(View::Shown).scalar() == Some(value),
                Content::Branch(branch) => self.holds_branch(at, View::Shown, branch),
            };
        if is_same && (self.slot(at).is_overlay() || self.slot(at).overlay().is_some()) {
            return None;
        }
        match content {
            Content::Value(value) => self.put_overlay(at, Held::Scalar(value.clone())),
            Content::Branch(branch) => {
                self.put_overlay(at, Held::empty_bag());
                let first = NodeId::overlay(self.next_overlay);
                self.next_overlay += branch.len() as u64;
                self.fill(at, View::Shown, branch, first, self.revision);
            }
        }
        (!is_same).then(|| {
            let mut change = self.change(ChangeKind::Resolve, at);
            change.old = old;
            change.new = self.shown(at, View::Shown);
            change
        })
    }

    fn hide_overlay(&mut self, at: u32) -> Option<Change> {
        let old = self.shown(at, View::Shown);
        let mut change = self.change(ChangeKind::Resolve, at);
        if self.slot(at).is_overlay() {
            self.remove_overlay_node(at);
        } else {
            self.take_overlay(at);
            change.new = self.shown(at, View::Shown);
        }
        change.old = old;
        (change.old != change.new).then_some(change)
    }

    fn add_way(&mut self, label: Label) -> u32 {
        let id = NodeId::way(self.next_overlay);
        self.next_overlay += 1;
        self.add(Slot {
            id,
            label,
            extra: extra(Default::default(), None),
            revision: self.revision,
            ..VACANT.clone()
        })
    }

    // Puts what is shown in the place of what was shown. A node that is only an overlay shows what
    // it holds; the overlay of another one lies before it.
    fn put_overlay(&mut self, at: u32, held: Held) {
        if self.slot(at).is_overlay() {
            let mut old = Held::Scalar(Value::Null);
            self.edit(at, |slot| old = std::mem::replace(&mut slot.held, held));
            self.discard_held(&old);
            return;
        }
        self.take_overlay(at);
        // Nodes that are only overlay and stand among stored ones would be hidden; they go.
        let among: Vec<u32> = self.list(at, View::Stored).collect();
        for child in among {
            if self.slot(child).is_overlay() {
                self.detach(child);
                self.discard(child);
            }
        }
        self.edit(at, |slot| {
            slot.edit_extra(|extra| extra.overlay = Some(held))
        });
    }

    /// Takes away what lies before a stored node, if anything does.
    pub(crate) fn take_overlay(&mut self, at: u32) {
        if self.slot(at).overlay().is_none() {
            return;
        }
        let mut old = None;
        self.edit(at, |slot| {
            slot.edit_extra(|extra| old = extra.overlay.take())
        });
        if let Some(old) = old {
            self.discard_held(&old);
        }
    }

    /// Takes away a node that is only an overlay, and the bags around it that this empties.
    pub(crate) fn remove_overlay_node(&mut self, at: u32) {
        let mut at = at;
        loop {
            let parent = self.slot(at).parent;
            self.detach(at);
            self.discard(at);
            let is_empty = self.slot(parent).is_overlay()
                && (self.children(parent, View::Stored)).is_some_and(|own| own.len() == 0);
            if !is_empty {
                return;
            }
            at = parent;
        }
    }
}
