//! The reducer of one replica.

use std::collections::BTreeMap;
use std::sync::Arc;

use dhlrs_bag::{Label, Name, NodeId, Value};
use dhlrs_clock::{DRIFT_MS_MAX, Dot, Stamp, VersionVector};
use dhlrs_feed::{
    Cell, ControlRecord, Event, EventDot, EventId, FeedEnd, FeedId, HomePath, HomePathError,
    Payload,
};

use crate::control::{Closed, Control, MarkPoint};
use crate::delivery::Delivery;
use crate::fault::Fault;
use crate::state_hash::{StateHash, Sum};
use crate::tail::{Branch, Tail};
use crate::view::{NodeView, Shown, Told, ViewChanges};
use crate::world::World;

/// Reduces the events of one store to one tree.
///
/// The tree is a function of the events that were reduced: their order of arrival, how they were grouped, and how often
/// they came make no difference. Events wait until what their authors had seen is there.
#[derive(Clone, Debug)]
pub struct Reducer {
    pub(crate) is_rooted: bool,
    pub(crate) retains_all: bool,
    /// Records that wait for their turn.
    pub(crate) records: BTreeMap<u64, ControlRecord>,
    /// The events of the newest Mark, compacted, and the records up to it.
    pub(crate) base: World,
    pub(crate) base_control: Control,
    /// What the base does not hold.
    pub(crate) tail: Tail,
    /// The feeds that have stored events which the head lacks.
    // Invariant: in their order, each once.
    pub(crate) waiting: Vec<FeedId>,
    /// When the first of the events that are held may go in.
    pub(crate) held_until_ms: Option<u64>,
    /// The head has been put back to the base: what it reduces next it has told before.
    is_rebuilt: bool,
    told: Vec<(NodeId, Told)>,
    pub(crate) head: World,
    pub(crate) control: Control,
    /// What was reduced once is never held again.
    pub(crate) released: VersionVector<FeedId>,
    shown: Shown,
    sum: Sum,
}

impl Reducer {
    /// A reducer of a store with a root: feeds are opened and closed, and history is compacted, by control records.
    #[must_use]
    pub fn with_root() -> Self {
        Self::of(true, World::new(), Control::default())
    }

    /// A reducer of a store without a root: every feed is open, and nothing is compacted.
    #[must_use]
    pub fn without_root() -> Self {
        Self::of(false, World::new(), Control::default())
    }

    /// The same, compacting nothing at Marks.
    #[must_use]
    pub fn retaining_all(mut self) -> Self {
        self.retains_all = true;
        self
    }

    /// The same, with a mistake in it.
    #[cfg(feature = "planted-faults")]
    #[must_use]
    pub fn planting(mut self, fault: Fault) -> Self {
        self.base.tree.planted.fault = Some(fault);
        self.head.tree.planted.fault = Some(fault);
        self
    }

    pub(crate) fn of(is_rooted: bool, base: World, base_control: Control) -> Self {
        let released = (base.feeds.iter())
            .map(|(feed, progress)| Dot::new(*feed, progress.seq))
            .collect();
        let mut reducer = Self {
            is_rooted,
            retains_all: false,
            records: BTreeMap::new(),
            tail: Tail::new(),
            waiting: Vec::new(),
            held_until_ms: None,
            is_rebuilt: false,
            told: Vec::new(),
            head: base.clone(),
            control: base_control.clone(),
            base,
            base_control,
            released,
            shown: Shown::default(),
            sum: Sum::default(),
        };
        reducer.settle(true);
        reducer
    }

    /// Stores events and control records, reduces what can be reduced at this wall time, and says what shows otherwise.
    ///
    /// An event comes with its id. One that is stored already, or another one in its place, is left out: a feed whose
    /// branch has lost is first taken back by [`Reducer::retract`]. A stamp beyond `now_ms` by more than
    /// [`DRIFT_MS_MAX`] is held until then, unless a Mark lists it. Costs O(log n) an event, beside what a Remove, Clear
    /// or Move reaches and what a Close or Mark reduces again.
    pub fn reduce(
        &mut self,
        events: impl IntoIterator<Item = (Event, EventId)>,
        records: impl IntoIterator<Item = (u64, ControlRecord)>,
        now_ms: u64,
    ) -> ViewChanges {
        for (event, id) in events {
            let dot = event.dot;
            if dot.seq > self.base.seq(&dot.feed) {
                let after = self.base.seq(&dot.feed);
                let branch = self.tail.entry(dot.feed);
                let branch = branch.or_insert_with(|| Branch::after(after));
                branch.insert(event, id);
                if let Err(at) = self.waiting.binary_search(&dot.feed) {
                    self.waiting.insert(at, dot.feed);
                }
            }
        }
        let unseen = |(number, _): &(u64, ControlRecord)| *number > self.control.number;
        let records: Vec<_> = records.into_iter().filter(unseen).collect();
        self.records.extend(records);
        let mut rebuilt = false;
        loop {
            self.deliver(now_ms);
            match self.follow_next_record() {
                None => break,
                Some(rebuilds) => rebuilt |= rebuilds,
            }
        }
        self.settle(rebuilt)
    }

