//! Events as people are shown them.

use dhlrs_bag::{Bag, Bytes, Value};
use dhlrs_feed::{Cell, Event, HomePath, HomeStep, Payload, TreeOp};
use dhlrs_path::Path;
use dhlrs_wire::{EVENT_PATH_BYTES_MAX, EventAction, EventRow, EventVerdict};

/// The event beside the tree as it is now.
pub(crate) fn event_row(bag: &Bag, event: &Event, verdict: EventVerdict) -> EventRow {
    let (action, path, value) = match &event.payload {
        Payload::Tree(op) => {
            let (action, value) = of_tree(bag, op);
            (action, path_of(bag, op.node()), value)
        }
        Payload::Other { kind, bytes } => {
            let value = match std::str::from_utf8(bytes) {
                Ok(text) => Value::from(text),
                Err(_) => Value::Bytes(Bytes::new(bytes)),
            };
            let kind = kind.clone();
            (EventAction::Emit { kind }, String::new(), Some(value))
        }
        Payload::Close { .. } => (EventAction::Close, String::new(), None),
        Payload::Seen => (EventAction::Seen, String::new(), None),
    };
    EventRow {
        dot: event.dot,
        stamp: event.stamp,
        following: event.following,
        action,
        path,
        value,
        verdict,
    }
}

fn of_tree(bag: &Bag, op: &TreeOp) -> (EventAction, Option<Value>) {
    match op {
        TreeOp::Create { .. } => (EventAction::Create, None),
        TreeOp::Write { cell, value, .. } => {
            let action = match cell {
                Cell::Scalar => EventAction::Set,
                Cell::Attribute(name) => EventAction::SetAttribute { name: name.clone() },
            };
            (action, Some(value.clone()))
        }
        TreeOp::Move { parent, .. } => {
            let to = path_of(bag, parent);
            (EventAction::Move { to }, None)
        }
        TreeOp::Rename { label, .. } => {
            let label = label.clone();
            (EventAction::Rename { label }, None)
        }
        TreeOp::Reorder { .. } => (EventAction::Reorder, None),
        TreeOp::Remove { .. } => (EventAction::Remove, None),
        TreeOp::Clear { .. } => (EventAction::Clear, None),
    }
}

/// Where a bag node shows; one that does not, below the nearest that does.
pub(crate) fn path_of(bag: &Bag, node: &HomePath) -> String {
    let mut at = node;
    let mut gone: Vec<String> = Vec::new();
    let mut text = loop {
        if let Some(shown) = bag.node_by_id(at.id()) {
            break shown.path().as_str().to_owned();
        }
        let Some((parent, step)) = at.home() else {
            break String::new();
        };
        gone.push(match step {
            HomeStep::Labelled { label, .. } => Path::from_labels([label.as_str()]).map_or_else(
                |_| label.as_str().to_owned(),
                |path| path.as_str().to_owned(),
            ),
            HomeStep::Anonymous(_) => format!("~{}", at.id()),
        });
        at = parent;
    };
    for step in gone.iter().rev() {
        if !text.is_empty() {
            text.push('.');
        }
        text.push_str(step);
    }
    if text.len() > EVENT_PATH_BYTES_MAX {
        let end = text.floor_char_boundary(EVENT_PATH_BYTES_MAX);
        text.truncate(end);
    }
    text
}
