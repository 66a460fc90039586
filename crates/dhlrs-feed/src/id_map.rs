//! Look-ups by the id of a bag node. Their order never shows: whoever walks one sorts first.

#![expect(
    clippy::disallowed_types,
    reason = "the hasher has no seed, so that the order is the same in every run; nor does it show"
)]

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

use dhlrs_bag::NodeId;

/// What is kept of bag nodes, by their ids.
pub type IdMap<T> = HashMap<NodeId, T, BuildHasherDefault<IdHasher>>;
/// A set of bag nodes.
pub type IdSet = HashSet<NodeId, BuildHasherDefault<IdHasher>>;

/// The hasher of [`IdMap`]: ids are the bytes of a cryptographic hash, so that half of one is a good hash of it.
///
/// Who makes two paths on purpose whose ids begin alike has to try some 2^n labels for n bits, and gains n steps.
#[derive(Clone, Copy, Debug, Default)]
pub struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for part in bytes.chunks(8) {
            let mut word = [0; 8];
            word.iter_mut().zip(part).for_each(|(to, from)| *to = *from);
            // Ids of tests have zeros in front.
            self.0 = self.0.rotate_left(32) ^ u64::from_le_bytes(word);
        }
    }

    fn write_usize(&mut self, _: usize) {}
}
