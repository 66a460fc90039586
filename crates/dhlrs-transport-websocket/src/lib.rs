//! The WebSocket transport: `ws://HOST:PORT` and, over TLS, `wss://HOST:PORT`.
//!
//! ```
//! use bytes::Bytes;
//! use dhlrs_transport::{Listener, Received, Transport, TransportError};
//! use dhlrs_transport_websocket::WebSocketTransport;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), TransportError> {
//! let transport = WebSocketTransport::new();
//! let listener = transport.listen(&"ws://127.0.0.1:0".parse()?).await?;
//! let (near, far) = tokio::join!(transport.connect(listener.url()), listener.accept());
//! let (near, far) = (near?, far?);
//!
//! let receipt = near.send(Bytes::from_static(b"hello")).await?;
//! assert_eq!(far.recv().await?, Received::Frame(Bytes::from_static(b"hello")));
//! receipt.await?;
//! # Ok(())
//! # }
//! ```
//!
//! A frame is one binary message. Order and back-pressure are TCP's; a resolved receipt means that
//! the frame was handed to the operating system, nothing more. Pings are answered and never sent:
//! finding a dead peer is the link's business, as is everything that a frame means.
//!
//! Everything has a limit: the size of a message, the queue and the write buffer of a channel, the
//! handshakes and the connections of a listener, the time of an attempt. Requests that carry an
//! `Origin` are refused, so that no web page reaches a node through its visitor's browser.

mod builder;
mod channel;
mod connect;
mod error;
mod listener;
mod pem;
mod socket;
mod tls;
mod transport;

pub use builder::{
    CONNECTIONS_MAX, FRAME_BYTES_MAX, HANDSHAKE_MS_MAX, HANDSHAKES_MAX, WebSocketBuilder,
};
pub use pem::Pem;
pub use transport::WebSocketTransport;
