//! What a store says of itself.

use dhlrs_wire::StoreStatus;

use crate::config::Authority;
use crate::machine::{State, Store};

impl Store {
    /// Who decides what is written.
    #[must_use]
    pub fn authority(&self) -> Authority {
        match self.head.replica {
            Some(_) => Authority::Replicated,
            None => Authority::Owned,
        }
    }

    /// A hash of what a replica shows and of the events that it has reduced: equal events, equal
    /// hashes. `None` of an owned store. `O(feeds)`, and some microseconds for each bag node that has
    /// changed since it was last asked for.
    pub fn state_hash(&mut self) -> Option<[u8; 32]> {
        let replica = self.head.replica.as_mut()?;
        Some(*replica.reducer.state_hash().as_bytes())
    }

    /// The store's state, for `dhlrs status`.
    #[must_use]
    pub fn status(&self) -> StoreStatus {
        StoreStatus {
            name: self.config.name.to_string(),
            authority: self.authority().to_string(),
            state: match &self.state {
                State::Opening(_) => "opening".to_owned(),
                State::Open => "open".to_owned(),
                State::Fenced { why, .. } => format!("fenced: {why}"),
            },
            revision: self.revision(),
            oldest: self.watches.oldest(),
            nodes: self.published.tree.len(),
            durable: self.config.logged,
            sessions: self.head.sessions.len() as u64,
            watches: self.watches.len() as u64,
            forwards: self.forwards.status(&self.head.forwards),
        }
    }
}
