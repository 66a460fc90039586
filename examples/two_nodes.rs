//! One process has a store, another one reads, writes and watches it.
//!
//! Both run in this program here, but nothing in it would change if they were machines apart.
//!
//! `cargo run -p dhlrs --example two_nodes`
#![expect(clippy::print_stdout, reason = "an example shows what it did")]

use dhlrs::RefusalKind;
use dhlrs::prelude::*;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Port 0 takes any that is free. On this machine's own address anybody may connect; beyond it,
    // keys have to be allowed. With `.data_dir("DIR")` the store would survive the process.
    let shop = Node::builder("shop/main".parse()?)
        .store(StoreOptions::owned("orders"))
        .listen("ws://127.0.0.1:0")
        .start()
        .await?;
    let url = &shop.listen_urls()[0];

    // Nodes tell each other which names they reach, so that an address is all one needs.
    let desk = Node::builder("desk/main".parse()?)
        .connect(url)
        .start()
        .await?;
    desk.connected(Duration::from_secs(10)).await?;
    let orders = desk.remote(&"shop/main/orders".parse()?);

    // A watch goes on by itself after a lost connection, and never leaves a change out in silence.
    let mut watch = orders.watch("o1").await?;

    // An answer means that it is done: in order, once, and on disk if the store is durable.
    let written = orders.set("o1.status", "new").reason("till 3").await?;
    let reading = orders.get("o1.status").await?.ok_or("missing")?;
    assert_eq!(reading.value(), Some(&Value::from("new")));

    let Some(WatchEvent::Changes(changes)) = watch.next().await else {
        return Err("the watch has ended".into());
    };
    assert_eq!(changes.revision, written.revision);
    assert_eq!(changes.meta.reason.as_deref(), Some("till 3"));
    assert_eq!(changes.meta.origin.as_ref(), Some(desk.name()));

    // Two tills, one order: a precondition is judged where the store is, so only one of them wins.
    let first = orders
        .set("o1.status", "paid")
        .if_revision(reading.revision)
        .await;
    let second = orders
        .set("o1.status", "void")
        .if_revision(reading.revision)
        .await;
    assert!(first.is_ok());
    let refused = ErrorKind::Refused(RefusalKind::PreconditionFailed);
    assert_eq!(second.err().map(|error| error.kind()), Some(refused));

    // The owner has the very same handle.
    let local = shop.store("orders").await?;
    let reading = local.get("o1.status").await?.ok_or("missing")?;
    assert_eq!(reading.value(), Some(&Value::from("paid")));

    println!("o1.status at revision {}", reading.revision.number);
    desk.shutdown().await;
    shop.shutdown().await;
    Ok(())
}
