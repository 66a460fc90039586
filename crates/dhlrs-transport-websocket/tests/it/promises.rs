//! What a channel promises, pinned.

use dhlrs_link::Capability;
use dhlrs_transport::Transport;
use dhlrs_transport_testkit::TlsMaterial;
use dhlrs_transport_websocket::{Pem, WebSocketTransport};

const PROMISED: Capability = Capability {
    frame_bytes_max: 1 << 20,
    ordered: true,
    reliable: true,
    acknowledged: false,
    replay: false,
    encrypted: false,
    point_to_point: true,
};

async fn promises(transport: &WebSocketTransport, url: &str) -> (Capability, Capability) {
    let listener = transport.listen(&url.parse().unwrap()).await.unwrap();
    let (near, far) = tokio::join!(transport.connect(listener.url()), listener.accept());
    (
        near.unwrap().capability().clone(),
        far.unwrap().capability().clone(),
    )
}

#[tokio::test]
async fn in_the_clear() {
    let transport = WebSocketTransport::new();
    assert_eq!(
        promises(&transport, "ws://127.0.0.1:0").await,
        (PROMISED, PROMISED)
    );
}

#[tokio::test]
async fn over_tls() {
    let tls = TlsMaterial::new();
    let transport = WebSocketTransport::builder()
        .tls_cert(Pem::text(tls.cert))
        .tls_key(Pem::text(tls.key))
        .tls_ca(Pem::text(tls.ca))
        .build()
        .unwrap();
    let encrypted = Capability {
        encrypted: true,
        ..PROMISED
    };
    // By name, so that the certificate is checked for one.
    let promised = promises(&transport, "wss://localhost:0").await;
    assert_eq!(promised, (encrypted.clone(), encrypted));
}

#[tokio::test]
async fn with_another_frame_size() {
    let transport = WebSocketTransport::builder()
        .frame_bytes_max(500)
        .build()
        .unwrap();
    let promised = Capability {
        frame_bytes_max: 500,
        ..PROMISED
    };
    let both = promises(&transport, "ws://127.0.0.1:0").await;
    assert_eq!(both, (promised.clone(), promised));
}

#[tokio::test]
async fn a_listener_says_its_url_and_how_far_it_is_heard() {
    let transport = WebSocketTransport::new();
    let listen = async |url: &str| transport.listen(&url.parse().unwrap()).await.unwrap();

    let local = listen("ws://localhost:0").await;
    assert!(local.is_local());
    assert_eq!(local.url().host(), "localhost");
    assert!(local.url().port() > Some(0));

    let anywhere = listen("ws://0.0.0.0:0").await;
    assert!(!anywhere.is_local());
}

#[tokio::test]
async fn ipv6_works() {
    let transport = WebSocketTransport::new();
    if tokio::net::TcpListener::bind("[::1]:0").await.is_err() {
        println!("skipped: this machine has no IPv6");
        return;
    }
    assert_eq!(
        promises(&transport, "ws://[::1]:0").await,
        (PROMISED, PROMISED)
    );
    let listener = transport
        .listen(&"ws://[::1]:0".parse().unwrap())
        .await
        .unwrap();
    assert!(listener.is_local());
    assert!(
        listener.url().to_string().starts_with("ws://[::1]:"),
        "{}",
        listener.url()
    );
}
