//! Whom a change concerns, for subscribers that are no callbacks.

use std::collections::BTreeMap;

use dhlrs_bag::{Change, Changes};

use crate::error::{SubscribeError, SubscribeErrorKind};
use crate::index::Index;
use crate::kinds::Kinds;
use crate::target::Target;
use crate::triggers::SUBSCRIPTIONS_MAX;

/// Keys with what they are interested in. What a key stands for is the caller's: a watch, a
/// forward, a binding of a resolver.
///
/// Cost of a change: what it reaches, not what is registered.
#[derive(Debug, Default)]
pub struct Interests {
    index: Index,
}

/// What of some [`Changes`] concerns one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interest {
    /// The key.
    pub key: u64,
    /// The places of the matching changes in [`Changes::list`], in order; at least one.
    pub matching: Vec<usize>,
}

impl Interest {
    /// The matching changes, in order.
    pub fn changes<'a>(&self, changes: &'a Changes) -> impl Iterator<Item = &'a Change> {
        self.matching.iter().filter_map(|&at| changes.list.get(at))
    }
}

impl Interests {
    /// No key yet. Take a random seed where patterns come from strangers; nothing that can be seen
    /// depends on it.
    pub fn with_seed(seed: u64) -> Self {
        Self {
            index: Index::with_seed(seed),
        }
    }

    /// Registers a key.
    ///
    /// # Errors
    ///
    /// `KeyInUse`, or `TooMany` beyond [`SUBSCRIPTIONS_MAX`].
    pub fn insert(
        &mut self,
        key: u64,
        target: impl Into<Target>,
        kinds: Kinds,
    ) -> Result<(), SubscribeError> {
        if self.index.contains(key) {
            return Err(SubscribeError::new(SubscribeErrorKind::KeyInUse));
        }
        if self.index.len() >= SUBSCRIPTIONS_MAX {
            return Err(SubscribeError::new(SubscribeErrorKind::TooMany));
        }
        self.index.insert(key, target.into(), kinds);
        Ok(())
    }

    /// Forgets a key; whether it was there.
    pub fn remove(&mut self, key: u64) -> bool {
        self.index.remove(key)
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.index.len() == 0
    }

    /// Whom the changes concern, by key, and which of them. A change above a target counts once.
    /// All changes of a store have to come here once, in order: nodes are followed where they go.
    pub fn matching(&mut self, changes: &Changes) -> Vec<Interest> {
        let mut found = BTreeMap::<u64, Vec<usize>>::new();
        let mut reaches = Vec::new();
        for (at, change) in changes.list.iter().enumerate() {
            self.index.reach(change, changes.transaction, &mut reaches);
            for reach in &reaches {
                let matching = found.entry(reach.key).or_default();
                if matching.last() != Some(&at) {
                    matching.push(at);
                }
            }
        }
        found
            .into_iter()
            .map(|(key, matching)| Interest { key, matching })
            .collect()
    }
}
