//! Records that many fill in, as events of kinds of their own, beside the tree.
//!
//! The tree of a replicated store is one thing that its events come to. A program can send events of other kinds with
//! them, and say what these come to: here the field records, which many fill in and each reads alike.
//!
//! `cargo run -p dhlrs --example field_records`
#![expect(clippy::print_stdout, reason = "an example shows what it did")]

use std::collections::BTreeMap;

use dhlrs::{
    NodeBuilder,
    bag::Text,
    prelude::*,
    reducer::{FieldRecord, FieldRecords, KindReducer, Logged},
    transport::MemoryBus,
    wire::{EventAction, EventVerdict},
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let bus = MemoryBus::new();
    let line = bus.link("clinic", "tent");
    let clinic = node(&bus, "clinic")?.start().await?;
    let tent = node(&bus, "tent")?
        .connect("memory://clinic")
        .start()
        .await?;
    let (at_clinic, in_tent) = (clinic.store("field").await?, tent.store("field").await?);
    at_clinic
        .emit("record.create", r#"{"record_id":"p1","form":"patient"}"#)
        .await?;
    until(&in_tent, |p1| p1.form.as_str() == "patient").await?;

    // Both fill in the same record while they are apart: notes add up, of one field the later value counts.
    line.cut();
    for (field, at) in [(&at_clinic, "clinic"), (&in_tent, "tent")] {
        let note = format!(r#"{{"record_id":"p1","text":"seen at the {at}"}}"#);
        let set = format!(r#"{{"record_id":"p1","field":"last_seen","value":"{at}"}}"#);
        field.emit("note.add", note).and("field.set", set).await?;
        // Which one is later is told by clocks, in milliseconds.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    line.heal();

    let here = until(&at_clinic, |p1| p1.notes.len() == 2).await?;
    let there = until(&in_tent, |p1| p1.notes.len() == 2).await?;
    assert_eq!(here, there);
    assert_eq!(here.fields.get("last_seen"), Some(&Value::from("tent")));
    assert_eq!(here.created_by, Some(clinic.key()));
    // The tree has taken no notice.
    assert!(at_clinic.get("p1").await?.is_none());

    println!("p1: {:?}", here.notes);
    tent.shutdown().await;
    clinic.shutdown().await;
    Ok(())
}

fn node(bus: &MemoryBus, name: &str) -> Result<NodeBuilder, Box<dyn std::error::Error>> {
    Ok(Node::builder(NodeName::new(name, "main")?)
        .transport("memory", bus.endpoint(name)?)
        .listen(format!("memory://{name}"))
        .store(StoreOptions::replicated("field")))
}

/// What the events so far come to: they are read from the store, and reduced in their total order.
async fn records(
    field: &StoreHandle,
) -> Result<BTreeMap<Text, FieldRecord>, Box<dyn std::error::Error>> {
    let mut records = FieldRecords.initial();
    // The newest comes first.
    for event in field.history("").await?.into_iter().rev() {
        if let EventAction::Emit { kind } = &event.action
            && event.verdict == EventVerdict::Reduced
            && let Some(Value::Text(payload)) = &event.value
        {
            let at = Logged {
                stamp: event.stamp,
                dot: event.dot,
            };
            FieldRecords.apply(&mut records, &at, kind, payload.as_bytes());
        }
    }
    Ok(records)
}

/// Waits until the record of `p1` is as it should be.
async fn until(
    field: &StoreHandle,
    is_so: impl Fn(&FieldRecord) -> bool,
) -> Result<FieldRecord, Box<dyn std::error::Error>> {
    let waiting = async {
        loop {
            if let Some(p1) = records(field).await?.remove("p1")
                && is_so(&p1)
            {
                return Ok(p1);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waiting).await?
}
