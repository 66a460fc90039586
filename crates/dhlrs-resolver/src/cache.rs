//! What is known about each node, within a limit on bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::call::{Key, Slot};
use crate::entry::Entry;
use crate::output::{FlightId, Output};

/// What is known about each slot, by last use.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    // Invariant: an entry has a flight or something evictable; `by_use` and `bytes` tell of the
    // evictable ones, `dues` of those with `due_ms`.
    entries: BTreeMap<Slot, Entry>,
    by_use: BTreeMap<u64, Slot>,
    dues: BTreeSet<(u64, Slot)>,
    uses: u64,
    bytes: u64,
}

impl Cache {
    pub(crate) fn get(&self, slot: &Slot) -> Option<&Entry> {
        self.entries.get(slot)
    }

    /// The entry of a slot, made if there is none. The invariant holds again after
    /// [`settle`](Self::settle).
    pub(crate) fn enter(&mut self, slot: &Slot, key: &Arc<Key>) -> &mut Entry {
        self.entries
            .entry(slot.clone())
            .or_insert_with(|| Entry::new(Arc::clone(key)))
    }

    pub(crate) fn get_mut(&mut self, slot: &Slot) -> Option<&mut Entry> {
        self.entries.get_mut(slot)
    }

    pub(crate) fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.entries.keys()
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(crate) fn next_due_ms(&self) -> Option<u64> {
        self.dues.first().map(|(at_ms, _)| *at_ms)
    }

    /// Takes the slot whose refresh is due by then.
    pub(crate) fn pop_due(&mut self, now_ms: u64) -> Option<Slot> {
        if self.next_due_ms()? > now_ms {
            return None;
        }
        let (_, slot) = self.dues.pop_first()?;
        if let Some(entry) = self.entries.get_mut(&slot) {
            entry.due_ms = None;
        }
        self.settle(&slot);
        Some(slot)
    }

    pub(crate) fn set_due(&mut self, slot: &Slot, due_ms: Option<u64>) {
        let Some(entry) = self.entries.get_mut(slot) else {
            return;
        };
        if let Some(before_ms) = std::mem::replace(&mut entry.due_ms, due_ms) {
            self.dues.remove(&(before_ms, slot.clone()));
        }
        if let Some(due_ms) = due_ms {
            self.dues.insert((due_ms, slot.clone()));
        }
    }

    /// Forgets what earlier flights brought. The refresh stays due.
    pub(crate) fn reset(&mut self, slot: &Slot, outputs: &mut Vec<Output>) {
        let Some(entry) = self.entries.get_mut(slot) else {
            return;
        };
        entry.negative = None;
        if entry.kept.take().is_some_and(|kept| kept.stored) {
            outputs.push(Output::Unstore { slot: slot.clone() });
        }
    }

    pub(crate) fn remove_flight(&mut self, slot: &Slot, flight: FlightId) {
        if let Some(entry) = self.entries.get_mut(slot) {
            entry.flights.retain(|other| *other != flight);
        }
    }

    /// Makes the slot the last one to be evicted.
    pub(crate) fn touch(&mut self, slot: &Slot) {
        let Some(entry) = self.entries.get_mut(slot) else {
            return;
        };
        if entry.counted_bytes == 0 {
            return;
        }
        self.by_use.remove(&entry.used);
        self.uses += 1;
        entry.used = self.uses;
        self.by_use.insert(self.uses, slot.clone());
    }

    /// Counts the entry again, and drops it if nothing is left of it.
    pub(crate) fn settle(&mut self, slot: &Slot) {
        let Some(entry) = self.entries.get_mut(slot) else {
            return;
        };
        let bytes = entry.evictable_bytes();
        let before = std::mem::replace(&mut entry.counted_bytes, bytes);
        self.bytes = self.bytes.saturating_sub(before).saturating_add(bytes);
        match (before, bytes) {
            (0, 0) => {}
            (0, _) => self.touch(slot),
            (_, 0) => {
                self.by_use.remove(&entry.used);
            }
            _ => {}
        }
        if bytes == 0
            && self
                .entries
                .get(slot)
                .is_some_and(|entry| entry.flights.is_empty())
        {
            self.entries.remove(slot);
        }
    }

    /// Evicts what was not used for longest, until the rest is within the limit.
    pub(crate) fn evict(&mut self, cached_bytes_max: u64, outputs: &mut Vec<Output>) {
        while self.bytes > cached_bytes_max {
            let Some((_, slot)) = self.by_use.first_key_value() else {
                return;
            };
            let slot = slot.clone();
            self.reset(&slot, outputs);
            self.set_due(&slot, None);
            self.settle(&slot);
        }
    }

    /// The same entry under another slot, which must have none.
    pub(crate) fn rename(&mut self, from: &Slot, to: &Slot) {
        let Some(entry) = self.entries.remove(from) else {
            return;
        };
        if let Some(due_ms) = entry.due_ms {
            self.dues.remove(&(due_ms, from.clone()));
            self.dues.insert((due_ms, to.clone()));
        }
        if entry.counted_bytes > 0 {
            self.by_use.insert(entry.used, to.clone());
        }
        self.entries.insert(to.clone(), entry);
    }
}
