//! Children are listed in their bag: put in, taken out, given another label or another order.

use crate::{
    Label, Tree,
    children::{FEW_MAX, Few, Listed, Many, Room},
    index::Index,
    pages::{NONE, Pages},
    slot::{Slot, View},
    tree::Place,
};

impl Tree {
    /// Puts a node that has no parent into a bag.
    pub(crate) fn attach(&mut self, parent: u32, view: View, place: Place, child: u32) {
        let hash = self.hash(self.slot(child).label.as_bytes());
        if let Some(leaf) = self.list_child(parent, view, place, child, hash, None) {
            self.edit(child, |slot| (slot.parent, slot.leaf) = (parent, leaf));
        }
    }

    /// Makes a node in a bag that has no child of its label; `parent` and `leaf` are filled in.
    pub(crate) fn add_in(
        &mut self,
        bag: u32,
        view: View,
        place: Place,
        hash: u32,
        slot: Slot,
    ) -> u32 {
        let (at, room) = self.claim_in(bag, view);
        let leaf = self
            .list_child(bag, view, place, at, hash, room)
            .unwrap_or(NONE);
        let (id, nodes) = (slot.id, self.nodes);
        self.nodes += u64::from(!slot.is_overlay());
        self.edit(at, |own| {
            *own = Slot {
                parent: bag,
                leaf,
                ..slot
            }
        });
        self.insert_id(id, at, nodes);
        at
    }

    /// Lists a child in a bag, maybe before the child is there, and says in which leaf it is. Notes
    /// what room the bag has left, if that is another.
    fn list_child(
        &mut self,
        bag: u32,
        view: View,
        place: Place,
        child: u32,
        hash: u32,
        room: Option<Room>,
    ) -> Option<u32> {
        let children = self.children(bag, view)?;
        let many = match &children.listed {
            Listed::Few(few) if few.len() < FEW_MAX => {
                let at = match place {
                    Place::First => 0,
                    Place::After(sibling) => few.place_of(sibling).map_or(0, |at| at + 1),
                    Place::Last => few.len(),
                };
                let children = Self::children_mut(&mut self.slots, bag, view)?;
                children.room = room.unwrap_or(children.room);
                if let Listed::Few(few) = &mut children.listed {
                    few.insert(at, child, hash);
                }
                return Some(NONE);
            }
            Listed::Few(few) => {
                let few = few.clone();
                self.widen(bag, view, few.split())?
            }
            Listed::Many(many) => many.order,
        };
        let mut order = many;
        let (into, at) = match place {
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
        let mut leaf = into;
        let slots = &mut self.slots;
        let mut place_others = place_slots(slots);
        let mut placed = |own: u32, to: u32| match own == child {
            true => leaf = to,
            false => place_others(own, to),
        };
        self.sequences
            .insert(&mut order, into, at, child, &mut placed);
        drop(place_others);
        let children = Self::children_mut(&mut self.slots, bag, view)?;
        children.room = room.unwrap_or(children.room);
        if let Listed::Many(many) = &mut children.listed {
            many.order = order;
            many.len += 1;
            many.labels.insert(hash, child);
        }
        Some(leaf)
    }

    /// Makes many children of few, and says what their order is.
    fn widen(&mut self, bag: u32, view: View, (list, hashes): (&[u32], &[u32])) -> Option<u32> {
        let slots = &mut self.slots;
        let order = self.sequences.build(list, &mut place_slots(slots));
        let mut labels = Index::new();
        for (child, hash) in list.iter().zip(hashes) {
            labels.insert(*hash, *child);
        }
        let len = list.len() as u32;
        let children = Self::children_mut(&mut self.slots, bag, view)?;
        children.listed = Listed::Many(Many { order, len, labels });
        Some(order)
    }

    /// Takes a node out of its bag; it keeps what is in it.
    pub(crate) fn detach(&mut self, child: u32) {
        let view = self.view_of(child);
        let slot = self.slot(child);
        let (parent, leaf) = (slot.parent, slot.leaf);
        let hash = self.hash(slot.label.as_bytes());
        let order = match self.children(parent, view) {
            Some(children) => match &children.listed {
                Listed::Few(_) => NONE,
                Listed::Many(many) => many.order,
            },
            None => return,
        };
        let mut left = order;
        if order != NONE {
            let slots = &mut self.slots;
            self.sequences
                .remove(&mut left, leaf, child, &mut place_slots(slots));
        }
        if let Some(children) = Self::children_mut(&mut self.slots, parent, view) {
            match &mut children.listed {
                Listed::Few(few) => few.remove(child),
                own if left == NONE => *own = Listed::Few(Few::default()),
                Listed::Many(many) => {
                    many.order = left;
                    many.len -= 1;
                    many.labels.remove(hash, child);
                }
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
            match &mut children.listed {
                Listed::Few(few) => few.relabel(at, new),
                Listed::Many(many) => {
                    many.labels.remove(old, at);
                    many.labels.insert(new, at);
                }
            }
        }
        self.edit(at, |slot| slot.label = label);
    }

    /// Gives the stored children of a bag another order.
    pub(crate) fn reorder(&mut self, at: u32, order: &[u32]) {
        let sorted = match self.children(at, View::Stored).map(|own| &own.listed) {
            None => return,
            Some(Listed::Few(_)) => {
                let hash = |child: &u32| self.hash(self.slot(*child).label.as_bytes());
                Listed::Few(Few::of(order, order.iter().map(hash)))
            }
            Some(Listed::Many(many)) => {
                let mut many = many.clone();
                self.sequences.discard(many.order);
                let slots = &mut self.slots;
                many.order = self.sequences.build(order, &mut place_slots(slots));
                Listed::Many(many)
            }
        };
        if let Some(children) = Self::children_mut(&mut self.slots, at, View::Stored) {
            children.listed = sorted;
        }
    }

    /// A slot for the next child of a bag: one of the bag's own, so that siblings lie together, or
    /// else any that is free. What room is left to the bag then, if that is another.
    fn claim_in(&mut self, bag: u32, view: View) -> (u32, Option<Room>) {
        let children = self.children(bag, view);
        let (len, own) = children.map_or((0, Room::default()), |own| (own.len(), own.room));
        let mut room = own;
        if room.left == 0 && self.free_slot != NONE {
            let free = self.free_slot;
            self.free_slot = self.slot(free).parent;
            return (free, None);
        }
        if room.left == 0 {
            let left = Room::of(len);
            // 2^32 nodes take 400 GiB; the process is gone before the numbers are.
            let next = self.slots.grow(left).unwrap_or(NONE);
            room = Room { next, left };
        }
        let at = room.take().unwrap_or(NONE);
        (at, (room.left != own.left).then_some(room))
    }
}

fn place_slots(slots: &mut Pages<Slot>) -> impl FnMut(u32, u32) + '_ {
    |child, leaf| {
        if let Some(slot) = slots.get_mut(child) {
            slot.leaf = leaf;
        }
    }
}
