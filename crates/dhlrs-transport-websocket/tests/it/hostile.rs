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
const CLOSE: u8 = 0x88;
const PING: u8 = 0x89;
const BINARY_BEGINS: u8 = 0x02;
const GOES_ON: u8 = 0x00;

/// What the node's owner learns, and what the peer is told: the code and the reason of the close.
async fn fails_after(bytes: &[u8]) -> (TransportError, u16, String) {
    let (channel, mut socket) = raw_peer().await;
    socket.write_all(&frame(BINARY, b"first")).await.unwrap();
    socket.write_all(bytes).await.unwrap();
    // The channel ends for good, whatever else arrives.
    socket.write_all(&frame(BINARY, b"more")).await.unwrap();
    assert_eq!(
        channel.recv().await.unwrap(),
        Received::Frame("first".into())
    );
    let hear = async {
        let mut told = Vec::new();
        socket.read_to_end(&mut told).await.unwrap();
        drop(socket);
        told
    };
    let (received, told) = tokio::join!(channel.recv(), hear);
    let err = received.unwrap_err();
    assert_eq!(told[0], CLOSE);
    assert_eq!(usize::from(told[1]), told.len() - 2);
    let code = u16::from_be_bytes([told[2], told[3]]);
    let reason = String::from_utf8(told[4..].to_vec()).unwrap();
    assert_eq!(
        channel.recv().await.unwrap_err().to_string(),
        err.to_string()
    );
    let sent = channel.send("x".into()).await.unwrap_err();
    assert_eq!(sent.kind(), TransportErrorKind::Closed);
    (err, code, reason)
}

async fn is_malformed(bytes: &[u8], message_has: &str, close_code: u16) {
    let (err, code, reason) = fails_after(bytes).await;
    assert_eq!(code, close_code, "{reason}");
    assert!(!reason.is_empty());
    assert_eq!(err.kind(), TransportErrorKind::Malformed, "{err}");
    assert!(
        err.to_string().contains(message_has),
        "{message_has:?}: {err}"
    );
}

#[tokio::test]
async fn what_breaks_the_framing_ends_the_channel() {
    is_malformed(&frame(TEXT, b"hello"), "text message", 1003).await;
    is_malformed(&frame(BINARY, &[0; 1_001]), "1001 bytes, limit 1000", 1009).await;
    is_malformed(&frame(0x83, b"x"), "opcode", 1002).await;
    is_malformed(&frame(0xc2, b"x"), "eserved bits", 1002).await;
    is_malformed(&[BINARY, 1, b'x'], "unmasked", 1002).await;
    is_malformed(&frame(GOES_ON, b"x"), "nothing to continue", 1002).await;
}

#[tokio::test]
async fn a_frame_that_claims_to_be_huge_is_refused_before_it_arrives() {
    let mut claim = vec![BINARY, 0x80 | 127];
    claim.extend((1_u64 << 62).to_be_bytes());
    claim.extend([0; 4]);
    is_malformed(&claim, "limit 1000", 1009).await;
}

#[tokio::test]
async fn pieces_together_are_held_to_the_limit_too() {
    let mut pieces = frame(BINARY_BEGINS, &[0; 600]);
    pieces.extend(frame(GOES_ON, &[0; 600]));
    is_malformed(&pieces, "1200 bytes, limit 1000", 1009).await;
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

#[tokio::test]
async fn who_pours_in_more_than_fits_hears_why() {
    let (channel, mut socket) = raw_peer().await;
    let mut huge = vec![BINARY, 0x80 | 127];
    huge.extend((2_u64 << 20).to_be_bytes());
    huge.resize(huge.len() + 4 + (2 << 20), 0);
    let pour = async {
        socket.write_all(&huge).await.unwrap();
        let mut told = Vec::new();
        socket.read_to_end(&mut told).await.unwrap();
        drop(socket);
        told
    };
    let (received, told) = tokio::join!(channel.recv(), pour);
    assert_eq!(received.unwrap_err().kind(), TransportErrorKind::Malformed);
    assert_eq!(&told[4..], b"frame too large: 2097152 bytes, limit 1000");
}

#[tokio::test]
async fn a_peer_of_ours_is_told_why_it_is_turned_away() {
    let listener = listener().await;
    let client = WebSocketTransport::new();
    let (near, far) = tokio::join!(client.connect(listener.url()), listener.accept());
    let (near, far) = (near.unwrap(), far.unwrap());
    let _receipt = near.send(vec![0; 1_001].into()).await.unwrap();
    let (near_end, far_end) = tokio::join!(near.recv(), far.recv());
    assert_eq!(far_end.unwrap_err().kind(), TransportErrorKind::Malformed);
    let told = near_end.unwrap_err();
    assert_eq!(told.kind(), TransportErrorKind::Closed);
    assert!(
        told.to_string().contains("1001 bytes, limit 1000"),
        "{told}"
    );
}

#[tokio::test]
async fn what_is_no_http_is_answered_all_the_same() {
    let listener = listener().await;
    let port = listener.url().port().unwrap();
    let ask = async {
        let mut socket = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        socket.write_all(&[0xa5; 100_000]).await.unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.unwrap();
        answer
    };
    let (answer, attempt) = tokio::join!(ask, listener.accept());
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert!(answer.ends_with("connect with a WebSocket\n"), "{answer}");
    let err = attempt.err().unwrap();
    assert_eq!(err.kind(), TransportErrorKind::WrongProtocol, "{err}");
}