    /// Forgets the stored events of a feed above `seq`, because another branch of it is the one that counts.
    pub fn retract(&mut self, feed: &FeedId, seq: u64, now_ms: u64) -> ViewChanges {
        if let Some(events) = self.tail.get_mut(feed) {
            events.drop_above(seq);
        }
        self.rebuild();
        self.reduce_again(now_ms)
    }

    /// In a store without a root: ends a feed that was forked, for good. Of several ends the lowest counts.
    pub fn close(&mut self, feed: FeedId, seq: u64, now_ms: u64) -> ViewChanges {
        let opened = self.control.feeds.entry(feed).or_default();
        let seq = opened.closed.map_or(seq, |closed| closed.seq.min(seq));
        opened.closed = Some(Closed { seq, fork: None });
        self.rebuild();
        self.reduce_again(now_ms)
    }

    fn reduce_again(&mut self, now_ms: u64) -> ViewChanges {
        self.deliver(now_ms);
        while self.follow_next_record().is_some() {
            self.deliver(now_ms);
        }
        self.settle(true)
    }

    pub(crate) fn deliver(&mut self, now_ms: u64) {
        let visible = Stamp::new(now_ms.saturating_add(DRIFT_MS_MAX), u16::MAX);
        let (released, records) = (&self.released, &self.records);
        let (control, is_rooted) = (&self.control, self.is_rooted);
        // What a Mark lists was reduced at the root.
        let is_listed = |feed: &FeedId, last: u64| {
            records.values().any(|record| match record {
                ControlRecord::Mark { ends } => {
                    (ends.iter()).any(|(other, end)| other == feed && last <= end.seq)
                }
                _ => false,
            })
        };
        let mut held_until_ms: Option<u64> = None;
        let may_enter = |feed: &FeedId, last: u64, stamp: Stamp| {
            let opened = control.feeds.get(feed);
            let closed = opened.and_then(|opened| opened.closed);
            let is_open = !is_rooted || opened.is_some();
            if !is_open || closed.is_some_and(|closed| last > closed.seq) {
                return false;
            }
            let is_held = visible.is_some_and(|visible| stamp > visible)
                && last > released.get(feed)
                && !is_listed(feed, last);
            if is_held {
                let until = stamp.wall_ms().saturating_sub(DRIFT_MS_MAX);
                held_until_ms = Some(held_until_ms.map_or(until, |least| least.min(until)));
            }
            !is_held
        };
        let from = std::mem::take(&mut self.waiting);
        let delivery = Delivery {
            control,
            is_rooted,
            tail: &self.tail,
        };
        let taken = delivery.run(&mut self.head, &from, may_enter);
        self.held_until_ms = held_until_ms;
        let told = std::mem::take(&mut self.head.tree.told);
        if !std::mem::take(&mut self.is_rebuilt) {
            self.told.extend(told);
        }
        for feed in &taken {
            self.released.advance(Dot::new(*feed, self.head.seq(feed)));
        }
        let has_more = |feed: &FeedId| {
            let events = self.tail.get(feed);
            events.is_some_and(|events| events.get(self.head.seq(feed) + 1).is_some())
        };
        // Whoever is woken later was parked, and stood in this list.
        self.waiting = from;
        self.waiting.retain(has_more);
    }

    /// Reduces the next record if it is its turn; `Some(true)` when the tail was reduced again.
    fn follow_next_record(&mut self) -> Option<bool> {
        let number = self.control.number + 1;
        let record = self.records.get(&number)?;
        if let ControlRecord::Mark { ends } = record {
            let has = |(feed, end): &(FeedId, FeedEnd)| {
                self.head.feeds.get(feed).is_some_and(|progress| {
                    let at = progress.recent.get(end.seq);
                    progress.seq >= end.seq && at.is_none_or(|recent| recent.id == end.id)
                })
            };
            if !ends.iter().all(has) {
                return None;
            }
        }
        let record = self.records.remove(&number)?;
        self.control.follow(&record);
        match record {
            ControlRecord::Open { .. } => Some(false),
            ControlRecord::Close { .. } => {
                self.rebuild();
                Some(true)
            }
            ControlRecord::Mark { ends } => Some(self.reach_mark(&ends)),
        }
    }

