//! One bag of a session with those who listen to it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, Ordering},
        mpsc::{Receiver, Sender, channel},
    },
};

use dhlrs_bag::{Bag, Branch, ChangeKind, Content, Edit, NodeId, SubscriberId};
use dhlrs_path::Path;
use dhlrs_resolver::{Limits, Registry, ResolverOptions, Resolvers, Slot};
use dhlrs_trigger::{Event, Flow, Level, Place, Subscription, Target, Triggers};

use crate::{counter::COUNTER, error::ErrorClass, limits::SUBSCRIPTIONS_MAX};

/// What a bag-level subscriber is called for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub(crate) enum Phase {
    Update,
    Insert,
    Delete,
}

/// A subscriber was called.
pub(crate) struct Heard {
    pub(crate) name: Arc<str>,
    /// The labels from its bag to the node, that of the node included; none for a subscriber of
    /// the node itself.
    pub(crate) labels: Option<Vec<String>>,
}

pub(crate) struct Handle {
    pub(crate) bag: Bag,
    pub(crate) triggers: Triggers,
    pub(crate) resolvers: Resolvers,
    // The bags whose nodes know what is around them; everything below them does, too.
    linked: BTreeSet<NodeId>,
    // The bags whose content was replaced: as in the reference, they tell no more of moves.
    muted: BTreeSet<NodeId>,
    bags: BTreeMap<(NodeId, Phase, Arc<str>), SubscriberId>,
    nodes: BTreeMap<(NodeId, Arc<str>), SubscriberId>,
    pub(crate) transactions: BTreeMap<NodeId, Vec<Arc<str>>>,
    phase: Arc<AtomicU8>,
    sender: Sender<Heard>,
    heard: Receiver<Heard>,
}

impl Handle {
    pub(crate) fn new(bag: Bag) -> Self {
        let mut registry = Registry::new();
        // The name is short and the registry empty, so this cannot be refused.
        let _ = registry.register(COUNTER, ResolverOptions::default());
        let (sender, heard) = channel();
        Self {
            bag,
            triggers: Triggers::new(0),
            resolvers: Resolvers::new(registry, Limits::default()),
            linked: BTreeSet::new(),
            muted: BTreeSet::new(),
            bags: BTreeMap::new(),
            nodes: BTreeMap::new(),
            transactions: BTreeMap::new(),
            phase: Arc::new(AtomicU8::new(0)),
            sender,
            heard,
        }
    }

    /// A handle of its own with that content.
    pub(crate) fn of(branch: Branch) -> Result<Self, ErrorClass> {
        let mut bag = Bag::new();
        bag.edit(Edit::Replace {
            path: Path::ROOT,
            branch,
        })?;
        Ok(Self::new(bag))
    }

    pub(crate) fn link(&mut self, bag: NodeId) {
        if !self.is_linked(bag) {
            self.linked.insert(bag);
        }
    }

    /// Whether the nodes in a bag know what is around them.
    pub(crate) fn is_linked(&self, bag: NodeId) -> bool {
        let Some(node) = self.bag.node_by_id(bag) else {
            return false;
        };
        self.linked.contains(&bag) || node.ancestors().any(|bag| self.linked.contains(&bag.id()))
    }

    pub(crate) fn mute_moves(&mut self, bag: NodeId) {
        self.muted.insert(bag);
    }

    pub(crate) fn tells_moves(&self, bag: NodeId) -> bool {
        !self.muted.contains(&bag)
    }

    fn is_full(&self) -> bool {
        let transactions: usize = self.transactions.values().map(Vec::len).sum();
        self.triggers.len() + transactions >= SUBSCRIPTIONS_MAX
    }

