//! Nodes whose values come from a web server and from files, read when somebody asks for them.
//!
//! `cargo run -p dhlrs --features resolver-io --example http_resolver`
#![expect(clippy::print_stdout, reason = "an example shows what it did")]

use std::net::IpAddr;

use dhlrs::prelude::*;
use dhlrs::resolver_io::{FileConfig, FileResolver, HttpConfig, HttpResolver};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // A weather service, which is on this machine here.
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    let service = tokio::spawn(serve(listener));

    // `{city}` is an attribute of the node, put in as one segment whatever it holds. Private
    // addresses are refused unless they are named.
    let mut weather = HttpConfig::new(format!("http://127.0.0.1:{port}/weather/{{city}}"));
    weather.addresses.insert(IpAddr::from([127, 0, 0, 1]));
    let files = tempfile::tempdir()?;
    std::fs::write(files.path().join("notice.txt"), "closed on Sunday")?;
    std::fs::write(files.path().join("prices.csv"), "item,price\ntea,3\n")?;

    // What does IO is for bindings of this configuration only: nobody who writes to the tree can
    // make this process ask or read anything.
    let bound = || ResolverOptions {
        cache_time_ms: 60_000,
        bindings_only: true,
        ..ResolverOptions::default()
    };
    let town = StoreOptions::owned("town")
        .bind("weather.*", "weather", None)
        .bind("files.*", "file", None);
    let node = Node::builder("town/main".parse()?)
        .resolver("weather", bound(), HttpResolver::new(weather)?.into_code())
        .resolver(
            "file",
            bound(),
            FileResolver::new(FileConfig::new(files.path()))?.into_code(),
        )
        .store(town)
        .start()
        .await?;
    let town = node.store("town").await?;
    town.set("weather.here?city", "Basel / Kleinbasel").await?;
    town.set("files.notice?file", "notice.txt").await?;
    town.set("files.prices?file", "prices.csv").await?;
    town.set("files.passwords?file", "../../etc/passwd").await?;

    let weather = town.get("weather.here").await?.ok_or("missing")?;
    let expected = "rain at /weather/Basel%20%2F%20Kleinbasel";
    assert_eq!(weather.value(), Some(&Value::from(expected)));
    let notice = town.get("files.notice").await?.ok_or("missing")?;
    assert_eq!(notice.value(), Some(&Value::from("closed on Sunday")));
    // A table is a branch, and a path goes on inside it.
    let price = town.get("files.prices.0.price").await?.ok_or("missing")?;
    assert_eq!(price.value(), Some(&Value::from("3")));
    let refused = town.get("files.passwords").await;
    let refused = refused.err().ok_or("read the passwords")?;
    assert_eq!(
        refused.kind(),
        ErrorKind::Refused(dhlrs::RefusalKind::Denied)
    );

    println!("{expected}; {refused}");
    node.shutdown().await;
    service.abort();
    Ok(())
}

/// Answers every request with the weather at its path.
async fn serve(listener: TcpListener) -> std::io::Result<()> {
    loop {
        let (mut stream, _) = listener.accept().await?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await?);
        }
        let head = String::from_utf8_lossy(&head);
        let body = format!("rain at {}", head.split(' ').nth(1).unwrap_or("?"));
        let length = body.len();
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}");
        stream.write_all(answer.as_bytes()).await?;
    }
}
