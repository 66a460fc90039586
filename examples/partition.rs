//! A test of your own: what does a program do when the network falls apart, and when it is whole again?
//!
//! The nodes are real ones; only the network between them is in memory, where it can be cut.
//!
//! `cargo run -p dhlrs --example partition`
#![expect(clippy::print_stdout, reason = "an example shows what it did")]

use dhlrs::{
    prelude::*,
    transport::{MemoryBus, MemoryLink},
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let bus = MemoryBus::new();
    // Three shops in a line: what the ends say to each other goes through the one in the middle.
    let north = shop(&bus, "north", &[]).await?;
    let middle = shop(&bus, "middle", &["north"]).await?;
    let south = shop(&bus, "south", &["middle"]).await?;
    let cut: MemoryLink = bus.link("north", "middle");
    let (at_north, at_south) = (north.store("stock").await?, south.store("stock").await?);

    at_north.set("tea.name", "Assam").await?;
    arrives(&at_south, "tea.name", "Assam").await?;

    // The north is cut off. Nobody waits for it, and it waits for nobody.
    cut.cut();
    at_north.set("tea.shelf", 4).await?;
    at_north.rename("tea", "black_tea").await?;
    at_south.set("tea.price", 12).await?;
    at_south.set("coffee.price", 9).await?;
    assert!(at_south.get("tea.shelf").await?.is_none());
    assert!(at_north.get("coffee").await?.is_none());
    // What the south has written is in the middle by now, which is no less alone.
    let in_middle = middle.store("stock").await?;
    arrives(&in_middle, "coffee.price", 9).await?;
    let seen_from_north = at_north.snapshot().await?;
    assert_ne!(seen_from_north, at_south.snapshot().await?);

    // Whole again. The rename has met a price that was set under the old label: both are kept.
    cut.heal();
    arrives(&at_north, "coffee.price", 9).await?;
    arrives(&at_south, "black_tea.shelf", 4).await?;
    for stock in [&at_north, &in_middle, &at_south] {
        arrives(stock, "black_tea.price", 12).await?;
        assert!(stock.get("tea").await?.is_none());
    }
    let tree = at_north.snapshot().await?;
    assert_eq!(tree, at_south.snapshot().await?);
    assert_eq!(tree, in_middle.snapshot().await?);
    // A snapshot stays what it was.
    assert!(seen_from_north.get("coffee").is_none());

    println!("{} bag nodes in each of three shops", tree.len());
    for node in [south, middle, north] {
        node.shutdown().await;
    }
    Ok(())
}

async fn shop(
    bus: &MemoryBus,
    name: &str,
    neighbours: &[&str],
) -> Result<Node, Box<dyn std::error::Error>> {
    let mut shop = Node::builder(NodeName::new(name, "main")?)
        .transport("memory", bus.endpoint(name)?)
        .listen(format!("memory://{name}"))
        .store(StoreOptions::replicated("stock"));
    for neighbour in neighbours {
        shop = shop.connect(format!("memory://{neighbour}"));
    }
    Ok(shop.start().await?)
}

/// Waits until the node has that value.
async fn arrives(
    store: &StoreHandle,
    path: &str,
    value: impl Into<Value>,
) -> Result<(), Box<dyn std::error::Error>> {
    let value = value.into();
    // Watched first, so that nothing can happen between the look and the wait.
    let mut watch = store.watch(path).await?;
    loop {
        let reading = store.get(path).await?;
        if reading.and_then(|reading| reading.value().cloned()) == Some(value.clone()) {
            return Ok(());
        }
        tokio::time::timeout(Duration::from_secs(20), watch.next()).await?;
    }
}
