//! From node ids to slots. Counted ids are near one another, so a radix tree of small leaves has
//! them at 4 bytes each; ids of replicated stores, and counted ones that are far apart, are hashed.

use triomphe::Arc;

use crate::{
    NodeId,
    index::Index,
    pages::{NONE, warm},
};

const LEAF_BITS: u32 = 5;
const LEAF: usize = 1 << LEAF_BITS;
const FAN_BITS: u32 = 4;
const FAN: usize = 1 << FAN_BITS;

/// Counted ids go into the radix tree up to so many for each node that there is. Beyond, a leaf
/// could stand for one node only, and ids read from a stranger's image would cost what they like.
const SPREAD_MAX: u64 = 8;
/// Counted ids that are near whatever else there is.
const NEAR_IDS: u64 = 1024;

#[derive(Clone)]
pub(crate) struct Ids {
    root: Option<Arc<Radix>>,
    /// Levels of inner nodes below the root.
    height: u32,
    hashed: Arc<Index>,
    hashed_len: u64,
}

/// Counted ids one after the other, in slots one after the other.
#[derive(Clone, Copy, Default)]
pub(crate) struct Run {
    first: u64,
    slot: u32,
    len: u32,
}

#[derive(Clone)]
enum Radix {
    Leaf {
        slots: [u32; LEAF],
        len: u32,
    },
    Inner {
        below: [Option<Arc<Radix>>; FAN],
        len: u32,
    },
}

impl Ids {
    pub(crate) fn new() -> Self {
        Self {
            root: None,
            height: 0,
            hashed: Arc::new(Index::new()),
            hashed_len: 0,
        }
    }

    /// The slot of an id. `hash` is asked for, and `is` decides, only where ids are hashed.
    pub(crate) fn find(
        &self,
        id: NodeId,
        hash: impl FnOnce() -> u32,
        is: impl FnMut(u32) -> bool,
    ) -> Option<u32> {
        if let Some(slot) = id.counter().and_then(|counter| self.counted(counter)) {
            return Some(slot);
        }
        match self.hashed_len {
            0 => None,
            _ => self.hashed.find(hash(), is),
        }
    }

    fn counted(&self, counter: u64) -> Option<u32> {
        if beyond(counter, self.height) {
            return None;
        }
        let mut node = self.root.as_deref()?;
        let mut level = self.height;
        loop {
            match node {
                Radix::Leaf { slots, .. } => {
                    return Some(slots[counter as usize % LEAF]).filter(|slot| *slot != NONE);
                }
                Radix::Inner { below, .. } => {
                    node = below[digit(counter, level)].as_deref()?;
                    level = level.saturating_sub(1);
                }
            }
        }
    }

    /// Adds an id that is not there yet, to a tree of so many nodes.
    pub(crate) fn insert(&mut self, id: NodeId, slot: u32, nodes: u64, hash: impl FnOnce() -> u32) {
        match Run::begin(id, slot, nodes) {
            Some(run) => self.insert_run(run),
            None => {
                Arc::make_mut(&mut self.hashed).insert(hash(), slot);
                self.hashed_len += 1;
            }
        }
    }

    /// Adds ids that are not there yet.
    pub(crate) fn insert_run(&mut self, mut run: Run) {
        while run.len > 0 {
            let place = run.first as usize % LEAF;
            let taken = (LEAF - place).min(run.len as usize);
            let (slots, len) = self.leaf_of(run.first);
            for (slot, own) in slots.iter_mut().skip(place).take(taken).zip(run.slot..) {
                *slot = own;
            }
            *len += taken as u32;
            run.first += taken as u64;
            run.slot += taken as u32;
            run.len -= taken as u32;
        }
    }

    // The leaf of a counted id, made where there is none.
    fn leaf_of(&mut self, counter: u64) -> (&mut [u32; LEAF], &mut u32) {
        while beyond(counter, self.height) {
            if let Some(root) = self.root.take() {
                let mut below = [const { None }; FAN];
                below[0] = Some(root);
                self.root = Some(Arc::new(Radix::Inner { below, len: 1 }));
            }
            self.height += 1;
        }
        let mut level = self.height;
        let mut node = self.root.get_or_insert_with(|| Radix::empty(level));
        loop {
            match node.edit() {
                Radix::Leaf { slots, len } => return (slots, len),
                Radix::Inner { below, len } => {
                    let place = &mut below[digit(counter, level)];
                    level = level.saturating_sub(1);
                    *len += u32::from(place.is_none());
                    node = place.get_or_insert_with(|| Radix::empty(level));
                }
            }
        }
    }

