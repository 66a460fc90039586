//! Last writer wins: of all writes the one with the greatest stamp.

use core::marker::PhantomData;

use dhlrs_clock::{Dot, Stamp, VersionVector};

use crate::{Canonical, Effect, Merge, Meta, Reading};

/// Of all writes the one with the greatest stamp holds, ties by dot; the others are forgotten at once.
///
/// Stamps rise above their past, so a write that has seen another always stands above it. State: O(1) a cell.
#[derive(Debug)]
pub struct LastWriterWins<V> {
    value: PhantomData<fn() -> V>,
}

/// The write that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastWrite<F, V> {
    write: Option<(Stamp, Dot<F>, V)>,
}

impl<V> LastWriterWins<V> {
    /// The policy; it has no settings.
    #[must_use]
    pub const fn new() -> Self {
        Self { value: PhantomData }
    }
}

impl<V> Default for LastWriterWins<V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<F, V> Default for LastWrite<F, V> {
    fn default() -> Self {
        Self { write: None }
    }
}

impl<F: Ord, V> LastWrite<F, V> {
    fn is_below(&self, stamp: Stamp, dot: &Dot<F>) -> bool {
        let own = self.write.as_ref();
        own.is_none_or(|(own, own_dot, _)| (*own, own_dot) < (stamp, dot))
    }
}

impl<F, V> Merge<F> for LastWriterWins<V>
where
    F: Ord + Clone + Canonical,
    V: Clone + Canonical,
{
    type State = LastWrite<F, V>;
    type Op = V;
    type Value = V;

    fn apply(&self, state: &mut Self::State, op: &V, meta: &Meta<'_, F>) -> Effect {
        if !state.is_below(meta.stamp, &meta.dot) {
            return Effect::Unchanged;
        }
        state.write = Some((meta.stamp, meta.dot.clone(), op.clone()));
        Effect::Changed
    }

    fn join(&self, state: &mut Self::State, other: &Self::State) {
        if let Some((stamp, dot, _)) = &other.write
            && state.is_below(*stamp, dot)
        {
            state.clone_from(other);
        }
    }

    fn read<'s>(&self, state: &'s Self::State) -> Reading<'s, V> {
        match &state.write {
            None => Reading::Absent,
            Some((_, _, value)) => Reading::One(value),
        }
    }

    /// Nothing is kept that could be dropped.
    fn compact(&self, _: &mut Self::State, _: &VersionVector<F>) {}

    fn encode_canonical(&self, state: &Self::State, bytes: &mut Vec<u8>) {
        bytes.push(u8::from(state.write.is_some()));
        if let Some((stamp, dot, value)) = &state.write {
            stamp.encode_canonical(bytes);
            dot.encode_canonical(bytes);
            value.encode_canonical(bytes);
        }
    }
}
