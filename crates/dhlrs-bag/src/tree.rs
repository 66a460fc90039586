//! One state of the tree: the arena, and the indexes by which nothing in it is scanned.

use std::hash::{BuildHasher, Hasher};

use foldhash::quality::FixedState;
use triomphe::Arc;

use crate::{
    NodeId,
    children::{Children, Few, Listed},
    ids::{Ids, Run},
    pages::{NONE, Pages},
    sequence::Sequences,
    slot::{Held, Slot, VACANT, View},
};

pub(crate) const ROOT_SLOT: u32 = 0;

/// One state of a tree, for reading; a [`Bag`](crate::Bag) and a [`Snapshot`](crate::Snapshot)
/// both are one.
///
/// Nodes are found by path, by label, by index and by id without scanning a bag. Reading shows an
/// overlay where there is one; the `stored_` functions, rows and images leave overlays out.
///
/// Two trees are equal if they hold the same labels in the same order, with equal values,
/// attributes and resolvers; ids, revisions and overlays do not matter.
#[derive(Clone)]
pub struct Tree {
    pub(crate) slots: Pages<Slot>,
    pub(crate) sequences: Sequences,
    pub(crate) ids: Ids,
    hasher: FixedState,
    pub(crate) free_slot: u32,
    /// Nodes that are no overlay, the root not counted.
    pub(crate) nodes: u64,
    pub(crate) next_id: u64,
    pub(crate) next_overlay: u64,
    /// Whether an overlay was ever set.
    pub(crate) knows_overlays: bool,
    pub(crate) revision: u64,
}

/// A sibling to stand after.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    First,
    After(u32),
    Last,
}

/// A child that was found by its label.
#[derive(Clone, Copy)]
pub(crate) struct FoundChild<'t> {
    pub(crate) at: u32,
    pub(crate) slot: &'t Slot,
    /// Its index, where that was seen on the way.
    pub(crate) index: Option<usize>,
}

impl Tree {
    pub(crate) fn new(seed: u64) -> Self {
        let mut tree = Self {
            slots: Pages::new(),
            sequences: Sequences::new(),
            ids: Ids::new(),
            hasher: FixedState::with_seed(seed),
            free_slot: NONE,
            nodes: 0,
            next_id: 1,
            next_overlay: 1,
            knows_overlays: false,
            revision: 0,
        };
        tree.add(Slot {
            held: Held::empty_bag(),
            ..VACANT.clone()
        });
        tree.nodes = 0;
        tree
    }

    pub(crate) fn node_count(&self) -> u64 {
        self.nodes
    }

    #[inline]
    pub(crate) fn slot(&self, at: u32) -> &Slot {
        self.slots.get(at).unwrap_or(&VACANT)
    }

    pub(crate) fn edit(&mut self, at: u32, edit: impl FnOnce(&mut Slot)) {
        if let Some(slot) = self.slots.get_mut(at) {
            edit(slot);
        }
    }

    #[inline]
    pub(crate) fn children(&self, at: u32, view: View) -> Option<&Children> {
        self.slot(at).held(view).children()
    }

    /// Finds a child by its label, in O(1).
    #[inline]
    pub(crate) fn child(&self, at: u32, view: View, label: &str) -> Option<u32> {
        let children = self.children(at, view)?;
        let found = self.child_of(children, self.hash(label.as_bytes()), label)?;
        Some(found.at)
    }

