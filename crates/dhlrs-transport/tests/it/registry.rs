//! Finding the transport of a URL.

use std::sync::Arc;

use dhlrs_transport::{MemoryBus, Registry, TransportErrorKind};

fn url(text: &str) -> dhlrs_transport::TransportUrl {
    text.parse().unwrap()
}

#[tokio::test]
async fn an_unknown_scheme_lists_what_is_there() {
    let bus = MemoryBus::new();
    let mut registry = Registry::new();
    let err = registry.connect(&url("nats://h:1")).await.err().unwrap();
    assert_eq!(err.kind(), TransportErrorKind::UnknownScheme);
    assert!(
        err.to_string().contains("no transport is registered"),
        "{err}"
    );

    registry
        .register("memory", Arc::new(bus.endpoint("a").unwrap()))
        .unwrap();
    registry
        .register("other", Arc::new(bus.endpoint("b").unwrap()))
        .unwrap();
    let err = registry.listen(&url("nats://h:1")).await.err().unwrap();
    assert_eq!(err.kind(), TransportErrorKind::UnknownScheme);
    assert!(
        err.to_string()
            .contains("nats://h:1: registered are memory://, other://"),
        "{err}"
    );
    assert_eq!(registry.schemes().collect::<Vec<_>>(), ["memory", "other"]);
}

#[tokio::test]
async fn a_url_reaches_its_transport() {
    let bus = MemoryBus::new();
    let mut registry = Registry::new();
    registry
        .register("memory", Arc::new(bus.endpoint("a").unwrap()))
        .unwrap();
    let listener = registry.listen(&url("memory://a")).await.unwrap();
    registry.connect(listener.url()).await.unwrap();
}

#[test]
fn a_scheme_is_registered_once_and_must_be_one() {
    let endpoint = Arc::new(MemoryBus::new().endpoint("a").unwrap());
    let mut registry = Registry::new();
    registry.register("memory", endpoint.clone()).unwrap();
    let err = registry.register("memory", endpoint.clone()).unwrap_err();
    assert_eq!(err.kind(), TransportErrorKind::BadOptions);
    let err = registry.register("My Radio", endpoint).unwrap_err();
    assert_eq!(err.kind(), TransportErrorKind::BadUrl);
}
