//! What is asked of a channel, and what the link adds to it.

use crate::{Capability, MESSAGE_BYTES_MAX, MissingError};

/// What the layers above ask of a hop, beyond what every link gives: each message once and in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirements {
    /// Bytes of the longest message.
    pub message_bytes_max: usize,
    /// Nobody on the way may read or change a message. The link itself encrypts nothing.
    pub encrypted: bool,
}

impl Default for Requirements {
    fn default() -> Self {
        Self {
            message_bytes_max: MESSAGE_BYTES_MAX,
            encrypted: false,
        }
    }
}

/// What a link adds to one channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Additions {
    /// Sequence numbers, cumulative acknowledgement, and what was not acknowledged again on the next channel.
    pub acknowledgement: bool,
    /// What was not acknowledged in time is sent again on the same channel.
    pub retransmission: bool,
    /// What comes out of turn is dropped, until the sender repeats it in order.
    pub order: bool,
}

/// Something that is required, that a channel does not give, and that the link cannot add.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Missing {
    /// Frames long enough for the longest message; the link does not cut messages into chunks.
    FrameBytes {
        /// What the longest message takes, in bytes.
        needed: usize,
        /// What a frame holds, in bytes.
        frame_bytes_max: usize,
    },
    /// Encryption.
    Encryption,
    /// One peer at the other side; the link does not share a channel between peers.
    PointToPoint,
}

impl Requirements {
    /// What a link must add to a channel of this capability.
    ///
    /// # Errors
    ///
    /// [`MissingError`] lists everything that is required and can be neither given nor added.
    pub fn compare(&self, capability: &Capability) -> Result<Additions, MissingError> {
        let mut missing = Vec::new();
        let needed = self
            .message_bytes_max
            .saturating_add(crate::frame::DATA_HEAD_BYTES_MAX);
        if capability.frame_bytes_max < needed {
            missing.push(Missing::FrameBytes {
                needed,
                frame_bytes_max: capability.frame_bytes_max,
            });
        }
        if self.encrypted && !capability.encrypted {
            missing.push(Missing::Encryption);
        }
        if !capability.point_to_point {
            missing.push(Missing::PointToPoint);
        }
        if !missing.is_empty() {
            return Err(MissingError::new(missing));
        }
        let in_turn = capability.ordered && capability.reliable;
        Ok(Additions {
            // Acknowledged by the transport is not yet taken over by the peer's engine.
            acknowledgement: true,
            retransmission: !in_turn,
            order: !in_turn,
        })
    }
}
