//! A listener's limits.

use dhlrs_transport::{Listener, Transport, TransportErrorKind};
use dhlrs_transport_websocket::{WebSocketBuilder, WebSocketTransport};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

async fn listener(options: WebSocketBuilder) -> Box<dyn Listener> {
    let url = "ws://127.0.0.1:0".parse().unwrap();
    options.build().unwrap().listen(&url).await.unwrap()
}

#[tokio::test]
async fn one_connection_too_many_is_told_to_come_back_later() {
    let listener = listener(WebSocketTransport::builder().connections_max(2)).await;
    let client = WebSocketTransport::new();
    let connect = async || tokio::join!(client.connect(listener.url()), listener.accept());
    let (one, two) = (connect().await, connect().await);

    let (near, far) = connect().await;
    let err = near.err().unwrap();
    assert_eq!(err.kind(), TransportErrorKind::Unavailable, "{err}");
    assert!(err.to_string().contains("full"), "{err}");
    assert_eq!(far.err().unwrap().kind(), TransportErrorKind::Unavailable);

    drop(one);
    let (near, far) = connect().await;
    assert!(near.is_ok() && far.is_ok());
    drop(two);
}

#[tokio::test]
async fn who_never_finishes_the_handshake_is_dropped() {
    let options = WebSocketTransport::builder()
        .handshakes_max(1)
        .handshake_ms_max(50);
    let listener = listener(options).await;
    let port = listener.url().port().unwrap();
    let mut silent = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    // Waits for the one place, which the silent one gives up after its time.
    let client = WebSocketTransport::new();
    let next = async {
        let dropped = listener.accept().await.err().unwrap();
        assert_eq!(dropped.kind(), TransportErrorKind::Closed);
        assert!(
            dropped.to_string().contains("no handshake within 50 ms"),
            "{dropped}"
        );
        listener.accept().await
    };
    let (near, far) = tokio::join!(client.connect(listener.url()), next);
    assert!(near.is_ok() && far.is_ok());
    assert_eq!(
        silent.read(&mut [0; 8]).await.unwrap(),
        0,
        "the silent one was hung up on"
    );
}
