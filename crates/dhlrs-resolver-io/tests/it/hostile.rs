//! Servers and name services that want more than they are given.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use dhlrs_resolver_io::{HttpConfig, IoErrorKind};
use tokio::io::AsyncWriteExt;

use crate::server::{Server, get, local, lookup, ok, redirect, refused};

#[tokio::test]
async fn a_redirect_to_a_private_address_is_not_followed() {
    let inside = Server::start(|_| ok("", "secret")).await;
    let port = inside.port;
    let targets = [
        format!("http://127.0.0.2:{port}/"),
        // The same in other spellings.
        format!("http://2130706434:{port}/"),
        format!("http://0x7f.2:{port}/"),
        format!("http://[::ffff:127.0.0.2]:{port}/"),
        format!("http://inside.example:{port}/"),
    ];
    for to in targets {
        let location = to.clone();
        let server = Server::start(move |_| redirect(&location)).await;
        let mut config = local(server.url("/"));
        config.lookup = Some(lookup(&["127.0.0.2"]));
        refused(get(config, &[]).await, IoErrorKind::NotAllowed, "");
        // Nor if the host is on the list: that is about names, not about addresses.
        let mut config = local(server.url("/"));
        config.lookup = Some(lookup(&["127.0.0.2"]));
        let host = to.trim_start_matches("http://").trim_end_matches('/');
        config.hosts.insert(host.to_owned());
        refused(
            get(config, &[]).await,
            IoErrorKind::NotAllowed,
            "not public",
        );
    }
    for to in [
        "file:///etc/passwd",
        "ftp://127.0.0.1/",
        "//user:pw@127.0.0.1/",
    ] {
        let server = Server::start(move |_| redirect(to)).await;
        refused(
            get(local(server.url("/")), &[]).await,
            IoErrorKind::NotAllowed,
            "",
        );
    }
    assert_eq!(inside.asked(), 0);
}

#[tokio::test]
async fn without_leave_no_private_address_is_reached() {
    let server = Server::start(|_| ok("", "secret")).await;
    let port = server.port;
    for host in [
        "127.0.0.1",
        "localhost",
        "0.0.0.0",
        "[::1]",
        "[::ffff:127.0.0.1]",
    ] {
        let config = HttpConfig::new(format!("http://{host}:{port}/"));
        refused(
            get(config, &[]).await,
            IoErrorKind::NotAllowed,
            "not public",
        );
    }
    assert_eq!(server.asked(), 0);
}

#[tokio::test]
async fn one_private_address_among_public_ones_spoils_the_name() {
    let server = Server::start(|_| ok("", "secret")).await;
    let url = format!("http://mixed.example:{}/", server.port);
    for answer in [["1.1.1.1", "10.0.0.1"], ["127.0.0.1", "fe80::1"]] {
        let mut config = local(&url);
        config.lookup = Some(lookup(&answer));
        refused(
            get(config, &[]).await,
            IoErrorKind::NotAllowed,
            "not public",
        );
    }
    assert_eq!(server.asked(), 0);
}

#[tokio::test]
async fn a_name_is_looked_up_once_and_the_answer_is_what_is_reached() {
    let server = Server::start(|_| ok("", "pinned")).await;
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let mut config = local(format!("http://moving.example:{}/", server.port));
    // A name service that answers with another address each time it is asked.
    config.lookup = Some(Arc::new(move |_, port| {
        let first = counted.fetch_add(1, Ordering::SeqCst) == 0;
        let ip: IpAddr = if first { "127.0.0.1" } else { "127.0.0.2" }
            .parse()
            .unwrap();
        Box::pin(async move { Ok(vec![(ip, port).into()]) })
    }));
    assert_eq!(get(config, &[]).await.unwrap(), "pinned");
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_body_ends_at_the_limit_whether_it_is_announced_or_not() {
    let server = Server::with(|mut stream, head| async move {
        let lying = "HTTP/1.1 200 OK\r\ncontent-length: 9999999999\r\n\r\n";
        let silent = "HTTP/1.1 200 OK\r\n\r\n";
        let head = if head.contains("/announced") {
            lying
        } else {
            silent
        };
        let _ = stream.write_all(head.as_bytes()).await;
        // Endless.
        while stream.write_all(&[b'x'; 4_096]).await.is_ok() {}
    })
    .await;
    for path in ["/announced", "/endless"] {
        let mut config = local(server.url(path));
        config.body_bytes_max = 100_000;
        refused(
            get(config, &[]).await,
            IoErrorKind::TooLarge,
            "100000 bytes",
        );
    }
    let exact = Server::start(|_| ok("", "12345")).await;
    let mut config = local(exact.url("/"));
    config.body_bytes_max = 5;
    assert_eq!(get(config.clone(), &[]).await.unwrap(), "12345");
    config.body_bytes_max = 4;
    refused(get(config, &[]).await, IoErrorKind::TooLarge, "4 bytes");
}

#[tokio::test]
async fn an_endless_head_is_cut() {
    let server = Server::with(|mut stream, _| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n").await;
        let line = format!("x: {}\r\n", "y".repeat(1_000));
        while stream.write_all(line.as_bytes()).await.is_ok() {}
    })
    .await;
    refused(
        get(local(server.url("/")), &[]).await,
        IoErrorKind::Unavailable,
        "",
    );
}

#[tokio::test]
async fn a_slow_server_costs_no_more_than_the_timeout() {
    let server = Server::with(|mut stream, head| async move {
        if head.contains("/silent") {
            tokio::time::sleep(Duration::from_secs(60)).await;
        }
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
        // A byte now and then keeps a timeout for each read from ever passing.
        while stream.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    for path in ["/silent", "/drip"] {
        let mut config = local(server.url(path));
        config.timeout = Duration::from_millis(300);
        let began = Instant::now();
        refused(get(config, &[]).await, IoErrorKind::Timeout, "300ms");
        assert!(began.elapsed() < Duration::from_secs(20));
    }
}

#[tokio::test]
async fn a_compressed_answer_is_refused_and_not_unpacked() {
    for encoding in ["gzip", "br", "identity, gzip"] {
        let headers = format!("content-encoding: {encoding}\r\n");
        let server = Server::start(move |_| ok(&headers, "\u{1f}bomb")).await;
        let got = get(local(server.url("/")), &[]).await;
        refused(got, IoErrorKind::BadContent, "was not asked for");
    }
}

#[tokio::test]
async fn what_breaks_off_or_makes_no_sense_is_an_error() {
    for answer in [
        "",
        "garbage\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nshort",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
    ] {
        let server = Server::start(move |_| answer.to_owned()).await;
        refused(
            get(local(server.url("/")), &[]).await,
            IoErrorKind::Unavailable,
            "",
        );
    }
    let server =
        Server::start(|_| "HTTP/1.1 302 Found\r\ncontent-length: 0\r\n\r\n".to_owned()).await;
    refused(
        get(local(server.url("/")), &[]).await,
        IoErrorKind::BadContent,
        "nowhere",
    );
    let port = server.port;
    drop(server);
    tokio::time::sleep(Duration::from_millis(50)).await;
    let closed = local(format!("http://127.0.0.1:{port}/"));
    refused(get(closed, &[]).await, IoErrorKind::Unavailable, "");
}
