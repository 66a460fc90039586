//! How far a replica is, as others are told.

use core::fmt;

use crate::{EventId, FeedId, FeedSet, FeedState, StoreId};

const TAG: &str = "dhlrs 1 feed tag";
const DIGEST: &str = "dhlrs 1 frontier";
const HEAD: &str = "dhlrs 1 head prefix";

/// A feed in eight bytes, for who knows it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct FeedTag(pub(crate) [u8; 8]);

impl FeedTag {
    pub(crate) fn new(store: &StoreId, feed: &FeedId) -> Self {
        let hash = blake3::Hasher::new_derive_key(TAG)
            .update(store.as_bytes())
            .update(feed.author.as_bytes())
            .update(&feed.epoch.number().to_le_bytes())
            .update(&feed.epoch.random().to_le_bytes())
            .finalize();
        Self(first(hash.as_bytes()))
    }
}

impl fmt::Debug for FeedTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", u64::from_be_bytes(self.0))
    }
}

/// What a replica says about one feed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Entry {
    pub(crate) tag: FeedTag,
    pub(crate) seq: u64,
    pub(crate) head: HeadPrefix,
    pub(crate) is_closed: bool,
}

/// A few bytes of an id. Each message has a salt of its own: two heads that an author has made to look alike in one
/// look different in the next.
pub(crate) type HeadPrefix = [u8; 4];

pub(crate) fn head_prefix(id: &EventId, salt: u64) -> HeadPrefix {
    let hash = blake3::Hasher::new_derive_key(HEAD)
        .update(&salt.to_le_bytes())
        .update(id.as_bytes())
        .finalize();
    first(hash.as_bytes())
}

impl Entry {
    pub(crate) fn new(tag: FeedTag, state: &FeedState, salt: u64) -> Self {
        Self {
            tag,
            seq: state.end.seq,
            head: head_prefix(&state.end.id, salt),
            is_closed: state.is_closed,
        }
    }
}

impl FeedSet {
    /// Equal frontiers, full heads included, have equal digests. O(feeds).
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_derive_key(DIGEST);
        hasher.update(self.store().as_bytes());
        for (feed, state) in self.frontier() {
            hasher.update(feed.author.as_bytes());
            hasher.update(&feed.epoch.number().to_le_bytes());
            hasher.update(&feed.epoch.random().to_le_bytes());
            hasher.update(&state.end.seq.to_le_bytes());
            hasher.update(state.end.id.as_bytes());
            hasher.update(&[u8::from(state.is_closed)]);
        }
        *hasher.finalize().as_bytes()
    }
}

/// The first bytes of a hash.
pub(crate) fn first<const N: usize>(hash: &[u8; 32]) -> [u8; N] {
    let mut bytes = [0; N];
    bytes
        .iter_mut()
        .zip(hash)
        .for_each(|(to, from)| *to = *from);
    bytes
}
