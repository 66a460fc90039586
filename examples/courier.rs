//! Two teams that never meet, and a courier who goes from one to the other with what each has written.
//!
//! `cargo run -p dhlrs --example courier`
#![expect(clippy::print_stdout, reason = "an example shows what it did")]

use std::path::Path;

use dhlrs::{NodeBuilder, prelude::*};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = tempfile::tempdir()?;
    let hill = copy("hill", dir.path())?
        .listen("ws://127.0.0.1:0")
        .start()
        .await?;
    let coast = copy("coast", dir.path())?
        .listen("ws://127.0.0.1:0")
        .start()
        .await?;
    let (at_hill, at_coast) = (hill.store("field").await?, coast.store("field").await?);
    at_hill.set("patients.p1.name", "Amara").await?;
    at_coast.set("patients.p2.name", "Bilal").await?;

    // The courier's process is a copy like the others. It meets the hill, and is switched off for the way.
    let courier = copy("courier", dir.path())?
        .connect(&hill.listen_urls()[0])
        .start()
        .await?;
    let bag = courier.store("field").await?;
    arrives(&bag, "patients.p1.name", "Amara").await?;
    courier.shutdown().await;

    // At the coast it hands over what the hill has written, and takes what the coast has. What an author wrote
    // is signed: who carries it can neither change it nor leave something out in the middle.
    let courier = copy("courier", dir.path())?
        .connect(&coast.listen_urls()[0])
        .start()
        .await?;
    let bag = courier.store("field").await?;
    arrives(&at_coast, "patients.p1.name", "Amara").await?;
    arrives(&bag, "patients.p2.name", "Bilal").await?;
    // Both teams write on meanwhile, the same field of the same patient.
    at_hill.set("patients.p1.visit", "Monday").await?;
    // Which one is later is told by clocks, in milliseconds.
    tokio::time::sleep(Duration::from_millis(5)).await;
    at_coast.set("patients.p1.visit", "Tuesday").await?;
    arrives(&bag, "patients.p1.visit", "Tuesday").await?;
    courier.shutdown().await;

    // And back again.
    let courier = copy("courier", dir.path())?
        .connect(&hill.listen_urls()[0])
        .start()
        .await?;
    arrives(&at_hill, "patients.p2.name", "Bilal").await?;
    // Neither had seen the other's visit. The later one holds, here and there.
    arrives(&at_hill, "patients.p1.visit", "Tuesday").await?;
    let visit = at_coast.get("patients.p1.visit").await?.ok_or("missing")?;
    assert_eq!(visit.value(), Some(&"Tuesday".into()));
    assert_eq!(at_hill.snapshot().await?, at_coast.snapshot().await?);

    println!("the hill knows of Bilal, the coast of Amara");
    for node in [courier, coast, hill] {
        node.shutdown().await;
    }
    Ok(())
}

fn copy(machine: &str, dir: &Path) -> Result<NodeBuilder, Box<dyn std::error::Error>> {
    let name = NodeName::new(machine, "main")?;
    Ok(Node::builder(name)
        .data_dir(dir.join(machine))
        .store(StoreOptions::replicated("field")))
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
