//! What is numbered without a hole: a list in pages, which copies share until one of them is written.

use std::collections::BTreeMap;

use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use triomphe::Arc;

const PAGE: usize = 64;

/// Values by number, none missing between the first and the last.
///
/// Reads, `push` and a cut at either end cost O(1), a copy O(length / 64).
#[derive(Clone, Debug)]
pub(crate) struct Chain<T> {
    // Invariant: all pages but the last are full, and `first` is on the first page or the number to come.
    pages: Vec<Arc<Vec<T>>>,
    /// The number of the first value of the first page.
    begin: u64,
    first: u64,
    next: u64,
}

impl<T> Default for Chain<T> {
    fn default() -> Self {
        Self::starting_at(1)
    }
}

impl<T> Chain<T> {
    /// An empty one; the next value gets this number.
    pub(crate) const fn starting_at(next: u64) -> Self {
        Self {
            pages: Vec::new(),
            begin: next,
            first: next,
            next,
        }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.first == self.next
    }

    /// The number that the next value gets.
    pub(crate) const fn next(&self) -> u64 {
        self.next
    }

    pub(crate) fn get(&self, number: u64) -> Option<&T> {
        if number < self.first || number >= self.next {
            return None;
        }
        let at = usize::try_from(number - self.begin).ok()?;
        self.pages.get(at / PAGE)?.get(at % PAGE)
    }

    /// The values from this number on, with their numbers.
    pub(crate) fn from(&self, number: u64) -> impl DoubleEndedIterator<Item = (u64, &T)> {
        let numbers = number.clamp(self.first, self.next)..self.next;
        numbers.filter_map(|number| Some((number, self.get(number)?)))
    }

    /// The values up to this number, with their numbers.
    pub(crate) fn upto(&self, number: u64) -> impl DoubleEndedIterator<Item = (u64, &T)> {
        let end = number.saturating_add(1).clamp(self.first, self.next);
        (self.first..end).filter_map(|number| Some((number, self.get(number)?)))
    }

    /// Drops the values below this number.
    pub(crate) fn drop_below(&mut self, number: u64) {
        if number >= self.next {
            *self = Self::starting_at(self.next.max(number));
            return;
        }
        self.first = self.first.max(number);
        let pages = usize::try_from(self.first - self.begin).unwrap_or(usize::MAX) / PAGE;
        self.pages.drain(..pages.min(self.pages.len()));
        self.begin += (pages * PAGE) as u64;
    }
}

impl<T: Clone> Chain<T> {
    /// Appends the value if its number is the next, or it is the first one; `false` if not.
    pub(crate) fn push(&mut self, number: u64, value: T) -> bool {
        if self.is_empty() && self.next != number {
            *self = Self::starting_at(number);
        }
        let Some(next) = number.checked_add(1).filter(|_| self.next == number) else {
            return false;
        };
        self.next = next;
        match self.pages.last_mut() {
            Some(page) if page.len() < PAGE => Arc::make_mut(page).push(value),
            _ => {
                let mut page = Vec::with_capacity(PAGE);
                page.push(value);
                self.pages.push(Arc::new(page));
            }
        }
        true
    }

    /// Drops the values above this number.
    pub(crate) fn drop_above(&mut self, number: u64) {
        let next = number.saturating_add(1);
        if next >= self.next {
            return;
        }
        if next <= self.first {
            *self = Self::starting_at(self.first);
            return;
        }
        self.next = next;
        let kept = usize::try_from(next - self.begin).unwrap_or(usize::MAX);
        self.pages.truncate(kept.div_ceil(PAGE));
        if let Some(page) = self.pages.last_mut() {
            let kept = kept - (kept - 1) / PAGE * PAGE;
            Arc::make_mut(page).truncate(kept);
        }
    }
}

impl<T: PartialEq> Eq for Chain<T> {}

impl<T: PartialEq> PartialEq for Chain<T> {
    fn eq(&self, other: &Self) -> bool {
        self.from(0).eq(other.from(0))
    }
}

impl<T: Serialize> Serialize for Chain<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let length = usize::try_from(self.next - self.first).ok();
        let mut map = serializer.serialize_map(length)?;
        for (number, value) in self.from(0) {
            map.serialize_entry(&number, value)?;
        }
        map.end()
    }
}

impl<'de, T: Deserialize<'de> + Clone> Deserialize<'de> for Chain<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let values = BTreeMap::<u64, T>::deserialize(deserializer)?;
        let mut chain = Self::default();
        for (number, value) in values {
            if !chain.push(number, value) {
                return Err(serde::de::Error::custom("a number is missing"));
            }
        }
        Ok(chain)
    }
}
