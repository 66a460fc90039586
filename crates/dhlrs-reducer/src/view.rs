//! The view: what bag nodes show, and in which order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use dhlrs_bag::{Label, Name, NodeId, Value};
use dhlrs_clock::Stamp;
use dhlrs_feed::{Cell, IdMap, OrderKey};

use crate::causality::Causality;
use crate::fault::Fault;
use crate::node::{Node, Rank};
use crate::tree::{Covering, Tree};

/// What one bag node shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeView {
    /// The bag that it shows in.
    pub parent: NodeId,
    /// The label that it goes by.
    pub label: Label,
    /// Another child keeps the label; this one is reached as `label~ID`.
    pub is_displaced: bool,
    /// Its scalar; `None` is a bag.
    pub value: Option<Value>,
    /// The scalar that its children hide.
    pub hidden: Option<Value>,
    /// Its attributes.
    pub attributes: BTreeMap<Name, Value>,
    pub(crate) place: Place,
}

impl NodeView {
    /// Whether replicas disagreed about it so that a person should look.
    #[must_use]
    pub fn is_in_conflict(&self) -> bool {
        self.is_displaced || self.hidden.is_some()
    }

    /// Its place in its bag.
    #[must_use]
    pub const fn order(&self) -> &OrderKey {
        &self.place.key
    }
}

/// Where a child stands among its siblings.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) key: OrderKey,
    /// What placed it; nothing did if its key is 0.
    pub(crate) by: Option<Rank>,
}

/// What a bag node showed before, and what it shows now; `None` while it does not live.
pub type BeforeAndNow = (Option<Arc<NodeView>>, Option<Arc<NodeView>>);

/// What a reduction changed: the view before beside the view after, where they differ.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ViewChanges {
    /// The bag nodes that came, went, stand elsewhere or show something else: before, and now.
    pub nodes: BTreeMap<NodeId, BeforeAndNow>,
    /// The attributes of the root, if they changed.
    pub root_attributes: Option<BTreeMap<Name, Value>>,
    /// What the events of the batch were about, in the order in which they were reduced.
    pub(crate) told: Vec<(NodeId, Told)>,
}

/// What an event said of a bag node, as far as it tells how a change came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Create,
    Clear,
    Other,
}

impl ViewChanges {
    /// Whether nothing shows otherwise.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty() && self.root_attributes.is_none()
    }
}

/// What was shown last.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shown {
    nodes: IdMap<Entry>,
    bags: IdMap<Children>,
    pub(crate) root_attributes: BTreeMap<Name, Value>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    view: Arc<NodeView>,
    claim: Claim,
}

/// What a child's right to its label rests on: the greatest has it, then the greatest id.
type Claim = Option<Stamp>;

/// The children of one bag.
#[derive(Clone, Debug, Default)]
struct Children {
    order: BTreeSet<(Place, NodeId)>,
    labels: BTreeMap<Label, BTreeSet<(Claim, NodeId)>>,
}

impl Children {
    fn keeper(&self, label: &Label) -> Option<NodeId> {
        let (_, keeper) = self.labels.get(label)?.last()?;
        Some(*keeper)
    }
}

impl Shown {
    pub(crate) fn node(&self, id: NodeId) -> Option<&NodeView> {
        self.nodes.get(&id).map(|entry| &*entry.view)
    }

    pub(crate) fn shared(&self, id: NodeId) -> Option<Arc<NodeView>> {
        self.nodes.get(&id).map(|entry| entry.view.clone())
    }

