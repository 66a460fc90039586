//! The tree that the events which count come to.

use std::collections::{BTreeMap, BTreeSet};

use dhlrs_bag::{Name, NodeId, Value};
use dhlrs_clock::Stamp;
use dhlrs_feed::{Cell, EventDot, HomePath, HomeStep, OnConcurrentWrite, OrderKey, TreeOp};

use super::{Admitted, Row, Shows};

type Rank = (Stamp, EventDot);

struct Edge<'a> {
    parent: NodeId,
    mover: &'a Admitted,
    carried: Vec<&'a Admitted>,
}

struct Fold<'a> {
    events: &'a [Admitted],
    homes: BTreeMap<NodeId, HomePath>,
    edges: BTreeMap<NodeId, Edge<'a>>,
}

pub(crate) fn fold(events: &[Admitted]) -> Shows {
    let mut fold = Fold {
        events,
        homes: BTreeMap::new(),
        edges: BTreeMap::new(),
    };
    for event in events {
        fold.know(event.op.node());
        if let TreeOp::Move { parent, .. } = &event.op {
            fold.know(parent);
        }
    }
    let mut moves: Vec<&Admitted> = events
        .iter()
        .filter(|event| matches!(event.op, TreeOp::Move { .. }))
        .collect();
    moves.sort_by_key(|mover| rank(mover));
    for mover in moves {
        fold.move_node(mover);
    }
    fold.show()
}

fn rank(event: &Admitted) -> Rank {
    (event.stamp, event.dot)
}

impl<'a> Fold<'a> {
    fn know(&mut self, home: &HomePath) {
        let mut at = Some(home);
        while let Some(home) = at {
            self.homes.insert(home.id(), home.clone());
            at = home.home().map(|(parent, _)| parent);
        }
    }

    fn parent(&self, id: NodeId) -> Option<NodeId> {
        match self.edges.get(&id) {
            Some(edge) => Some(edge.parent),
            None => self.homes.get(&id)?.home().map(|(parent, _)| parent.id()),
        }
    }

    /// The bag node and all bags around it.
    fn way_up(&self, id: NodeId) -> Vec<NodeId> {
        std::iter::successors(Some(id), |id| self.parent(*id)).collect()
    }

    fn move_node(&mut self, mover: &'a Admitted) {
        let TreeOp::Move { node, parent, .. } = &mover.op else {
            return;
        };
        if self.way_up(parent.id()).contains(&node.id()) {
            return;
        }
        let reaching = self.reaching(node.id());
        let carried = reaching
            .into_iter()
            .filter(|remove| mover.has_seen(&remove.dot))
            .collect();
        self.edges.insert(
            node.id(),
            Edge {
                parent: parent.id(),
                mover,
                carried,
            },
        );
    }

