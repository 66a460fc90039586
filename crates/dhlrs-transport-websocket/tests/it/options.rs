//! Options that do not fit together are refused with the name of the option.

use std::fs;

use dhlrs_transport::{Transport, TransportErrorKind};
use dhlrs_transport_testkit::TlsMaterial;
use dhlrs_transport_websocket::{Pem, WebSocketBuilder, WebSocketTransport};

#[track_caller]
fn refuses(builder: WebSocketBuilder, message_has: &[&str]) {
    let err = builder.build().unwrap_err();
    assert_eq!(err.kind(), TransportErrorKind::BadOptions, "{err}");
    for part in message_has {
        assert!(err.to_string().contains(part), "{part:?}: {err}");
    }
}

fn builder() -> WebSocketBuilder {
    WebSocketTransport::builder()
}

#[test]
fn certificate_and_key_come_together() {
    let tls = TlsMaterial::new();
    refuses(builder().tls_cert(Pem::text(tls.cert)), &["--tls-key"]);
    refuses(builder().tls_key(Pem::text(tls.key)), &["--tls-cert"]);
}

#[test]
fn a_key_of_another_certificate_is_refused() {
    let (one, other) = (TlsMaterial::new(), TlsMaterial::new());
    let mixed = builder()
        .tls_cert(Pem::text(one.cert))
        .tls_key(Pem::text(other.key));
    refuses(mixed, &["--tls-cert and --tls-key"]);
}

#[test]
fn files_that_are_missing_or_hold_something_else_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("missing.pem");
    refuses(
        builder().tls_ca(Pem::file(&missing)),
        &["--tls-ca", "missing.pem"],
    );

    let tls = TlsMaterial::new();
    let key = dir.path().join("key.pem");
    fs::write(&key, &tls.key).unwrap();
    refuses(
        builder().tls_ca(Pem::file(&key)),
        &["--tls-ca", "no certificate", "key.pem"],
    );

    let cert = dir.path().join("cert.pem");
    fs::write(&cert, &tls.cert).unwrap();
    let swapped = builder()
        .tls_cert(Pem::file(&cert))
        .tls_key(Pem::file(&cert));
    refuses(swapped, &["--tls-key", "no private key", "cert.pem"]);

    builder()
        .tls_cert(Pem::file(&cert))
        .tls_key(Pem::file(&key))
        .build()
        .unwrap();
}

#[test]
fn a_private_key_never_shows() {
    let tls = TlsMaterial::new();
    let shown = format!("{:?}", builder().tls_key(Pem::text(tls.key.as_str())));
    let secret = tls.key.lines().nth(1).unwrap();
    assert!(!shown.contains(secret), "{shown}");
}

#[test]
fn a_limit_of_nothing_is_refused() {
    refuses(builder().frame_bytes_max(0), &["frame_bytes_max"]);
    refuses(builder().connections_max(0), &["connections_max"]);
    refuses(builder().handshakes_max(0), &["handshakes_max"]);
}

#[tokio::test]
async fn listening_over_tls_takes_a_certificate() {
    let err = WebSocketTransport::new()
        .listen(&"wss://127.0.0.1:0".parse().unwrap())
        .await;
    let err = err.err().unwrap();
    assert_eq!(err.kind(), TransportErrorKind::BadOptions);
    assert!(err.to_string().contains("--tls-cert"), "{err}");
}
