//! How frames travel between two processes: the [`Transport`] trait, and the in-memory transport.
//!
//! A transport is registered under a URL scheme. It connects to a URL or listens at one; both give
//! [`Channel`]s, which carry frames: opaque bytes up to a limit. What a channel promises about them
//! is data, its `Capability` of `dhlrs-link`, which adds what is missing.
//!
//! ```
//! use bytes::Bytes;
//! use dhlrs_transport::{Listener, MemoryBus, Received, Transport, TransportError};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), TransportError> {
//! let bus = MemoryBus::new();
//! let (alice, bob) = (bus.endpoint("alice")?, bus.endpoint("bob")?);
//!
//! let listener = bob.listen(&"memory://bob".parse()?).await?;
//! let near = alice.connect(listener.url()).await?;
//! let far = listener.accept().await?;
//!
//! let receipt = near.send(Bytes::from_static(b"hello")).await?;
//! assert_eq!(far.recv().await?, Received::Frame(Bytes::from_static(b"hello")));
//! receipt.await?;
//!
//! bus.link("alice", "bob").cut();
//! assert!(near.send(Bytes::new()).await.is_err());
//! # Ok(())
//! # }
//! ```
//!
//! Nothing here reconnects: one [`Transport::connect`] is one attempt. Whoever drives the channels
//! (`dhlrs-node`) loops for ever and asks a [`Backoff`] how long to wait.

mod backoff;
mod channel;
mod error;
mod memory;
mod queue;
mod receipt;
mod registry;
mod transport;
mod url;

pub use backoff::{Backoff, RETRY_DELAY_MS_MAX, RETRY_DELAY_MS_MIN};
pub use channel::{Channel, Received};
pub use error::{TransportError, TransportErrorKind};
pub use memory::{
    MEMORY_BACKLOG_MAX, MemoryBus, MemoryChannel, MemoryEndpoint, MemoryLink, MemoryOptions,
};
pub use queue::{
    Delivery, FrameReceiver, FrameSender, QUEUE_BYTES_MAX, QUEUE_FRAMES_MAX, QueueLimits, Queued,
    frame_queue,
};
pub use receipt::Receipt;
pub use registry::Registry;
pub use transport::{Listener, Transport};
pub use url::{TransportUrl, URL_BYTES_MAX};
