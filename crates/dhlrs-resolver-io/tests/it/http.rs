//! What is asked for over HTTP, and what becomes of the answer.

use std::net::Ipv4Addr;
use std::sync::Arc;

use dhlrs_bag::{Content, Value};
use dhlrs_resolver::ResolveErrorKind;
use dhlrs_resolver_io::{HttpConfig, HttpResolver, IoErrorKind};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use crate::call;
use crate::server::{Server, get, head, local, lookup, ok, redirect, refused};

#[tokio::test]
async fn parameters_are_one_segment_or_value_whatever_they_hold() {
    let server = Server::start(|head| ok("", head.lines().next().unwrap())).await;
    let url = server.url("/v1/{city}/now?q={q}&f={{x}}");
    let asked = async |city, q| get(local(&url), &[("city", city), ("q", q)]).await;
    assert_eq!(
        asked("Basel", "a").await.unwrap(),
        "GET /v1/Basel/now?q=a&f={x} HTTP/1.1"
    );
    assert_eq!(
        asked("../../etc?x#y", "a&b=c d/é").await.unwrap(),
        "GET /v1/..%2F..%2Fetc%3Fx%23y/now?q=a%26b%3Dc%20d%2F%C3%A9&f={x} HTTP/1.1"
    );
    refused(
        asked("..", "a").await,
        IoErrorKind::Parameter,
        "may not be \"..\"",
    );
    let missing = get(local(&url), &[("city", "Basel")]).await;
    refused(missing, IoErrorKind::Parameter, "\"q\" is missing");
}

#[tokio::test]
async fn the_request_says_who_asks_whom_and_wants_no_compression() {
    let server = Server::start(|_| ok("", "")).await;
    let mut config = local(server.url("/"));
    config.headers = vec![("authorization".to_owned(), "Bearer 1".to_owned())];
    get(config, &[]).await.unwrap();
    let heads = server.heads.lock().unwrap();
    let head = heads[0].to_ascii_lowercase();
    for line in [
        &format!("host: 127.0.0.1:{}", server.port),
        "accept-encoding: identity",
        "authorization: bearer 1",
    ] {
        assert!(head.contains(line), "{head}");
    }
}

#[tokio::test]
async fn the_answer_is_what_it_says_it_is() {
    let server = Server::start(|head| match head.split(' ').nth(1).unwrap() {
        "/csv" => ok("Content-Type: Text/CSV; charset=utf-8\r\n", "a\n1\n"),
        "/json" => ok("content-type: application/problem+json\r\n", "[7]"),
        "/bytes" => ok("content-type: application/octet-stream\r\n", "\u{1}"),
        _ => ok("", "plain"),
    })
    .await;
    let read = |path: &str| {
        let http = HttpResolver::new(local(server.url(path))).unwrap();
        async move { http.resolve(&call(&[])).await.unwrap() }
    };
    assert!(matches!(read("/csv").await, Content::Branch(branch) if branch.len() == 2));
    assert!(matches!(
        read("/bytes").await,
        Content::Value(Value::Bytes(_))
    ));
    assert!(matches!(
        read("/json").await,
        Content::Value(Value::List(_))
    ));
    assert_eq!(read("/").await, Content::from("plain"));
}

#[tokio::test]
async fn a_body_in_chunks_or_until_the_end_is_read_whole() {
    let server = Server::start(|head| {
        let chunked = "transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
        let tail = if head.contains("/chunked") {
            chunked
        } else {
            "\r\nabcde"
        };
        format!("HTTP/1.1 200 OK\r\n{tail}")
    })
    .await;
    for path in ["/chunked", "/closed"] {
        assert_eq!(get(local(server.url(path)), &[]).await.unwrap(), "abcde");
    }
}

#[tokio::test]
async fn a_status_that_is_no_success_is_an_error_and_its_body_stays_out() {
    let server =
        Server::start(|_| "HTTP/1.1 404 Not Found\r\ncontent-length: 6\r\n\r\nsecret".to_owned())
            .await;
    let (kind, message) = get(local(server.url("/x")), &[]).await.unwrap_err();
    assert_eq!(kind, IoErrorKind::Status);
    assert!(
        message.contains("404") && !message.contains("secret"),
        "{message}"
    );
}