    pub(crate) fn children(&self, bag: NodeId) -> impl DoubleEndedIterator<Item = NodeId> + '_ {
        let children = self.bags.get(&bag).into_iter();
        children.flat_map(|bag| bag.order.iter().map(|(_, id)| *id))
    }

    pub(crate) fn keeper(&self, bag: NodeId, label: &Label) -> Option<NodeId> {
        self.bags.get(&bag)?.keeper(label)
    }

    /// The siblings before a bag node that shows, the nearest first.
    pub(crate) fn before(&self, id: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        let bag = self.nodes.get(&id).and_then(|entry| {
            let place = (entry.view.place.clone(), id);
            Some(self.bags.get(&entry.view.parent)?.order.range(..place))
        });
        bag.into_iter()
            .flat_map(|before| before.rev().map(|(_, id)| *id))
    }

    /// Shows what the settled tree has come to; `whole` looks at all of it.
    pub(crate) fn update(
        &mut self,
        tree: &mut Tree,
        causality: &Causality,
        whole: bool,
    ) -> ViewChanges {
        let mut nodes = std::mem::take(&mut tree.changed);
        if whole {
            nodes.extend(tree.nodes.ids().chain(self.nodes.keys().copied()));
        }
        nodes.sort_unstable();
        nodes.dedup();
        let mut changes = ViewChanges::default();
        if nodes.first() == Some(&NodeId::ROOT) {
            nodes.remove(0);
            let covering = Covering::of(tree, causality, NodeId::ROOT);
            let root = tree.nodes.get(&NodeId::ROOT);
            let attributes = root.map(|root| tree.attributes(&covering, root));
            let attributes = attributes.unwrap_or_default();
            if attributes != self.root_attributes {
                self.root_attributes.clone_from(&attributes);
                changes.root_attributes = Some(attributes);
            }
        }
        let mut before: BTreeMap<NodeId, Option<Arc<NodeView>>> = BTreeMap::new();
        let mut keepers: BTreeMap<(NodeId, Label), Option<NodeId>> = BTreeMap::new();
        for id in nodes {
            let mut now = tree.entry(causality, id);
            if let (Some(known), Some(now)) = (self.nodes.get_mut(&id), &mut now) {
                Arc::make_mut(&mut now.view).is_displaced = known.view.is_displaced;
                let (old, new) = (&known.view, &now.view);
                let stays = old.parent == new.parent
                    && old.label == new.label
                    && old.place == new.place
                    && known.claim == now.claim;
                if stays {
                    if known.view != now.view {
                        let old = std::mem::replace(&mut known.view, now.view.clone());
                        before.entry(id).or_insert(Some(old));
                    }
                    continue;
                }
            }
            let known = self.nodes.get(&id);
            let slots = [known, now.as_ref()].into_iter().flatten();
            for slot in slots.map(|entry| (entry.view.parent, entry.view.label.clone())) {
                let keeper = self.keeper(slot.0, &slot.1);
                keepers.entry(slot).or_insert(keeper);
            }
            let old = self.take(id);
            if let Some(now) = now {
                self.put(id, now);
            }
            before.entry(id).or_insert(old);
        }
        for ((bag, label), old) in keepers {
            let now = self.keeper(bag, &label);
            let claims = self.bags.get(&bag).and_then(|bag| bag.labels.get(&label));
            // Of those who stayed only who kept the label and who keeps it now can show otherwise.
            let came = claims.into_iter().flatten().map(|(_, id)| *id);
            let came = came.filter(|id| before.contains_key(id));
            let told: BTreeSet<NodeId> = came.chain(old).chain(now).collect();
            for id in told {
                self.displace(id, bag, &label, now != Some(id), &mut before);
            }
        }
        let told = before.into_iter().filter_map(|(id, old)| {
            let now = self.shared(id);
            (old != now).then_some((id, (old, now)))
        });
        changes.nodes = told.collect();
        changes
    }

    fn displace(
        &mut self,
        id: NodeId,
        bag: NodeId,
        label: &Label,
        is_displaced: bool,
        before: &mut BTreeMap<NodeId, Option<Arc<NodeView>>>,
    ) {
        let Some(Entry { view, .. }) = self.nodes.get_mut(&id) else {
            return;
        };
        let is_there = view.parent == bag && view.label == *label;
        if is_there && view.is_displaced != is_displaced {
            before.entry(id).or_insert_with(|| Some(view.clone()));
            Arc::make_mut(view).is_displaced = is_displaced;
        }
    }

    fn take(&mut self, id: NodeId) -> Option<Arc<NodeView>> {
        let Entry { view, claim } = self.nodes.remove(&id)?;
        if let Some(bag) = self.bags.get_mut(&view.parent) {
            bag.order.remove(&(view.place.clone(), id));
            if let Some(claims) = bag.labels.get_mut(&view.label) {
                claims.remove(&(claim, id));
                if claims.is_empty() {
                    bag.labels.remove(&view.label);
                }
            }
            if bag.order.is_empty() {
                self.bags.remove(&view.parent);
            }
        }
        Some(view)
    }

    fn put(&mut self, id: NodeId, entry: Entry) {
        let bag = self.bags.entry(entry.view.parent).or_default();
        bag.order.insert((entry.view.place.clone(), id));
        let claims = bag.labels.entry(entry.view.label.clone()).or_default();
        claims.insert((entry.claim, id));
        self.nodes.insert(id, entry);
    }
}

