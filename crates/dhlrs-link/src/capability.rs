//! What a channel promises.

/// What one channel of a transport promises. Known once the channel is open, and fixed from then on;
/// the link adds what is missing and required.
///
/// Whatever the promises, a channel never delivers a frame of an earlier channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capability {
    /// Bytes of one frame at most.
    pub frame_bytes_max: usize,
    /// Frames arrive in the order in which they were accepted.
    pub ordered: bool,
    /// While the channel is open, no accepted frame is lost or doubled; a slow receiver holds the sender back.
    pub reliable: bool,
    /// A resolved receipt means that the frame survives the loss of the channel.
    pub acknowledged: bool,
    /// Frames sent while this side was away can be received later.
    pub replay: bool,
    /// Nobody on the way can read or change a frame.
    pub encrypted: bool,
    /// The other side is one peer, not a broker.
    pub point_to_point: bool,
}
