//! The usual set, by one search: a scalar to a path of labels, without the detour through ops. What
//! comes of it is what order and apply would make of it.

use dhlrs_path::Path;
use smol_str::SmolStr;

use crate::{
    Bag, Change, ChangeKind, Content, Edit, GuardedEdit, Label, NODE_BYTES_MAX, Name, NodeId,
    Shown, Tree, Value,
    branch::node_bytes,
    fit::FITTING_BYTES_MAX,
    slot::{Held, Slot, VACANT, View},
    tree::{FoundChild, Place, ROOT_SLOT},
};

/// Where a path of labels leads.
enum Found<'t, 'p> {
    Node(FoundChild<'t>),
    /// A bag, the first label that is missing in it and its hash.
    Missing(u32, &'p str, u32),
    Scalar,
}

impl Bag {
    /// Sets a path, or hands the value back when the case is another.
    pub(crate) fn set_directly(&mut self, path: &Path<'_>, value: Value) -> Option<Value> {
        let Some(mut labels) = self.direct_labels(path) else {
            return Some(value);
        };
        match self.find(&mut labels, |_| {}) {
            Found::Scalar => Some(value),
            Found::Node(found) => {
                if !may_overwrite(found.slot, &value) {
                    return Some(value);
                }
                if found.slot.held.scalar() != Some(&value) {
                    self.overwrite(found.at, value);
                }
                None
            }
            Found::Missing(..) if value.encoded_bytes() > FITTING_BYTES_MAX => Some(value),
            // The path is within its limits, and so are the places that it names.
            Found::Missing(bag, label, hash) => {
                self.make(bag, label, hash, labels, value);
                None
            }
        }
    }

    /// Writes an attribute that is there, and says whether the case was this one.
    pub(crate) fn set_attribute_directly(
        &mut self,
        path: &Path<'_>,
        name: &Name,
        value: &Value,
    ) -> bool {
        let Some(mut labels) = self.direct_labels(path) else {
            return false;
        };
        let Found::Node(FoundChild { at, slot, .. }) = self.find(&mut labels, |_| {}) else {
            return false;
        };
        let Some(old) = slot.attributes().get(name) else {
            return false;
        };
        if old == value {
            return true;
        }
        let scalar = slot.held.scalar();
        let bytes = node_bytes(&slot.label, scalar, slot.attributes(), slot.resolver());
        if value.is_null() || bytes + value.encoded_bytes() > NODE_BYTES_MAX {
            return false;
        }
        let revision = self.next_revision();
        let tree = self.tree_mut();
        tree.revision = revision;
        tree.edit(at, |slot| {
            slot.revision = revision;
            slot.edit_extra(|extra| {
                extra.attributes.insert(name.clone(), value.clone());
            });
        });
        true
    }

    /// Does an edit that writes a scalar in the place of another, and says what changed. It takes
    /// what it needs out of the edit; one that is another is left as it is.
    pub(crate) fn edit_directly(&mut self, guarded: &mut GuardedEdit) -> Option<Vec<Change>> {
        let GuardedEdit {
            edit:
                Edit::Set {
                    path,
                    content: Some(Content::Value(value)),
                    attributes: None,
                    ..
                },
            precondition: None,
        } = guarded
        else {
            return None;
        };
        let mut ancestors = Vec::with_capacity(path.depth());
        let labels = self.direct_labels(path);
        let found = labels.map(|mut own| self.find(&mut own, |bag| ancestors.push(bag)));
        let (at, id, index) = match found? {
            Found::Node(found) if may_overwrite(found.slot, value) => {
                if found.slot.held.scalar() == Some(value) {
                    return Some(Vec::new());
                }
                let index = found.index.map(|index| index as u64);
                let index = index.unwrap_or_else(|| self.index_of(found.at));
                (found.at, found.slot.id, index)
            }
            _ => return None,
        };
        ancestors.reverse();
        let old = self.overwrite(at, value.clone());
        Some(vec![Change {
            kind: ChangeKind::Value,
            id,
            path: std::mem::take(path),
            old_path: None,
            ancestors,
            old_ancestors: Vec::new(),
            old: Shown::Scalar(old),
            new: Shown::Scalar(std::mem::take(value)),
            attributes: Vec::new(),
            index: Some(index),
            old_index: None,
            autocreated: false,
            invalidated: false,
        }])
    }

    // An overlay on the way would hide what is stored; then it is for `order` to refuse.
    fn direct_labels<'p>(
        &self,
        path: &'p Path<'_>,
    ) -> Option<impl Iterator<Item = &'p str> + use<'p>> {
        let is_usual = self.recording.is_none() && !self.knows_overlays;
        let labels = path.plain_labels().filter(|_| is_usual)?;
        path.query().is_none().then_some(labels)
    }

    fn overwrite(&mut self, at: u32, value: Value) -> Value {
        let revision = self.next_revision();
        let mut old = Held::Scalar(Value::Null);
        let tree = self.tree_mut();
        tree.revision = revision;
        tree.edit(at, |slot| {
            old = std::mem::replace(&mut slot.held, Held::Scalar(value));
            slot.revision = revision;
        });
        match old {
            Held::Scalar(old) => old,
            Held::Bag(_) => Value::Null,
        }
    }

    /// Makes the bags on the way, and the node.
    fn make<'p>(
        &mut self,
        bag: u32,
        label: &'p str,
        hash: u32,
        mut labels: impl Iterator<Item = &'p str>,
        value: Value,
    ) {
        let revision = self.next_revision();
        let tree = self.tree_mut();
        tree.revision = revision;
        tree.edit(bag, |slot| slot.revision = revision);
        let (mut bag, mut label, mut hash) = (bag, label, hash);
        for next in labels.by_ref() {
            bag = tree.append(bag, label, hash, Held::empty_bag());
            (label, hash) = (next, tree.hash(next.as_bytes()));
        }
        tree.append(bag, label, hash, Held::Scalar(value));
    }
}

fn may_overwrite(slot: &Slot, value: &Value) -> bool {
    let fits = value.encoded_bytes() <= FITTING_BYTES_MAX && slot.extra.is_none();
    matches!(slot.held, Held::Scalar(_))
        && slot.resolver().is_none()
        && (fits || node_bytes(&slot.label, Some(value), slot.attributes(), None) <= NODE_BYTES_MAX)
}

impl Tree {
    /// Goes along the labels as far as they are there, and names the bags on the way.
    #[inline]
    fn find<'p>(
        &self,
        labels: &mut impl Iterator<Item = &'p str>,
        mut passed: impl FnMut(NodeId),
    ) -> Found<'_, 'p> {
        let mut found = FoundChild {
            at: ROOT_SLOT,
            slot: self.slot(ROOT_SLOT),
            index: None,
        };
        for label in labels {
            let Held::Bag(children) = &found.slot.held else {
                return Found::Scalar;
            };
            let hash = self.hash(label.as_bytes());
            passed(found.slot.id);
            match self.child_of(children, hash, label) {
                Some(child) => found = child,
                None => return Found::Missing(found.at, label, hash),
            }
        }
        Found::Node(found)
    }

    /// Makes a node and puts it last in a bag that has no child of this label.
    fn append(&mut self, bag: u32, label: &str, hash: u32, held: Held) -> u32 {
        let id = NodeId::counted(self.next_id);
        self.next_id += 1;
        let slot = Slot {
            id,
            // The steps of a path have passed the same check.
            label: Label::unchecked(SmolStr::new(label)),
            held,
            revision: self.revision,
            ..VACANT.clone()
        };
        self.add_in(bag, View::Stored, Place::Last, hash, slot)
    }
}
