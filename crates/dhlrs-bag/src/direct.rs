//! The usual set, by one search: a scalar to a path of labels, without the detour through ops. What
//! comes of it is what order and apply would make of it.

use dhlrs_path::Path;
use smol_str::SmolStr;

use crate::{
    Bag, Label, NODE_BYTES_MAX, NodeId, Tree, Value,
    branch::node_bytes,
    slot::{Held, NO_ATTRIBUTES, Slot, VACANT, View},
    tree::{Place, ROOT_SLOT},
};

impl Bag {
    /// Hands the value back when the case is another.
    pub(crate) fn set_directly(&mut self, path: &Path<'_>, value: Value) -> Option<Value> {
        // An overlay on the way would hide what is stored; then this is for `order` to refuse.
        if self.recording.is_some() || self.next_overlay > 1 || path.query().is_some() {
            return Some(value);
        }
        let Some(mut labels) = path.plain_labels() else {
            return Some(value);
        };
        let revision = self.next_revision();
        let (mut at, mut slot) = (ROOT_SLOT, self.slot(ROOT_SLOT));
        let missing = loop {
            let Some(label) = labels.next() else {
                break None;
            };
            let Held::Bag(children) = &slot.held else {
                return Some(value);
            };
            let hash = self.hash(label.as_bytes());
            match self.child_of(children, hash, label) {
                Some(found) => (at, slot) = found,
                None => break Some((label, hash)),
            }
        };
        let Some((label, hash)) = missing else {
            return self.overwrite(at, value, revision);
        };
        // The path is within its limits, and so are the places that it names.
        let last = path.last();
        let last = last.as_ref().and_then(|step| step.label()).unwrap_or(label);
        if node_bytes(&unchecked(last), Some(&value), &NO_ATTRIBUTES, None) > NODE_BYTES_MAX {
            return Some(value);
        }
        let tree = self.tree_mut();
        tree.edit(at, |slot| slot.revision = revision);
        tree.revision = revision;
        let mut next = Some((label, hash));
        while let Some((label, hash)) = next {
            next = labels
                .next()
                .map(|label| (label, tree.hash(label.as_bytes())));
            let held = match next {
                None => Held::Scalar(value.clone()),
                Some(_) => Held::empty_bag(),
            };
            at = tree.append(at, label, hash, held);
        }
        None
    }

    fn overwrite(&mut self, at: u32, value: Value, revision: u64) -> Option<Value> {
        let slot = self.slot(at);
        let Held::Scalar(old) = &slot.held else {
            return Some(value);
        };
        let bytes = || node_bytes(&slot.label, Some(&value), slot.attributes(), None);
        if slot.resolver().is_some() || bytes() > NODE_BYTES_MAX {
            return Some(value);
        }
        if *old != value {
            let tree = self.tree_mut();
            tree.edit(at, |slot| {
                slot.held = Held::Scalar(value);
                slot.revision = revision;
            });
            tree.revision = revision;
        }
        None
    }
}

impl Tree {
    /// Makes a node and puts it last in a bag that has no child of this label.
    fn append(&mut self, bag: u32, label: &str, hash: u32, held: Held) -> u32 {
        let id = NodeId::counted(self.next_id);
        self.next_id += 1;
        let child = self.add(Slot {
            id,
            label: unchecked(label),
            held,
            revision: self.revision,
            ..VACANT.clone()
        });
        self.attach_hashed(bag, View::Stored, Place::Last, child, hash);
        child
    }
}

// The steps of a path have passed the same check.
fn unchecked(label: &str) -> Label {
    Label::unchecked(SmolStr::new(label))
}
