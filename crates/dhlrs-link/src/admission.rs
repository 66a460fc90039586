//! Who may connect, and under which name.

use std::collections::{BTreeMap, BTreeSet};

use dhlrs_identity::PublicKey;
use dhlrs_path::NodeName;

use crate::Peer;

/// Who may connect, and which names are reserved.
///
/// A listed key without names may use any name that is not reserved for other keys. On an open listener every key
/// may connect; reserved names stay reserved there too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Admission {
    keys: BTreeMap<PublicKey, BTreeSet<NodeName>>,
    // Invariant: the same pairs as in `keys`, the other way round.
    names: BTreeMap<NodeName, BTreeSet<PublicKey>>,
}

impl Admission {
    /// A list of nobody.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets a key connect. With a name: under that name, which is then reserved for the keys listed with it.
    pub fn allow(&mut self, key: PublicKey, name: Option<NodeName>) {
        let names = self.keys.entry(key).or_default();
        if let Some(name) = name {
            names.insert(name.clone());
            self.names.entry(name).or_default().insert(key);
        }
    }

    /// Whether nobody is listed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Why `peer` may not connect to a listener that is `open` or not; `None` if it may.
    #[must_use]
    pub fn denies(&self, peer: &Peer, open: bool) -> Option<&'static str> {
        if self.reserves_for_others(peer) {
            return Some("the name is reserved for another key");
        }
        if open {
            return None;
        }
        match self.keys.get(&peer.key) {
            None => Some("the key is not listed here"),
            Some(names) if !names.is_empty() && !names.contains(&peer.name) => {
                Some("the key is listed for other names only")
            }
            Some(_) => None,
        }
    }

    pub(crate) fn reserves_for_others(&self, peer: &Peer) -> bool {
        self.names
            .get(&peer.name)
            .is_some_and(|keys| !keys.contains(&peer.key))
    }
}
