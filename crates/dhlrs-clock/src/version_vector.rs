//! How far each feed is known: a set of events that has no holes.

use std::collections::BTreeMap;
use std::collections::btree_map;

use core::cmp::Ordering;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Dot;

/// How many feeds a version vector may name when it is decoded.
pub const VERSION_VECTOR_FEEDS_MAX: usize = 65_536;

/// How far each feed is known: all events of a feed up to a number, and none above it.
///
/// It stands for a set of events. `partial_cmp` compares those sets: `None` means that each has an event which the
/// other lacks. One look-up costs O(log of the feeds), a comparison or a join O(feeds).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct VersionVector<F> {
    // Invariant: no entry is 0, so that equal sets are equal values.
    seqs: BTreeMap<F, u64>,
}

impl<F> Default for VersionVector<F> {
    fn default() -> Self {
        Self {
            seqs: BTreeMap::new(),
        }
    }
}

impl<F: Ord> VersionVector<F> {
    /// The empty set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How far `feed` is known; 0 if not at all.
    #[must_use]
    pub fn get(&self, feed: &F) -> u64 {
        self.seqs.get(feed).copied().unwrap_or(0)
    }

    /// Whether the event is in the set.
    #[must_use]
    pub fn contains(&self, dot: &Dot<F>) -> bool {
        dot.seq > 0 && dot.seq <= self.get(&dot.feed)
    }

    /// Adds all events of the feed up to this one. Never takes one away.
    pub fn advance(&mut self, dot: Dot<F>) {
        if dot.seq > 0 {
            let seq = self.seqs.entry(dot.feed).or_insert(0);
            *seq = dot.seq.max(*seq);
        }
    }

    /// Takes away the events of `feed` above `seq`.
    pub fn truncate(&mut self, feed: &F, seq: u64) {
        if seq == 0 {
            self.seqs.remove(feed);
        } else if let Some(known) = self.seqs.get_mut(feed) {
            *known = seq.min(*known);
        }
    }

    /// Adds the events of the other set.
    pub fn join(&mut self, other: &Self)
    where
        F: Clone,
    {
        for (feed, seq) in &other.seqs {
            self.advance(Dot::new(feed.clone(), *seq));
        }
    }

    /// Whether every event of the other set is in this one.
    #[must_use]
    pub fn includes(&self, other: &Self) -> bool {
        other.seqs.iter().all(|(feed, seq)| self.get(feed) >= *seq)
    }

    /// Each feed of which something is known, and how far; in the order of feeds.
    pub fn iter(&self) -> btree_map::Iter<'_, F, u64> {
        self.seqs.iter()
    }

    /// How many feeds are named.
    #[must_use]
    pub fn len(&self) -> usize {
        self.seqs.len()
    }

    /// Whether the set is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.seqs.is_empty()
    }
}

impl<F: Ord> PartialOrd for VersionVector<F> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (self.includes(other), other.includes(self)) {
            (true, true) => Some(Ordering::Equal),
            (true, false) => Some(Ordering::Greater),
            (false, true) => Some(Ordering::Less),
            (false, false) => None,
        }
    }
}

impl<F: Ord> FromIterator<Dot<F>> for VersionVector<F> {
    fn from_iter<I: IntoIterator<Item = Dot<F>>>(dots: I) -> Self {
        let mut vector = Self::new();
        dots.into_iter().for_each(|dot| vector.advance(dot));
        vector
    }
}

impl<'a, F> IntoIterator for &'a VersionVector<F> {
    type Item = (&'a F, &'a u64);
    type IntoIter = btree_map::Iter<'a, F, u64>;

    fn into_iter(self) -> Self::IntoIter {
        self.seqs.iter()
    }
}

impl<F: Serialize> Serialize for VersionVector<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(&self.seqs)
    }
}

impl<'de, F: Deserialize<'de> + Ord> Deserialize<'de> for VersionVector<F> {
    /// Takes only what [`Serialize`] writes: feeds that rise, no entry 0, at most [`VERSION_VECTOR_FEEDS_MAX`].
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Entries(core::marker::PhantomData))
    }
}

struct Entries<F>(core::marker::PhantomData<F>);

impl<'de, F: Deserialize<'de> + Ord> serde::de::Visitor<'de> for Entries<F> {
    type Value = VersionVector<F>;

    fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(
            f,
            "at most {VERSION_VECTOR_FEEDS_MAX} feeds that rise, none at 0"
        )
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(
        self,
        mut entries: A,
    ) -> Result<Self::Value, A::Error> {
        use serde::de::Error as _;

        let mut seqs = BTreeMap::new();
        while let Some((feed, seq)) = entries.next_element::<(F, u64)>()? {
            let rises = seqs.last_key_value().is_none_or(|(last, _)| *last < feed);
            if !rises || seq == 0 || seqs.len() == VERSION_VECTOR_FEEDS_MAX {
                return Err(A::Error::invalid_value(
                    serde::de::Unexpected::Unsigned(seq),
                    &self,
                ));
            }
            seqs.insert(feed, seq);
        }
        Ok(VersionVector { seqs })
    }
}
