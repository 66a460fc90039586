//! The trigger list of one store: callbacks, and the order in which they are called.

use std::any::Any;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};

use dhlrs_bag::{CAUSE_SUBSCRIBERS_MAX, Change, Changes, Meta, Snapshot, SubscriberId};

use crate::error::{SubscribeError, SubscribeErrorKind};
use crate::event::{Event, EventChange, Level};
use crate::index::{Index, Reach, Stage};
use crate::reach::Selector;
use crate::reactions::{Callback, EMISSIONS_MAX, Emission, Flow, Ids, Reactions};
use crate::target::Subscription;

/// The most subscriptions of one store.
pub const SUBSCRIPTIONS_MAX: usize = 1_000_000;

/// The callbacks of one store.
///
/// A change is told to those who listen to its node, then to its bag (level 0), the bag around
/// (−1) and so on to the root, then to patterns and branches; those of one place in the order in
/// which they subscribed. Those whose node goes along with one above it come right after the node.
/// A node that moved is told to the bags that it left too: of the bags of both chains the deepest
/// comes first, of two as deep the one that was left. The changes of a transaction are told to each
/// subscriber as one event: to nodes, then to bags, the deepest first, then to patterns.
pub struct Triggers {
    index: Index,
    subscribers: BTreeMap<u64, Subscriber>,
    tree_readers: BTreeMap<u64, Selector>,
    ids: Ids,
    // Empty between two dispatches, and kept for their room.
    planned: Vec<Call>,
    reaches: Vec<Reach>,
}

/// The most calls that a key is looked for in, one by one.
const LOOKED_THROUGH_MAX: usize = 8;
/// The most planned calls that there is room for between two dispatches.
const PLANNED_KEPT_MAX: usize = 64;

struct Subscriber {
    callback: Callback,
    wants_tree: bool,
}

/// What came of a dispatch.
#[derive(Debug, Default)]
pub struct Dispatched {
    /// What the subscribers want done, in the order in which they said it.
    pub emissions: Vec<Emission>,
    /// What went wrong, in order. It concerned nobody else.
    pub failures: Vec<Failure>,
}

/// A subscriber that failed at one event. It stays subscribed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Who failed.
    pub subscriber: SubscriberId,
    /// How.
    pub kind: FailureKind,
    /// The revision at which it did.
    pub revision: u64,
}

/// How a subscriber failed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FailureKind {
    /// It panicked, with this message. Nothing that it answered is carried out.
    Panicked(Box<str>),
    /// It said that it failed. Nothing that it answered is carried out.
    Failed(Box<str>),
    /// It emitted more than [`EMISSIONS_MAX`] edits. None of its answer is carried out.
    TooManyEmissions(usize),
    /// It wanted to emit, but the event came of what it emitted before. The edits are dropped.
    Loop {
        /// The subscribers on the way, the first one first.
        chain: Vec<SubscriberId>,
    },
    /// It wanted to emit, but [`CAUSE_SUBSCRIBERS_MAX`] subscribers had already led to the event.
    /// The edits are dropped.
    TooDeep {
        /// The subscribers on the way, the first one first.
        chain: Vec<SubscriberId>,
    },
}

impl Triggers {
    /// No subscriber yet. `space` tells this store's subscribers from all others of the world: 8
    /// random bytes, or any that no other store has.
    pub fn new(space: u64) -> Self {
        Self {
            index: Index::with_seed(space),
            subscribers: BTreeMap::new(),
            tree_readers: BTreeMap::new(),
            ids: Ids { space, count: 0 },
            planned: Vec::new(),
            reaches: Vec::new(),
        }
    }

