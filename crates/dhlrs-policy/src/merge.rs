//! The trait of a policy, and what it is told and answers.

use dhlrs_clock::{Dot, Stamp, VersionVector};

/// Decides what one cell of a replicated store holds after writes that may not have known of each other.
///
/// Each replica keeps a `State` for each cell, beginning with its default, and applies each write once or more, in a
/// causal order: after every write of its past. What has been applied decides the state, nothing else;
/// [`merge_laws!`](crate::merge_laws) tests that.
pub trait Merge<F: Ord> {
    /// What a replica keeps of a cell; the default is a cell that nobody has written.
    type State: Clone + Default;
    /// What a write says.
    type Op;
    /// What a reader is shown.
    type Value;

    /// Takes a write. One that was taken before changes nothing.
    fn apply(&self, state: &mut Self::State, op: &Self::Op, meta: &Meta<'_, F>) -> Effect;

    /// Takes all writes that the other state has taken.
    fn join(&self, state: &mut Self::State, other: &Self::State);

    /// What the cell holds.
    fn read<'s>(&self, state: &'s Self::State) -> Reading<'s, Self::Value>;

    /// Drops what can make no difference any more. The state has taken exactly the writes in `stable`; whatever comes
    /// after this, write or state, has all of them in its past, and other states were compacted at `stable`, too.
    fn compact(&self, state: &mut Self::State, stable: &VersionVector<F>);

    /// Appends bytes that are equal wherever the same writes were taken, compacted or not.
    fn encode_canonical(&self, state: &Self::State, bytes: &mut Vec<u8>);
}

/// What a write is known by.
#[derive(Clone, Copy, Debug)]
pub struct Meta<'a, F> {
    /// Its name.
    pub dot: Dot<F>,
    /// When it was made; above the stamps of its whole past.
    pub stamp: Stamp,
    /// The events that its author had seen. Those of its own feed before it count, whether they are in here or not.
    pub past: &'a VersionVector<F>,
}

impl<F: Ord> Meta<'_, F> {
    /// Whether the author knew of this write.
    pub(crate) fn has_seen(&self, dot: &Dot<F>) -> bool {
        self.past.contains(dot) || (dot.feed == self.dot.feed && dot.seq < self.dot.seq)
    }
}

/// What a write did to a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The cell reads otherwise now, or may.
    Changed,
    /// It reads as before.
    Unchanged,
}

/// What a cell holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading<'s, V> {
    /// Nobody has written it.
    Absent,
    /// One value.
    One(&'s V),
    /// Values of writes that did not know of each other, two at least, in the order of their stamps and dots.
    Siblings(Vec<&'s V>),
}

/// Something that has one spelling in bytes: equal values, equal bytes, and no spelling is the beginning of another.
pub trait Canonical {
    /// Appends the bytes.
    fn encode_canonical(&self, bytes: &mut Vec<u8>);
}

impl Canonical for u64 {
    fn encode_canonical(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.to_le_bytes());
    }
}

impl Canonical for i64 {
    fn encode_canonical(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.to_le_bytes());
    }
}

impl Canonical for [u8] {
    fn encode_canonical(&self, bytes: &mut Vec<u8>) {
        (self.len() as u64).encode_canonical(bytes);
        bytes.extend_from_slice(self);
    }
}

impl Canonical for str {
    fn encode_canonical(&self, bytes: &mut Vec<u8>) {
        self.as_bytes().encode_canonical(bytes);
    }
}

impl Canonical for String {
    fn encode_canonical(&self, bytes: &mut Vec<u8>) {
        self.as_str().encode_canonical(bytes);
    }
}

impl<C: Canonical + ?Sized> Canonical for &C {
    fn encode_canonical(&self, bytes: &mut Vec<u8>) {
        C::encode_canonical(self, bytes);
    }
}

impl<F: Canonical> Canonical for Dot<F> {
    fn encode_canonical(&self, bytes: &mut Vec<u8>) {
        self.feed.encode_canonical(bytes);
        self.seq.encode_canonical(bytes);
    }
}

impl Canonical for Stamp {
    fn encode_canonical(&self, bytes: &mut Vec<u8>) {
        self.wall_ms().encode_canonical(bytes);
        u64::from(self.counter()).encode_canonical(bytes);
    }
}
