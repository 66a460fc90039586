//! The options of the transport.

use std::sync::Arc;
use std::time::Duration;

use dhlrs_transport::{QueueLimits, TransportError, TransportErrorKind};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use crate::tls::Tls;
use crate::{Pem, WebSocketTransport};

/// Bytes of a frame at most, unless chosen otherwise.
pub const FRAME_BYTES_MAX: usize = 1 << 20;

/// Connections that a listener holds open at most, unless chosen otherwise; more are told to come
/// back later.
pub const CONNECTIONS_MAX: usize = 1_024;

/// Handshakes that a listener has under way at most, unless chosen otherwise; more wait in the
/// operating system.
pub const HANDSHAKES_MAX: usize = 128;

/// How long an attempt may take, from the name to the open channel, in milliseconds, unless chosen
/// otherwise.
pub const HANDSHAKE_MS_MAX: u64 = 10_000;

const READ_BUFFER_BYTES: usize = 64 << 10;
const WRITE_BUFFER_BYTES: usize = 64 << 10;
// What a message's header takes, and the pong and the close that may stand in the buffer besides.
const OVERHEAD_BYTES_MAX: usize = 1 << 10;

/// Collects the options of a [`WebSocketTransport`].
#[derive(Clone, Debug, Default)]
pub struct WebSocketBuilder {
    cert: Option<Pem>,
    key: Option<Pem>,
    ca: Option<Pem>,
    limits: Limits,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) frame_bytes_max: usize,
    pub(crate) queue: QueueLimits,
    pub(crate) connections_max: usize,
    pub(crate) handshakes_max: usize,
    pub(crate) handshake_max: Duration,
}

impl WebSocketBuilder {
    /// The certificate that a `wss://` listener shows, followed by those that lead to its CA.
    #[must_use]
    pub fn tls_cert(mut self, cert: Pem) -> Self {
        self.cert = Some(cert);
        self
    }

    /// The private key of that certificate.
    #[must_use]
    pub fn tls_key(mut self, key: Pem) -> Self {
        self.key = Some(key);
        self
    }

    /// The CAs that `wss://` connections trust, instead of those of the system.
    #[must_use]
    pub fn tls_ca(mut self, ca: Pem) -> Self {
        self.ca = Some(ca);
        self
    }

    /// Bytes of a frame at most, in both directions: [`FRAME_BYTES_MAX`].
    #[must_use]
    pub fn frame_bytes_max(mut self, bytes: usize) -> Self {
        self.limits.frame_bytes_max = bytes;
        self
    }

    /// How much a channel holds that is not written yet, before senders wait.
    #[must_use]
    pub fn queue(mut self, limits: QueueLimits) -> Self {
        self.limits.queue = limits;
        self
    }

    /// Open connections of one listener: [`CONNECTIONS_MAX`].
    #[must_use]
    pub fn connections_max(mut self, connections: usize) -> Self {
        self.limits.connections_max = connections;
        self
    }

    /// Handshakes of one listener at a time: [`HANDSHAKES_MAX`].
    #[must_use]
    pub fn handshakes_max(mut self, handshakes: usize) -> Self {
        self.limits.handshakes_max = handshakes;
        self
    }

    /// How long one attempt may take, on either side: [`HANDSHAKE_MS_MAX`].
    #[must_use]
    pub fn handshake_ms_max(mut self, ms: u64) -> Self {
        self.limits.handshake_max = Duration::from_millis(ms);
        self
    }

    /// Reads the files and checks that all fits together.
    ///
    /// # Errors
    ///
    /// `BadOptions`, which names the option.
    pub fn build(self) -> Result<WebSocketTransport, TransportError> {
        let Limits {
            frame_bytes_max,
            connections_max,
            handshakes_max,
            ..
        } = self.limits;
        if frame_bytes_max == 0 || connections_max == 0 || handshakes_max == 0 {
            return Err(TransportError::new(
                TransportErrorKind::BadOptions,
                "frame_bytes_max, connections_max and handshakes_max are at least 1",
            ));
        }
        let tls = Tls::new(self.cert.as_ref(), self.key.as_ref(), self.ca.as_ref())?;
        Ok(WebSocketTransport::from_parts(Arc::new(tls), self.limits))
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            frame_bytes_max: FRAME_BYTES_MAX,
            queue: QueueLimits::default(),
            connections_max: CONNECTIONS_MAX,
            handshakes_max: HANDSHAKES_MAX,
            handshake_max: Duration::from_millis(HANDSHAKE_MS_MAX),
        }
    }
}

impl Limits {
    pub(crate) fn config(&self) -> WebSocketConfig {
        let write_max = WRITE_BUFFER_BYTES
            .saturating_add(self.frame_bytes_max)
            .saturating_add(OVERHEAD_BYTES_MAX);
        WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_BYTES)
            .write_buffer_size(WRITE_BUFFER_BYTES)
            .max_write_buffer_size(write_max)
            .max_message_size(Some(self.frame_bytes_max))
            .max_frame_size(Some(self.frame_bytes_max))
    }
}