#[tokio::test]
async fn a_redirect_is_followed_to_hosts_that_are_allowed() {
    let other = Server::start(|_| ok("", "there")).await;
    let to = format!("http://other.example:{}/", other.port);
    let server = Server::start(move |head| match head.split(' ').nth(1).unwrap() {
        "/here" => redirect("/final"),
        "/final" => ok("", "here"),
        "/loop" => redirect("/loop"),
        _ => redirect(&to),
    })
    .await;
    assert_eq!(get(local(server.url("/here")), &[]).await.unwrap(), "here");
    refused(
        get(local(server.url("/loop")), &[]).await,
        IoErrorKind::TooLarge,
        "5 redirects",
    );
    assert_eq!(server.asked(), 2 + 6);
    let away = || {
        let mut config = local(server.url("/away"));
        config.lookup = Some(lookup(&["127.0.0.1"]));
        config.headers = vec![("authorization".to_owned(), "Bearer 1".to_owned())];
        config
    };
    refused(
        get(away(), &[]).await,
        IoErrorKind::NotAllowed,
        "not allowed",
    );
    let mut wrong_port = away();
    wrong_port.hosts.insert("other.example".to_owned());
    refused(
        get(wrong_port, &[]).await,
        IoErrorKind::NotAllowed,
        "not allowed",
    );
    assert_eq!(other.asked(), 0);
    let mut allowed = away();
    allowed
        .hosts
        .insert(format!("OTHER.example:{}", other.port));
    assert_eq!(get(allowed, &[]).await.unwrap(), "there");
    // What only the first host may know stays with it.
    let heads = other.heads.lock().unwrap();
    assert!(
        !heads[0].to_ascii_lowercase().contains("authorization"),
        "{}",
        heads[0]
    );
}

#[tokio::test]
async fn a_configuration_that_cannot_work_is_refused() {
    let refuses = |url: &str| {
        let refused = HttpResolver::new(HttpConfig::new(url)).unwrap_err();
        assert_eq!(refused.kind(), IoErrorKind::Config, "{url}: {refused}");
    };
    for url in [
        "",
        "example.com",
        "ftp://example.com/",
        "file:///etc/passwd",
        "https://user@example.com/",
        "https://example.com/#x",
        "https://{host}/",
        "https://example.com{tail}",
        "https://example.com:{port}/",
        "{url}",
        "https://example.com/{a",
        "https://example.com/a}",
        "https://example.com/{}",
    ] {
        refuses(url);
    }
    let mut config = HttpConfig::new("https://example.com/");
    config.hosts.insert("a/b".to_owned());
    assert!(HttpResolver::new(config).is_err());
    let mut config = HttpConfig::new("https://example.com/");
    config
        .headers
        .push(("a".to_owned(), "b\r\nc: d".to_owned()));
    assert!(HttpResolver::new(config).is_err());
}

#[tokio::test]
async fn tls_is_checked_against_the_name_and_the_roots() {
    let made = rcgen::generate_simple_self_signed(["tls.example".to_owned()]).unwrap();
    let certificate = made.cert.der().clone();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let port = tls_server(certificate.clone(), key).await;
    let config = |host: &str, roots: &[CertificateDer<'static>]| {
        let mut config = local(format!("https://{host}:{port}/"));
        config.lookup = Some(lookup(&["127.0.0.1"]));
        config.roots = roots.to_vec();
        config
    };
    let own = [certificate];
    assert_eq!(get(config("tls.example", &own), &[]).await.unwrap(), "safe");
    let wrong_name = get(config("other.example", &own), &[]).await;
    refused(
        wrong_name,
        IoErrorKind::Unavailable,
        "TLS with other.example",
    );
    let other = rcgen::generate_simple_self_signed(["tls.example".to_owned()]).unwrap();
    let wrong_root = get(config("tls.example", &[other.cert.der().clone()]), &[]).await;
    refused(wrong_root, IoErrorKind::Unavailable, "TLS with tls.example");
}

async fn tls_server(certificate: CertificateDer<'static>, key: PrivateKeyDer<'static>) -> u16 {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(mut stream) = acceptor.accept(stream).await {
                head(&mut stream).await;
                stream.write_all(ok("", "safe").as_bytes()).await.unwrap();
                let _ = stream.shutdown().await;
            }
        }
    });
    port
}

#[tokio::test]
async fn as_code_of_a_node_it_tells_what_a_reader_can_do() {
    let server = Server::start(|_| redirect("http://127.0.0.1:1/")).await;
    let run = HttpResolver::new(local(server.url("/")))
        .unwrap()
        .into_code();
    let error = run(call(&[])).await.unwrap_err();
    assert_eq!(error.kind(), ResolveErrorKind::Denied);
    assert!(std::error::Error::source(&error).is_some());
}
