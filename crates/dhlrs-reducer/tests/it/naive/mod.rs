//! The rules said once more, for obviousness: everything is computed from all events, nothing is kept, nothing dropped.

mod admission;
mod tree;

use std::collections::BTreeMap;

use dhlrs_bag::{Name, NodeId, Value};
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
            reducer.children(id).iter().map(|id| (*id, depth)).collect();
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
