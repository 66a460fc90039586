//! Whether a draft is newer than what there is: a write of last week must not undo one of today.

use std::collections::{BTreeMap, BTreeSet};

use dhlrs_bag::{Bag, NodeId};
use dhlrs_clock::Stamp;
use dhlrs_feed::{Cell, Event, EventDot, FeedId, HomePath, Payload, TreeOp};
use dhlrs_reducer::Verdict;

use crate::event_row::path_of;
use crate::replica::Replica;
use crate::replica::drafts::Draft;

/// The newest event of a kind that counts.
type Newest = (Stamp, EventDot);
/// For each feed the number of its last event.
type Ends = BTreeMap<FeedId, u64>;

/// The newest writes of everything, to compare drafts with. Costs what all stored events take.
#[derive(Debug)]
pub(crate) struct Present<'a> {
    replica: &'a Replica,
    bag: &'a Bag,
    cells: BTreeMap<(NodeId, Cell), Newest>,
    edges: BTreeMap<NodeId, Newest>,
    names: BTreeMap<NodeId, Newest>,
    places: BTreeMap<NodeId, Newest>,
    removes: BTreeMap<NodeId, Newest>,
    clears: BTreeMap<NodeId, Newest>,
    /// What a Remove of the node would kill there: Creates, Moves and writes.
    asserted: BTreeMap<NodeId, Ends>,
    /// What a Clear of the node would kill there.
    scalars: BTreeMap<NodeId, Ends>,
}

impl<'a> Present<'a> {
    pub(crate) fn new(replica: &'a Replica, bag: &'a Bag) -> Self {
        let mut present = Self {
            replica,
            bag,
            cells: BTreeMap::new(),
            edges: BTreeMap::new(),
            names: BTreeMap::new(),
            places: BTreeMap::new(),
            removes: BTreeMap::new(),
            clears: BTreeMap::new(),
            asserted: BTreeMap::new(),
            scalars: BTreeMap::new(),
        };
        for feed in replica.reducer.frontier().keys() {
            for stored in replica.reducer.events_of(feed, 0) {
                if let (Verdict::Counts, Payload::Tree(op)) =
                    (stored.verdict, &stored.event.payload)
                {
                    present.note(stored.event, op);
                }
            }
        }
        present
    }

    fn note(&mut self, event: &Event, op: &TreeOp) {
        let newest = (event.stamp, event.dot);
        let id = op.node().id();
        let raise = |map: &mut BTreeMap<NodeId, Newest>| {
            let known = map.entry(id).or_insert(newest);
            *known = newest.max(*known);
        };
        let end = |map: &mut BTreeMap<NodeId, Ends>| {
            let known = map.entry(id).or_default();
            let known = known.entry(event.dot.feed).or_default();
            *known = event.dot.seq.max(*known);
        };
        match op {
            TreeOp::Create { .. } => {
                raise(&mut self.places);
                end(&mut self.asserted);
            }
            TreeOp::Write { cell, .. } => {
                let known = self.cells.entry((id, cell.clone())).or_insert(newest);
                *known = newest.max(*known);
                end(&mut self.asserted);
                if *cell == Cell::Scalar {
                    end(&mut self.scalars);
                }
            }
            TreeOp::Move { .. } => {
                raise(&mut self.edges);
                raise(&mut self.places);
                end(&mut self.asserted);
            }
            TreeOp::Rename { .. } => raise(&mut self.names),
            TreeOp::Reorder { .. } => raise(&mut self.places),
            TreeOp::Remove { .. } => raise(&mut self.removes),
            TreeOp::Clear { .. } => raise(&mut self.clears),
        }
    }

    /// Why a draft is not newer than what there is; `None` if all of it is.
    pub(crate) fn overtook(&self, draft: &Draft) -> Option<String> {
        draft.events.iter().find_map(|event| match &event.payload {
            Payload::Tree(op) => self.overtook_event(event, op),
            _ => None,
        })
    }

