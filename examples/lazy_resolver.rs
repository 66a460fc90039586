//! A node whose value is fetched when somebody reads it.
//!
//! `cargo run -p dhlrs --example lazy_resolver`
#![expect(clippy::print_stdout, reason = "an example shows what it did")]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use dhlrs::prelude::*;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The code has a name. Trees hold the name and parameters, never code.
    let calls = Arc::new(AtomicI64::new(0));
    let counted = calls.clone();
    let options = ResolverOptions {
        cache_time_ms: 60_000,
        ..ResolverOptions::default()
    };
    let node = Node::builder("house/main".parse()?)
        .resolver("thermometer", options, move |call: Call| {
            let reading = 20 + counted.fetch_add(1, Ordering::Relaxed);
            async move {
                // A real one would ask a device; the room is an attribute of the node.
                assert_eq!(call.parameters.get("room"), Some(&Value::from("kitchen")));
                Ok(Content::from(reading))
            }
        })
        .store(StoreOptions::owned("rooms").bind("*.temperature", "thermometer", None))
        .start()
        .await?;
    let rooms = node.store("rooms").await?;
    rooms.set("kitchen.temperature?room", "kitchen").await?;
    assert_eq!(calls.load(Ordering::Relaxed), 0, "nobody has read it yet");

    // Many readers at once are one call.
    let read = || async {
        let reading = rooms.get("kitchen.temperature").await?;
        Ok::<_, dhlrs::Error>(reading.and_then(|reading| reading.value().cloned()))
    };
    let (one, two, three) = tokio::try_join!(read(), read(), read())?;
    assert_eq!((&one, &two, &three), (&Some(Value::from(20)), &one, &one));
    assert_eq!(calls.load(Ordering::Relaxed), 1);

    // From now on the cache answers, for a minute or until somebody invalidates it.
    assert_eq!(read().await?, Some(Value::from(20)));
    rooms.invalidate("kitchen.temperature").await?;
    assert_eq!(read().await?, Some(Value::from(21)));
    assert_eq!(calls.load(Ordering::Relaxed), 2);

    // A static read never fetches: it shows what is stored, and a resolved value is not.
    let stored = rooms.get("kitchen.temperature").view(View::Stored).await?;
    assert_eq!(
        stored.and_then(|reading| reading.value().cloned()),
        Some(Value::Null)
    );

    println!("5 reads, {} calls", calls.load(Ordering::Relaxed));
    node.shutdown().await;
    Ok(())
}
