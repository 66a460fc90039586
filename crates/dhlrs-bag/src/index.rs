//! A persistent hash index from a hash of 32 bits to slots: one small table, or a radix of sixteen
//! where it is wide, so that a write after a snapshot copies one small table and its spine.

use hashbrown::HashTable;
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
