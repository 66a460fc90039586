//! Attributes: equal in any order, listed in the order in which they came.

use std::{cmp::Ordering, fmt, hash};

use crate::{
    Name, Value,
    value::{prefixed_bytes, varint_bytes},
};

/// The most attributes a node may have.
pub const ATTRIBUTES_MAX: usize = 256;

/// A small map from names to values that keeps the order of insertion.
///
/// Equality and hash look at the names in sorted order, not at the order of insertion. A look-up
/// compares names one after the other; a node has at most [`ATTRIBUTES_MAX`] attributes, judged
/// where an edit is ordered.
#[derive(Clone, Default)]
pub struct Attributes {
    // Invariant: names are unique.
    entries: Vec<(Name, Value)>,
}

impl Attributes {
    /// No attributes.
    pub const fn new() -> Self {
        Self {
            entries: Vec::new(),
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The value of `name`.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.entries
            .iter()
            .find_map(|(own, value)| (own == name).then_some(value))
    }

    /// Gives `name` a value and hands back the one it had. A new name goes last.
    pub fn insert(&mut self, name: Name, value: Value) -> Option<Value> {
        match self.entries.iter_mut().find(|(own, _)| *own == name) {
            Some((_, old)) => Some(std::mem::replace(old, value)),
            None => {
                self.entries.push((name, value));
                None
            }
        }
    }

    /// Takes `name` away and hands back its value.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        let at = self.entries.iter().position(|(own, _)| own == name)?;
        Some(self.entries.remove(at).1)
    }

    /// Names and values in the order of insertion.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Name, &Value)> + Clone {
        self.entries.iter().map(|(name, value)| (name, value))
    }

    /// How many bytes they take in the postcard encoding of this crate.
    pub fn encoded_bytes(&self) -> usize {
        let entries = self.entries.iter();
        let bytes = |(name, value): &(Name, Value)| {
            prefixed_bytes(name.as_str().len()) + value.encoded_bytes()
        };
        varint_bytes(self.len() as u128) + entries.map(bytes).sum::<usize>()
    }

    /// Writes `other` over this map; a Null in it takes the name away.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (name, value) in &other.entries {
            if value.is_null() {
                self.remove(name);
            } else {
                self.insert(name.clone(), value.clone());
            }
        }
    }

    /// The same map without the names that are Null.
    pub(crate) fn without_nulls(mut self) -> Self {
        self.entries.retain(|(_, value)| !value.is_null());
        self
    }

    fn sorted(&self) -> Vec<&(Name, Value)> {
        let mut entries: Vec<_> = self.entries.iter().collect();
        entries.sort_unstable_by(|a, b| -> Ordering { a.0.cmp(&b.0) });
        entries
    }
}

impl PartialEq for Attributes {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len()
            && (self.entries == other.entries || self.sorted() == other.sorted())
    }
}

impl Eq for Attributes {}

impl hash::Hash for Attributes {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.sorted().hash(state);
    }
}

impl fmt::Debug for Attributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl FromIterator<(Name, Value)> for Attributes {
    /// Of two equal names the later value counts.
    fn from_iter<I: IntoIterator<Item = (Name, Value)>>(entries: I) -> Self {
        let mut attributes = Self::new();
        for (name, value) in entries {
            attributes.insert(name, value);
        }
        attributes
    }
}

impl IntoIterator for Attributes {
    type Item = (Name, Value);
    type IntoIter = std::vec::IntoIter<(Name, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}