    /// Subscribes a callback. It must not block.
    ///
    /// # Errors
    ///
    /// `TooMany` beyond [`SUBSCRIPTIONS_MAX`].
    pub fn on(
        &mut self,
        subscription: impl Into<Subscription>,
        callback: impl FnMut(&Event<'_>, &mut Reactions) -> Flow + Send + 'static,
    ) -> Result<SubscriberId, SubscribeError> {
        if self.subscribers.len() >= SUBSCRIPTIONS_MAX {
            return Err(SubscribeError::new(SubscribeErrorKind::TooMany));
        }
        let (id, key) = self.ids.next();
        self.insert(key, subscription.into(), Box::new(callback));
        Ok(id)
    }

    fn insert(&mut self, key: u64, subscription: Subscription, callback: Callback) {
        let Subscription {
            target,
            kinds,
            tree,
        } = subscription;
        if tree {
            self.tree_readers
                .insert(key, Selector::new(target.clone(), kinds));
        }
        self.index.insert(key, target, kinds);
        self.subscribers.insert(
            key,
            Subscriber {
                callback,
                wants_tree: tree,
            },
        );
    }

    /// Unsubscribes; whether there was such a subscriber.
    pub fn off(&mut self, subscriber: SubscriberId) -> bool {
        let Some(key) = self.ids.key(subscriber) else {
            return false;
        };
        self.index.remove(key);
        self.tree_readers.remove(&key);
        self.subscribers.remove(&key).is_some()
    }

    /// How many subscribers there are.
    pub fn len(&self) -> usize {
        self.subscribers.len()
    }

    /// Whether there is no subscriber.
    pub fn is_empty(&self) -> bool {
        self.subscribers.is_empty()
    }

    /// Whether these changes may reach a subscriber that asks for the tree, and so need a snapshot
    /// of their revision. It may be asked before the changes are due to be dispatched; it says yes
    /// for every subscriber that follows a node. O(subscribers that ask for the tree × changes).
    pub fn wants_tree(&self, changes: &Changes) -> bool {
        self.tree_readers.values().any(|reader| {
            changes
                .list
                .iter()
                .any(|change| reader.may_select(change, changes.transaction))
        })
    }

    /// Finds out whom the changes reach, and calls nobody yet. All changes of a store have to come
    /// here once, in order: nodes are followed where they go.
    fn plan(&mut self, changes: &Changes, plan: &mut Vec<Call>) {
        let at_once = if changes.transaction {
            changes.list.len().max(1)
        } else {
            1
        };
        let mut at = 0;
        for list in changes.list.chunks(at_once) {
            let first = plan.len();
            // Where the call of a key is, once there are more than one looks through.
            let mut places = BTreeMap::<u64, usize>::new();
            for change in list {
                self.index
                    .reach(change, changes.transaction, &mut self.reaches);
                for reach in &self.reaches {
                    let calls = plan.get(first..).unwrap_or_default();
                    if calls.len() == LOOKED_THROUGH_MAX && places.is_empty() {
                        places.extend(calls.iter().map(|call| call.key).zip(first..));
                    }
                    let place = match places.is_empty() {
                        true => {
                            let place = calls.iter().position(|call| call.key == reach.key);
                            place.map(|place| first + place)
                        }
                        false => places.get(&reach.key).copied(),
                    };
                    match place.and_then(|place| plan.get_mut(place)) {
                        Some(call) => call.add(at, reach),
                        None => {
                            if !places.is_empty() {
                                places.insert(reach.key, plan.len());
                            }
                            plan.push(Call::new(plan.len(), at, reach));
                        }
                    }
                }
                at += 1;
            }
            if let Some(calls) = plan.get_mut(first..) {
                calls.sort_unstable_by_key(Call::rank);
            }
        }
    }

    /// Tells everybody whom the changes reach. `tree` is that of their revision; it is needed only
    /// where [`wants_tree`](Self::wants_tree) says so.
    ///
    /// All changes of a store have to come here once, in order. What a subscriber subscribes hears
    /// of the changes after these.
    pub fn dispatch(&mut self, changes: &Changes, tree: Option<&Snapshot>) -> Dispatched {
        let mut dispatched = Dispatched::default();
        let mut subscribed = Vec::new();
        let mut plan = mem::take(&mut self.planned);
        self.plan(changes, &mut plan);
        // Which changes were stopped, by a subscriber of which bag.
        let mut stopped = BTreeMap::<usize, Stopped>::new();
        for call in plan.drain(..) {
            let Some(found) = self.subscribers.get_mut(&call.key) else {
                continue;
            };
            let (one, many);
            let seen = match call.others.is_empty() {
                true => {
                    one = call.first.seen(&changes.list, &stopped);
                    one.as_slice()
                }
                false => {
                    let seen = call.reaches().map(|own| own.seen(&changes.list, &stopped));
                    many = seen.flatten().collect::<Vec<_>>();
                    &many
                }
            };
            let Some(first) = seen.first() else { continue };
            let id = self.ids.name(call.key);
            let event = Event {
                meta: &changes.meta,
                first,
                changes: seen,
                is_transaction: changes.transaction,
                subscriber: id,
                tree: tree.filter(|_| found.wants_tree),
            };
            let subscriptions = self.index.len() + subscribed.len();
            let mut then = Reactions::new(self.ids, subscriptions);
            let flow = catch_unwind(AssertUnwindSafe(|| (found.callback)(&event, &mut then)));
            self.ids = then.ids;
            let failure = match flow {
                Err(payload) => Some(FailureKind::Panicked(panic_message(&*payload))),
                Ok(flow) => {
                    if flow == Flow::Stop {
                        call.stop(&mut stopped);
                    }
                    self.settle(id, &changes.meta, then, &mut dispatched, &mut subscribed)
                }
            };
            dispatched.failures.extend(failure.map(|kind| Failure {
                subscriber: id,
                kind,
                revision: changes.meta.revision,
            }));
        }
        for (id, subscription, callback) in subscribed {
            if let Some(key) = self.ids.key(id) {
                self.insert(key, subscription, callback);
            }
        }
        plan.shrink_to(PLANNED_KEPT_MAX);
        self.planned = plan;
        dispatched
    }

    /// Takes over what a subscriber answered, and says what was wrong with it.
    fn settle(
        &mut self,
        id: SubscriberId,
        meta: &Meta,
        then: Reactions,
        dispatched: &mut Dispatched,
        subscribed: &mut Vec<(SubscriberId, Subscription, Callback)>,
    ) -> Option<FailureKind> {
        if let Some(why) = then.failure {
            return Some(FailureKind::Failed(why));
        }
        if then.emissions.len() > EMISSIONS_MAX {
            return Some(FailureKind::TooManyEmissions(then.emissions.len()));
        }
        if !then.subscribed.is_empty() {
            subscribed.extend(then.subscribed);
        }
        for subscriber in then.unsubscribed {
            subscribed.retain(|(id, ..)| *id != subscriber);
            self.off(subscriber);
        }
        if then.emissions.is_empty() {
            return None;
        }
        let chain = [meta.cause.as_slice(), &[id]].concat();
        if meta.cause.contains(&id) {
            return Some(FailureKind::Loop { chain });
        }
        if chain.len() > CAUSE_SUBSCRIBERS_MAX {
            return Some(FailureKind::TooDeep { chain });
        }
        dispatched
            .emissions
            .extend(
                then.emissions
                    .into_iter()
                    .map(|(to, edit, reason)| Emission {
                        to,
                        edit,
                        reason,
                        cause: chain.clone(),
                    }),
            );
        None
    }
}

/// Where the level chain of a change ends.
#[derive(Clone, Copy)]
pub(crate) struct Stopped {
    depth: usize,
    is_left: bool,
}

impl Stopped {
    // Of two bags as deep, one that the node has left and one that it is in, each is its own.
    fn is_before(self, depth: usize, is_left: bool) -> bool {
        depth < self.depth || (depth == self.depth && is_left == self.is_left)
    }
}

/// One call of one subscriber, planned.
struct Call {
    key: u64,
    // When the first of its changes reached it.
    order: usize,
    // The earliest stage at which one of its changes reaches it, and how deep that is.
    stage: (u8, Reverse<usize>),
    first: Told,
    others: Vec<Told>,
}

/// Where a change stands in the list, and how it reaches a subscriber.
struct Told {
    at: usize,
    reach: Reach,
}

impl Call {
    fn new(order: usize, at: usize, reach: &Reach) -> Self {
        Self {
            key: reach.key,
            order,
            stage: stage(reach),
            first: Told { at, reach: *reach },
            others: Vec::new(),
        }
    }

