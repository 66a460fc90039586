//! What a store is told when it is made.

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

/// An owned store: one process has it, others reach it by messages.
#[derive(Debug)]
pub struct Config {
    /// The process.
    pub node: NodeName,
    /// The store's name there.
    pub name: StoreName,
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
    /// A store without a log, bindings, forwards or derived values.
    #[must_use]
    pub fn new(node: NodeName, name: StoreName, entropy: [u8; 32]) -> Self {
        Self {
            node,
            name,
            logged: false,
            restored: false,
            entropy,
            bindings: Bindings::default(),
            forwards: Vec::new(),
            derived: Vec::new(),
            limits: Limits::default(),
        }
    }

    /// The store's address.
    #[must_use]
    pub fn address(&self) -> StoreAddress {
        StoreAddress::new(self.node.clone(), self.name.clone())
    }
}
