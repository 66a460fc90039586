//! Watches: cursors into the window of kept changes, with credit.
//!
//! A watch that has caught up is told of a change by the index of patterns, so a change costs what it
//! matches. One that has fallen behind, for want of credit, reads from the window when credit comes.

use std::collections::BTreeMap;
use std::sync::Arc;

use dhlrs_bag::{Changes, NodeId, Snapshot};
use dhlrs_path::{Path, Pattern, Step};
use dhlrs_trigger::{
    Cursor, Departed, Interests, Kinds, Next, Place, Selector, Target, Window, WindowErrorKind,
    WindowLimits,
};
use dhlrs_wire::{
    Delivery, Incarnation, PAGE_BYTES_MAX, Refusal, RefusalKind, Reply, Revision, Selection, Watch,
    WatchedChange, WatchedChanges,
};

use crate::config::Limits;
use crate::machine::Store;
use crate::port::{Output, RequestId};

/// Watches of one store.
pub const WATCHES_MAX: usize = 10_000;

#[derive(Debug)]
pub(crate) struct Watches {
    window: Window,
    limits: WindowLimits,
    interests: Interests,
    by_id: BTreeMap<RequestId, Watching>,
}

#[derive(Debug)]
struct Watching {
    cursor: Cursor,
    selector: Selector,
    credit: u32,
    /// There may be changes in the window that it has not been told of.
    behind: bool,
    /// What it is told before all else.
    first: Option<Changes>,
}

