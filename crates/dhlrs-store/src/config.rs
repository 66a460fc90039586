//! What a store is told when it is made.

use std::fmt;
use std::sync::Arc;

use dhlrs_feed::{FeedLimits, StoreId};
use dhlrs_identity::{Signer, Verifier};
use dhlrs_path::{Address, NodeName, Pattern, StoreAddress, StoreName};
use dhlrs_resolver::Bindings;

use crate::derived::Derived;

/// Changes that a store keeps for its watches.
pub const WINDOW_CHANGES_MAX: usize = 100_000;
/// Bytes of them.
pub const WINDOW_BYTES_MAX: usize = 64 << 20;
/// Memory that the snapshots of unfinished reads may pin, by an estimate; see
/// [`Limits::snapshot_bytes_max`].
pub const SNAPSHOT_BYTES_MAX: u64 = 256 << 20;
/// Changes, in bytes, that wait for a forward's target.
pub const FORWARD_LOG_BYTES_MAX: usize = 256 << 20;
/// Forwards of one store.
pub const FORWARDS_MAX: usize = 64;

/// A durable trigger: each change below a pattern is sent on, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forward {
    /// Which changes.
    pub pattern: Pattern,
    /// Where to; what follows the pattern's literal leading steps is added to its path.
    pub to: Address,
}

/// How often a replicated store says to its neighbours how far it is, in milliseconds, besides what it
/// tells them as it happens.
pub const GOSSIP_INTERVAL_MS: u64 = 10_000;

/// Who decides what is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authority {
    /// One process has the store; others reach it by messages.
    Owned,
    /// Every process that opens the store holds a copy, and writes whether or not it reaches others.
    Replicated,
}

impl Authority {
    /// The word for it: `owned`, `replicated`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owned => "owned",
            Self::Replicated => "replicated",
        }
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a process signs its events with, and checks those of others with.
#[derive(Clone)]
pub struct Keys {
    /// Signs as the process.
    pub signer: Arc<dyn Signer>,
    /// Checks the signatures of others.
    pub verifier: Arc<dyn Verifier>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Keys")
            .field(&self.signer.public_key())
            .finish()
    }
}

/// What a store needs to be a replica.
#[derive(Clone, Debug)]
pub struct Replication {
    /// Its process's keys.
    pub keys: Keys,
    /// What it keeps at most of others.
    pub limits: FeedLimits,
    /// How often it says how far it is; see [`GOSSIP_INTERVAL_MS`].
    pub gossip_interval_ms: u64,
}

impl Replication {
    /// The usual limits and interval.
    #[must_use]
    pub fn new(keys: Keys) -> Self {
        Self {
            keys,
            limits: FeedLimits::default(),
            gossip_interval_ms: GOSSIP_INTERVAL_MS,
        }
    }
}

/// Limits of one store. All of them hold whatever a peer sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Changes kept for watches that resume.
    pub window_changes_max: usize,
    /// Bytes of changes kept.
    pub window_bytes_max: usize,
    /// Memory that the snapshots of unfinished reads may pin, by an estimate: what was replaced
    /// since, values and attributes by their size and the tree around them by pages. Over it the
    /// oldest reads are given up.
    pub snapshot_bytes_max: u64,
    /// Changes, in bytes, that wait for one forward's target. Beyond it the forward stops.
    pub forward_log_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            window_changes_max: WINDOW_CHANGES_MAX,
            window_bytes_max: WINDOW_BYTES_MAX,
            snapshot_bytes_max: SNAPSHOT_BYTES_MAX,
            forward_log_bytes_max: FORWARD_LOG_BYTES_MAX,
        }
    }
}

/// One store.
#[derive(Debug)]
pub struct Config {
    /// The process.
    pub node: NodeName,
    /// The store's name there.
    pub name: StoreName,
    /// Who decides what is written; `None`: as the log says, and owned if it is new.
    pub authority: Option<Authority>,
    /// What it needs to be a replica. Without it no replicated store opens.
    pub replication: Option<Replication>,
    /// Whether there is a log. Without one everything ends with the process.
    pub logged: bool,
    /// A backup was put back: a new incarnation begins, sessions are forgotten.
    pub restored: bool,
    /// 32 random bytes, other ones for each store and start. Session names and incarnations come
    /// from it.
    pub entropy: [u8; 32],
    /// Patterns whose nodes are resolved here.
    pub bindings: Bindings,
    /// Changes that are sent on, at most [`FORWARDS_MAX`].
    pub forwards: Vec<Forward>,
    /// Values that are computed from other paths, at most [`DERIVED_MAX`](crate::DERIVED_MAX), in
    /// any order.
    pub derived: Vec<Derived>,
    /// The store's limits.
    pub limits: Limits,
}

impl Config {
    /// An owned store without a log, bindings, forwards or derived values.
    #[must_use]
    pub fn new(node: NodeName, name: StoreName, entropy: [u8; 32]) -> Self {
        Self {
            node,
            name,
            authority: None,
            replication: None,
            logged: false,
            restored: false,
            entropy,
            bindings: Bindings::default(),
            forwards: Vec::new(),
            derived: Vec::new(),
            limits: Limits::default(),
        }
    }

    /// The name under which other processes open the same store, if it is replicated.
    #[must_use]
    pub fn store_id(&self) -> StoreId {
        StoreId::new(self.name.as_str(), None)
    }

    /// The store's address.
    #[must_use]
    pub fn address(&self) -> StoreAddress {
        StoreAddress::new(self.node.clone(), self.name.clone())
    }
}
