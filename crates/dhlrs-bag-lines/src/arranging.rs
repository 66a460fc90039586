//! `move` and `sort`: other places, the same nodes.

use dhlrs_bag::{Change, ChangeKind, NodeId, Op, Shown, Value};
use dhlrs_path::Path;

use crate::{
    attributes,
    error::ErrorClass,
    events::{Cause, Telling},
    handle::Phase,
    json::Json,
    ordering::{Key, sort},
    querying::Cell,
    request::Request,
    resolving::Resolved,
    session::Session,
    walking::Spot,
};

type Answer = Result<String, ErrorClass>;

impl Session {
    pub(crate) fn op_move(&mut self, request: &Request<'_>) -> Answer {
        let bag = self.bag_of(request)?;
        let what = match request.field("what")? {
            Json::Array(items) => items.iter().map(index).collect::<Result<Vec<_>, _>>()?,
            item => vec![index(item)?],
        };
        let to = index(request.field("to")?)?;
        let mut order = self.children(&bag)?;
        let Ok(to) = usize::try_from(to) else {
            return Ok("null".to_owned());
        };
        // To the end and beyond is to the end.
        let Some(last) = order.len().checked_sub(1) else {
            return Ok("null".to_owned());
        };
        let (is_beyond, to) = (to > last, to.min(last));
        let before = order.clone();
        let moved = match what.as_slice() {
            [] => return Ok("null".to_owned()),
            [from] => move_one(&mut order, *from, to),
            _ => move_several(&mut order, what, to),
        };
        if is_beyond && order == before {
            return Ok("null".to_owned());
        }
        self.rearrange(&bag, &order)?;
        let is_told = self.handle(&bag.handle)?.tells_moves(bag.node);
        for (node, phase, index) in moved.into_iter().filter(|_| is_told) {
            self.tell_of_place(&bag, node, phase, index)?;
        }
        Ok("null".to_owned())
    }

    // Puts the children into another order without telling.
    fn rearrange(&mut self, bag: &Spot, order: &[NodeId]) -> Result<(), ErrorClass> {
        let own = self.handle_mut(&bag.handle)?;
        let present = own.bag.node_by_id(bag.node);
        let present: Vec<_> = present
            .iter()
            .flat_map(|bag| bag.children())
            .map(|child| child.id())
            .collect();
        let is_only_moved = order.len() == present.len();
        if !is_only_moved || order == present {
            return Ok(());
        }
        let places: std::collections::BTreeMap<_, _> = present
            .iter()
            .zip(0u32..)
            .map(|(id, place)| (*id, place))
            .collect();
        let order = order
            .iter()
            .filter_map(|id| places.get(id).copied())
            .collect();
        let revision = own.bag.revision() + 1;
        own.bag.apply(
            &[Op::Sort {
                id: bag.node,
                order,
            }],
            revision,
        );
        Ok(())
    }

    // A move is told as the reference tells it: the node is gone, the node is there.
    fn tell_of_place(
        &mut self,
        bag: &Spot,
        node: NodeId,
        phase: Phase,
        index: usize,
    ) -> Result<(), ErrorClass> {
        let own = self.handle(&bag.handle)?;
        let found = own.bag.node_by_id(node).ok_or(ErrorClass::Internal)?;
        let shown = match found.value() {
            Some(value) => Shown::Scalar(value.clone()),
            None => Shown::Branch {
                nodes: found.nodes(),
            },
        };
        let path = found.path();
        let change = Change {
            kind: ChangeKind::Move,
            id: node,
            path: path.clone(),
            old_path: Some(path),
            ancestors: found.ancestors().map(|bag| bag.id()).collect(),
            old_ancestors: Vec::new(),
            old: shown.clone(),
            new: shown,
            attributes: Vec::new(),
            index: Some(index as u64),
            old_index: None,
            autocreated: false,
            invalidated: false,
        };
        let telling = Telling {
            phase,
            evt: if phase == Phase::Insert { "ins" } else { "del" },
            index: Some(index as u64),
            cause: Cause::default(),
            old: None,
            diff: None,
        };
        self.emit(&bag.handle, &change, &telling);
        Ok(())
    }

    pub(crate) fn op_sort(&mut self, request: &Request<'_>) -> Answer {
        let bag = self.bag_of(request)?;
        let key = match request.get("key") {
            None => "#k:a",
            Some(key) => key.text().ok_or(ErrorClass::Internal)?,
        };
        let children = self.children(&bag)?;
        let mut places: Vec<usize> = (0..children.len()).collect();
        let sorted = self.sort_places(&bag, &children, &mut places, key);
        let order = places.iter().filter_map(|place| children.get(*place));
        let order: Vec<_> = order.copied().collect();
        self.rearrange(&bag, &order)?;
        if order != children {
            self.tell_sorted(&bag)?;
        }
        sorted.map(|()| "null".to_owned())
    }