impl Tree {
    /// What a living bag node shows; whether it keeps its label is for the bag to say.
    fn entry(&self, causality: &Causality, id: NodeId) -> Option<Entry> {
        let node = self.nodes.get(&id).filter(|node| node.is_alive())?;
        let parent = node.parent()?;
        let covering = Covering::of(self, causality, id);
        let is_live = |rank: &Rank| !covering.kills(&rank.dot);
        let orders = node.orders.get(&parent).into_iter().flatten();
        let greatest = orders
            .filter(|(rank, _)| is_live(rank))
            .max_by_key(|(rank, _)| *rank);
        let place = greatest.map(|(rank, key)| Place {
            key: key.clone(),
            by: Some(*rank),
        });
        let claims = node.assertions.iter().chain(&node.renames);
        let scalar = self.read(&covering, node, &Cell::Scalar);
        let is_bag = node.living_children > 0;
        Some(Entry {
            claim: claims
                .filter(|rank| is_live(rank))
                .map(|rank| rank.stamp)
                .max(),
            view: Arc::new(NodeView {
                parent,
                label: node.label()?,
                is_displaced: false,
                value: scalar.filter(|_| !is_bag).cloned(),
                // `overwrite` writes Null to what it passes, so that nothing is hidden there.
                hidden: scalar.filter(|value| is_bag && !value.is_null()).cloned(),
                attributes: self.attributes(&covering, node),
                place: place.unwrap_or_default(),
            }),
        })
    }

    fn attributes(&self, covering: &Covering<'_>, node: &Node) -> BTreeMap<Name, Value> {
        let cells = node.cells.keys();
        cells
            .filter_map(|cell| match cell {
                Cell::Scalar => None,
                Cell::Attribute(name) => {
                    let value = self.read(covering, node, cell)?;
                    (!value.is_null()).then(|| (name.clone(), value.clone()))
                }
            })
            .collect()
    }

    /// The greatest of the live writes.
    fn read<'a>(&self, covering: &Covering<'_>, node: &'a Node, cell: &Cell) -> Option<&'a Value> {
        self.live(covering, node, cell)
            .last()
            .map(|(_, value)| value)
    }

    /// The live writes of which none has seen another, the greatest last.
    pub(crate) fn live_writes(
        &self,
        causality: &Causality,
        id: NodeId,
        cell: &Cell,
    ) -> Vec<(Rank, Value)> {
        let Some(node) = self.nodes.get(&id) else {
            return Vec::new();
        };
        let covering = Covering::of(self, causality, id);
        let live = self.live(&covering, node, cell).into_iter();
        live.cloned().collect()
    }

    pub(crate) fn live<'a>(
        &self,
        covering: &Covering<'_>,
        node: &'a Node,
        cell: &Cell,
    ) -> Vec<&'a (Rank, Value)> {
        let writes = node.cells.get(cell).into_iter().flatten();
        let mut live: Vec<&(Rank, Value)> = writes
            .filter(|(rank, _)| !covering.kills_in(cell, &rank.dot))
            .collect();
        if self.planted.has(Fault::NoTieBreak) {
            live.sort_by_key(|(rank, _)| rank.stamp);
        } else if !self.planted.has(Fault::ArrivalOrderWins) {
            live.sort_by_key(|(rank, _)| *rank);
        }
        live
    }
}