    /// Subscribes to the changes in a bag. One that has subscribed already keeps its place.
    pub(crate) fn subscribe(
        &mut self,
        bag: NodeId,
        phase: Phase,
        name: &Arc<str>,
        veto: &Arc<AtomicBool>,
    ) -> Result<(), ErrorClass> {
        let key = (bag, phase, name.clone());
        let node = self.bag.node_by_id(bag).ok_or(ErrorClass::Missing)?;
        if self.bags.contains_key(&key) {
            return Ok(());
        }
        if self.is_full() {
            return Err(ErrorClass::Value);
        }
        let target = Target::Bag(Place::of(&node));
        let (name, veto, now) = (name.clone(), veto.clone(), self.phase.clone());
        let sender = self.sender.clone();
        let subscriber = self.triggers.on(
            Subscription::to(target),
            move |event: &Event<'_>, _: &mut _| {
                let first = event.first();
                // The bag itself is told that it was sorted; of its content as a whole only when
                // nothing is around it.
                let is_own = event.level() == Level::Bag(1)
                    && !event.path().is_root()
                    && first.kind != ChangeKind::Sort;
                if first.is_above() || is_own || now.load(Ordering::Relaxed) != phase as u8 {
                    return Flow::Continue;
                }
                let labels = event.relative_path().map(|path| {
                    let steps = path.steps();
                    steps
                        .filter_map(|step| step.label().map(str::to_owned))
                        .collect()
                });
                let heard = Heard {
                    name: name.clone(),
                    labels: Some(labels.unwrap_or_default()),
                };
                // The receiver lives as long as the triggers do.
                let _ = sender.send(heard);
                match veto.load(Ordering::Relaxed) {
                    true => Flow::Stop,
                    false => Flow::Continue,
                }
            },
        );
        let subscriber = subscriber.map_err(|_| ErrorClass::Value)?;
        self.bags.insert(key, subscriber);
        Ok(())
    }

    pub(crate) fn unsubscribe(&mut self, bag: NodeId, name: &Arc<str>) {
        for phase in [Phase::Update, Phase::Insert, Phase::Delete] {
            if let Some(subscriber) = self.bags.remove(&(bag, phase, name.clone())) {
                self.triggers.off(subscriber);
            }
        }
    }

    /// Subscribes to what is written to a node.
    pub(crate) fn subscribe_node(
        &mut self,
        node: NodeId,
        name: &Arc<str>,
    ) -> Result<(), ErrorClass> {
        let key = (node, name.clone());
        let place = self.bag.node_by_id(node).ok_or(ErrorClass::Missing)?;
        if self.nodes.contains_key(&key) {
            return Ok(());
        }
        if self.is_full() {
            return Err(ErrorClass::Value);
        }
        let target = Target::Node(Place::of(&place));
        let (name, sender) = (name.clone(), self.sender.clone());
        let subscriber = self.triggers.on(
            Subscription::to(target),
            move |event: &Event<'_>, _: &mut _| {
                if !event.first().is_above() {
                    let name = name.clone();
                    let _ = sender.send(Heard { name, labels: None });
                }
                Flow::Continue
            },
        );
        self.nodes
            .insert(key, subscriber.map_err(|_| ErrorClass::Value)?);
        Ok(())
    }

    pub(crate) fn subscribe_transactions(
        &mut self,
        bag: NodeId,
        name: &Arc<str>,
    ) -> Result<(), ErrorClass> {
        if self.is_full() {
            return Err(ErrorClass::Value);
        }
        let names = self.transactions.entry(bag).or_default();
        if !names.contains(name) {
            names.push(name.clone());
        }
        Ok(())
    }

    pub(crate) fn begin_phase(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::Relaxed);
    }

    /// Who was called since the last time.
    pub(crate) fn heard(&self) -> Vec<Heard> {
        self.heard.try_iter().collect()
    }

    /// What is in a node became something else: whoever listened to what is gone goes with it.
    pub(crate) fn content_replaced(&mut self, node: NodeId) {
        self.forget(Some(node));
    }

    /// Nodes are gone, and whoever listened to them.
    pub(crate) fn content_gone(&mut self) {
        self.forget(None);
    }

    fn forget(&mut self, replaced: Option<NodeId>) {
        let is_gone = |id: NodeId, bag: &Bag| replaced == Some(id) || bag.node_by_id(id).is_none();
        let bags: Vec<_> = self
            .bags
            .keys()
            .filter(|key| is_gone(key.0, &self.bag))
            .cloned()
            .collect();
        for key in bags {
            if let Some(subscriber) = self.bags.remove(&key) {
                self.triggers.off(subscriber);
            }
        }
        let bag = &self.bag;
        let nodes: Vec<_> = self
            .nodes
            .keys()
            .filter(|key| bag.node_by_id(key.0).is_none())
            .cloned()
            .collect();
        for key in nodes {
            if let Some(subscriber) = self.nodes.remove(&key) {
                self.triggers.off(subscriber);
            }
        }
        self.linked.retain(|id| !is_gone(*id, bag));
        self.muted.retain(|id| !is_gone(*id, bag));
        self.transactions.retain(|id, _| !is_gone(*id, bag));
        let is_gone = |slot: &Slot| match slot {
            Slot::Node(id) => bag.node_by_id(*id).is_none(),
            Slot::Missing(_) => true,
        };
        self.resolvers.forget_where(is_gone, &mut Vec::new());
    }

    /// Writes without telling anybody, whatever resolver is there: that stays, unless another is
    /// given.
    pub(crate) fn write_quietly(
        &mut self,
        node: NodeId,
        content: Option<Content>,
        resolver: Option<Option<dhlrs_bag::ResolverRef>>,
    ) -> Result<(), ErrorClass> {
        let node = self.bag.node_by_id(node).ok_or(ErrorClass::Internal)?;
        let edit = Edit::SetResolver {
            path: node.path(),
            resolver: resolver.unwrap_or_else(|| node.resolver().cloned()),
            content,
            attributes: None,
            position: None,
        };
        self.bag.edit(edit)?;
        Ok(())
    }
}
