//! Reducers of other kinds: events that the tree does not know, one after the other in total order.

use std::collections::BTreeMap;
use std::sync::Arc;

use dhlrs_bag::Text;
use dhlrs_feed::{EventId, FeedId, Payload};

use crate::{Logged, Reducer, Verdict};

/// Events between two states that are kept to begin again from.
const CHECKPOINT_EVENTS: usize = 256;
/// States that are kept at most; one more, and every other one goes.
const CHECKPOINTS_MAX: usize = 32;

/// What events of some kinds come to.
///
/// `apply` is given each event once, in total order, and cannot fail: what it cannot read it passes over, as every
/// replica then does. It may read nothing but its arguments.
pub trait KindReducer {
    /// What the events so far come to.
    type State: Clone;

    /// Whether it reads events of this kind.
    fn takes(&self, kind: &str) -> bool;

    /// What no events come to.
    fn initial(&self) -> Self::State;

    /// Takes one event in.
    fn apply(&self, state: &mut Self::State, at: &Logged, kind: &str, payload: &[u8]);
}

/// Keeps the state of a [`KindReducer`] up to date with a [`Reducer`].
///
/// An event that comes late takes the state back to one that was kept before it. Memory: the events, and at most 33
/// states.
#[derive(Clone, Debug)]
pub struct TotalOrder<R: KindReducer> {
    reducer: R,
    events: BTreeMap<Logged, Other>,
    /// How far each feed was read, and its event there.
    read: BTreeMap<FeedId, (u64, EventId, bool)>,
    /// States right after the events that they are kept under.
    checkpoints: BTreeMap<Logged, R::State>,
    state: R::State,
    /// The last event that the state holds.
    applied: Option<Logged>,
    since_checkpoint: usize,
}

#[derive(Clone, Debug)]
struct Other {
    kind: Text,
    bytes: Arc<[u8]>,
}

impl<R: KindReducer> TotalOrder<R> {
    /// Nothing was read yet.
    #[must_use]
    pub fn new(reducer: R) -> Self {
        let state = reducer.initial();
        Self {
            reducer,
            events: BTreeMap::new(),
            read: BTreeMap::new(),
            checkpoints: BTreeMap::new(),
            state,
            applied: None,
            since_checkpoint: 0,
        }
    }

    /// What the events that `reducer` has reduced come to. To be called with the same one, or a copy that is further.
    ///
    /// O(feeds), and what came since the last call; where a feed was closed or taken back, all events again. What a Mark
    /// settles has to be read before: it is not stored any more.
    pub fn state(&mut self, reducer: &Reducer) -> &R::State {
        if self.is_taken_back(reducer) {
            // What a Mark has settled is not stored there any more, and stays as it is.
            let is_settled = |at: &Logged| at.dot.seq <= reducer.base.seq(&at.dot.feed);
            self.events.retain(|at, _| is_settled(at));
            self.read.clear();
            self.begin_at(None);
        }
        let mut earliest: Option<Logged> = None;
        for (feed, end) in reducer.frontier() {
            let read = self.read.get(&feed).map_or(0, |(seq, ..)| *seq);
            for stored in reducer.events_of(&feed, read) {
                let event = stored.event;
                if event.dot.seq > end.seq {
                    break;
                }
                if let (Verdict::Counts, Payload::Other { kind, bytes }) =
                    (stored.verdict, &event.payload)
                    && self.reducer.takes(kind)
                {
                    let at = Logged::of(event);
                    let (kind, bytes) = (kind.clone(), Arc::from(bytes.as_slice()));
                    self.events.insert(at, Other { kind, bytes });
                    earliest = Some(earliest.map_or(at, |earliest| earliest.min(at)));
                }
            }
            let is_open = reducer.is_open(&feed);
            self.read.insert(feed, (end.seq, end.id, is_open));
        }
        if let Some(earliest) = earliest.filter(|at| Some(*at) < self.applied) {
            self.begin_at(Some(earliest));
        }
        self.apply_rest();
        &self.state
    }

    /// Whether a feed was closed, or does not hold any more what was read of it.
    fn is_taken_back(&self, reducer: &Reducer) -> bool {
        self.read.iter().any(|(feed, (seq, id, was_open))| {
            let is_there = || {
                let mut at = reducer.events_of(feed, seq.saturating_sub(1));
                at.next()
                    .is_some_and(|stored| stored.event.dot.seq == *seq && stored.id == *id)
            };
            let is_settled = *seq <= reducer.base.seq(feed);
            reducer.is_open(feed) != *was_open || !is_settled && !is_there()
        })
    }

    /// Goes back to a state before this event; `None`: to the beginning.
    fn begin_at(&mut self, event: Option<Logged>) {
        match event {
            Some(event) => drop(self.checkpoints.split_off(&event)),
            None => self.checkpoints.clear(),
        }
        match self.checkpoints.last_key_value() {
            Some((at, state)) => {
                self.applied = Some(*at);
                self.state = state.clone();
            }
            None => {
                self.applied = None;
                self.state = self.reducer.initial();
            }
        }
        self.since_checkpoint = 0;
    }

    fn apply_rest(&mut self) {
        use std::ops::Bound::{Excluded, Unbounded};
        let begin = self.applied.map_or(Unbounded, Excluded);
        for (at, event) in self.events.range((begin, Unbounded)) {
            self.reducer
                .apply(&mut self.state, at, &event.kind, &event.bytes);
            self.applied = Some(*at);
            self.since_checkpoint += 1;
            if self.since_checkpoint == CHECKPOINT_EVENTS {
                self.since_checkpoint = 0;
                self.checkpoints.insert(*at, self.state.clone());
            }
            if self.checkpoints.len() > CHECKPOINTS_MAX {
                let mut keeps = false;
                self.checkpoints.retain(|_, _| {
                    keeps = !keeps;
                    keeps
                });
            }
        }
    }
}
