//! Bag nodes that are gone leave a bag, and those that stay go where they belong, each when nothing is in its way.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use dhlrs_bag::{NodeId, Op};

use crate::displaced::{displaced_label, shown_label};
use crate::showing::Showing;

/// What keeps a bag node from its place.
pub(crate) enum Obstacle {
    None,
    /// Another one has its label there.
    Label(NodeId),
    /// The bag is not there yet, or stands in it.
    Place,
}

impl Showing<'_> {
    /// Removes what is gone, but for that from which something moves away first; gives that back.
    pub(crate) fn remove_gone(&mut self, replaced: &BTreeSet<NodeId>) -> Vec<NodeId> {
        let mut holders: BTreeSet<NodeId> = BTreeSet::new();
        for (id, old, now) in self.stayed() {
            if old.parent != now.parent
                && let Some(node) = self.bag.node_by_id(id)
            {
                for bag in node.ancestors() {
                    if !holders.insert(bag.id()) {
                        break;
                    }
                }
            }
        }
        let gone = |id: &NodeId| {
            let change = self.changes.nodes.get(id);
            change.is_some_and(|(old, now)| old.is_some() && now.is_none())
        };
        let mut tops: Vec<NodeId> = Vec::new();
        for (id, (old, _)) in self.changes.nodes.iter() {
            let Some(old) = old.as_ref().filter(|_| gone(id)) else {
                continue;
            };
            if !gone(&old.parent) {
                tops.push(*id);
            }
        }
        tops.sort_by_key(|id| (self.first(*id), *id));
        let (late, now): (Vec<NodeId>, Vec<NodeId>) = tops
            .into_iter()
            .partition(|id| holders.contains(id) || self.is_within(*id, replaced));
        for id in now {
            self.apply(Op::Remove { id });
        }
        late
    }

    /// Moves and renames, each as soon as its label is free where it goes.
    pub(crate) fn move_who_stays(&mut self) {
        let mut moving: Vec<NodeId> = self
            .stayed()
            .filter(|(id, old, now)| {
                old.parent != now.parent || shown_label(*id, old) != shown_label(*id, now)
            })
            .map(|(id, ..)| id)
            .collect();
        moving.sort_by_key(|id| (self.first(*id), *id));
        let mut left: BTreeSet<NodeId> = moving.iter().copied().collect();
        let mut queue: VecDeque<NodeId> = moving.into();
        // Who waits for a label, by who has it, and who waits for a bag.
        let mut waiting: BTreeMap<NodeId, Vec<NodeId>> = BTreeMap::new();
        let mut later: Vec<NodeId> = Vec::new();
        loop {
            let before = left.len();
            while let Some(id) = queue.pop_front() {
                match self.obstacle(id) {
                    Obstacle::Place => later.push(id),
                    Obstacle::Label(other) if left.contains(&other) => {
                        waiting.entry(other).or_default().push(id);
                    }
                    obstacle => {
                        if let Obstacle::Label(other) = obstacle {
                            self.step_aside(other);
                        }
                        self.settle_in(id);
                        left.remove(&id);
                        queue.extend(waiting.remove(&id).unwrap_or_default());
                    }
                }
            }
            let ids = std::mem::take(&mut later);
            let made = ids.iter().filter(|id| self.make_way(**id)).count();
            if !ids.is_empty() && (made > 0 || left.len() < before) {
                queue.extend(ids);
                continue;
            }
            later = ids;
            // Only labels that go round in a circle are left.
            let Some((other, ids)) = waiting.pop_first() else {
                break;
            };
            self.step_aside(other);
            queue.extend(ids);
        }
    }

    /// Makes the bags around it that are new, so that it can move in.
    fn make_way(&mut self, id: NodeId) -> bool {
        let mut missing = Vec::new();
        let mut at = self.view(id).map(|view| view.parent);
        while let Some(bag) = at.filter(|bag| self.bag.node_by_id(*bag).is_none()) {
            missing.push(bag);
            at = self.view(bag).map(|view| view.parent);
        }
        for bag in missing.iter().rev() {
            self.insert_one(*bag, true);
            if let Some(view) = self.view(*bag) {
                *self.entered.entry(view.parent).or_default() += 1;
            }
        }
        !missing.is_empty()
    }

    pub(crate) fn obstacle(&self, id: NodeId) -> Obstacle {
        let Some(now) = self.view(id) else {
            return Obstacle::Place;
        };
        let Some(bag) = self.bag.node_by_id(now.parent) else {
            return Obstacle::Place;
        };
        let is_inside = bag.id() == id || bag.ancestors().any(|bag| bag.id() == id);
        if is_inside {
            return Obstacle::Place;
        }
        match bag.child(&shown_label(id, now)) {
            Some(child) if child.id() != id && !child.is_overlay() => Obstacle::Label(child.id()),
            _ => Obstacle::None,
        }
    }

    /// Takes a label that is wanted by another for as long as it must.
    pub(crate) fn step_aside(&mut self, id: NodeId) {
        let label = match self.bag.node_by_id(id) {
            Some(node) => displaced_label(id, node.label()),
            None => return,
        };
        self.apply(Op::Rename { id, label });
    }

    /// Puts one that is there where it belongs.
    fn settle_in(&mut self, id: NodeId) {
        let Some(now) = self.view(id) else { return };
        let (parent, label) = (now.parent, shown_label(id, now));
        self.open(parent);
        let stands = self.parent_in_bag(id) == Some(parent);
        let old = self
            .changes
            .nodes
            .get(&id)
            .and_then(|(old, _)| old.as_ref());
        let keeps_place = stands && old.is_some_and(|old| old.place == now.place);
        if keeps_place {
            self.apply(Op::Rename { id, label });
            return;
        }
        let after = self.after(id, parent);
        *self.entered.entry(parent).or_default() += 1;
        self.placed.insert(id);
        self.apply(Op::Move {
            id,
            parent,
            after,
            label,
        });
    }

    /// Children that were given another place in the bag they are in.
    pub(crate) fn reorder(&mut self) {
        let mut bags: BTreeMap<NodeId, Vec<NodeId>> = BTreeMap::new();
        for (id, old, now) in self.stayed() {
            let stays = old.parent == now.parent && old.place != now.place;
            if stays && !self.covered.contains(&id) && !self.placed.contains(&id) {
                bags.entry(now.parent).or_default().push(id);
            }
        }
        // One that was put among siblings that stay where they are stands right; of two, the first may not.
        for (bag, entered) in &self.entered {
            if *entered > 1 {
                bags.entry(*bag).or_default();
            }
        }
        for (bag, ids) in bags {
            match ids.as_slice() {
                [id] if !self.entered.contains_key(&bag) => {
                    let (id, after) = (*id, self.after(*id, bag));
                    let Some(node) = self.bag.node_by_id(id) else {
                        continue;
                    };
                    let label = node.label().clone();
                    self.apply(Op::Move {
                        id,
                        parent: bag,
                        after,
                        label,
                    });
                }
                _ => self.sort(bag),
            }
        }
    }

    fn sort(&mut self, bag: NodeId) {
        let Some(node) = self.bag.node_by_id(bag) else {
            return;
        };
        let stored = node.children().filter(|child| !child.is_overlay());
        let mut places: BTreeMap<NodeId, u32> = stored.map(|child| child.id()).zip(0..).collect();
        let children = self.reducer.children(bag);
        let mut order: Vec<u32> = children.filter_map(|id| places.remove(&id)).collect();
        let mut others: Vec<u32> = places.into_values().collect();
        others.sort_unstable();
        order.extend(others);
        self.apply(Op::Sort { id: bag, order });
    }
}
