//! What a store says of itself.

use dhlrs_wire::StoreStatus;

use crate::machine::{State, Store};

impl Store {
    /// The store's state, for `dhlrs status`.
    #[must_use]
    pub fn status(&self) -> StoreStatus {
        StoreStatus {
            name: self.config.name.to_string(),
            authority: "owned".to_owned(),
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