    fn rebuild(&mut self) {
        self.head = self.base.clone();
        self.waiting = self.tail.keys().copied().collect();
        self.is_rebuilt = true;
    }

    fn reach_mark(&mut self, ends: &[(FeedId, FeedEnd)]) -> bool {
        let before = self.control.marks.last();
        let mut frontier = before.map(|mark| mark.frontier.clone()).unwrap_or_default();
        let mut greatest = before.map_or(Stamp::ZERO, |mark| mark.greatest);
        let mut adds = false;
        for (feed, end) in ends {
            let known = frontier.get(feed);
            if let Some(events) = self.tail.get(feed) {
                adds |= (events.from(known.saturating_add(1)))
                    .take_while(|(seq, _)| *seq <= end.seq)
                    .any(|(_, (event, _))| event.payload != Payload::Seen);
            }
            if let Some(progress) = self.head.feeds.get(feed) {
                let inside = progress.recent.upto(end.seq).rev();
                let stamp = inside.filter_map(|(_, recent)| recent.stamp).next();
                greatest = greatest.max(stamp.unwrap_or_default());
            }
            frontier.advance(Dot::new(*feed, end.seq));
        }
        let last = self.control.last_mark().cloned();
        let quiet_below = self.acknowledged(last.as_ref(), &frontier);
        self.control.marks.push(MarkPoint {
            number: self.control.number,
            frontier: frontier.clone(),
            greatest,
            adds,
        });
        if self.retains_all {
            return false;
        }
        let is_inside = |feed: &FeedId, last: u64, _: Stamp| last <= frontier.get(feed);
        let all: Vec<FeedId> = self.tail.keys().copied().collect();
        let delivery = Delivery {
            control: &self.control,
            is_rooted: self.is_rooted,
            tail: &self.tail,
        };
        delivery.run(&mut self.base, &all, is_inside);
        for (feed, events) in &mut self.tail {
            events.drop_upto(frontier.get(feed));
        }
        self.tail.retain(|_, events| !events.is_empty());
        self.base.tree.settle(&self.base.causality);
        let planted = self.base.tree.planted;
        let quiet_below = match planted.has(Fault::MarkUnacknowledged) {
            true => quiet_below.or(Some(Stamp::ZERO)),
            false => quiet_below,
        };
        if let (Some(last), Some(quiet_below)) = (last, quiet_below) {
            self.control.marks.retain(|mark| mark.number >= last.number);
            match planted.has(Fault::PurgedOneMarkEarly) {
                true => self.base.compact(&frontier, quiet_below),
                false => self.base.compact(&last.frontier, quiet_below),
            }
        }
        self.base.tree.forget_changes();
        self.base_control = self.control.clone();
        self.rebuild();
        true
    }

    /// The least stamp at which an open feed said, inside the frontier, that it had reduced the last Mark; `None` while
    /// one has not.
    fn acknowledged(
        &self,
        last: Option<&MarkPoint>,
        frontier: &VersionVector<FeedId>,
    ) -> Option<Stamp> {
        let last = last?;
        let open = self
            .control
            .feeds
            .iter()
            .filter(|(_, opened)| opened.closed.is_none());
        let firsts = open.map(|(feed, _)| {
            let recent = &self.head.feeds.get(feed)?.recent;
            let inside = recent.upto(frontier.get(feed));
            inside
                .filter(|(_, recent)| recent.control >= last.number)
                .find_map(|(_, recent)| recent.stamp)
        });
        firsts.min().unwrap_or(Some(Stamp::ZERO))
    }

    pub(crate) fn settle(&mut self, whole: bool) -> ViewChanges {
        let head = &mut self.head;
        head.tree.settle(&head.causality);
        if whole {
            self.sum.outdate_all();
            self.sum.outdate(head.tree.nodes.ids());
        } else {
            self.sum.outdate(head.tree.changed.iter().copied());
        }
        let mut changes = self.shown.update(&mut head.tree, &head.causality, whole);
        changes.told = std::mem::take(&mut self.told);
        changes
    }

    /// How far each feed was reduced.
    #[must_use]
    pub fn frontier(&self) -> BTreeMap<FeedId, FeedEnd> {
        self.head.frontier()
    }

    /// The newest control record that was reduced.
    #[must_use]
    pub fn control_number(&self) -> u64 {
        self.control.number
    }

