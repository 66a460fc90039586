//! What will happen, in the order in which it will.

use dhlrs_engine::Input;
use dhlrs_path::StoreName;

use crate::network::WireId;
use crate::node::NodeIndex;

/// Something that will happen. A node's events are for one of its lives.
#[derive(Debug)]
pub(crate) enum Event {
    Input {
        node: NodeIndex,
        life: u64,
        input: Box<Input>,
    },
    Wake {
        node: NodeIndex,
        life: u64,
    },
    Disk {
        node: NodeIndex,
        life: u64,
        store: StoreName,
    },
    OpenLog {
        node: NodeIndex,
        life: u64,
        store: StoreName,
    },
    Connect(WireId),
}

#[derive(Debug)]
pub(crate) struct Due {
    pub(crate) at_ms: u64,
    pub(crate) order: u64,
    pub(crate) event: Event,
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.order == other.order
    }
}
impl Eq for Due {}
impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Due {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at_ms, self.order).cmp(&(other.at_ms, other.order))
    }
}
