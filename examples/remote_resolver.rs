//! A node whose value lives in the store of another process, fetched when it is read.
//!
//! `cargo run -p dhlrs --example remote_resolver`
#![expect(clippy::print_stdout, reason = "an example shows what it did")]

use dhlrs::RefusalKind;
use dhlrs::prelude::*;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let crm = Node::builder("crm/main".parse()?)
        .store(StoreOptions::owned("people"))
        .listen("ws://127.0.0.1:0")
        .start()
        .await?;
    let people = crm.store("people").await?;
    people.set("p7.name", "Ada").await?;

    // Whoever reads `customers.X` here reads `people` there. `{id}` is an attribute of the node; the
    // answer is kept for a minute. This is configuration of the shop: nobody can write it from
    // outside.
    let shop = Node::builder("shop/main".parse()?)
        .store(StoreOptions::owned("orders").resolve(
            "customers.*",
            "crm/main/people/{id}.name",
            60_000,
        ))
        .connect(&crm.listen_urls()[0])
        .start()
        .await?;
    shop.connected(Duration::from_secs(10)).await?;
    let orders = shop.store("orders").await?;
    orders.set("customers.c1?id", "p7").await?;

    let customer = || async {
        let reading = orders.get("customers.c1").await?;
        Ok::<_, dhlrs::Error>(reading.and_then(|reading| reading.value().cloned()))
    };
    assert_eq!(customer().await?, Some(Value::from("Ada")));

    // The copy is a cache, not a replica: it is old until it is refreshed or its minute is over.
    people.set("p7.name", "Ada Lovelace").await?;
    assert_eq!(customer().await?, Some(Value::from("Ada")));
    orders.refresh("customers.c1").await?;
    assert_eq!(customer().await?, Some(Value::from("Ada Lovelace")));

    // A failure is the reader's, with its reason, and nobody else's.
    orders.set("customers.c2?id", "nobody").await?;
    let failed = orders.get("customers.c2").await.err().ok_or("resolved")?;
    assert_eq!(failed.kind(), ErrorKind::Refused(RefusalKind::Resolver));
    assert!(failed.to_string().contains("crm/main/people/nobody.name"));
    assert_eq!(customer().await?, Some(Value::from("Ada Lovelace")));

    println!("customers.c1 is {}", customer().await?.ok_or("missing")?);
    shop.shutdown().await;
    crm.shutdown().await;
    Ok(())
}
