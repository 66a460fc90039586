//! What a process says of itself.

use dhlrs_identity::PublicKey;
use dhlrs_path::{NodeName, StoreAddress};
use serde::{Deserialize, Serialize};

use crate::revision::Revision;
use crate::text;

/// The state of one process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// Its name.
    #[serde(with = "text")]
    pub node: NodeName,
    /// Its key.
    pub key: PublicKey,
    /// The program's version.
    pub version: String,
    /// The URLs at which it listens.
    pub listen: Vec<String>,
    /// The schemes of its transports.
    pub transports: Vec<String>,
    /// Its stores, by name.
    pub stores: Vec<StoreStatus>,
    /// The processes it is linked with.
    pub peers: Vec<PeerStatus>,
    /// The names that it reaches through them.
    pub routes: Vec<RouteStatus>,
    /// Frames from outside that were refused, of every kind, since the start.
    pub refused_frames: u64,
}

/// The state of one store.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoreStatus {
    /// Its name in this process.
    pub name: String,
    /// Who decides what is written: `owned`.
    pub authority: String,
    /// `open`, `opening` or `fenced`.
    pub state: String,
    /// Its present revision.
    pub revision: Revision,
    /// The oldest revision that a watch can begin at.
    pub oldest: u64,
    /// Its nodes, the root not counted.
    pub nodes: u64,
    /// Whether it survives the process.
    pub durable: bool,
    /// Open request sessions.
    pub sessions: u64,
    /// Open watches.
    pub watches: u64,
    /// Forwards that begin here.
    pub forwards: Vec<ForwardStatus>,
}

/// The state of one durable forward.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ForwardStatus {
    /// What is forwarded.
    pub pattern: String,
    /// Where to.
    #[serde(with = "text")]
    pub store: StoreAddress,
    /// Every change up to this revision has been answered.
    pub revision: u64,
    /// Messages that were refused and passed over.
    pub refused: u64,
    /// `running`, or why it is not.
    pub state: String,
}

/// The state of one link.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PeerStatus {
    /// The peer's name.
    #[serde(with = "text")]
    pub node: NodeName,
    /// Its key.
    pub key: PublicKey,
    /// `connected` or `lost`.
    pub state: String,
    /// Messages sent and not yet acknowledged.
    pub in_flight: u64,
}

/// One name and the way to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RouteStatus {
    /// The process.
    #[serde(with = "text")]
    pub node: NodeName,
    /// The neighbour that reaches it.
    #[serde(with = "text")]
    pub via: NodeName,
    /// Processes on the way, the neighbour included.
    pub hops: u8,
}
