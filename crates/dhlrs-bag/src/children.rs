//! The children of a bag: few of them in one array, many in an index by label and a tree of their
//! order.

use crate::{
    index::Index,
    pages::NONE,
    sequence::{LEAF_CHILDREN_MAX, Sequences},
};

/// The most children that are kept in one array: as many as one leaf of their order would hold.
pub(crate) const FEW_MAX: usize = LEAF_CHILDREN_MAX;

/// The children of a bag, by label and in order.
#[derive(Clone)]
pub(crate) struct Children {
    pub(crate) listed: Listed,
    /// Slots of the arena that wait for further children.
    pub(crate) room: Room,
}

#[derive(Clone)]
pub(crate) enum Listed {
    Few(Few),
    Many(Many),
}

/// At most [`FEW_MAX`] children. Their slots name no leaf.
#[derive(Clone, Default)]
pub(crate) struct Few {
    // The children in order, then the hashes of their labels in the same order: a search by label
    // and a walk go over one stretch of memory each, and a copy is one.
    numbers: Vec<u32>,
}

/// Any number of children.
#[derive(Clone)]
pub(crate) struct Many {
    /// A tree of `Sequences`.
    pub(crate) order: u32,
    pub(crate) len: u32,
    pub(crate) labels: Index,
}

/// Slots beside one another, so that children that come one by one lie together.
#[derive(Clone, Copy, Default)]
pub(crate) struct Room {
    pub(crate) next: u32,
    pub(crate) left: u32,
}

impl Children {
    pub(crate) const fn new() -> Self {
        Self {
            listed: Listed::Few(Few {
                numbers: Vec::new(),
            }),
            room: Room { next: 0, left: 0 },
        }
    }

    pub(crate) fn len(&self) -> usize {
        match &self.listed {
            Listed::Few(few) => few.len(),
            Listed::Many(many) => many.len as usize,
        }
    }

    /// The child under `hash` that `is` the one, and its index where there are few.
    #[inline]
    pub(crate) fn find(
        &self,
        hash: u32,
        mut is: impl FnMut(u32) -> bool,
    ) -> Option<(u32, Option<usize>)> {
        match &self.listed {
            Listed::Few(few) => {
                let (children, hashes) = few.split();
                let is_at = |place: usize| children.get(place).is_some_and(|child| is(*child));
                let place = find_position(hashes, hash, is_at)?;
                Some((*children.get(place)?, Some(place)))
            }
            Listed::Many(many) => Some((many.labels.find(hash, is)?, None)),
        }
    }

    pub(crate) fn at(&self, sequences: &Sequences, index: u64) -> Option<u32> {
        match &self.listed {
            Listed::Few(few) => few.list().get(usize::try_from(index).ok()?).copied(),
            Listed::Many(many) => {
                let (leaf, place) = sequences.at(many.order, index)?;
                sequences.leaf(leaf).get(place).copied()
            }
        }
    }

    pub(crate) fn last(&self, sequences: &Sequences) -> Option<u32> {
        match &self.listed {
            Listed::Few(few) => few.list().last().copied(),
            Listed::Many(many) => {
                let leaf = sequences.last_leaf(many.order);
                sequences.leaf(leaf).last().copied()
            }
        }
    }

