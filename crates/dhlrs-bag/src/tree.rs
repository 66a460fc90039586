//! One state of the tree: the arena, and the indexes by which nothing in it is scanned.

use std::hash::{BuildHasher, Hasher};

use foldhash::quality::FixedState;
use triomphe::Arc;

use crate::{
    Label, NodeId,
    ids::{Ids, Run},
    index::Index,
    pages::{NONE, Pages},
    sequence::Sequences,
    slot::{Children, Held, Slot, VACANT, View},
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
    ids: Ids,
    hasher: FixedState,
    free_slot: u32,
    /// Nodes that are no overlay, the root not counted.
    nodes: u64,
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
        let (child, _) = self.child_of(children, self.hash(label.as_bytes()), label)?;
        Some(child)
    }

    /// Finds the one of these children that has a label, and its slot.
    #[inline]
    pub(crate) fn child_of(
        &self,
        children: &Children,
        hash: u32,
        label: &str,
    ) -> Option<(u32, &Slot)> {
        let mut found = &VACANT;
        let child = children.labels.find(hash, |child| {
            found = self.slot(child);
            found.label == *label
        });
        Some((child?, found))
    }

    /// Finds a child by its index, in O(log n).
    pub(crate) fn child_at(&self, at: u32, view: View, index: i64) -> Option<u32> {
        let children = self.children(at, view)?;
        let index = match u64::try_from(index) {
            Ok(index) => index,
            Err(_) => u64::from(children.len).checked_sub(index.unsigned_abs())?,
        };
        let (leaf, place) = self.sequences.at(children.order, index)?;
        self.sequences.leaf(leaf).get(place).copied()
    }

    pub(crate) fn by_id(&self, id: NodeId) -> Option<u32> {
        let hash = || self.hash(id.as_bytes());
        self.ids.find(id, hash, |at| self.slot(at).id == id)
    }

    /// The index of a node in its bag, in O(log n).
    pub(crate) fn index_of(&self, at: u32) -> u64 {
        self.sequences.index_of(self.slot(at).leaf, at)
    }

    /// The sibling before a node.
    pub(crate) fn previous(&self, at: u32) -> Option<u32> {
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
        let leaf = self.sequences.last_leaf(children.order);
        self.sequences.leaf(leaf).last().copied()
    }

    /// The children of a node in order.
    pub(crate) fn list(&self, at: u32, view: View) -> impl Iterator<Item = u32> + '_ {
        let order = self.children(at, view).map_or(NONE, |own| own.order);
        self.list_order(order)
    }

    pub(crate) fn list_order(&self, order: u32) -> impl Iterator<Item = u32> + '_ {
        let mut leaf = self.sequences.first_leaf(order);
        std::iter::from_fn(move || {
            let children = self.sequences.leaf(leaf);
            (!children.is_empty()).then(|| {
                leaf = self.sequences.next_leaf(leaf);
                children
            })
        })
        .flatten()
        .copied()
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
        hash(&self.hasher, bytes)
    }

    /// Which content of its parent a child belongs to: an overlay node may stand among stored ones.
    fn view_of(&self, at: u32) -> View {
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

    fn children_mut(slots: &mut Pages<Slot>, at: u32, view: View) -> Option<&mut Children> {
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

    /// Puts a node that has no parent into a bag.
    pub(crate) fn attach(&mut self, parent: u32, view: View, place: Place, child: u32) {
        let hash = self.hash(self.slot(child).label.as_bytes());
        let mut order = match self.children(parent, view) {
            Some(children) => children.order,
            None => return,
        };
        let (leaf, at) = match place {
            Place::First => (self.sequences.first_leaf(order), 0),
            Place::After(sibling) => {
                let leaf = self.slot(sibling).leaf;
                let siblings = self.sequences.leaf(leaf).iter();
                let at = siblings.take_while(|own| **own != sibling).count();
                (leaf, at + 1)
            }
            Place::Last => {
                let leaf = self.sequences.last_leaf(order);
                (leaf, self.sequences.leaf(leaf).len())
            }
        };
        let slots = &mut self.slots;
        self.sequences
            .insert(&mut order, leaf, at, child, &mut place_slots(slots));
        if let Some(children) = Self::children_mut(&mut self.slots, parent, view) {
            children.order = order;
            children.len += 1;
            children.labels.insert(hash, child);
        }
        self.edit(child, |slot| slot.parent = parent);
    }

    /// The slot that the next node gets.
    pub(crate) fn next_slot(&self) -> u32 {
        match self.free_slot {
            NONE => self.slots.len(),
            free => free,
        }
    }

    /// Lists a child last in a bag before the child is there, and says in which leaf it will be.
    pub(crate) fn list_last(&mut self, bag: u32, child: u32, hash: u32) -> u32 {
        let order = self.children(bag, View::Stored).map(|own| own.order);
        let mut order = order.unwrap_or(NONE);
        let last = self.sequences.last_leaf(order);
        let place = self.sequences.leaf(last).len();
        let mut leaf = last;
        let slots = &mut self.slots;
        let mut place_others = place_slots(slots);
        let mut placed = |own: u32, to: u32| match own == child {
            true => leaf = to,
            false => place_others(own, to),
        };
        self.sequences
            .insert(&mut order, last, place, child, &mut placed);
        drop(place_others);
        if let Some(children) = Self::children_mut(&mut self.slots, bag, View::Stored) {
            children.order = order;
            children.len += 1;
            children.labels.insert(hash, child);
        }
        leaf
    }

    /// Takes a node out of its bag; it keeps what is in it.
    pub(crate) fn detach(&mut self, child: u32) {
        let view = self.view_of(child);
        let slot = self.slot(child);
        let (parent, leaf) = (slot.parent, slot.leaf);
        let hash = self.hash(slot.label.as_bytes());
        let mut order = match self.children(parent, view) {
            Some(children) => children.order,
            None => return,
        };
        let slots = &mut self.slots;
        self.sequences
            .remove(&mut order, leaf, child, &mut place_slots(slots));
        if let Some(children) = Self::children_mut(&mut self.slots, parent, view) {
            children.order = order;
            children.len -= 1;
            if children.len == 0 {
                children.labels = Index::new();
            } else {
                children.labels.remove(hash, child);
            }
        }
        self.edit(child, |slot| (slot.parent, slot.leaf) = (NONE, NONE));
    }

    pub(crate) fn relabel(&mut self, at: u32, label: Label) {
        let view = self.view_of(at);
        let slot = self.slot(at);
        let parent = slot.parent;
        let old = self.hash(slot.label.as_bytes());
        let new = self.hash(label.as_bytes());
        if let Some(children) = Self::children_mut(&mut self.slots, parent, view) {
            children.labels.remove(old, at);
            children.labels.insert(new, at);
        }
        self.edit(at, |slot| slot.label = label);
    }

    /// Gives the stored children of a bag another order.
    pub(crate) fn reorder(&mut self, at: u32, order: &[u32]) {
        let Some(children) = self.children(at, View::Stored) else {
            return;
        };
        let old = children.order;
        self.sequences.discard(old);
        let slots = &mut self.slots;
        let new = self.sequences.build(order, &mut place_slots(slots));
        if let Some(children) = Self::children_mut(&mut self.slots, at, View::Stored) {
            children.order = new;
        }
    }

    /// Adds a node without a parent.
    pub(crate) fn add(&mut self, slot: Slot) -> u32 {
        let (id, nodes) = (slot.id, self.nodes);
        let at = self.put(slot);
        let hasher = &self.hasher;
        let hash = || hash(hasher, id.as_bytes());
        self.ids.insert(id, at, nodes, hash);
        at
    }

    /// Adds a node that is not found by its id before [`put_id`](Self::put_id).
    pub(crate) fn put(&mut self, slot: Slot) -> u32 {
        self.nodes += u64::from(!slot.is_overlay());
        let free = self.free_slot;
        match self.slots.get_mut(free) {
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
            let hasher = &self.hasher;
            let hash = || hash(hasher, id.as_bytes());
            self.ids.insert(id, at, self.nodes, hash);
        }
    }

    pub(crate) fn put_run(&mut self, run: Run) {
        self.ids.insert_run(run);
    }

    /// Gives a node another id.
    pub(crate) fn reidentify(&mut self, at: u32, id: NodeId) {
        let old = self.slot(at).id;
        let hasher = &self.hasher;
        let hash = |id: NodeId| move || hash(hasher, id.as_bytes());
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
            let contents = [Some(&slot.held), slot.overlay()];
            let orders = contents.map(|held| Some(held?.children()?.order));
            for order in orders.into_iter().flatten() {
                left.extend(self.list_order(order));
                self.sequences.discard(order);
            }
            let hasher = &self.hasher;
            self.ids.remove(id, at, || hash(hasher, id.as_bytes()));
            self.nodes -= u64::from(!id.is_overlay());
            let free = self.free_slot;
            self.edit(at, |slot| {
                *slot = Slot {
                    parent: free,
                    ..VACANT.clone()
                }
            });
            self.free_slot = at;
        }
    }

    /// Frees everything in a content that has been taken off its node.
    pub(crate) fn discard_held(&mut self, held: &Held) {
        let Some(children) = held.children() else {
            return;
        };
        let children: Vec<u32> = {
            let order = children.order;
            let list = self.list_order(order).collect();
            self.sequences.discard(order);
            list
        };
        for child in children {
            self.discard(child);
        }
    }
}

#[inline]
fn hash(hasher: &FixedState, bytes: &[u8]) -> u32 {
    let mut hasher = hasher.build_hasher();
    hasher.write(bytes);
    hasher.finish() as u32
}

fn place_slots(slots: &mut Pages<Slot>) -> impl FnMut(u32, u32) + '_ {
    |child, leaf| {
        if let Some(slot) = slots.get_mut(child) {
            slot.leaf = leaf;
        }
    }
}
