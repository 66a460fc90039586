//! An open way to one peer.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use dhlrs_link::Capability;

use crate::{Receipt, TransportError};

/// An open way to one peer, which carries frames in both directions.
///
/// All methods may be called at the same time from several tasks. Dropping the channel ends it at
/// once: what was accepted and not handed over is lost, its receipts resolve as `Closed`, and no
/// task is left behind.
#[async_trait]
pub trait Channel: Send + Sync {
    /// What this channel promises. Fixed once it is open.
    fn capability(&self) -> &Capability;

    /// The other side as this transport knows it, for logs: an address, never an identity.
    fn peer(&self) -> &str;

    /// Waits until a bounded queue takes `frame`, which is the back-pressure of a slow peer.
    /// Frames of one task are taken in the order of its calls. Dropping the future before it is
    /// ready sends nothing.
    ///
    /// # Errors
    ///
    /// `FrameTooLarge`, which leaves the channel as it was; anything else has ended it.
    async fn send(&self, frame: Bytes) -> Result<Receipt, TransportError>;

    /// Waits for what comes next. Dropping the future loses nothing. One caller is served at a time.
    ///
    /// A channel may need a waiting receiver to see that its peer is gone.
    ///
    /// # Errors
    ///
    /// Any error has ended the channel: `Closed` if the peer ended it or was lost, `Malformed` if
    /// it broke the framing. What the peer sent before it closed is received first.
    async fn recv(&self) -> Result<Received, TransportError>;

    /// Takes no more frames, hands over those accepted, and ends the channel. What arrives
    /// meanwhile is dropped. Gives up after `drain`.
    ///
    /// # Errors
    ///
    /// `Unavailable` if `drain` passed, `Closed` if the channel ended otherwise, before all that
    /// was accepted was handed over. The channel has ended all the same.
    async fn close(&self, drain: Duration) -> Result<(), TransportError>;
}

/// What a [`Channel`] receives.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Received {
    /// One frame, as it was sent.
    Frame(Bytes),
    /// The transport lost frames here and goes on after them. Several losses may be one gap. Only
    /// channels whose capability does not say `reliable` report it.
    Gap,
}