    /// The first children in order, and the leaf that they are in; of few it is `NONE`.
    #[inline]
    pub(crate) fn first_leaf<'s>(&'s self, sequences: &'s Sequences) -> (u32, &'s [u32]) {
        match &self.listed {
            Listed::Few(few) => (NONE, few.list()),
            Listed::Many(many) => {
                let leaf = sequences.first_leaf(many.order);
                (leaf, sequences.leaf(leaf))
            }
        }
    }

    /// The leaf with the child of this index, what is in it, and the child's place there; at the
    /// end, that of the last leaf.
    pub(crate) fn leaf_at<'s>(
        &'s self,
        sequences: &'s Sequences,
        index: u64,
    ) -> (u32, &'s [u32], usize) {
        let many = match &self.listed {
            Listed::Few(few) => {
                let place = usize::try_from(index).unwrap_or(usize::MAX);
                return (NONE, few.list(), place.min(few.len()));
            }
            Listed::Many(many) => many,
        };
        match sequences.at(many.order, index) {
            Some((leaf, place)) => (leaf, sequences.leaf(leaf), place),
            None => {
                let leaf = sequences.last_leaf(many.order);
                let list = sequences.leaf(leaf);
                (leaf, list, list.len())
            }
        }
    }

    /// All of them, in order.
    pub(crate) fn list<'s>(
        &'s self,
        sequences: &'s Sequences,
    ) -> impl Iterator<Item = u32> + use<'s> {
        let (leaf, first) = self.first_leaf(sequences);
        let mut leaf = leaf;
        let others = std::iter::from_fn(move || {
            leaf = sequences.next_leaf(leaf);
            let children = sequences.leaf(leaf);
            (!children.is_empty()).then_some(children)
        });
        std::iter::once(first).chain(others).flatten().copied()
    }
}

impl Few {
    pub(crate) fn of(children: &[u32], hashes: impl Iterator<Item = u32>) -> Self {
        Self {
            numbers: children.iter().copied().chain(hashes).collect(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.numbers.len() / 2
    }

    /// The children, and the hashes of their labels.
    #[inline]
    pub(crate) fn split(&self) -> (&[u32], &[u32]) {
        self.numbers.split_at(self.numbers.len() / 2)
    }

    /// The children in order.
    #[inline]
    pub(crate) fn list(&self) -> &[u32] {
        self.split().0
    }

    pub(crate) fn place_of(&self, child: u32) -> Option<usize> {
        position(self.list(), child)
    }

    /// There are fewer than [`FEW_MAX`].
    pub(crate) fn insert(&mut self, place: usize, child: u32, hash: u32) {
        let len = self.len();
        let place = place.min(len);
        self.numbers.insert(place, child);
        self.numbers.insert(len + 1 + place, hash);
    }

    pub(crate) fn remove(&mut self, child: u32) {
        if let Some(place) = self.place_of(child) {
            self.numbers.remove(self.len() + place);
            self.numbers.remove(place);
        }
    }

    /// Notes another hash of a child's label.
    pub(crate) fn relabel(&mut self, child: u32, hash: u32) {
        let len = self.len();
        let place = self.place_of(child);
        if let Some(own) = place.and_then(|place| self.numbers.get_mut(len + place)) {
            *own = hash;
        }
    }
}

impl Room {
    /// Of a bag that has so many children, the slots that it takes at a time: at most a quarter of
    /// what it has. Many share pages with what else is new, or a write after a snapshot would copy
    /// one more that is far.
    pub(crate) fn of(children: usize) -> u32 {
        match children {
            12..32 => 4,
            32..FEW_MAX => 8,
            _ => 1,
        }
    }

    pub(crate) fn take(&mut self) -> Option<u32> {
        self.left = self.left.checked_sub(1)?;
        let slot = self.next;
        self.next += 1;
        Some(slot)
    }
}

/// The first place of a number.
#[inline]
fn position(numbers: &[u32], number: u32) -> Option<usize> {
    const BLOCK: usize = 8;
    let (blocks, _) = numbers.as_chunks::<BLOCK>();
    // Without an early end within a block: so it is compared at once.
    let is_here = |own: &[u32; BLOCK]| own.iter().fold(false, |is, own| is | (*own == number));
    let passed = blocks.iter().take_while(|own| !is_here(own)).count() * BLOCK;
    let mut rest = numbers.get(passed..)?.iter();
    Some(passed + rest.position(|own| *own == number)?)
}

/// The place of a number that `is` the one.
#[inline]
pub(crate) fn find_position(
    numbers: &[u32],
    number: u32,
    mut is: impl FnMut(usize) -> bool,
) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + position(numbers.get(from..)?, number)?;
        if is(at) {
            return Some(at);
        }
        from = at + 1;
    }
}
