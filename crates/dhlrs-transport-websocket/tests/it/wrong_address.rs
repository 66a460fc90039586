//! What a person is told who connects to the wrong place, or listens where it cannot be.

use dhlrs_transport::{Listener, Transport, TransportError, TransportErrorKind};
use dhlrs_transport_testkit::TlsMaterial;
use dhlrs_transport_websocket::{Pem, WebSocketTransport};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use TransportErrorKind::{BadUrl, Denied, Unavailable, WrongProtocol};

async fn connect(url: &str) -> TransportError {
    WebSocketTransport::new()
        .connect(&url.parse().unwrap())
        .await
        .err()
        .unwrap()
}

#[track_caller]
fn tells(err: &TransportError, kind: TransportErrorKind, message_has: &str) {
    assert_eq!(err.kind(), kind, "{err}");
    assert!(
        err.to_string().contains(message_has),
        "{message_has:?}: {err}"
    );
}

/// Somebody who answers every connection with these bytes.
async fn answers(answer: &'static [u8]) -> u16 {
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = tcp.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (mut socket, _) = tcp.accept().await.unwrap();
            let _ = socket.read(&mut [0; 4_096]).await.unwrap();
            socket.write_all(answer).await.unwrap();
        }
    });
    port
}

async fn tls_listener() -> Box<dyn Listener> {
    let tls = TlsMaterial::new();
    let server = WebSocketTransport::builder()
        .tls_cert(Pem::text(tls.cert))
        .tls_key(Pem::text(tls.key))
        .build()
        .unwrap();
    server
        .listen(&"wss://127.0.0.1:0".parse().unwrap())
        .await
        .unwrap()
}

#[tokio::test]
async fn nobody_there() {
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = tcp.local_addr().unwrap().port();
    drop(tcp);
    tells(
        &connect(&format!("ws://127.0.0.1:{port}")).await,
        Unavailable,
        "nothing listens there",
    );
}

#[tokio::test]
async fn no_such_host() {
    let err = connect("ws://no-such-host.invalid:1").await;
    tells(
        &err,
        Unavailable,
        "cannot find the host \"no-such-host.invalid\"",
    );
}

#[tokio::test]
async fn plain_to_a_tls_port() {
    let listener = tls_listener().await;
    let url = listener.url().to_string().replace("wss://", "ws://");
    tells(&connect(&url).await, WrongProtocol, "write wss://");
    tells(
        &listener.accept().await.err().unwrap(),
        WrongProtocol,
        "should connect to wss://",
    );
}

#[tokio::test]
async fn tls_to_a_plain_port() {
    let server = WebSocketTransport::new();
    let listener = server
        .listen(&"ws://127.0.0.1:0".parse().unwrap())
        .await
        .unwrap();
    let url = listener.url().to_string().replace("ws://", "wss://");
    let client = WebSocketTransport::builder().tls_ca(Pem::text(TlsMaterial::new().ca));
    let client = client.build().unwrap();
    let err = client.connect(&url.parse().unwrap()).await.err().unwrap();
    tells(&err, WrongProtocol, "write ws://");
    tells(
        &listener.accept().await.err().unwrap(),
        WrongProtocol,
        "should connect to ws://",
    );
}

#[tokio::test]
async fn a_web_server() {
    let port = answers(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").await;
    let err = connect(&format!("ws://127.0.0.1:{port}")).await;
    tells(
        &err,
        WrongProtocol,
        "404 Not Found, as a web server does: is the port right?",
    );
}

#[tokio::test]
async fn a_gate_that_wants_credentials() {
    let port = answers(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n").await;
    tells(
        &connect(&format!("ws://127.0.0.1:{port}")).await,
        Denied,
        "401",
    );
}

#[tokio::test]
async fn something_else_altogether() {
    let port = answers(b"SSH-2.0-OpenSSH_9.9\r\n").await;
    let err = connect(&format!("ws://127.0.0.1:{port}")).await;
    tells(&err, WrongProtocol, "no WebSocket answers");
}

#[tokio::test]
async fn somebody_who_hangs_up() {
    let port = answers(b"").await;
    let err = connect(&format!("ws://127.0.0.1:{port}")).await;
    tells(&err, Unavailable, "hung up during the handshake");
    let err = connect(&format!("wss://127.0.0.1:{port}")).await;
    tells(&err, Unavailable, "if no TLS is meant, write ws://");
}

#[tokio::test]
async fn somebody_who_never_answers() {
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}", tcp.local_addr().unwrap())
        .parse()
        .unwrap();
    let client = WebSocketTransport::builder()
        .handshake_ms_max(50)
        .build()
        .unwrap();
    let err = client.connect(&url).await.err().unwrap();
    tells(&err, Unavailable, "no answer within 50 ms");
}

#[tokio::test]
async fn a_url_that_cannot_be() {
    tells(&connect("ws://localhost").await, BadUrl, "port is missing");
    let listen = async |url: &str| {
        WebSocketTransport::new()
            .listen(&url.parse().unwrap())
            .await
            .err()
            .unwrap()
    };
    tells(&listen("ws://localhost").await, BadUrl, "port is missing");
    tells(
        &listen("ws://localhost:0/path").await,
        BadUrl,
        "leave it out",
    );
    // Reserved for documentation; no machine has it.
    tells(
        &listen("ws://192.0.2.1:0").await,
        BadUrl,
        "does not have that address",
    );
}

#[tokio::test]
async fn a_port_that_is_taken() {
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}", tcp.local_addr().unwrap())
        .parse()
        .unwrap();
    let err = WebSocketTransport::new().listen(&url).await.err().unwrap();
    tells(&err, TransportErrorKind::AddressInUse, "the port is taken");
}

#[tokio::test]
async fn a_path_is_asked_for() {
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/hlrs/x", tcp.local_addr().unwrap())
        .parse()
        .unwrap();
    let server = tokio::spawn(async move {
        let (mut socket, _) = tcp.accept().await.unwrap();
        let mut request = [0; 4_096];
        let bytes = socket.read(&mut request).await.unwrap();
        String::from_utf8(request[..bytes].to_vec()).unwrap()
    });
    assert!(WebSocketTransport::new().connect(&url).await.is_err());
    let request = server.await.unwrap();
    assert!(request.starts_with("GET /hlrs/x HTTP/1.1\r\n"), "{request}");
}
