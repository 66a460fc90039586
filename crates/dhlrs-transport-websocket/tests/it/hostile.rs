//! Peers that finish the handshake and then misbehave; and web pages.

use dhlrs_transport::{Channel, Listener, Received, Transport, TransportError, TransportErrorKind};
use dhlrs_transport_websocket::WebSocketTransport;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const UPGRADE: &str = "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
     Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

async fn listener() -> Box<dyn Listener> {
    let transport = WebSocketTransport::builder()
        .frame_bytes_max(1_000)
        .build()
        .unwrap();
    transport
        .listen(&"ws://127.0.0.1:0".parse().unwrap())
        .await
        .unwrap()
}

async fn request(listener: &dyn Listener, more: &str) -> (TcpStream, String) {
    let mut socket = TcpStream::connect(("127.0.0.1", listener.url().port().unwrap()))
        .await
        .unwrap();
    socket
        .write_all(format!("{UPGRADE}{more}\r\n").as_bytes())
        .await
        .unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(socket.read_u8().await.unwrap());
    }
    (socket, String::from_utf8(answer).unwrap())
}

/// A channel at the node, and the raw socket at its other end.
async fn raw_peer() -> (Box<dyn Channel>, TcpStream) {
    let listener = listener().await;
    let ((socket, answer), channel) = tokio::join!(request(&*listener, ""), listener.accept());
    assert!(answer.starts_with("HTTP/1.1 101"), "{answer}");
    (channel.unwrap(), socket)
}

/// A masked frame whose mask changes nothing.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).unwrap();
    let mut frame = vec![first];
    match u8::try_from(length) {
        Ok(short) if short < 126 => frame.push(0x80 | short),
        _ => {
            frame.push(0x80 | 126);
            frame.extend(length.to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(payload);
    frame
}

const BINARY: u8 = 0x82;
const TEXT: u8 = 0x81;
const PING: u8 = 0x89;
const BINARY_BEGINS: u8 = 0x02;
const GOES_ON: u8 = 0x00;

async fn fails_after(bytes: &[u8]) -> TransportError {
    let (channel, mut socket) = raw_peer().await;
    socket.write_all(&frame(BINARY, b"first")).await.unwrap();
    socket.write_all(bytes).await.unwrap();
    assert_eq!(
        channel.recv().await.unwrap(),
        Received::Frame("first".into())
    );
    let err = channel.recv().await.unwrap_err();
    // The channel has ended for good, whatever else arrives.
    let _ = socket.write_all(&frame(BINARY, b"more")).await;
    assert_eq!(
        channel.recv().await.unwrap_err().to_string(),
        err.to_string()
    );
    let sent = channel.send("x".into()).await.unwrap_err();
    assert_eq!(sent.kind(), TransportErrorKind::Closed);
    err
}

async fn is_malformed(bytes: &[u8], message_has: &str) {
    let err = fails_after(bytes).await;
    assert_eq!(err.kind(), TransportErrorKind::Malformed, "{err}");
    assert!(
        err.to_string().contains(message_has),
        "{message_has:?}: {err}"
    );
}

#[tokio::test]
async fn what_breaks_the_framing_ends_the_channel() {
    is_malformed(&frame(TEXT, b"hello"), "text message").await;
    is_malformed(&frame(BINARY, &[0; 1_001]), "1001 bytes, limit 1000").await;
    is_malformed(&frame(0x83, b"x"), "opcode").await;
    is_malformed(&frame(0xc2, b"x"), "eserved bits").await;
    is_malformed(&[BINARY, 1, b'x'], "unmasked").await;
    is_malformed(&frame(GOES_ON, b"x"), "nothing to continue").await;
}

#[tokio::test]
async fn a_frame_that_claims_to_be_huge_is_refused_before_it_arrives() {
    let mut claim = vec![BINARY, 0x80 | 127];
    claim.extend((1_u64 << 62).to_be_bytes());
    claim.extend([0; 4]);
    is_malformed(&claim, "limit 1000").await;
}

#[tokio::test]
async fn pieces_together_are_held_to_the_limit_too() {
    let mut pieces = frame(BINARY_BEGINS, &[0; 600]);
    pieces.extend(frame(GOES_ON, &[0; 600]));
    is_malformed(&pieces, "1200 bytes, limit 1000").await;
}

#[tokio::test]
async fn a_connection_that_breaks_off_is_closed() {
    let (channel, mut socket) = raw_peer().await;
    socket
        .write_all(&frame(BINARY, &[0; 500])[..300])
        .await
        .unwrap();
    drop(socket);
    let err = channel.recv().await.unwrap_err();
    assert_eq!(err.kind(), TransportErrorKind::Closed, "{err}");
}

#[tokio::test]
async fn noise_after_the_handshake_harms_nobody_else() {
    let listener = listener().await;
    let client = WebSocketTransport::new();
    let (near, far) = tokio::join!(client.connect(listener.url()), listener.accept());
    let (near, far) = (near.unwrap(), far.unwrap());
    for seed in 1..40_u32 {
        let ((mut socket, _), channel) = tokio::join!(request(&*listener, ""), listener.accept());
        let noise: Vec<u8> = (1..2_000_u32)
            .map(|n| {
                n.wrapping_mul(seed.wrapping_mul(2_654_435_761))
                    .to_be_bytes()[0]
            })
            .collect();
        let _ = socket.write_all(&noise).await;
        drop(socket);
        let channel = channel.unwrap();
        while channel.recv().await.is_ok() {}
    }
    let _receipt = near.send("well".into()).await.unwrap();
    assert_eq!(far.recv().await.unwrap(), Received::Frame("well".into()));
}

#[tokio::test]
async fn pings_are_answered_and_are_no_frames() {
    let (channel, mut socket) = raw_peer().await;
    socket
        .write_all(&frame(PING, b"are you there"))
        .await
        .unwrap();
    socket.write_all(&frame(BINARY, b"frame")).await.unwrap();
    assert_eq!(
        channel.recv().await.unwrap(),
        Received::Frame("frame".into())
    );
    let mut pong = [0; 15];
    socket.read_exact(&mut pong).await.unwrap();
    assert_eq!(&pong, b"\x8a\x0dare you there");
}

#[tokio::test]
async fn a_web_page_is_turned_away() {
    let listener = listener().await;
    let origin = "Origin: https://evil.example\r\n";
    let ((_, answer), attempt) = tokio::join!(request(&*listener, origin), listener.accept());
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    let err = attempt.err().unwrap();
    assert_eq!(err.kind(), TransportErrorKind::Denied, "{err}");
    assert!(err.to_string().contains("web page"), "{err}");
}
