//! Limits, and how the links of a process behave.

use dhlrs_path::NodeName;

use crate::{Admission, Requirements};

/// The version of the protocol between two links.
pub const VERSION: u32 = 1;

/// Bytes of one frame at most.
pub const FRAME_BYTES_MAX: usize = 1024 * 1024;

/// Bytes of one message at most: a frame less its header.
pub const MESSAGE_BYTES_MAX: usize = FRAME_BYTES_MAX - crate::frame::DATA_HEAD_BYTES_MAX;

/// Frames of one link that were handed out and are not reported as sent. The driver's queue is that long.
pub const LINK_FRAMES_MAX: usize = 256;

/// Bytes of those frames; one more frame is handed out while they are below it.
pub const LINK_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Messages that a peer may send before it hears that earlier ones were taken.
pub const CREDIT_FRAMES_MAX: u64 = 1024;

/// Bytes of those messages.
pub const CREDIT_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Messages that are on their way to one peer and not acknowledged, where the transport may lose frames.
pub const IN_FLIGHT_FRAMES_LOSSY_MAX: u64 = 32;

/// Messages that one link session keeps: waiting, or not acknowledged.
pub const SESSION_MESSAGES_MAX: usize = 4096;

/// Bytes of those messages; one more is taken while they are below it.
pub const SESSION_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Bytes that all link sessions of a process keep together. Above it the sessions that are longest without a
/// connection are given up; when none is left, those with more than [`SESSION_SHARE_BYTES`] take no more.
pub const SESSIONS_BYTES_MAX: usize = 256 * 1024 * 1024;

/// What a link session may keep whatever the others keep.
pub const SESSION_SHARE_BYTES: usize = 64 * 1024;

/// Connections that have not said yet, or not proven, who they are.
pub const HANDSHAKES_MAX: usize = 256;

/// How long an acknowledgement waits for a message to travel with, in milliseconds.
pub const ACK_DELAY_MS_MAX: u64 = 4;

/// Messages after which an acknowledgement waits no longer.
pub(crate) const ACK_DELAY_MESSAGES_MAX: u32 = 32;

/// How long the first repetition waits where the transport may lose frames, in milliseconds. Each doubles the wait.
pub const RETRANSMIT_MS_MIN: u64 = 200;

/// How long a repetition waits at most, in milliseconds.
pub const RETRANSMIT_MS_MAX: u64 = 10_000;

/// How the links of one process behave.
#[derive(Clone, Debug)]
pub struct Config {
    /// The name of this process.
    pub name: NodeName,
    /// Who may connect, and under which names.
    pub admission: Admission,
    /// What every channel must be good for.
    pub requirements: Requirements,
    /// From the opening of a connection until both sides have proven who they are, in milliseconds.
    pub handshake_ms_max: u64,
    /// After so long without a frame the peer is asked whether it is there, in milliseconds.
    pub idle_ms_max: u64,
    /// After so long without a frame the connection is given up, in milliseconds.
    pub silence_ms_max: u64,
    /// How long the session of a lost connection is kept, in milliseconds.
    pub session_hold_ms_max: u64,
    /// Link sessions, with and without a connection. The one longest without makes room.
    pub sessions_max: usize,
}

impl Config {
    /// The defaults for a process of this name: nobody but keys listed may connect, except where a listener is open.
    #[must_use]
    pub fn new(name: NodeName) -> Self {
        Self {
            name,
            admission: Admission::default(),
            requirements: Requirements::default(),
            handshake_ms_max: 5_000,
            idle_ms_max: 10_000,
            silence_ms_max: 30_000,
            session_hold_ms_max: 120_000,
            sessions_max: 1024,
        }
    }
}