    fn add(&mut self, at: usize, reach: &Reach) {
        let last = self.others.last().unwrap_or(&self.first);
        if last.at != at {
            self.stage = self.stage.min(stage(reach));
            self.others.push(Told { at, reach: *reach });
        }
    }

    /// Nodes, what is below a node, bags from the deepest to the root, patterns.
    fn rank(&self) -> (u8, Reverse<usize>, usize, u64) {
        let (stage, depth) = self.stage;
        let order = if stage == 2 { self.order } else { 0 };
        (stage, depth, order, self.key)
    }

    fn reaches(&self) -> impl Iterator<Item = &Told> {
        std::iter::once(&self.first).chain(&self.others)
    }

    fn stop(&self, stopped: &mut BTreeMap<usize, Stopped>) {
        for Told { at, reach } in self.reaches() {
            if let Stage::Bag { depth, is_left, .. } = reach.stage {
                // The deepest bags are called first: the first to stop a change is the deepest.
                stopped.entry(*at).or_insert(Stopped { depth, is_left });
            }
        }
    }
}

fn stage(reach: &Reach) -> (u8, Reverse<usize>) {
    match reach.stage {
        Stage::Node => (u8::from(reach.is_above), Reverse(0)),
        Stage::Bag { depth, .. } => (2, Reverse(depth)),
        Stage::Pattern => (3, Reverse(0)),
    }
}

impl Told {
    fn seen<'a>(
        &self,
        list: &'a [Change],
        stopped: &BTreeMap<usize, Stopped>,
    ) -> Option<EventChange<'a>> {
        let (level, is_left) = match self.reach.stage {
            Stage::Node => (Level::Node, false),
            Stage::Bag {
                level,
                depth,
                is_left,
            } => {
                let stopped = stopped.get(&self.at);
                if stopped.is_some_and(|stopped| stopped.is_before(depth, is_left)) {
                    return None;
                }
                (Level::Bag(level), is_left)
            }
            Stage::Pattern => (Level::Pattern, false),
        };
        Some(EventChange {
            change: list.get(self.at)?,
            level,
            is_left,
            is_above: self.reach.is_above,
        })
    }
}

