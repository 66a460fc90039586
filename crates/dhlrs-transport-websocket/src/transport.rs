//! The transport itself.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use dhlrs_transport::{
    Channel, Listener, Transport, TransportError, TransportErrorKind, TransportUrl,
};

use crate::WebSocketBuilder;
use crate::builder::Limits;
use crate::tls::Tls;

/// Connects to and listens at `ws://HOST:PORT` and `wss://HOST:PORT`; register it for both.
///
/// To listen at port 0 is to take any free one, and the listener says which. A host name that
/// stands for several addresses is tried at each when connecting; listening takes the first that
/// can be had. A path after the port is asked for when connecting, and refused when listening.
#[derive(Clone)]
pub struct WebSocketTransport {
    tls: Arc<Tls>,
    limits: Limits,
}

impl WebSocketTransport {
    /// A transport that trusts the system's CAs and has no certificate, so that it connects to
    /// `ws://` and `wss://`, and listens at `ws://`.
    pub fn new() -> Self {
        Self::from_parts(Arc::new(Tls::none()), Limits::default())
    }

    /// Begins to collect options.
    pub fn builder() -> WebSocketBuilder {
        WebSocketBuilder::default()
    }

    pub(crate) fn from_parts(tls: Arc<Tls>, limits: Limits) -> Self {
        Self { tls, limits }
    }
}

impl Default for WebSocketTransport {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for WebSocketTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocketTransport")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Transport for WebSocketTransport {
    async fn connect(&self, url: &TransportUrl) -> Result<Box<dyn Channel>, TransportError> {
        let target = Target::of(url)?;
        crate::connect::connect(url, target, &self.tls, self.limits).await
    }

    async fn listen(&self, url: &TransportUrl) -> Result<Box<dyn Listener>, TransportError> {
        let target = Target::of(url)?;
        if !url.path().is_empty() {
            return Err(bad_url(
                url,
                "a listener answers at every path; leave it out",
            ));
        }
        let acceptor = if target.tls {
            Some(self.tls.acceptor()?)
        } else {
            None
        };
        crate::listener::listen(url, target.port, acceptor, self.limits).await
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Target {
    pub(crate) tls: bool,
    pub(crate) port: u16,
}

impl Target {
    fn of(url: &TransportUrl) -> Result<Self, TransportError> {
        let tls = match url.scheme() {
            "ws" => false,
            "wss" => true,
            _ => return Err(bad_url(url, "this transport serves ws:// and wss:// only")),
        };
        // Browsers would take 80 or 443; who leaves it out here means neither.
        let port = url
            .port()
            .ok_or_else(|| bad_url(url, "the port is missing, as in :7411"))?;
        Ok(Self { tls, port })
    }
}

fn bad_url(url: &TransportUrl, why: &str) -> TransportError {
    TransportError::new(TransportErrorKind::BadUrl, format!("{url}: {why}"))
}