    /// Finds the one of these children that has a label.
    #[inline]
    pub(crate) fn child_of(
        &self,
        children: &Children,
        hash: u32,
        label: &str,
    ) -> Option<FoundChild<'_>> {
        let mut slot = &VACANT;
        let (at, index) = children.find(hash, |child| {
            slot = self.slot(child);
            slot.label == *label
        })?;
        Some(FoundChild { at, slot, index })
    }

    /// Finds a child by its index, in O(log n).
    pub(crate) fn child_at(&self, at: u32, view: View, index: i64) -> Option<u32> {
        let children = self.children(at, view)?;
        let index = match u64::try_from(index) {
            Ok(index) => index,
            Err(_) => (children.len() as u64).checked_sub(index.unsigned_abs())?,
        };
        children.at(&self.sequences, index)
    }

    pub(crate) fn by_id(&self, id: NodeId) -> Option<u32> {
        let hash = || self.hash(id.as_bytes());
        self.ids.find(id, hash, |at| self.slot(at).id == id)
    }

    /// The index of a node in its bag, in O(log n).
    pub(crate) fn index_of(&self, at: u32) -> u64 {
        match self.few_around(at) {
            Some(few) => few.place_of(at).unwrap_or(0) as u64,
            None => self.sequences.index_of(self.slot(at).leaf, at),
        }
    }

    /// A node and its siblings, if they are few.
    fn few_around(&self, at: u32) -> Option<&Few> {
        let slot = self.slot(at);
        if slot.leaf != NONE {
            return None;
        }
        match &self.children(slot.parent, self.view_of(at))?.listed {
            Listed::Few(few) => Some(few),
            Listed::Many(_) => None,
        }
    }

    /// The sibling before a node.
    pub(crate) fn previous(&self, at: u32) -> Option<u32> {
        if let Some(few) = self.few_around(at) {
            let place = few.place_of(at)?.checked_sub(1)?;
            return few.list().get(place).copied();
        }
        let leaf = self.slot(at).leaf;
        let siblings = self.sequences.leaf(leaf);
        let place = siblings.iter().position(|own| *own == at)?;
        match place.checked_sub(1) {
            Some(place) => siblings.get(place).copied(),
            None => {
                let leaf = self.sequences.previous_leaf(leaf);
                self.sequences.leaf(leaf).last().copied()
            }
        }
    }

    /// The last of these children.
    pub(crate) fn last(&self, children: &Children) -> Option<u32> {
        children.last(&self.sequences)
    }

    /// The children of a node in order.
    pub(crate) fn list(&self, at: u32, view: View) -> impl Iterator<Item = u32> + '_ {
        let children = self.children(at, view).into_iter();
        children.flat_map(|own| own.list(&self.sequences))
    }

    /// How many bags are around a node; the root is at 0.
    pub(crate) fn depth(&self, at: u32) -> usize {
        self.around(at).count()
    }

    /// The bags around a node, the containing one first, the root last.
    pub(crate) fn around(&self, at: u32) -> impl Iterator<Item = u32> + '_ {
        let parent = move |at: &u32| Some(self.slot(*at).parent).filter(|parent| *parent != NONE);
        std::iter::successors(parent(&at), parent)
    }

    #[inline]
    pub(crate) fn hash(&self, bytes: &[u8]) -> u32 {
        hash_of(&self.hasher, bytes)
    }

    /// Which content of its parent a child belongs to: an overlay node may stand among stored ones.
    pub(crate) fn view_of(&self, at: u32) -> View {
        let slot = self.slot(at);
        let parent = self.slot(slot.parent);
        match parent.overlay() {
            Some(Held::Bag(_)) if slot.is_overlay() => View::Shown,
            _ => View::Stored,
        }
    }

    fn held_mut(slots: &mut Pages<Slot>, at: u32, view: View) -> Option<&mut Held> {
        let slot = slots.get_mut(at)?;
        match view == View::Shown && slot.overlay().is_some() {
            true => Arc::make_mut(slot.extra.as_mut()?).overlay.as_mut(),
            false => Some(&mut slot.held),
        }
    }

    pub(crate) fn children_mut(
        slots: &mut Pages<Slot>,
        at: u32,
        view: View,
    ) -> Option<&mut Children> {
        match Self::held_mut(slots, at, view)? {
            Held::Bag(children) => Some(Arc::make_mut(children)),
            Held::Scalar(_) => None,
        }
    }

    /// Makes a bag of a node, with children that know it and their leaves already.
    pub(crate) fn put_children(&mut self, at: u32, view: View, children: Children) {
        if let Some(held) = Self::held_mut(&mut self.slots, at, view) {
            *held = Held::Bag(Arc::new(children));
        }
    }

    /// The slot that the next node gets, unless its bag has one.
    pub(crate) fn next_slot(&self) -> u32 {
        match self.free_slot {
            NONE => self.slots.len(),
            free => free,
        }
    }

    /// Adds a node without a parent.
    pub(crate) fn add(&mut self, slot: Slot) -> u32 {
        let (id, nodes) = (slot.id, self.nodes);
        let at = self.put(slot);
        self.insert_id(id, at, nodes);
        at
    }

    /// Notes in which slot the id is, in a tree that had so many nodes.
    pub(crate) fn insert_id(&mut self, id: NodeId, at: u32, nodes: u64) {
        let hasher = &self.hasher;
        let hash = || hash_of(hasher, id.as_bytes());
        self.ids.insert(id, at, nodes, hash);
    }

    /// Adds a node that is not found by its id before [`put_id`](Self::put_id).
    pub(crate) fn put(&mut self, slot: Slot) -> u32 {
        self.nodes += u64::from(!slot.is_overlay());
        let free = self.free_slot;
        let vacant = (free != NONE).then(|| self.slots.get_mut(free)).flatten();
        match vacant {
            Some(vacant) => {
                self.free_slot = vacant.parent;
                *vacant = slot;
                free
            }
            // 2^32 nodes take 400 GiB; the process is gone before the numbers are.
            None => self.slots.push(slot).unwrap_or(NONE),
        }
    }

    /// Adds an id, or takes note of it in a run that [`put_run`](Self::put_run) adds.
    pub(crate) fn put_id(&mut self, run: &mut Run, id: NodeId, at: u32) {
        if run.extend(id, at) {
            return;
        }
        let begun = Run::begin(id, at, self.nodes);
        self.put_run(std::mem::replace(run, begun.unwrap_or_default()));
        if begun.is_none() {
            self.insert_id(id, at, self.nodes);
        }
    }

    pub(crate) fn put_run(&mut self, run: Run) {
        self.ids.insert_run(run);
    }

    /// Gives a node another id.
    pub(crate) fn reidentify(&mut self, at: u32, id: NodeId) {
        let old = self.slot(at).id;
        let hasher = &self.hasher;
        let hash = |id: NodeId| move || hash_of(hasher, id.as_bytes());
        self.ids.remove(old, at, hash(old));
        self.ids.insert(id, at, self.nodes, hash(id));
        self.nodes += u64::from(old.is_overlay() && !id.is_overlay());
        self.edit(at, |slot| slot.id = id);
    }

    /// Frees a node without a parent, and everything in it.
    pub(crate) fn discard(&mut self, at: u32) {
        let mut left = vec![at];
        while let Some(at) = left.pop() {
            let slot = self.slot(at);
            let id = slot.id;
            let contents = [Some(&slot.held), slot.overlay()].map(|held| held?.children().cloned());
            for children in contents.iter().flatten() {
                self.discard_list(children, &mut left);
            }
            let hasher = &self.hasher;
            self.ids.remove(id, at, || hash_of(hasher, id.as_bytes()));
            self.nodes -= u64::from(!id.is_overlay());
            self.free(at);
        }
    }

    /// Frees everything in a content that has been taken off its node.
    pub(crate) fn discard_held(&mut self, held: &Held) {
        let Some(children) = held.children() else {
            return;
        };
        let mut list = Vec::new();
        self.discard_list(children, &mut list);
        for child in list {
            self.discard(child);
        }
    }

    // Frees the order of children and the room that they have; they themselves are the caller's.
    fn discard_list(&mut self, children: &Children, list: &mut Vec<u32>) {
        list.extend(children.list(&self.sequences));
        if let Listed::Many(many) = &children.listed {
            self.sequences.discard(many.order);
        }
        let mut room = children.room;
        while let Some(at) = room.take() {
            self.free(at);
        }
    }

    fn free(&mut self, at: u32) {
        let parent = std::mem::replace(&mut self.free_slot, at);
        self.edit(at, |slot| {
            *slot = Slot {
                parent,
                ..VACANT.clone()
            }
        });
    }
}

#[inline]
fn hash_of(hasher: &FixedState, bytes: &[u8]) -> u32 {
    let mut hasher = hasher.build_hasher();
    hasher.write(bytes);
    hasher.finish() as u32
}