fn panic_message(payload: &(dyn Any + Send)) -> Box<str> {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without a message").into()
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "subscriber {} at revision {}: ",
            self.subscriber, self.revision
        )?;
        let write_chain = |f: &mut fmt::Formatter<'_>, chain: &[SubscriberId]| {
            for (at, id) in chain.iter().enumerate() {
                write!(f, "{}{id}", if at == 0 { ": " } else { " -> " })?;
            }
            Ok(())
        };
        match &self.kind {
            FailureKind::Panicked(message) => write!(f, "panicked: {message}"),
            FailureKind::Failed(why) => write!(f, "failed: {why}"),
            FailureKind::TooManyEmissions(found) => {
                write!(
                    f,
                    "too many edits for one event: {found}, limit {EMISSIONS_MAX}"
                )
            }
            FailureKind::Loop { chain } => {
                f.write_str("loop, its edits are dropped")?;
                write_chain(f, chain)
            }
            FailureKind::TooDeep { chain } => {
                write!(
                    f,
                    "chain of subscribers too long, limit {CAUSE_SUBSCRIBERS_MAX}"
                )?;
                write_chain(f, chain)
            }
        }
    }
}

impl std::error::Error for Failure {}

impl fmt::Debug for Triggers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Triggers")
            .field("subscribers", &self.len())
            .finish_non_exhaustive()
    }
}
