//! A register that shows every write that no other has seen.

use core::marker::PhantomData;
use std::collections::BTreeMap;

use dhlrs_clock::{Dot, Stamp, VersionVector};

use crate::{Canonical, Effect, Merge, Meta, Reading};

/// Every write holds until one that has seen it is taken: writes that did not know of each other are siblings.
///
/// The multi-value register of Shapiro et al. 2011 (INRIA RR-7506), with one entry a writer in place of a version vector
/// a value, as causal delivery allows. State: O(writers of the cell); a write costs O(siblings).
#[derive(Debug)]
pub struct Siblings<V> {
    value: PhantomData<fn() -> V>,
}

/// The writes that hold, and how far each writer of the cell is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Writes<F: Ord, V> {
    siblings: BTreeMap<Dot<F>, (Stamp, V)>,
    // Invariant: contains the dot of each sibling. A write of this cell by a feed in here, up to its number, has been
    // taken: writes of one feed come in their order.
    taken: VersionVector<F>,
}

impl<V> Siblings<V> {
    /// The policy; it has no settings.
    #[must_use]
    pub const fn new() -> Self {
        Self { value: PhantomData }
    }
}

impl<V> Default for Siblings<V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<F: Ord, V> Default for Writes<F, V> {
    fn default() -> Self {
        Self {
            siblings: BTreeMap::new(),
            taken: VersionVector::new(),
        }
    }
}

impl<F: Ord, V> Writes<F, V> {
    fn in_order(&self) -> Vec<(Stamp, &Dot<F>, &V)> {
        let all = self.siblings.iter();
        let mut all: Vec<_> = all
            .map(|(dot, (stamp, value))| (*stamp, dot, value))
            .collect();
        all.sort_unstable_by(|(stamp, dot, _), (other, other_dot, _)| {
            (stamp, dot).cmp(&(other, other_dot))
        });
        all
    }
}

impl<F, V> Merge<F> for Siblings<V>
where
    F: Ord + Clone + Canonical,
    V: Clone + Canonical,
{
    type State = Writes<F, V>;
    type Op = V;
    type Value = V;

    fn apply(&self, state: &mut Self::State, op: &V, meta: &Meta<'_, F>) -> Effect {
        if state.taken.contains(&meta.dot) {
            return Effect::Unchanged;
        }
        state.siblings.retain(|dot, _| !meta.has_seen(dot));
        state.taken.advance(meta.dot.clone());
        let write = (meta.stamp, op.clone());
        state.siblings.insert(meta.dot.clone(), write);
        Effect::Changed
    }

    fn join(&self, state: &mut Self::State, other: &Self::State) {
        // A write that only one side holds was overwritten on the other, or has not come there yet.
        let (taken, theirs) = (&other.taken, &other.siblings);
        (state.siblings).retain(|dot, _| theirs.contains_key(dot) || !taken.contains(dot));
        for (dot, write) in theirs {
            if !state.taken.contains(dot) {
                state.siblings.insert(dot.clone(), write.clone());
            }
        }
        state.taken.join(&other.taken);
    }

    fn read<'s>(&self, state: &'s Self::State) -> Reading<'s, V> {
        let mut values: Vec<&V> = (state.in_order().into_iter())
            .map(|(_, _, value)| value)
            .collect();
        match (values.pop(), values.is_empty()) {
            (None, _) => Reading::Absent,
            (Some(only), true) => Reading::One(only),
            (Some(last), false) => {
                values.push(last);
                Reading::Siblings(values)
            }
        }
    }

    /// Forgets the writers of which no write holds: nothing that is still to come can bring one back.
    fn compact(&self, state: &mut Self::State, _: &VersionVector<F>) {
        state.taken = state.siblings.keys().cloned().collect();
    }

    fn encode_canonical(&self, state: &Self::State, bytes: &mut Vec<u8>) {
        (state.siblings.len() as u64).encode_canonical(bytes);
        for (stamp, dot, value) in state.in_order() {
            stamp.encode_canonical(bytes);
            dot.encode_canonical(bytes);
            value.encode_canonical(bytes);
        }
    }
}
