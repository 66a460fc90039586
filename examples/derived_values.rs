//! Values that are computed from others, and again in the same change in which one of them changes.
//!
//! `cargo run -p dhlrs --example derived_values`
#![expect(clippy::print_stdout, reason = "an example shows what it did")]

use dhlrs::prelude::*;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let till = StoreOptions::owned("till")
        // What it is computed from is said here, and it can read nothing else.
        .derived("today.net", ["orders.*.price"], |inputs| {
            let prices = inputs.values().filter_map(|(_, price)| price.as_int());
            Ok(prices.sum::<i64>())
        })
        .derived("today.tax", ["today.net", "rate"], |inputs| {
            let net = inputs.get("today.net")?.and_then(Value::as_int);
            let rate = inputs.get("rate")?.and_then(Value::as_int);
            match (net, rate) {
                (Some(net), Some(rate)) => Ok(net * rate / 100),
                _ => Err(DeriveError::failed("there is no rate yet")),
            }
        })
        .derived("today.gross", ["today.net", "today.tax"], |inputs| {
            let parts = inputs.values().filter_map(|(_, part)| part.as_int());
            Ok(parts.sum::<i64>())
        });
    let shop = Node::builder("shop/main".parse()?)
        .store(till)
        .listen("ws://127.0.0.1:0")
        .start()
        .await?;
    let till = shop.store("till").await?;
    till.set("rate", 19).await?;

    // Another process reads and watches them like any other value.
    let desk = Node::builder("desk/main".parse()?)
        .connect(&shop.listen_urls()[0])
        .start()
        .await?;
    desk.connected(Duration::from_secs(10)).await?;
    let from_desk = desk.remote(&"shop/main/till".parse()?);
    let mut watch = from_desk.watch("today.*").await?;

    // One write, one batch of changes with all that follows from it: nobody ever sees a net price
    // beside the tax of another.
    till.set("orders.o1.price", 200).await?;
    let Some(WatchEvent::Changes(told)) = watch.next().await else {
        return Err("the watch ended".into());
    };
    let told: Vec<_> = told
        .changes
        .iter()
        .map(|change| change.path.as_str())
        .collect();
    assert_eq!(told, ["today.net", "today.tax", "today.gross"]);
    let gross = from_desk.get("today.gross").await?.ok_or("missing")?;
    assert_eq!(gross.value(), Some(&Value::from(238)));

    // They are computed, not written; and what would be computed from itself is refused.
    assert!(till.set("today.net", 1).await.is_err());
    let circle = till.derive("rate", ["today.tax"], |_| Ok(7)).await;
    let circle = circle.err().ok_or("a circle")?.to_string();
    assert!(circle.contains("rate -> today.tax -> rate"), "{circle}");

    // One more, later. Nothing of any of them is stored.
    till.derive("today.orders", ["orders.*.price"], |inputs| {
        Ok(inputs.values().count() as i64)
    })
    .await?;
    let stored = till.get("today.gross").view(View::Stored).await?;
    assert!(stored.is_none());

    println!("200 and 19 % make {}", gross.value().ok_or("missing")?);
    desk.shutdown().await;
    shop.shutdown().await;
    Ok(())
}