    /// The Removes and Clears that reach all of a bag node.
    fn reaching(&self, id: NodeId) -> Vec<&'a Admitted> {
        let way = self.way_up(id);
        let may_cross = |remove: &Admitted, ids: &[NodeId]| {
            let edges = ids.iter().filter_map(|id| self.edges.get(id));
            edges
                .into_iter()
                .all(|edge| remove.has_seen(&edge.mover.dot))
        };
        let mut reaching = Vec::new();
        for (n, at) in way.iter().enumerate() {
            for event in self.events {
                let reaches = match &event.op {
                    TreeOp::Remove { node, .. } => node.id() == *at && may_cross(event, &way[..=n]),
                    TreeOp::Clear { node, .. } => {
                        node.id() == *at && n > 0 && may_cross(event, &way[..n])
                    }
                    _ => false,
                };
                if reaches {
                    reaching.push(event);
                }
            }
            if let Some(edge) = self.edges.get(at) {
                let carried = edge.carried.iter().copied();
                reaching.extend(carried.filter(|remove| may_cross(remove, &way[..n])));
            }
        }
        reaching
    }

    fn is_killed(&self, event: &Admitted, reaching: &[&Admitted]) -> bool {
        let id = event.op.node().id();
        let is_scalar = matches!(
            event.op,
            TreeOp::Write {
                cell: Cell::Scalar,
                ..
            }
        );
        let clears = self.events.iter().filter(|clear| {
            is_scalar && matches!(&clear.op, TreeOp::Clear { node, .. } if node.id() == id)
        });
        reaching.iter().copied().chain(clears).any(|remove| {
            let takes_unseen = matches!(
                remove.op,
                TreeOp::Remove {
                    unseen: OnConcurrentWrite::Remove,
                    ..
                } | TreeOp::Clear {
                    unseen: OnConcurrentWrite::Remove,
                    ..
                }
            );
            let kills = remove.has_seen(&event.dot) || takes_unseen && !event.has_seen(&remove.dot);
            kills && event.op.node().begins_with(&remove.capability.prefix)
        })
    }

    fn show(&self) -> Shows {
        let mut nodes: BTreeMap<NodeId, Facts> = BTreeMap::new();
        for id in self.homes.keys() {
            nodes.insert(*id, self.facts(*id));
        }
        let mut living: BTreeSet<NodeId> = BTreeSet::new();
        for (id, facts) in &nodes {
            if facts.lives {
                living.extend(self.way_up(*id));
            }
        }
        let mut rows = Vec::new();
        let mut open = vec![(NodeId::ROOT, None)];
        while let Some((id, row)) = open.pop() {
            let mut children: Vec<NodeId> = living
                .iter()
                .copied()
                .filter(|child| self.parent(*child) == Some(id))
                .collect();
            let depth = row.as_ref().map_or(0, |row: &Row| row.depth + 1);
            if let Some(mut row) = row {
                let scalar = nodes[&id].scalar.clone();
                match children.is_empty() {
                    true => row.value = scalar,
                    false => row.hidden = scalar.filter(|value| !value.is_null()),
                }
                rows.push(row);
            }
            let place = |child: &NodeId| {
                let orders = &nodes[child].orders;
                let greatest = orders
                    .iter()
                    .filter(|order| order.1 == id)
                    .max_by_key(|order| order.0);
                match greatest {
                    Some((rank, _, key)) => (key.clone(), Some(*rank), *child),
                    None => (OrderKey::default(), None, *child),
                }
            };
            children.sort_by_key(place);
            let keeper = |label: &str| {
                let rivals = children.iter().filter(|child| nodes[*child].label == label);
                rivals
                    .max_by_key(|child| (nodes[*child].claim, **child))
                    .copied()
            };
            let below: Vec<_> = children
                .iter()
                .map(|child| {
                    let facts = &nodes[child];
                    let row = Row {
                        depth,
                        id: *child,
                        label: facts.label.clone(),
                        is_displaced: keeper(&facts.label) != Some(*child),
                        value: None,
                        hidden: None,
                        attributes: facts.attributes.clone(),
                    };
                    (*child, Some(row))
                })
                .collect();
            open.extend(below.into_iter().rev());
        }
        Shows {
            root: nodes
                .get(&NodeId::ROOT)
                .map(|facts| facts.attributes.clone())
                .unwrap_or_default(),
            rows,
        }
    }

    /// What the events that name a bag node say of it.
    fn facts(&self, id: NodeId) -> Facts {
        let reaching = self.reaching(id);
        let own: Vec<&Admitted> = (self.events.iter())
            .filter(|event| event.op.node().id() == id)
            .collect();
        // Of each kind only what no other of the kind has seen; and of that, what is not killed.
        let live = |is_of_kind: &dyn Fn(&TreeOp) -> bool| -> Vec<&Admitted> {
            let kind: Vec<&Admitted> = (own.iter().copied())
                .filter(|event| is_of_kind(&event.op))
                .collect();
            let is_seen = |event: &Admitted| kind.iter().any(|other| other.has_seen(&event.dot));
            (kind.iter().copied())
                .filter(|event| !is_seen(event) && !self.is_killed(event, &reaching))
                .collect()
        };
        let assertions = live(&|op| matches!(op, TreeOp::Create { .. } | TreeOp::Move { .. }));
        let renames = live(&|op| matches!(op, TreeOp::Rename { .. }));
        let mut orders = Vec::new();
        let bags: BTreeSet<NodeId> = own
            .iter()
            .filter_map(|event| order(&event.op))
            .map(|order| order.0)
            .collect();
        for bag in bags {
            for event in live(&|op| order(op).is_some_and(|order| order.0 == bag)) {
                let (_, key) = order(&event.op).unwrap();
                orders.push((rank(event), bag, key));
            }
        }
        let mut cells: BTreeMap<Cell, Value> = BTreeMap::new();
        let names: BTreeSet<Cell> = own
            .iter()
            .filter_map(|event| written(&event.op))
            .map(|(cell, _)| cell.clone())
            .collect();
        for cell in names {
            let writes = live(&|op| written(op).is_some_and(|(own, _)| *own == cell));
            if let Some(last) = writes.iter().max_by_key(|event| rank(event)) {
                cells.insert(cell, written(&last.op).unwrap().1.clone());
            }
        }
        let last_rename = (own.iter())
            .filter(|event| matches!(event.op, TreeOp::Rename { .. }))
            .max_by_key(|event| rank(event));
        let label = match last_rename.map(|event| &event.op) {
            Some(TreeOp::Rename { label, .. }) => label.to_string(),
            _ => match self.homes[&id].home() {
                Some((_, HomeStep::Labelled { label, .. })) => label.to_string(),
                Some((_, HomeStep::Anonymous(random))) => {
                    random.iter().map(|byte| format!("{byte:02x}")).collect()
                }
                None => String::new(),
            },
        };
        Facts {
            lives: !assertions.is_empty() || !cells.is_empty(),
            claim: assertions
                .iter()
                .chain(&renames)
                .map(|event| event.stamp)
                .max(),
            label,
            orders,
            scalar: cells.get(&Cell::Scalar).cloned(),
            attributes: cells
                .into_iter()
                .filter_map(|(cell, value)| match cell {
                    Cell::Attribute(name) if !value.is_null() => Some((name, value)),
                    _ => None,
                })
                .collect(),
        }
    }
}

struct Facts {
    lives: bool,
    claim: Option<Stamp>,
    label: String,
    orders: Vec<(Rank, NodeId, OrderKey)>,
    scalar: Option<Value>,
    attributes: BTreeMap<Name, Value>,
}

/// The bag for which an op gives its node a place, and the place.
fn order(op: &TreeOp) -> Option<(NodeId, OrderKey)> {
    match op {
        TreeOp::Create { node, order } => Some((node.home()?.0.id(), order.clone())),
        TreeOp::Move { parent, order, .. } | TreeOp::Reorder { parent, order, .. } => {
            Some((parent.id(), order.clone()))
        }
        _ => None,
    }
}

fn written(op: &TreeOp) -> Option<(&Cell, &Value)> {
    match op {
        TreeOp::Write { cell, value, .. } => Some((cell, value)),
        _ => None,
    }
}
