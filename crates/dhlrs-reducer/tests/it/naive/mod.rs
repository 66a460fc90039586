//! The rules said once more, for obviousness: everything is computed from all events, nothing is kept, nothing dropped.

mod admission;
mod tree;

use std::collections::BTreeMap;

use dhlrs_bag::{Bag, Name, NodeId, Value};
use dhlrs_clock::VersionVector;
use dhlrs_feed::{ControlRecord, Event, EventId, FeedId};
use dhlrs_reducer::Reducer;

pub(crate) use admission::Admitted;

/// What one replica has stored.
#[derive(Clone, Default)]
pub(crate) struct Stored {
    pub(crate) is_rooted: bool,
    pub(crate) chains: BTreeMap<FeedId, Vec<(Event, EventId)>>,
    pub(crate) records: Vec<ControlRecord>,
    pub(crate) now_ms: u64,
    /// What was reduced once.
    pub(crate) released: VersionVector<FeedId>,
}

/// What a replica shows: the attributes of the root, and each bag node in pre-order.
#[derive(PartialEq, Debug, Default)]
pub(crate) struct Shows {
    pub(crate) root: BTreeMap<Name, Value>,
    pub(crate) rows: Vec<Row>,
}

#[derive(PartialEq, Debug)]
pub(crate) struct Row {
    pub(crate) depth: usize,
    pub(crate) id: NodeId,
    pub(crate) label: String,
    pub(crate) is_displaced: bool,
    pub(crate) value: Option<Value>,
    pub(crate) hidden: Option<Value>,
    pub(crate) attributes: BTreeMap<Name, Value>,
}

/// What comes of what is stored.
pub(crate) struct Outcome {
    pub(crate) shows: Shows,
    pub(crate) reduced: BTreeMap<FeedId, u64>,
    pub(crate) control: u64,
}

pub(crate) fn reduce(stored: &Stored) -> Outcome {
    let (admitted, reduced, control) = admission::admit(stored);
    Outcome {
        shows: tree::fold(&admitted),
        reduced,
        control,
    }
}

/// What the reducer shows, in the same words.
pub(crate) fn shown_by(reducer: &Reducer) -> Shows {
    let mut rows = Vec::new();
    let children = |id, depth: usize| {
        let mut children: Vec<(NodeId, usize)> =
            reducer.children(id).map(|id| (id, depth)).collect();
        children.reverse();
        children
    };
    let mut open = children(NodeId::ROOT, 0);
    while let Some((id, depth)) = open.pop() {
        let view = reducer.node(id).unwrap();
        rows.push(Row {
            depth,
            id,
            label: view.label.to_string(),
            is_displaced: view.is_displaced,
            value: view.value.clone(),
            hidden: view.hidden.clone(),
            attributes: view.attributes.clone(),
        });
        open.extend(children(id, depth + 1));
    }
    Shows {
        root: reducer.root_attributes().clone(),
        rows,
    }
}

/// A bag node of a bag, or the root.
#[derive(PartialEq, Debug)]
pub(crate) struct Held {
    depth: usize,
    id: NodeId,
    label: String,
    value: Option<Value>,
    attributes: Vec<(Name, Value)>,
}

/// What stands in a bag, in pre-order.
pub(crate) fn held_by(bag: &Bag) -> Vec<Held> {
    let root = bag.root().attributes().iter();
    let mut rows = vec![held(0, NodeId::ROOT, String::new(), None, root)];
    for visited in bag.root().stored_walk() {
        let node = visited.node;
        let depth = usize::from(visited.depth) + 1;
        let (label, value) = (node.label().to_string(), node.stored_value());
        rows.push(held(
            depth,
            node.id(),
            label,
            value,
            node.attributes().iter(),
        ));
    }
    rows
}

impl Shows {
    /// The same for what is shown.
    pub(crate) fn as_held(&self) -> Vec<Held> {
        let root = self.root.iter();
        let mut rows = vec![held(0, NodeId::ROOT, String::new(), None, root)];
        for row in &self.rows {
            // No label of a history has a `~`, but for one that is to look like a displaced one.
            let label = match row.is_displaced || row.label.contains('~') {
                true => format!("{}~{}", row.label, row.id),
                false => row.label.clone(),
            };
            let value = row.value.as_ref();
            rows.push(held(
                row.depth + 1,
                row.id,
                label,
                value,
                row.attributes.iter(),
            ));
        }
        rows
    }
}

fn held<'a>(
    depth: usize,
    id: NodeId,
    label: String,
    value: Option<&Value>,
    attributes: impl Iterator<Item = (&'a Name, &'a Value)>,
) -> Held {
    let attributes = attributes.map(|(name, value)| (name.clone(), value.clone()));
    let mut attributes: Vec<_> = attributes.collect();
    attributes.sort_by(|(a, _), (b, _)| a.cmp(b));
    Held {
        depth,
        id,
        label,
        value: value.cloned(),
        attributes,
    }
}
