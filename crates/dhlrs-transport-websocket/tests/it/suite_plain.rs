//! The conformance suite over `ws://`.

use std::sync::Arc;

use dhlrs_transport_testkit::{Pair, conformance, conformance_tcp};
use dhlrs_transport_websocket::WebSocketTransport;

fn pair() -> Pair {
    let transport = Arc::new(WebSocketTransport::new());
    Pair {
        near: transport.clone(),
        far: transport,
        url: "ws://127.0.0.1:0".parse().unwrap(),
    }
}

conformance!(pair);
conformance_tcp!(pair);
