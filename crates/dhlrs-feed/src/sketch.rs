//! Rateless sketches of a frontier: two of them, subtracted, give the entries in which the frontiers differ.
//!
//! After Yang, Gilad and Alizadeh, "Practical Rateless Set Reconciliation" (2024). Coded symbol 0 holds each entry, symbol
//! i each with a probability of 1 / (1 + i/2); about 1.4 symbols are enough for each entry in which two sets differ.

use crate::frontier::{Entry, FeedTag, first};

const ITEM: &str = "dhlrs 1 sketch item";
const ITEM_BYTES: usize = 20;
const CLOSED: u64 = 1 << 63;

type Item = [u8; ITEM_BYTES];

/// One coded symbol: a sum of entries.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Symbol {
    pub(crate) sum: Item,
    pub(crate) check: u32,
    pub(crate) count: i64,
}

/// The entries in which two frontiers differ.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Difference {
    /// Those that only this replica has.
    pub(crate) ours: Vec<Entry>,
    /// Those that only the other has.
    pub(crate) theirs: Vec<Entry>,
}

/// The first `count` symbols of these entries. O(entries × log count).
pub(crate) fn sketch(entries: impl Iterator<Item = Entry>, count: usize) -> Vec<Symbol> {
    let mut symbols = vec![Symbol::default(); count];
    for entry in entries {
        add(&mut symbols, &item(&entry), 1);
    }
    symbols
}

/// What our symbols have less theirs; `None` if these are too few to tell.
///
/// Whatever the other sends: at most as many entries come out as there are symbols, in O(symbols²).
pub(crate) fn difference(ours: &[Symbol], theirs: &[Symbol]) -> Option<Difference> {
    let mut left: Vec<Symbol> = ours
        .iter()
        .zip(theirs)
        .map(|(ours, theirs)| {
            let mut symbol = *ours;
            symbol
                .sum
                .iter_mut()
                .zip(theirs.sum)
                .for_each(|(a, b)| *a ^= b);
            symbol.check ^= theirs.check;
            symbol.count = symbol.count.wrapping_sub(theirs.count);
            symbol
        })
        .collect();
    let mut difference = Difference::default();
    // An honest sketch never gives more entries than it has symbols.
    for _ in 0..left.len() {
        let pure = left.iter().find(|symbol| {
            matches!(symbol.count, 1 | -1) && check(&hash(&symbol.sum)) == symbol.check
        });
        let Some(Symbol { sum, count, .. }) = pure.copied() else {
            break;
        };
        add(&mut left, &sum, count.wrapping_neg());
        match count {
            1 => difference.ours.push(entry(&sum)),
            _ => difference.theirs.push(entry(&sum)),
        }
    }
    let is_whole = !left.is_empty() && left.iter().all(|symbol| *symbol == Symbol::default());
    is_whole.then_some(difference)
}

fn add(symbols: &mut [Symbol], item: &Item, count: i64) {
    let hash = hash(item);
    let mut places = Places::new(hash);
    while let Some(symbol) = usize::try_from(places.at)
        .ok()
        .and_then(|at| symbols.get_mut(at))
    {
        symbol.sum.iter_mut().zip(item).for_each(|(a, b)| *a ^= b);
        symbol.check ^= check(&hash);
        symbol.count = symbol.count.wrapping_add(count);
        places.step();
    }
}

/// The symbols that hold an entry, ever farther apart.
struct Places {
    random: u64,
    at: u64,
}

impl Places {
    fn new(hash: u64) -> Self {
        Self {
            random: hash,
            at: 0,
        }
    }

    fn step(&mut self) {
        // SplitMix64.
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut r = self.random;
        r = (r ^ (r >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        r = (r ^ (r >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        r ^= r >> 31;
        // Exact operations of IEEE 754 only, so that every machine walks the same way.
        let two_32 = 4_294_967_296.0_f64;
        let step = (self.at as f64 + 1.5) * (two_32 / (r as f64 + 1.0).sqrt() - 1.0);
        self.at = self.at.saturating_add((step.ceil() as u64).max(1));
    }
}

fn hash(item: &Item) -> u64 {
    let hash = blake3::Hasher::new_derive_key(ITEM).update(item).finalize();
    u64::from_le_bytes(first(hash.as_bytes()))
}

fn check(hash: &u64) -> u32 {
    (hash >> 32) as u32
}

fn item(entry: &Entry) -> Item {
    let closed = if entry.is_closed { CLOSED } else { 0 };
    let seq = (entry.seq & !CLOSED | closed).to_le_bytes();
    let mut item = [0; ITEM_BYTES];
    let bytes = entry.tag.0.iter().chain(&seq).chain(&entry.head);
    item.iter_mut()
        .zip(bytes)
        .for_each(|(to, from)| *to = *from);
    item
}

fn entry(item: &Item) -> Entry {
    let [a, b, c, d, e, f, g, h, rest @ ..] = *item;
    let [i, j, k, l, m, n, o, p, head @ ..] = rest;
    let seq = u64::from_le_bytes([i, j, k, l, m, n, o, p]);
    Entry {
        tag: FeedTag([a, b, c, d, e, f, g, h]),
        seq: seq & !CLOSED,
        head,
        is_closed: seq & CLOSED != 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry_of(n: u32, seq: u64) -> Entry {
        let mut tag = [0; 8];
        tag[..4].copy_from_slice(&n.to_le_bytes());
        Entry {
            tag: FeedTag(tag),
            seq,
            head: [1, 2, 3, seq as u8],
            is_closed: seq.is_multiple_of(3),
        }
    }

    /// Symbols until the difference of two sets that share `shared` entries is known.
    fn needed(shared: u32, only_ours: u32, only_theirs: u32) -> usize {
        let common = || (0..shared).map(|n| entry_of(n, 7));
        let ours: Vec<_> = (0..only_ours).map(|n| entry_of(n + shared, 1)).collect();
        let theirs: Vec<_> = (0..only_theirs).map(|n| entry_of(n + shared, 2)).collect();
        for count in 1..10_000 {
            let a = sketch(common().chain(ours.clone()), count);
            let b = sketch(common().chain(theirs.clone()), count);
            if let Some(mut found) = difference(&a, &b) {
                found.ours.sort();
                found.theirs.sort();
                let (mut expected_ours, mut expected_theirs) = (ours, theirs);
                expected_ours.sort();
                expected_theirs.sort();
                assert_eq!((found.ours, found.theirs), (expected_ours, expected_theirs));
                return count;
            }
        }
        panic!("never");
    }

    #[test]
    fn few_symbols_tell_the_difference_however_much_is_shared() {
        assert_eq!(needed(1_000, 0, 0), 1);
        assert_eq!(needed(1_000, 1, 0), 1);
        let total: usize = (0..5).map(|n| needed(100 + n, 20, 20)).sum();
        assert!(
            total < 20 * 40 * 2,
            "{} symbols an entry",
            total as f64 / 800.0
        );
        assert!(needed(0, 100, 0) < 180);
    }

    #[test]
    fn lies_end_and_give_no_more_than_there_are_symbols() {
        let lie = Symbol {
            sum: [1; ITEM_BYTES],
            check: check(&hash(&[1; ITEM_BYTES])),
            count: 1,
        };
        let theirs = vec![lie; 200];
        assert_eq!(difference(&sketch(core::iter::empty(), 200), &theirs), None);
        assert_eq!(difference(&[], &[]), None);
        let wild = vec![
            Symbol {
                count: i64::MIN,
                ..lie
            };
            3
        ];
        assert_eq!(difference(&sketch(core::iter::empty(), 3), &wild), None);
    }
}
