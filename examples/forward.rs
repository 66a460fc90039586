//! A store that sends its changes on to another one, each exactly once, whoever is down meanwhile.
//!
//! `cargo run -p dhlrs --example forward`
#![expect(clippy::print_stdout, reason = "an example shows what it did")]

use std::path::Path;

use dhlrs::prelude::*;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = tempfile::tempdir()?;

    // Every change below `done` goes to the archive: `done.o1` arrives as `2026.o1`. Where the shop
    // stands is in its log, so a restart neither loses a change nor sends one twice.
    let shop = Node::builder("shop/main".parse()?)
        .data_dir(dir.path().join("shop"))
        .store(StoreOptions::owned("orders").forward("done.**", "archive/main/orders/2026"))
        .listen("ws://127.0.0.1:0")
        .start()
        .await?;
    let url = shop.listen_urls().remove(0);
    let orders = shop.store("orders").await?;

    let archive = start_archive(&dir.path().join("archive"), &url).await?;
    orders.set("done.o1.status", "sent").await?;
    orders.set("open.o2.status", "new").await?;
    assert_eq!(
        arrives(&archive, "2026.o1.status").await?,
        Value::from("sent")
    );

    // The archive is away for a while. The shop does not wait for it.
    archive.shutdown().await;
    orders.set("done.o3.status", "sent").await?;
    orders.remove("done.o1").await?;
    let archive = start_archive(&dir.path().join("archive"), &url).await?;
    assert_eq!(
        arrives(&archive, "2026.o3.status").await?,
        Value::from("sent")
    );

    // Order is kept, removals travel too, and what does not match stays at home.
    orders.set("done.end", true).await?;
    arrives(&archive, "2026.end").await?;
    let there = archive.store("orders").await?.snapshot().await?;
    let labels: Vec<&str> = there
        .node(&"2026".parse()?)
        .ok_or("missing")?
        .children()
        .map(|node| node.label().as_str())
        .collect();
    assert_eq!(labels, ["o3", "end"]);
    assert!(there.node(&"open".parse()?).is_none());

    println!("archived: {labels:?}");
    archive.shutdown().await;
    shop.shutdown().await;
    Ok(())
}

async fn start_archive(dir: &Path, url: &str) -> Result<Node, Box<dyn std::error::Error>> {
    let archive = Node::builder("archive/main".parse()?)
        .data_dir(dir)
        .store(StoreOptions::owned("orders"))
        .connect(url)
        .start()
        .await?;
    Ok(archive)
}

/// Waits until the node has a value.
async fn arrives(archive: &Node, path: &str) -> Result<Value, Box<dyn std::error::Error>> {
    let orders = archive.store("orders").await?;
    // Watched first, so that nothing can happen between the look and the wait.
    let mut watch = orders.watch(path).await?;
    loop {
        let reading = orders.get(path).await?;
        if let Some(value) = reading.and_then(|reading| reading.value().cloned()) {
            return Ok(value);
        }
        tokio::time::timeout(Duration::from_secs(20), watch.next()).await?;
    }
}
