//! Wires between named nodes, and the connections over them.

use dhlrs_link::{Capability, Peer};
use std::sync::Arc;

use crate::node::NodeIndex;

/// A wire between two nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WireId(pub usize);

/// What has gone over a wire one way, whether or not it arrived.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Frames.
    pub frames: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// What a wire does to frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weather {
    /// The shortest way, in milliseconds.
    pub delay_ms_min: u64,
    /// The longest.
    pub delay_ms_max: u64,
    /// Frames of 100 that are lost. More than 0 makes the wire one that may lose frames.
    pub drop_percent: u64,
    /// Frames of 100 that come twice. The same holds.
    pub double_percent: u64,
    /// Frames may overtake one another. The same holds.
    pub reorder: bool,
}

impl Default for Weather {
    /// 1 to 5 ms, in order, nothing lost.
    fn default() -> Self {
        Self {
            delay_ms_min: 1,
            delay_ms_max: 5,
            drop_percent: 0,
            double_percent: 0,
            reorder: false,
        }
    }
}

impl Weather {
    /// Whether a channel here can promise order and reliability.
    pub(crate) fn is_calm(&self) -> bool {
        self.drop_percent == 0 && self.double_percent == 0 && !self.reorder
    }

    pub(crate) fn capability(&self) -> Capability {
        Capability {
            frame_bytes_max: 1 << 20,
            ordered: self.is_calm(),
            reliable: self.is_calm(),
            acknowledged: false,
            replay: false,
            encrypted: false,
            point_to_point: true,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Wire {
    /// The first one connects, the second one listens.
    pub(crate) ends: [NodeIndex; 2],
    pub(crate) weather: Weather,
    /// Nothing passes and nobody can connect; both ends have noticed.
    pub(crate) cut: bool,
    /// Nothing passes from this end, and nobody notices.
    pub(crate) dead_from: [bool; 2],
    pub(crate) connection: Option<u64>,
    /// Who answered here the last time, as the connecting process remembers it.
    pub(crate) last: Option<Arc<Peer>>,
    pub(crate) is_connecting: bool,
    /// What has gone over it from each end.
    pub(crate) traffic: [Traffic; 2],
}

/// One connection over a wire. Its number is the link's at both ends.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) wire: WireId,
    pub(crate) ends: [NodeIndex; 2],
    pub(crate) open: [bool; 2],
    /// When the last frame for this end arrives, so that none overtakes it.
    pub(crate) arrives_ms: [u64; 2],
    pub(crate) calm: bool,
}

impl Connection {
    pub(crate) fn side_of(&self, node: NodeIndex) -> usize {
        usize::from(self.ends[0] != node)
    }
}