    fn sort_places(
        &mut self,
        bag: &Spot,
        children: &[NodeId],
        places: &mut Vec<usize>,
        key: &str,
    ) -> Result<(), ErrorClass> {
        // The last level first: sorting is stable.
        for level in key.rsplit(',') {
            let (what, mode) = level.split_once(':').unwrap_or((level, "a"));
            let (what, mode) = (what.trim(), mode.trim());
            let ignore_case = matches!(mode, "a" | "d");
            let mut keys: Vec<Key> = Vec::with_capacity(children.len());
            keys.resize_with(children.len(), || Key::Value(Value::Null));
            for place in places.iter() {
                let Some(child) = children.get(*place) else {
                    continue;
                };
                let key = self.sort_key(bag, *child, what, ignore_case)?;
                if let Some(slot) = keys.get_mut(*place) {
                    *slot = key;
                }
            }
            sort(places, &keys, matches!(mode, "d" | "D"))?;
        }
        Ok(())
    }

    fn sort_key(
        &mut self,
        bag: &Spot,
        child: NodeId,
        what: &str,
        ignore_case: bool,
    ) -> Result<Key, ErrorClass> {
        let spot = Spot {
            handle: bag.handle.clone(),
            node: child,
        };
        let own = self.handle(&bag.handle)?;
        let node = own.bag.node_by_id(child).ok_or(ErrorClass::Internal)?;
        let lower = what.to_lowercase();
        if lower == "#k" {
            return Ok(Key::new(Value::from(node.label().as_str()), ignore_case));
        }
        if lower == "#v" {
            let value = self.resolved_value(&spot)?;
            return Ok(value.map_or(Key::Bag, |value| Key::new(value, ignore_case)));
        }
        if lower.starts_with("#a.") {
            let name = what.get(3..).unwrap_or_default();
            let value = attributes::get(node.attributes(), name).clone();
            return Ok(Key::new(value, ignore_case));
        }
        // The value of a node in the child; whether there is one to look into is asked first, and
        // resolves as well.
        self.resolve(&spot, &[])?;
        let inside = match self.resolve(&spot, &[])? {
            Resolved::Value(value) => Err(value),
            Resolved::Apart(bag) => Ok(bag),
            Resolved::Stored => {
                let own = self.handle(&spot.handle)?;
                let node = own.bag.node_by_id(child);
                match node.and_then(|node| node.value()) {
                    Some(value) => Err(value.clone()),
                    None => Ok(spot),
                }
            }
        };
        match inside {
            Ok(inside) if self.children(&inside)?.is_empty() => Ok(Key::Value(Value::Null)),
            // What is no path is the label of nothing.
            Ok(_) if what.starts_with('#') && Path::parse(what).is_err() => {
                Ok(Key::Value(Value::Null))
            }
            Ok(inside) => Ok(match self.inner_value(&inside, what)? {
                Cell::Value(value) => Key::new(value, ignore_case),
                Cell::Text(text) => Key::new(Value::from(text), ignore_case),
                Cell::Json(_) => Key::Bag,
            }),
            Err(value) if is_falsy(&value) => Ok(Key::Value(Value::Null)),
            Err(_) => Err(ErrorClass::Type),
        }
    }

    fn tell_sorted(&mut self, bag: &Spot) -> Result<(), ErrorClass> {
        let own = self.handle(&bag.handle)?;
        let change = own
            .change_in_place(ChangeKind::Sort, bag.node)
            .ok_or(ErrorClass::Internal)?;
        let telling = Telling {
            phase: Phase::Update,
            evt: "sort",
            index: None,
            cause: Cause::default(),
            old: None,
            diff: None,
        };
        self.emit(&bag.handle, &change, &telling);
        Ok(())
    }
}

fn index(json: &Json) -> Result<i64, ErrorClass> {
    match json {
        Json::Int(index) => Ok(*index),
        Json::Bool(index) => Ok(i64::from(*index)),
        _ => Err(ErrorClass::Type),
    }
}

fn is_falsy(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Text(text) => text.as_str().is_empty(),
        Value::Bytes(bytes) => bytes.as_slice().is_empty(),
        Value::List(list) => list.items().is_empty(),
        value => crate::equality::is_zero(value),
    }
}

type Moved = Vec<(NodeId, Phase, usize)>;

fn move_one(order: &mut Vec<NodeId>, from: i64, to: usize) -> Moved {
    let from = usize::try_from(from).unwrap_or(usize::MAX);
    if from == to || from >= order.len() {
        return Vec::new();
    }
    let node = order.remove(from);
    order.insert(to.min(order.len()), node);
    vec![(node, Phase::Delete, from), (node, Phase::Insert, to)]
}

// They leave from the last on, and all come to the place behind or before the node that stood where
// they go.
fn move_several(order: &mut Vec<NodeId>, mut from: Vec<i64>, to: usize) -> Moved {
    from.sort_unstable();
    let goes_on = from
        .first()
        .is_some_and(|first| usize::try_from(*first).map_or(true, |first| first < to));
    let Some(at) = order.get(to).copied() else {
        return Vec::new();
    };
    let mut moved = Vec::new();
    let mut nodes = Vec::new();
    for from in from.into_iter().rev() {
        let from = usize::try_from(from).unwrap_or(usize::MAX);
        if from < order.len() {
            let node = order.remove(from);
            moved.push((node, Phase::Delete, from));
            nodes.push(node);
        }
    }
    let place = order
        .iter()
        .position(|node| *node == at)
        .unwrap_or(order.len());
    let place = place + usize::from(goes_on);
    for node in nodes {
        order.insert(place.min(order.len()), node);
        moved.push((node, Phase::Insert, place));
    }
    moved
}
