//! Connections to addresses that were looked at.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{self, AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use url::{Host, Url};

use super::address::is_public;
use super::{HttpConfig, Lookup};
use crate::error::{IoError, IoErrorKind};

/// A connection to a server, in the clear or not.
pub(crate) enum Connection {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

pub(crate) struct Connector {
    lookup: Option<Lookup>,
    addresses: BTreeSet<IpAddr>,
    roots: Vec<CertificateDer<'static>>,
    // The system's certificates take milliseconds to read, and only `https` needs them.
    tls: OnceCell<TlsConnector>,
}

impl Connector {
    pub(crate) fn new(config: &HttpConfig) -> Result<Self, IoError> {
        if !config.roots.is_empty() {
            store_of(config.roots.clone())?;
        }
        Ok(Self {
            lookup: config.lookup.clone(),
            addresses: config.addresses.clone(),
            roots: config.roots.clone(),
            tls: OnceCell::new(),
        })
    }

    pub(crate) async fn connect(&self, url: &Url) -> Result<Connection, IoError> {
        let host = url.host().map(|host| host.to_owned());
        let (Some(host), Some(port)) = (host, url.port_or_known_default()) else {
            let message = format!("{url} has no host");
            return Err(IoError::new(IoErrorKind::NotAllowed, message));
        };
        let stream = self.reach(&host, port).await?;
        if url.scheme() != "https" {
            return Ok(Connection::Plain(stream));
        }
        let unavailable = || IoError::new(IoErrorKind::Unavailable, format!("TLS with {host}"));
        let name = match &host {
            Host::Domain(name) => {
                ServerName::try_from(name.clone()).map_err(|error| unavailable().because(error))?
            }
            Host::Ipv4(address) => ServerName::from(IpAddr::from(*address)),
            Host::Ipv6(address) => ServerName::from(IpAddr::from(*address)),
        };
        let tls = self.tls.get_or_try_init(|| self.tls()).await?;
        let stream = tls.connect(name, stream).await;
        let stream = stream.map_err(|error| unavailable().because(error))?;
        Ok(Connection::Tls(Box::new(stream)))
    }

    /// Connects to one of the addresses that are known now, none of which may be a private one.
    async fn reach(&self, host: &Host<String>, port: u16) -> Result<TcpStream, IoError> {
        let found: Vec<SocketAddr> = match host {
            Host::Ipv4(address) => vec![SocketAddr::from((*address, port))],
            Host::Ipv6(address) => vec![SocketAddr::from((*address, port))],
            Host::Domain(name) => {
                let found = match &self.lookup {
                    Some(lookup) => lookup(name.clone(), port).await,
                    None => tokio::net::lookup_host((name.as_str(), port))
                        .await
                        .map(Iterator::collect),
                };
                found.map_err(|error| {
                    let message = format!("no address of {name}");
                    IoError::new(IoErrorKind::Unavailable, message).because(error)
                })?
            }
        };
        for address in &found {
            let ip = address.ip();
            if !is_public(ip) && !self.addresses.contains(&ip) {
                let message = format!("{host} is at {ip}, which is not public and not allowed");
                return Err(IoError::new(IoErrorKind::NotAllowed, message));
            }
        }
        let mut failed = IoError::new(IoErrorKind::Unavailable, format!("no address of {host}"));
        for address in found {
            // A lookup of somebody else's making may say another port.
            match TcpStream::connect(SocketAddr::new(address.ip(), port)).await {
                Ok(stream) => return Ok(stream),
                Err(error) => {
                    let message = format!("{host} at {address} cannot be reached");
                    failed = IoError::new(IoErrorKind::Unavailable, message).because(error);
                }
            }
        }
        Err(failed)
    }

    async fn tls(&self) -> Result<TlsConnector, IoError> {
        let bad = |message: &str| IoError::new(IoErrorKind::Config, message);
        let roots = if self.roots.is_empty() {
            let found = tokio::task::spawn_blocking(rustls_native_certs::load_native_certs).await;
            let found = found.map_err(|error| bad("the system's certificates").because(error))?;
            let mut roots = RootCertStore::empty();
            // Systems carry some that rustls cannot read; the others serve.
            roots.add_parsable_certificates(found.certs);
            if roots.is_empty() {
                return Err(bad("this system has no CA certificates"));
            }
            roots
        } else {
            store_of(self.roots.clone())?
        };
        // Given by hand: a process-wide default may be another one, or none.
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| bad("TLS versions").because(error))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsConnector::from(Arc::new(config)))
    }
}

fn store_of(certificates: Vec<CertificateDer<'static>>) -> Result<RootCertStore, IoError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates {
        roots.add(certificate).map_err(|error| {
            IoError::new(IoErrorKind::Config, "a root certificate").because(error)
        })?;
    }
    Ok(roots)
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector")
            .field("addresses", &self.addresses)
            .finish_non_exhaustive()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(context),
            Self::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