impl Watches {
    pub(crate) fn new(limits: &Limits, seed: u64) -> Self {
        let limits = WindowLimits {
            changes_max: limits.window_changes_max,
            bytes_max: limits.window_bytes_max,
        };
        Self {
            window: Window::new(1, limits),
            limits,
            interests: Interests::with_seed(seed),
            by_id: BTreeMap::new(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// The oldest revision that a watch can begin at.
    pub(crate) fn oldest(&self) -> u64 {
        self.window.oldest()
    }

    /// History begins after this revision: what came before cannot be told.
    pub(crate) fn begin_history(&mut self, revision: u64) {
        self.window = Window::new(revision + 1, self.limits);
    }

    /// A revision of the log that was published before.
    pub(crate) fn refill(&mut self, changes: Changes, departed: Departed) {
        // Revisions of a log rise, so the window takes each of them.
        let _ = self.window.push_with(changes, departed);
    }

    pub(crate) fn end(&mut self, id: RequestId) {
        if self.by_id.remove(&id).is_some() {
            self.interests.remove(id.0);
        }
    }

    /// Tells those whom it concerns of what has just been published.
    pub(crate) fn take(
        &mut self,
        incarnation: Incarnation,
        changes: Changes,
        departed: Departed,
        out: &mut Vec<Output>,
    ) {
        let changes = Arc::new(changes);
        let concerned = self.interests.matching(&changes);
        if self.window.push_with(changes.clone(), departed).is_err() {
            return;
        }
        for interest in concerned {
            let id = RequestId(interest.key);
            let Some(watching) = self.by_id.get_mut(&id) else {
                continue;
            };
            if watching.behind {
                continue;
            }
            let mut wanted = Vec::new();
            // Each change may move the node that is followed, and the next one is judged after it.
            let mut selector = watching.selector.clone();
            for (place, change) in interest.matching.iter().zip(interest.changes(&changes)) {
                if selector.selects(change, changes.transaction) {
                    wanted.push(*place);
                }
            }
            if wanted.is_empty() || watching.credit > 0 {
                watching.selector = selector;
                self.window.skip(&mut watching.cursor);
                watching.deliver(id, incarnation, &changes, &wanted, out);
                continue;
            }
            // Nothing since its last change concerned it, so it goes on from just this one.
            watching.cursor = self.window.begin_at_last();
            watching.behind = true;
        }
    }

    /// `target` is where the node is now, if the watch is bound to one, and `at` where it was when
    /// what the cursor reads first had not happened yet.
    fn begin(
        &mut self,
        id: RequestId,
        target: Target,
        at: Option<Place>,
        watch: &Watch,
        cursor: Cursor,
        first: Option<Changes>,
    ) -> bool {
        let kinds = if watch.kinds.0.is_empty() {
            Kinds::ALL
        } else {
            watch.kinds.0.iter().copied().collect()
        };
        // The index follows nodes by every change that reaches them, so kinds are tested here.
        if self
            .interests
            .insert(id.0, target.clone(), Kinds::ALL)
            .is_err()
        {
            return false;
        }
        let mut selector = Selector::new(target, kinds);
        if let Some(place) = at {
            selector.resume_at(place);
        }
        let watching = Watching {
            cursor,
            selector,
            credit: watch.credit,
            behind: true,
            first,
        };
        self.by_id.insert(id, watching);
        true
    }

    /// Reads from the window as far as credit goes.
    fn pump(
        &mut self,
        id: RequestId,
        incarnation: Incarnation,
        tree: &Snapshot,
        out: &mut Vec<Output>,
    ) {
        let Some(watching) = self.by_id.get_mut(&id) else {
            return;
        };
        while watching.behind && watching.credit > 0 {
            if let Some(first) = watching.first.take() {
                let selector = &mut watching.selector;
                let wanted = first.list.iter().enumerate();
                let wanted = wanted.filter(|(_, change)| selector.selects(change, false));
                let wanted: Vec<usize> = wanted.map(|(place, _)| place).collect();
                watching.deliver(id, incarnation, &first, &wanted, out);
                continue;
            }
            match self
                .window
                .next(&mut watching.cursor, &mut watching.selector)
            {
                Next::Delivered { changes, matching } => {
                    watching.deliver(id, incarnation, &changes, &matching, out);
                }
                Next::CaughtUp => watching.behind = false,
                Next::Lagged { revisions, oldest } => {
                    // What was lost may have moved the node that is followed.
                    let (window, cursor) = (&self.window, &watching.cursor);
                    let followed = watching.selector.follows();
                    let place =
                        followed.map(|node| window.place_at(cursor, node, place_in(tree, node)));
                    if let Some(Ok(Some(place))) = place {
                        watching.selector.resume_at(place);
                    }
                    // What was lost were overlays alone: nobody is owed those.
                    if revisions > 0 {
                        let delivery = Delivery::Lagged {
                            revisions,
                            next: oldest,
                        };
                        out.push(Output::Deliver { id, delivery });
                    }
                }
            }
        }
    }
}

impl Watching {
    /// Hands over one revision whole, in pieces that fit a message.
    fn deliver(
        &mut self,
        id: RequestId,
        incarnation: Incarnation,
        changes: &Changes,
        wanted: &[usize],
        out: &mut Vec<Output>,
    ) {
        let spent = u32::try_from(wanted.len()).unwrap_or(u32::MAX);
        self.credit = self.credit.saturating_sub(spent);
        let wanted = wanted.iter().filter_map(|place| changes.list.get(*place));
        let mut pieces: Vec<Vec<WatchedChange>> = Vec::new();
        let mut bytes = PAGE_BYTES_MAX;
        for change in wanted.map(WatchedChange::from) {
            let own = watched_bytes(&change);
            bytes += own;
            match pieces.last_mut() {
                Some(piece) if bytes <= PAGE_BYTES_MAX => piece.push(change),
                _ => {
                    pieces.push(vec![change]);
                    bytes = own;
                }
            }
        }
        let last = pieces.len().saturating_sub(1);
        for (place, changes_of_piece) in pieces.into_iter().enumerate() {
            let delivery = Delivery::Changes(WatchedChanges {
                revision: Revision {
                    incarnation,
                    number: changes.meta.revision,
                },
                meta: changes.meta.clone(),
                transaction: changes.transaction,
                changes: changes_of_piece,
                more: place < last,
            });
            out.push(Output::Deliver { id, delivery });
        }
    }
}

fn watched_bytes(change: &WatchedChange) -> usize {
    let shown = |shown: &dhlrs_bag::Shown| match shown {
        dhlrs_bag::Shown::Scalar(value) => value.encoded_bytes(),
        _ => 8,
    };
    let value = |value: &Option<dhlrs_bag::Value>| {
        value.as_ref().map_or(1, dhlrs_bag::Value::encoded_bytes)
    };
    let attributes = change
        .attributes
        .iter()
        .map(|attribute| attribute.name.len() + value(&attribute.old) + value(&attribute.new) + 8);
    let old_path = change
        .old_path
        .as_ref()
        .map_or(0, |path| path.as_str().len());
    64 + change.path.as_str().len()
        + old_path
        + shown(&change.old)
        + shown(&change.new)
        + attributes.sum::<usize>()
}

impl Store {
    pub(crate) fn watch(&mut self, id: RequestId, watch: &Watch, out: &mut Vec<Output>) {
        let result = self.begin_watch(id, watch);
        let began = result.is_ok();
        out.push(Output::Answer { id, result });
        if began {
            self.tell_watch(id, out);
        }
    }

    fn tell_watch(&mut self, id: RequestId, out: &mut Vec<Output>) {
        let incarnation = self.head.incarnation();
        self.watches
            .pump(id, incarnation, &self.published.tree, out);
    }

    fn begin_watch(&mut self, id: RequestId, watch: &Watch) -> Result<Reply, Refusal> {
        if matches!(self.state, crate::machine::State::Opening(_)) {
            return Err(self.unavailable());
        }
        if self.watches.len() >= WATCHES_MAX {
            let message = format!("{WATCHES_MAX} watches of this store are open: end some");
            return Err(Refusal::new(RefusalKind::Overloaded, message));
        }
        let incarnation = self.head.incarnation();
        let oldest = Revision {
            incarnation,
            number: self.watches.oldest(),
        };
        let cursor = match watch.from {
            None => self.watches.window.begin_now(),
            Some(from) if from.incarnation.is_some_and(|asked| asked != incarnation) => {
                return Err(Refusal::new(
                    RefusalKind::Compacted { oldest },
                    format!(
                        "the store is in incarnation {incarnation} now; its history begins at {oldest}"
                    ),
                ));
            }
            Some(from) => self
                .watches
                .window
                .begin_at(from.number)
                .map_err(|error| match error.kind() {
                    WindowErrorKind::Compacted { .. } => Refusal::new(
                        RefusalKind::Compacted { oldest },
                        format!(
                            "revision {} is no longer kept: the oldest is {oldest}",
                            from.number
                        ),
                    ),
                    _ => Refusal::new(
                        RefusalKind::Invalid,
                        format!(
                            "revision {} lies beyond the next one, {}",
                            from.number,
                            self.published.revision + 1
                        ),
                    ),
                })?,
        };
        let from = Revision {
            incarnation,
            number: cursor.revision(),
        };
        let (target, at) = self.watch_target(watch, &cursor)?;
        let node = at.as_ref().map(|place| place.id);
        // Told as of before the revision that is asked for, so that who is cut off after it asks for
        // that one again.
        let first = watch
            .from
            .map(|_| self.derived_now(cursor.revision().saturating_sub(1)));
        let first = first.filter(|first| !first.list.is_empty());
        if !self.watches.begin(id, target, at, watch, cursor, first) {
            let message = "no more watches can be opened: end some";
            return Err(Refusal::new(RefusalKind::Overloaded, message));
        }
        Ok(Reply::Watching { from, node })
    }

    /// A path without `#` steps is watched by its labels, so it need not exist; one with `#` steps
    /// binds to the node that it names now, or to the one that an earlier stream was bound to, which
    /// may be gone by now. Such a one is told of what happened to the bags that were around it then.
    fn watch_target(
        &self,
        watch: &Watch,
        cursor: &Cursor,
    ) -> Result<(Target, Option<Place>), Refusal> {
        let path = match &watch.selection {
            Selection::Pattern(pattern) => return Ok((Target::Pattern(pattern.clone()), None)),
            Selection::Path(path) => path,
        };
        let tree = &self.published.tree;
        let is_bound = path.steps().any(|step| !matches!(step, Step::Label(_)));
        if path.query().is_some() {
            let invalid = |message: String| Refusal::new(RefusalKind::Invalid, message);
            if is_bound {
                let message = format!("{path}: attributes are watched by labels, not by # steps");
                return Err(invalid(message));
            }
            let pattern = Pattern::parse(path.as_str());
            let pattern = pattern.map_err(|error| invalid(error.to_string()))?;
            return Ok((Target::Pattern(pattern), None));
        }
        let named = match watch.node {
            Some(id) => Some(id),
            None if is_bound => tree.node(&path.without_query()).map(|node| node.id()),
            None => {
                let pattern = Pattern::subtree_of(path);
                let pattern = pattern.map_err(|error| Refusal::new(RefusalKind::Invalid, error))?;
                return Ok((Target::Pattern(pattern), None));
            }
        };
        let Some(id) = named else {
            return Err(nothing_to_bind_to(path));
        };
        let now = place_in(tree, id);
        let at = self.watches.window.place_at(cursor, id, now.clone());
        let at = at.map_err(|_| {
            let oldest = Revision {
                incarnation: self.head.incarnation(),
                number: self.watches.window.next_revision(),
            };
            let message = format!(
                "{path} is gone since, with too much around it to say where it was: the oldest \
                 revision that can be told is {oldest}"
            );
            Refusal::new(RefusalKind::Compacted { oldest }, message)
        })?;
        let Some(at) = at else {
            return Err(nothing_to_bind_to(path));
        };
        let nowhere = Place {
            id,
            ancestors: Vec::new(),
        };
        Ok((Target::Branch(now.unwrap_or(nowhere)), Some(at)))
    }

    pub(crate) fn credit(&mut self, id: RequestId, changes: u32, out: &mut Vec<Output>) {
        if let Some(watching) = self.watches.by_id.get_mut(&id) {
            watching.credit = watching.credit.saturating_add(changes);
            self.tell_watch(id, out);
        }
    }
}

fn place_in(tree: &Snapshot, id: NodeId) -> Option<Place> {
    tree.node_by_id(id).map(|node| Place::of(&node))
}

fn nothing_to_bind_to(path: &Path<'_>) -> Refusal {
    let message = format!("there is no node {path} to bind the watch to");
    Refusal::new(RefusalKind::Missing, message)
}
