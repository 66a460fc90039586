//! The transport in memory, as a pair and as a bus.

mod bus;
mod channel;
mod link;

pub use bus::{MEMORY_BACKLOG_MAX, MemoryBus, MemoryEndpoint};
pub use channel::MemoryChannel;
pub use link::MemoryLink;

use crate::QueueLimits;

/// How the channels of a [`MemoryBus`], or of a pair, behave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryOptions {
    /// Bytes of a frame at most.
    pub frame_bytes_max: usize,
    /// How much one direction holds.
    pub queue: QueueLimits,
    /// A full queue drops the frame and reports a gap, where it otherwise makes the sender wait.
    pub lossy: bool,
}

impl Default for MemoryOptions {
    fn default() -> Self {
        Self {
            frame_bytes_max: FRAME_BYTES_MAX,
            queue: QueueLimits::default(),
            lossy: false,
        }
    }
}

const FRAME_BYTES_MAX: usize = 1 << 20;