    /// Whether the feed takes events: opened by a record that was reduced, and not closed by one.
    #[must_use]
    pub fn is_open(&self, feed: &FeedId) -> bool {
        match self.control.feeds.get(feed) {
            Some(opened) => opened.closed.is_none(),
            None => !self.is_rooted,
        }
    }

    /// How far each feed was reduced at any time; what is in it is not held again. To be kept across restarts.
    #[must_use]
    pub const fn reduced_once(&self) -> &VersionVector<FeedId> {
        &self.released
    }

    /// When, by the wall clock, the first of the events that are held may go in: let that time come to
    /// [`Reducer::reduce`], with events or without. `None` while none is held.
    #[must_use]
    pub const fn held_until_ms(&self) -> Option<u64> {
        self.held_until_ms
    }

    /// The greatest stamp that was reduced and is not void.
    #[must_use]
    pub fn greatest_stamp(&self) -> Stamp {
        self.head.greatest
    }

    /// Whether the event was reduced and found void; `None` where it was not reduced, or is settled.
    #[must_use]
    pub fn is_void(&self, dot: &EventDot) -> Option<bool> {
        let recent = self.head.feeds.get(&dot.feed)?.recent.get(dot.seq)?;
        Some(recent.stamp.is_none())
    }

    /// Equal reduced events give equal hashes, whatever was compacted.
    ///
    /// O(feeds), and some microseconds for each bag node that has changed since it was last asked for.
    #[must_use]
    pub fn state_hash(&mut self) -> StateHash {
        self.sum.update(&self.head.tree, &self.head.causality);
        match self.head.tree.planted.has(Fault::ConstantHash) {
            true => Sum::default().finish(&self.head.frontier()),
            false => self.sum.finish(&self.head.frontier()),
        }
    }

    /// What a bag node shows; `None` while it does not live.
    #[must_use]
    pub fn node(&self, id: NodeId) -> Option<&NodeView> {
        self.shown.node(id)
    }

    /// The children of a bag, in their order.
    pub fn children(&self, id: NodeId) -> impl DoubleEndedIterator<Item = NodeId> + '_ {
        self.shown.children(id)
    }

    /// The attributes of the root.
    #[must_use]
    pub const fn root_attributes(&self) -> &BTreeMap<Name, Value> {
        &self.shown.root_attributes
    }

    /// The values that were written at the same time and of which none was taken away, the one that shows last.
    #[must_use]
    pub fn siblings(&self, id: NodeId, cell: &Cell) -> Vec<Value> {
        let writes = self.head.tree.live_writes(&self.head.causality, id, cell);
        writes.into_iter().map(|(_, value)| value).collect()
    }

    /// Where a bag node is at home.
    #[must_use]
    pub fn home(&self, id: NodeId) -> Option<&HomePath> {
        self.head.tree.nodes.get(&id).map(|node| &node.home)
    }

    /// The bag that a known bag node stands in and the label that it goes by, dead or alive.
    pub(crate) fn stands(&self, id: NodeId) -> Option<(NodeId, Label)> {
        let node = self.head.tree.nodes.get(&id)?;
        Some((node.parent()?, node.label()?))
    }

    pub(crate) fn shared_view(&self, id: NodeId) -> Option<Arc<NodeView>> {
        self.shown.shared(id)
    }

    /// The siblings before a bag node that shows, the nearest first.
    pub(crate) fn before(&self, id: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        self.shown.before(id)
    }

    /// Whether the bag node lives by a Create or Move of its own, and not only by what it holds.
    #[must_use]
    pub fn is_asserted(&self, id: NodeId) -> bool {
        self.head.tree.is_asserted(&self.head.causality, id)
    }

    /// The bag node that a label means here: the living child that shows it, else that of the slot, dead or alive.
    ///
    /// # Errors
    ///
    /// When the bag node would be too deep.
    pub fn resolve(&self, bag: &HomePath, label: &Label) -> Result<HomePath, HomePathError> {
        let shown = self.shown.keeper(bag.id(), label);
        if let Some(home) = shown.and_then(|id| self.home(id)) {
            return Ok(home.clone());
        }
        let mut incarnation = 0;
        loop {
            let slot = bag.child(label.clone(), incarnation)?;
            let Some(node) = self.head.tree.nodes.get(&slot.id()) else {
                return Ok(slot);
            };
            let is_away = node.parent() != Some(bag.id());
            let is_renamed = node.label().is_some_and(|now| now != *label);
            if !is_away && !is_renamed {
                return Ok(slot);
            }
            incarnation += 1;
        }
    }
}
