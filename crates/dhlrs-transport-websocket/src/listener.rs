//! Accepting connections.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use dhlrs_transport::{Channel, Listener, TransportError, TransportErrorKind, TransportUrl};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::tungstenite::handshake::server::{
    Callback, ErrorResponse, Request, Response,
};
use tokio_tungstenite::tungstenite::http::{StatusCode, header};

use crate::builder::Limits;
use crate::channel::{CLOSE_REPLY_MS_MAX, DISCARDED_BYTES_MAX, WebSocketChannel};
use crate::error::{accept_failed, tls_accept_failed};

/// Attempts that wait to be accepted, at most.
const BACKLOG_MAX: usize = 16;

/// How long to wait when the operating system has no more sockets, in milliseconds.
const ACCEPT_RETRY_MS: u64 = 100;

// What every TLS client says first: a handshake record.
const TLS_RECORD: u8 = 0x16;

// What every WebSocket client says first: `GET`.
const HTTP_GET: u8 = b'G';

const NOT_A_WEBSOCKET: &str = "HTTP/1.1 400 Bad Request\r\n\
    Connection: close\r\nContent-Type: text/plain\r\nContent-Length: 25\r\n\r\n\
    connect with a WebSocket\n";

type Attempt = Result<Box<dyn Channel>, TransportError>;

pub(crate) async fn listen(
    url: &TransportUrl,
    port: u16,
    tls: Option<TlsAcceptor>,
    limits: Limits,
) -> Result<Box<dyn Listener>, TransportError> {
    let failed = |err| cannot_listen(url, err);
    let tcp = TcpListener::bind((url.host(), port))
        .await
        .map_err(failed)?;
    let address = tcp.local_addr().map_err(failed)?;
    let (attempts, incoming) = mpsc::channel(BACKLOG_MAX);
    let places = Arc::new(Semaphore::new(
        limits.connections_max.min(Semaphore::MAX_PERMITS),
    ));
    let door = Door {
        tls,
        limits,
        places,
    };
    Ok(Box::new(WebSocketListener {
        url: url.clone().without_key().with_port(address.port()),
        is_local: address.ip().to_canonical().is_loopback(),
        incoming: Mutex::new(incoming),
        task: tokio::spawn(door.keep(tcp, attempts)),
    }))
}

fn cannot_listen(url: &TransportUrl, err: std::io::Error) -> TransportError {
    use std::io::ErrorKind;
    let (kind, why) = match err.kind() {
        ErrorKind::AddrInUse => (
            TransportErrorKind::AddressInUse,
            "the port is taken; stop who has it, or take any free one with :0".to_owned(),
        ),
        ErrorKind::PermissionDenied => (
            TransportErrorKind::Denied,
            format!("{err}; ports below 1024 take privileges"),
        ),
        ErrorKind::AddrNotAvailable => (
            TransportErrorKind::BadUrl,
            "this machine does not have that address".to_owned(),
        ),
        _ => (TransportErrorKind::Unavailable, err.to_string()),
    };
    TransportError::caused_by(kind, format!("{url}: {why}"), err)
}

struct WebSocketListener {
    url: TransportUrl,
    is_local: bool,
    incoming: Mutex<mpsc::Receiver<Attempt>>,
    task: JoinHandle<()>,
}

#[async_trait]
impl Listener for WebSocketListener {
    fn url(&self) -> &TransportUrl {
        &self.url
    }

    fn is_local(&self) -> bool {
        self.is_local
    }

    async fn accept(&self) -> Attempt {
        self.incoming.lock().await.recv().await.unwrap_or_else(|| {
            let detail = format!("{}: the listener has ended", self.url);
            Err(TransportError::new(TransportErrorKind::Closed, detail))
        })
    }
}

impl Drop for WebSocketListener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[derive(Clone)]
struct Door {
    tls: Option<TlsAcceptor>,
    limits: Limits,
    places: Arc<Semaphore>,
}