    fn overtook_event(&self, event: &Event, op: &TreeOp) -> Option<String> {
        let node = op.node();
        let id = node.id();
        let written = match op {
            TreeOp::Create { .. } => None,
            TreeOp::Write { cell, .. } => self.cells.get(&(id, cell.clone())),
            TreeOp::Move { .. } => self.edges.get(&id),
            TreeOp::Rename { .. } => self.names.get(&id),
            TreeOp::Reorder { .. } => self.places.get(&id),
            TreeOp::Remove { .. } | TreeOp::Clear { .. } => return self.would_kill(event, op),
        };
        let taken = self.taken_away(node, op);
        let newest = written.copied().into_iter().chain(taken).max();
        let (stamp, dot) = newest.filter(|(stamp, _)| *stamp >= event.stamp)?;
        let path = path_of(self.bag, node);
        Some(format!(
            "{path} was changed since, at {stamp} by {}",
            dot.feed
        ))
    }

    /// The newest Remove or Clear that reaches what is written, here or from around it.
    fn taken_away(&self, node: &HomePath, op: &TreeOp) -> Option<Newest> {
        let mut around: BTreeSet<NodeId> = BTreeSet::new();
        let mut at = node;
        while let Some((parent, _)) = at.home() {
            around.insert(parent.id());
            at = parent;
        }
        if let Some(shown) = self.bag.node_by_id(node.id()) {
            around.extend(shown.ancestors().map(|bag| bag.id()));
        }
        around.remove(&node.id());
        let own = self.removes.get(&node.id());
        let is_scalar = matches!(
            op,
            TreeOp::Write {
                cell: Cell::Scalar,
                ..
            }
        );
        let cleared = is_scalar.then(|| self.clears.get(&node.id())).flatten();
        let outer = around
            .iter()
            .flat_map(|id| [self.removes.get(id), self.clears.get(id)])
            .flatten();
        outer.chain(own).chain(cleared).max().copied()
    }

    /// Whether a Remove or Clear would take away what its author had not seen.
    fn would_kill(&self, event: &Event, op: &TreeOp) -> Option<String> {
        let past = self.past_of(event);
        let is_seen = |ends: &Ends| {
            ends.iter()
                .all(|(feed, seq)| *seq <= past.get(feed).copied().unwrap_or(0))
        };
        let id = op.node().id();
        let own = match op {
            TreeOp::Clear { .. } => self.scalars.get(&id),
            _ => self.asserted.get(&id),
        };
        let shown = self.bag.node_by_id(id)?;
        let path = |at: &dyn std::fmt::Display| {
            format!("{at} was changed by somebody who is not known to the one who took it away")
        };
        if own.is_some_and(|ends| !is_seen(ends)) {
            return Some(path(&shown.path()));
        }
        let mut inside = shown.walk();
        let unseen = inside.find(|visited| {
            let ends = self.asserted.get(&visited.node.id());
            ends.is_some_and(|ends| !is_seen(ends))
        })?;
        Some(path(&unseen.node.path()))
    }

    /// What the author had seen: the events of its feed name the heads of all others.
    fn past_of(&self, event: &Event) -> Ends {
        let feed = event.dot.feed;
        let stored = self.replica.reducer.events_of(&feed, 0);
        let stored = stored.map(|stored| stored.event);
        let drafts = self.replica.drafts.values().flat_map(|draft| &draft.events);
        let drafts = drafts.filter(|draft| draft.dot.feed == feed);
        let mut past = Ends::from([(feed, event.dot.seq.saturating_sub(1))]);
        for dep in stored
            .chain(drafts)
            .filter(|own| own.dot.seq <= event.dot.seq)
            .flat_map(|own| &own.deps)
        {
            let known = past.entry(dep.dot.feed).or_default();
            *known = dep.dot.seq.max(*known);
        }
        past
    }
}
