//! One attempt to connect.

use std::net::SocketAddr;
use std::time::Duration;

use dhlrs_transport::{Channel, TransportError, TransportErrorKind, TransportUrl};
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout, timeout_at};

use crate::builder::Limits;
use crate::channel::WebSocketChannel;
use crate::error::{tls_connect_failed, upgrade_failed};
use crate::tls::Tls;
use crate::transport::Target;

use TransportErrorKind::{BadUrl, Unavailable};

pub(crate) async fn connect(
    url: &TransportUrl,
    target: Target,
    tls: &Tls,
    limits: Limits,
) -> Result<Box<dyn Channel>, TransportError> {
    let attempt = async {
        let tcp = reach(url, target.port, limits.handshake_max).await?;
        // Frames are written in batches already; waiting for more only adds delay.
        tcp.set_nodelay(true).map_err(|err| lost(url, err))?;
        if !target.tls {
            return upgrade(url, tcp, false, limits).await;
        }
        let name = ServerName::try_from(url.host().to_owned()).map_err(|err| {
            let detail = format!("{url}: no certificate can name the host {:?}", url.host());
            TransportError::caused_by(BadUrl, detail, err)
        })?;
        let connector = tls.connector().await?;
        let stream = connector.connect(name, tcp).await;
        let stream = stream.map_err(|err| tls_connect_failed(url, err))?;
        upgrade(url, stream, true, limits).await
    };
    timeout(limits.handshake_max, attempt)
        .await
        .unwrap_or_else(|_| {
            let ms = limits.handshake_max.as_millis();
            Err(TransportError::new(
                Unavailable,
                format!("{url}: no answer within {ms} ms"),
            ))
        })
}

// An address that does not answer must leave time for the next one.
async fn reach(
    url: &TransportUrl,
    port: u16,
    limit: Duration,
) -> Result<TcpStream, TransportError> {
    let deadline = Instant::now() + limit;
    let addresses: Vec<SocketAddr> = match lookup_host((url.host(), port)).await {
        Ok(addresses) => addresses.collect(),
        Err(err) => {
            let detail = format!("{url}: cannot find the host {:?}: {err}", url.host());
            return Err(TransportError::caused_by(Unavailable, detail, err));
        }
    };
    let mut failure = TransportError::new(
        Unavailable,
        format!("{url}: the host {:?} has no address", url.host()),
    );
    for (tried, address) in addresses.iter().enumerate() {
        let left = deadline.saturating_duration_since(Instant::now());
        let others = u32::try_from(addresses.len() - tried).unwrap_or(u32::MAX);
        let until = Instant::now() + left / others;
        failure = match timeout_at(until, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(err)) => lost(url, err),
            Err(_) => TransportError::new(Unavailable, format!("{url}: {address} does not answer")),
        };
    }
    Err(failure)
}

fn lost(url: &TransportUrl, err: std::io::Error) -> TransportError {
    let detail = match err.kind() {
        std::io::ErrorKind::ConnectionRefused => {
            format!("{url}: connection refused: nothing listens there")
        }
        _ => format!("{url}: {err}"),
    };
    TransportError::caused_by(Unavailable, detail, err)
}

async fn upgrade<S>(
    url: &TransportUrl,
    stream: S,
    encrypted: bool,
    limits: Limits,
) -> Result<Box<dyn Channel>, TransportError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let path = if url.path().is_empty() {
        "/"
    } else {
        url.path()
    };
    let request = format!("{}://{}{path}", url.scheme(), url.authority());
    let (socket, _response) =
        tokio_tungstenite::client_async_with_config(request, stream, Some(limits.config()))
            .await
            .map_err(|err| upgrade_failed(url, encrypted, err))?;
    let peer = url.authority().to_string();
    Ok(Box::new(WebSocketChannel::new(
        socket, peer, encrypted, limits, None,
    )))
}