impl Door {
    // The handshakes are in a set that ends with this future.
    async fn keep(self, tcp: TcpListener, attempts: mpsc::Sender<Attempt>) {
        let mut handshakes = JoinSet::new();
        loop {
            while handshakes.len() >= self.limits.handshakes_max {
                handshakes.join_next().await;
            }
            tokio::select! {
                Some(_) = handshakes.join_next() => {}
                accepted = tcp.accept() => match accepted {
                    Ok((stream, peer)) => {
                        let door = self.clone();
                        let attempts = attempts.clone();
                        handshakes.spawn(async move {
                            let attempt = door.admit(stream, peer).await;
                            // Fails when the listener is gone, and then nobody asks.
                            let _ = attempts.send(attempt).await;
                        });
                    }
                    Err(err) => {
                        let detail = format!("cannot accept a connection: {err}");
                        let kind = TransportErrorKind::Unavailable;
                        // If nobody takes these reports, one less is no loss.
                        let _ = attempts.try_send(Err(TransportError::caused_by(kind, detail, err)));
                        sleep(Duration::from_millis(ACCEPT_RETRY_MS)).await;
                    }
                },
            }
        }
    }

    async fn admit(&self, tcp: TcpStream, peer: SocketAddr) -> Attempt {
        let place = Arc::clone(&self.places).try_acquire_owned().ok();
        let limit = self.limits.handshake_max;
        timeout(limit, self.shake_hands(tcp, peer, place))
            .await
            .unwrap_or_else(|_| {
                let detail = format!("{peer}: no handshake within {} ms", limit.as_millis());
                Err(TransportError::new(TransportErrorKind::Closed, detail))
            })
    }

    async fn shake_hands(
        &self,
        tcp: TcpStream,
        peer: SocketAddr,
        place: Option<OwnedSemaphorePermit>,
    ) -> Attempt {
        let hung_up = |err: std::io::Error| {
            let detail = format!("{peer}: {err}");
            TransportError::caused_by(TransportErrorKind::Closed, detail, err)
        };
        tcp.set_nodelay(true).map_err(hung_up)?;
        let Some(acceptor) = &self.tls else {
            let mut first = [0];
            let why = match tcp.peek(&mut first).await.map_err(hung_up)? {
                1 if first == [TLS_RECORD] => "it speaks TLS; it should connect to ws://",
                1 if first != [HTTP_GET] => "no WebSocket asks: this is no HTTP request",
                _ => return self.upgrade(tcp, peer, place).await,
            };
            turn_away(tcp).await.map_err(hung_up)?;
            return Err(TransportError::new(
                TransportErrorKind::WrongProtocol,
                format!("{peer}: {why}"),
            ));
        };
        let stream = acceptor
            .accept(tcp)
            .await
            .map_err(|err| tls_accept_failed(&peer, err))?;
        self.upgrade(stream, peer, place).await
    }

    async fn upgrade<S>(
        &self,
        stream: S,
        peer: SocketAddr,
        place: Option<OwnedSemaphorePermit>,
    ) -> Attempt
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let judge = Judge {
            is_full: place.is_none(),
        };
        let config = Some(self.limits.config());
        let socket = tokio_tungstenite::accept_hdr_async_with_config(stream, judge, config)
            .await
            .map_err(|err| accept_failed(&peer, err))?;
        let encrypted = self.tls.is_some();
        let channel =
            WebSocketChannel::new(socket, peer.to_string(), encrypted, self.limits, place);
        Ok(Box::new(channel))
    }
}

// In the clear, so that the client's TLS too can tell what is wrong. What it sends is read first,
// or the connection would be reset before the answer arrives.
async fn turn_away(mut tcp: TcpStream) -> std::io::Result<()> {
    tcp.write_all(NOT_A_WEBSOCKET.as_bytes()).await?;
    tcp.shutdown().await?;
    let mut rest = tcp.take(DISCARDED_BYTES_MAX as u64);
    let mut sink = tokio::io::sink();
    let discard = tokio::io::copy(&mut rest, &mut sink);
    match timeout(Duration::from_millis(CLOSE_REPLY_MS_MAX), discard).await {
        Ok(discarded) => discarded.map(drop),
        Err(_) => Ok(()),
    }
}

struct Judge {
    is_full: bool,
}

impl Callback for Judge {
    fn on_request(self, request: &Request, response: Response) -> Result<Response, ErrorResponse> {
        // Browsers always send it and let any page connect anywhere, to this machine's own
        // listeners too, which trust whoever comes from this machine.
        if request.headers().contains_key(header::ORIGIN) {
            return Err(refusal(StatusCode::FORBIDDEN));
        }
        if self.is_full {
            return Err(refusal(StatusCode::SERVICE_UNAVAILABLE));
        }
        Ok(response)
    }
}

fn refusal(status: StatusCode) -> ErrorResponse {
    let mut refusal = ErrorResponse::new(None);
    *refusal.status_mut() = status;
    refusal
}
