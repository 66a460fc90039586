//! Reading URLs.

use dhlrs_transport::{TransportErrorKind, TransportUrl, URL_BYTES_MAX};
use proptest::prelude::*;

#[track_caller]
fn refuses(text: &str, message_has: &str) {
    let err = text.parse::<TransportUrl>().unwrap_err();
    assert_eq!(err.kind(), TransportErrorKind::BadUrl, "{text:?}: {err}");
    assert!(err.to_string().contains(message_has), "{text:?}: {err}");
}

#[track_caller]
fn reads(text: &str, scheme: &str, host: &str, port: Option<u16>, path: &str) {
    let url: TransportUrl = text.parse().unwrap();
    assert_eq!(
        (url.scheme(), url.host(), url.port(), url.path()),
        (scheme, host, port, path)
    );
    assert_eq!(url.to_string(), text);
}

#[test]
fn reads_what_it_prints() {
    reads("ws://127.0.0.1:7411", "ws", "127.0.0.1", Some(7411), "");
    reads(
        "wss://node.example:443/hlrs/x",
        "wss",
        "node.example",
        Some(443),
        "/hlrs/x",
    );
    reads("ws://[::1]:0", "ws", "::1", Some(0), "");
    reads("ws://[fe80::1]", "ws", "fe80::1", None, "");
    reads("memory://some_node-1", "memory", "some_node-1", None, "");
}

#[test]
fn takes_the_peers_key_and_nothing_else_in_the_query() {
    let key = "0f".repeat(32);
    let text = format!("ws://h:1?key={key}");
    let url: TransportUrl = text.parse().unwrap();
    assert_eq!(url.key().unwrap().to_string(), key);
    assert_eq!(url.to_string(), text);
    assert_eq!(url.without_key().to_string(), "ws://h:1");

    refuses(&format!("ws://h:1?Key={key}"), "only ?key=KEY");
    refuses(&format!("ws://h:1?key={key}&x=1"), "64 lowercase hex");
    refuses(
        &format!("ws://h:1?key={}", key.to_uppercase()),
        "64 lowercase hex",
    );
    refuses("ws://h:1?key=", "64 lowercase hex");
    refuses("ws://h:1?", "only ?key=KEY");
}

#[test]
fn says_what_is_wrong() {
    refuses("", "SCHEME://");
    refuses("localhost:7411", "SCHEME://");
    refuses("WS://h:1", "scheme");
    refuses("1ws://h:1", "scheme");
    refuses("ws://", "host is missing");
    refuses("ws://:7411", "host is missing");
    refuses("ws://h:65536", "no port");
    refuses("ws://h:+1", "no port");
    refuses("ws://h:01", "no port");
    refuses("ws://h:", "no port");
    refuses("ws://::1:7411", "brackets");
    refuses("ws://[::1", "not closed");
    refuses("ws://[::g]:1", "no IPv6");
    refuses("ws://[::1]x", "no port");
    refuses("ws://a,b:1", "','");
    refuses("ws://h:1#x", "fragment");
    refuses("ws://h: 1", "may not stand");
    refuses("ws://é:1", "may not stand");
    refuses(
        &format!("ws://{}:1", "a".repeat(URL_BYTES_MAX)),
        "limit 2048",
    );
}

#[test]
fn never_repeats_a_password() {
    for text in [
        "ws://user:secret@h:1",
        "ws://user:se/secret@h:1",
        "ws://user:s#secret@h",
        "secret@",
    ] {
        let err = text.parse::<TransportUrl>().unwrap_err();
        assert!(!err.to_string().contains("secret"), "{err}");
    }
}

proptest! {
    #[test]
    fn any_text_is_refused_or_reads_back_the_same(text in "(ws|memory|[a-z+.]{1,4})(://|:)[ -~]{0,40}") {
        if let Ok(url) = text.parse::<TransportUrl>() {
            let printed = url.to_string();
            prop_assert_eq!(printed.parse::<TransportUrl>().unwrap(), url);
        }
    }
}
