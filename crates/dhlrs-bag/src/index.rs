//! A persistent hash index from a hash of 32 bits to slots: one small table, or a radix of sixteen
//! where it is wide, so that a write after a snapshot copies one small table and its spine.

use hashbrown::{HashTable, hash_table};
use triomphe::Arc;

// What a table of 512 places takes. A write after a snapshot copies 4.5 KiB then, as much as a page.
const TABLE_ENTRIES_MAX: usize = 448;
const RADIX_BITS: u32 = 4;
const FAN: usize = 1 << RADIX_BITS;

#[derive(Clone)]
pub(crate) enum Index {
    Table(HashTable<Entry>),
    Radix(Box<[Arc<Index>; FAN]>),
}

#[derive(Clone, Copy)]
pub(crate) struct Entry {
    hash: u32,
    slot: u32,
}

impl Index {
    pub(crate) const fn new() -> Self {
        Self::Table(HashTable::new())
    }

    /// Has room for so many, up to what one small table takes.
    pub(crate) fn with_room(entries: usize) -> Self {
        Self::Table(HashTable::with_capacity(entries.min(TABLE_ENTRIES_MAX)))
    }

    /// Gives back room that nothing is in.
    pub(crate) fn shrink(&mut self) {
        if let Self::Table(table) = self {
            table.shrink_to_fit(|entry| spread(entry.hash));
        }
    }

    /// The slot under `hash` that `is` the one.
    #[inline]
    pub(crate) fn find(&self, hash: u32, mut is: impl FnMut(u32) -> bool) -> Option<u32> {
        let mut node = self;
        let mut digits = hash;
        loop {
            match node {
                Self::Radix(parts) => {
                    node = &parts[(digits >> (32 - RADIX_BITS)) as usize % FAN];
                    digits <<= RADIX_BITS;
                }
                Self::Table(table) => {
                    let found =
                        table.find(spread(hash), |entry| entry.hash == hash && is(entry.slot));
                    return found.map(|entry| entry.slot);
                }
            }
        }
    }

    /// Adds a slot unless there is one under `hash` that `is` the same, and says whether it did.
    pub(crate) fn insert_new(
        &mut self,
        hash: u32,
        slot: u32,
        mut is: impl FnMut(u32) -> bool,
    ) -> bool {
        if let Self::Table(table) = self
            && table.len() < TABLE_ENTRIES_MAX
        {
            let is_same = |entry: &Entry| entry.hash == hash && is(entry.slot);
            return match table.entry(spread(hash), is_same, |entry| spread(entry.hash)) {
                hash_table::Entry::Occupied(_) => false,
                hash_table::Entry::Vacant(place) => {
                    place.insert(Entry { hash, slot });
                    true
                }
            };
        }
        let is_new = self.find(hash, is).is_none();
        if is_new {
            self.insert(hash, slot);
        }
        is_new
    }

    /// Adds a slot that is not in it yet.
    pub(crate) fn insert(&mut self, hash: u32, slot: u32) {
        let mut node = self;
        let mut digits = hash;
        let mut bits_left = 32;
        loop {
            if let Self::Table(table) = node
                && table.len() >= TABLE_ENTRIES_MAX
                && bits_left > 0
            {
                *node = split(table, 32 - bits_left);
            }
            match node {
                Self::Radix(parts) => {
                    node = Arc::make_mut(&mut parts[(digits >> (32 - RADIX_BITS)) as usize % FAN]);
                    digits <<= RADIX_BITS;
                    bits_left -= RADIX_BITS;
                }
                Self::Table(table) => {
                    let entry = Entry { hash, slot };
                    table.insert_unique(spread(hash), entry, |entry| spread(entry.hash));
                    return;
                }
            }
        }
    }

    pub(crate) fn remove(&mut self, hash: u32, slot: u32) {
        let mut node = self;
        let mut digits = hash;
        loop {
            match node {
                Self::Radix(parts) => {
                    node = Arc::make_mut(&mut parts[(digits >> (32 - RADIX_BITS)) as usize % FAN]);
                    digits <<= RADIX_BITS;
                }
                Self::Table(table) => {
                    if let Ok(found) = table.find_entry(spread(hash), |entry| entry.slot == slot) {
                        found.remove();
                    }
                    return;
                }
            }
        }
    }
}

fn split(table: &HashTable<Entry>, bits_used: u32) -> Index {
    let mut parts: [HashTable<Entry>; FAN] = std::array::from_fn(|_| HashTable::new());
    for entry in table {
        let digit = (entry.hash << bits_used) >> (32 - RADIX_BITS);
        parts[digit as usize % FAN]
            .insert_unique(spread(entry.hash), *entry, |entry| spread(entry.hash));
    }
    Index::Radix(Box::new(parts.map(|part| Arc::new(Index::Table(part)))))
}

// A table looks at the lowest and the seven highest of 64 bits.
fn spread(hash: u32) -> u64 {
    u64::from(hash).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}
