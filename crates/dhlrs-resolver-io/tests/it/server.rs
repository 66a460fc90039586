//! A server that says what a test wants it to say.

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use dhlrs_resolver_io::{HttpConfig, HttpResolver, IoErrorKind, Lookup};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

use crate::{call, text};

pub(crate) struct Server {
    pub(crate) port: u16,
    /// The heads of the requests that came.
    pub(crate) heads: Arc<Mutex<Vec<String>>>,
    task: AbortHandle,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub(crate) async fn head(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8(head).unwrap()
}

impl Server {
    /// Answers each request with what `respond` makes of its head.
    pub(crate) async fn start(respond: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        let respond = Arc::new(respond);
        Self::with(move |mut stream, head| {
            let respond = Arc::clone(&respond);
            async move {
                let answer = respond(&head);
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        })
        .await
    }

    /// Hands each connection to `serve` when its request has come.
    pub(crate) async fn with<R: Future<Output = ()> + Send + 'static>(
        serve: impl Fn(TcpStream, String) -> R + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&heads);
        let task = tokio::spawn(async move {
            let mut serving = tokio::task::JoinSet::new();
            loop {
                let Ok((mut stream, _)) = listener.accept().await else {
                    return;
                };
                let head = head(&mut stream).await;
                noted.lock().unwrap().push(head.clone());
                serving.spawn(serve(stream, head));
            }
        });
        Self {
            port,
            heads,
            task: task.abort_handle(),
        }
    }

    pub(crate) fn asked(&self) -> usize {
        self.heads.lock().unwrap().len()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }
}

pub(crate) fn ok(headers: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n{headers}\r\n{body}")
}

pub(crate) fn redirect(to: &str) -> String {
    format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n")
}

/// A configuration that may reach this machine at one address.
pub(crate) fn local(url: impl Into<String>) -> HttpConfig {
    let mut config = HttpConfig::new(url);
    config.addresses.insert(IpAddr::from(Ipv4Addr::LOCALHOST));
    config
}

pub(crate) fn lookup(addresses: &[&str]) -> Lookup {
    let addresses = addresses.iter().map(|address| address.parse().unwrap());
    let addresses: Vec<IpAddr> = addresses.collect();
    Arc::new(move |_, port| {
        let found = addresses
            .iter()
            .map(|ip| SocketAddr::new(*ip, port))
            .collect();
        Box::pin(async move { Ok(found) })
    })
}

pub(crate) async fn get(
    config: HttpConfig,
    parameters: &[(&str, &str)],
) -> Result<String, (IoErrorKind, String)> {
    let http = HttpResolver::new(config).unwrap();
    let got = http.resolve(&call(parameters)).await;
    got.map(text)
        .map_err(|error| (error.kind(), error.to_string()))
}

#[track_caller]
pub(crate) fn refused<T: std::fmt::Debug>(
    got: Result<T, (IoErrorKind, String)>,
    kind: IoErrorKind,
    says: &str,
) {
    let (is, message) = got.unwrap_err();
    assert_eq!(is, kind, "{message}");
    assert!(message.contains(says), "{message}");
}
