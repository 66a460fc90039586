//! Code that runs when the tree changes, and answers with changes of its own.
//!
//! `cargo run -p dhlrs --example triggers`
#![expect(clippy::print_stdout, reason = "an example shows what it did")]

use dhlrs::prelude::*;
use dhlrs::{Event, Reactions, Shown};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let node = Node::builder("shop/main".parse()?)
        .store(StoreOptions::owned("orders"))
        .start()
        .await?;
    let orders = node.store("orders").await?;

    // A trigger must not block. It never writes by itself: what it answers is written after the
    // dispatch, as any other change is, with everything that follows from it.
    let audit: Path<'static> = "audit.last".parse()?;
    orders
        .on(
            "open.*.status",
            move |event: &Event<'_>, then: &mut Reactions| {
                if let Shown::Scalar(status) = event.new() {
                    let note = format!("{} is {status}", event.path());
                    then.emit_here(Edit::set(audit.clone(), note));
                }
                Flow::Continue
            },
        )
        .await?;

    // A watch tells the same to whoever waits for it, here or in another process.
    let mut watch = orders.watch("audit").await?;
    orders.set("open.o1.status", "paid").await?;
    let Some(WatchEvent::Changes(changes)) = watch.next().await else {
        return Err("the watch has ended".into());
    };
    let last = changes.changes.last().ok_or("no change")?;
    assert_eq!(last.path.as_str(), "audit.last");

    // Only what really changes something is told: this set is none.
    let revision = orders.set("open.o1.status", "paid").await?.revision;
    assert_eq!(revision, changes.revision);

    // What matches no pattern runs nothing.
    orders.set("closed.o0.status", "paid").await?;
    let reading = orders.get("audit.last").await?.ok_or("missing")?;
    let note = reading.value().and_then(Value::as_text);
    assert_eq!(note, Some("open.o1.status is paid"));

    println!("audit: {note:?}");
    node.shutdown().await;
    Ok(())
}
