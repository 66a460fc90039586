//! Two copies of one store are written while they are apart. They meet, and are one again.
//!
//! `cargo run -p dhlrs --example offline_merge`
#![expect(clippy::print_stdout, reason = "an example shows what it did")]

use std::path::Path;

use dhlrs::{NodeBuilder, prelude::*};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = tempfile::tempdir()?;

    // A replicated store has no owner: whoever opens it by its name has a copy of it.
    let office = copy("office", dir.path())?
        .listen("ws://127.0.0.1:0")
        .start()
        .await?;
    let url = office.listen_urls().remove(0);
    let at_office = office.store("wells").await?;
    at_office.set("w1.place", "upper valley").await?;
    at_office.set("w1.state", "not seen yet").await?;

    // The van is connected to nobody, and writes all the same: below the very same path.
    let van = copy("van", dir.path())?.start().await?;
    let in_van = van.store("wells").await?;
    in_van.set("w1.depth_m", 31).await?;
    in_van.set("w1.state", "dry").await?;
    assert!(in_van.get("w1.place").await?.is_none());
    van.shutdown().await;

    // In the evening it is back, and this time it is told where the office is.
    let mut told = at_office.watch("w1").await?;
    let van = copy("van", dir.path())?.connect(url).start().await?;
    let in_van = van.store("wells").await?;
    arrives(&at_office, "w1.depth_m", 31).await?;
    arrives(&in_van, "w1.place", "upper valley").await?;

    // There is one well, with both children. Both had said what state it is in: the later word holds.
    arrives(&at_office, "w1.state", "dry").await?;
    arrives(&in_van, "w1.state", "dry").await?;
    assert_eq!(at_office.snapshot().await?, in_van.snapshot().await?);

    // What comes from another copy is told like what is written here.
    let Some(WatchEvent::Changes(changes)) = told.next().await else {
        return Err("the watch has ended".into());
    };
    let paths: Vec<&str> = changes.changes.iter().map(|c| c.path.as_str()).collect();
    assert!(paths.contains(&"w1.depth_m"), "{paths:?}");

    println!("told at the office: {paths:?}");
    van.shutdown().await;
    office.shutdown().await;
    Ok(())
}

fn copy(machine: &str, dir: &Path) -> Result<NodeBuilder, Box<dyn std::error::Error>> {
    let name = NodeName::new(machine, "main")?;
    Ok(Node::builder(name)
        .data_dir(dir.join(machine))
        .store(StoreOptions::replicated("wells")))
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
