//! The conformance suite over `wss://`.

use std::sync::Arc;

use dhlrs_transport_testkit::{Pair, TlsMaterial, conformance, conformance_tcp, conformance_tls};
use dhlrs_transport_websocket::{Pem, WebSocketTransport};

fn pair_with(tls: &TlsMaterial) -> Pair {
    let server = WebSocketTransport::builder()
        .tls_cert(Pem::text(tls.cert.as_str()))
        .tls_key(Pem::text(tls.key.as_str()));
    let client = WebSocketTransport::builder().tls_ca(Pem::text(tls.ca.as_str()));
    Pair {
        near: Arc::new(client.build().unwrap()),
        far: Arc::new(server.build().unwrap()),
        url: "wss://127.0.0.1:0".parse().unwrap(),
    }
}

fn pair() -> Pair {
    pair_with(&TlsMaterial::new())
}

conformance!(pair);
conformance_tcp!(pair);
conformance_tls!(pair_with);