    /// Takes an id out that is there, in this slot.
    pub(crate) fn remove(&mut self, id: NodeId, slot: u32, hash: impl FnOnce() -> u32) {
        match id.counter().filter(|id| self.counted(*id) == Some(slot)) {
            Some(counter) => self.remove_counted(counter),
            None => {
                Arc::make_mut(&mut self.hashed).remove(hash(), slot);
                self.hashed_len -= 1;
            }
        }
    }

    fn remove_counted(&mut self, counter: u64) {
        // A node that this empties goes, so that ids that are gone take no room: the highest one
        // with nothing beside the way down.
        let mut place = &mut self.root;
        let mut level = self.height;
        while !is_alone(place.as_deref(), counter, level) {
            let Some(node) = place else { return };
            match node.edit() {
                Radix::Leaf { slots, len } => {
                    slots[counter as usize % LEAF] = NONE;
                    *len -= 1;
                    return;
                }
                Radix::Inner { below, len } => {
                    let at = digit(counter, level);
                    level = level.saturating_sub(1);
                    let goes = is_alone(below[at].as_deref(), counter, level);
                    *len -= u32::from(goes);
                    place = &mut below[at];
                }
            }
        }
        *place = None;
    }
}

impl Run {
    /// A run of one, if the id is near those of a tree of so many nodes.
    pub(crate) fn begin(id: NodeId, slot: u32, nodes: u64) -> Option<Self> {
        let near = nodes.saturating_mul(SPREAD_MAX).saturating_add(NEAR_IDS);
        let first = id.counter().filter(|counter| *counter <= near)?;
        Some(Self {
            first,
            slot,
            len: 1,
        })
    }

    /// Takes the next id, if it is that and in the next slot.
    #[inline]
    pub(crate) fn extend(&mut self, id: NodeId, slot: u32) -> bool {
        let next = self.first + u64::from(self.len);
        let goes_on = self.len > 0 && id.counter() == Some(next) && slot == self.slot + self.len;
        self.len += u32::from(goes_on);
        goes_on
    }

    pub(crate) fn has(&self, id: NodeId) -> bool {
        let place = id.counter().and_then(|own| own.checked_sub(self.first));
        place.is_some_and(|place| place < u64::from(self.len))
    }
}

// Whether nothing but this id is in a node.
fn is_alone(node: Option<&Radix>, counter: u64, level: u32) -> bool {
    let (mut node, mut level) = (node, level);
    loop {
        match node {
            None => return true,
            Some(Radix::Leaf { len, .. }) => return *len <= 1,
            Some(Radix::Inner { len, .. }) if *len > 1 => return false,
            Some(Radix::Inner { below, .. }) => {
                node = below[digit(counter, level)].as_deref();
                level = level.saturating_sub(1);
            }
        }
    }
}

fn beyond(counter: u64, height: u32) -> bool {
    let bits = LEAF_BITS + height * FAN_BITS;
    bits < u64::BITS && counter >> bits != 0
}

// Which of the nodes below an inner one: the lowest of these has level 1.
fn digit(counter: u64, level: u32) -> usize {
    let shift = LEAF_BITS + level.saturating_sub(1) * FAN_BITS;
    (counter >> shift.min(u64::BITS - 1)) as usize % FAN
}

impl Radix {
    fn empty(level: u32) -> Arc<Self> {
        Arc::new(match level {
            0 => Self::Leaf {
                slots: [NONE; LEAF],
                len: 0,
            },
            _ => Self::Inner {
                below: [const { None }; FAN],
                len: 0,
            },
        })
    }
}

trait Edit {
    fn edit(&mut self) -> &mut Radix;
}

impl Edit for Arc<Radix> {
    fn edit(&mut self) -> &mut Radix {
        if let Radix::Inner { below, .. } = &**self {
            warm(self, below);
        }
        Arc::make_mut(self)
    }
}
