//! What must hold while a mesh storm blows, each rule a way to say no.

use std::collections::{BTreeMap, BTreeSet};

use dhlrs_bag::{Snapshot, Value};
use dhlrs_engine::CallId;
use dhlrs_feed::{Event, HomeStep, Payload, TreeOp};
use dhlrs_wire::{Delivery, Incarnation, Refusal, RefusalKind, Reply, Revision};

use super::edits::{mark, mark_path};
use crate::node::NodeIndex;

/// One write: who made it, and its number there.
pub(crate) type WriteId = (NodeIndex, u64);

#[derive(Debug, Default)]
pub(crate) struct Judge {
    /// Windows are so small that watches may lag.
    tiny_window: bool,
    /// Whether feeds may be closed, so that what was removed may come back with the Remove void.
    voids: bool,
    acknowledged: BTreeMap<WriteId, Fate>,
    /// Refused for certain, so never to be seen.
    refused: BTreeSet<WriteId>,
    /// Which write removed which mark, whatever became of it.
    removals: BTreeMap<WriteId, u64>,
    newest: BTreeMap<NodeIndex, Revision>,
    /// What each published revision looked like.
    shown: BTreeMap<(NodeIndex, Incarnation, u64), [u8; 32]>,
    /// What watches told of each revision.
    told: BTreeMap<(NodeIndex, Incarnation, u64), String>,
    /// Processes that have to show a new incarnation.
    anew: BTreeSet<NodeIndex>,
    /// Marks that each process has shown, and those that it has ceased to show.
    marks: BTreeMap<NodeIndex, BTreeMap<String, bool>>,
    watches: BTreeMap<CallId, Watching>,
    pub(crate) delivered: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// It is on the disk of its process.
    Kept,
    /// It was on a disk that was replaced by an older one.
    Replaced,
}

#[derive(Debug)]
struct Watching {
    node: NodeIndex,
    next: u64,
    begun: String,
}

impl Judge {
    pub(crate) fn new(tiny_window: bool, voids: bool) -> Self {
        Self {
            tiny_window,
            voids,
            ..Self::default()
        }
    }

    pub(crate) fn answered(&mut self, write: WriteId, answer: &Result<Reply, Refusal>) {
        match answer {
            Ok(_) => {
                self.acknowledged.insert(write, Fate::Kept);
            }
            Err(refusal) if !refusal.outcome_unknown() => {
                self.refused.insert(write);
            }
            Err(_) => {}
        }
    }

    pub(crate) fn removes(&mut self, removed: WriteId, by: u64) {
        self.removals.insert(removed, by);
    }

    pub(crate) fn acknowledged(&self) -> u64 {
        self.acknowledged.len() as u64
    }

    /// What a process has acknowledged so far.
    pub(crate) fn acknowledged_by(&self, node: NodeIndex) -> BTreeSet<u64> {
        let own = self.acknowledged.keys().filter(|(own, _)| *own == node);
        own.map(|(_, number)| *number).collect()
    }

    /// A disk was replaced by one on which there are these writes of its process and no others.
    pub(crate) fn put_back(&mut self, node: NodeIndex, kept: &BTreeSet<u64>, is_told: bool) {
        for ((own, number), fate) in &mut self.acknowledged {
            if *own == node && !kept.contains(number) {
                *fate = Fate::Replaced;
            }
        }
        self.marks.remove(&node);
        if is_told {
            self.anew.insert(node);
        } else {
            // It knows no better, and counts on from where the backup is.
            self.newest.remove(&node);
            self.shown.retain(|(own, ..), _| *own != node);
            self.told.retain(|(own, ..), _| *own != node);
        }
    }

    /// What readers see never goes back, and no revision ever looks different.
    pub(crate) fn published(
        &mut self,
        node: NodeIndex,
        tree: &Snapshot,
        revision: Revision,
    ) -> Result<(), String> {
        let Revision {
            incarnation,
            number,
        } = revision;
        let place = node.0;
        if let Some(before) = self.newest.insert(node, revision) {
            let is_new = before.incarnation != incarnation;
            match (self.anew.remove(&node), is_new) {
                (false, true) => {
                    return Err(format!("n{place} has another incarnation after a crash"));
                }
                (true, false) => {
                    return Err(format!("n{place} was put back in its old incarnation"));
                }
                _ => {}
            }
            if !is_new && before.number > number {
                let before = before.number;
                return Err(format!("n{place} showed revision {before}, now {number}"));
            }
        }
        let digest = digest(tree);
        let key = (node, incarnation, number);
        if *self.shown.entry(key).or_insert(digest) != digest {
            return Err(format!("n{place}: revision {number} looked different"));
        }
        self.nothing_returns(node, tree)
    }

    fn nothing_returns(&mut self, node: NodeIndex, tree: &Snapshot) -> Result<(), String> {
        if self.voids {
            return Ok(());
        }
        let marks = self.marks.entry(node).or_default();
        let present = marks_of(tree);
        for (mark, is_gone) in marks.iter_mut() {
            match (present.contains(mark), *is_gone) {
                (true, true) => return Err(format!("n{}: {mark} was removed, came back", node.0)),
                (false, false) => *is_gone = true,
                _ => {}
            }
        }
        for mark in present {
            marks.entry(mark).or_insert(false);
        }
        Ok(())
    }

    /// Says whether the watch began.
    pub(crate) fn watch_began(
        &mut self,
        node: NodeIndex,
        call: CallId,
        answer: Option<&Result<Reply, Refusal>>,
    ) -> Result<bool, String> {
        match answer {
            Some(Ok(Reply::Watching { from, .. })) => {
                let watching = Watching {
                    node,
                    next: from.number,
                    begun: String::new(),
                };
                self.watches.insert(call, watching);
                Ok(true)
            }
            Some(Err(refusal)) => match refusal.kind() {
                RefusalKind::Unavailable
                | RefusalKind::Timeout
                | RefusalKind::NoRoute
                | RefusalKind::Compacted { .. } => Ok(false),
                _ => Err(format!("a watch was refused: {refusal}")),
            },
            other => Err(format!("a watch had a strange answer: {other:?}")),
        }
    }

    /// Says how many changes came, and whether the watch goes on.
    pub(crate) fn delivery(
        &mut self,
        call: CallId,
        delivery: &Delivery,
    ) -> Result<(u32, bool), String> {
        let Some(watching) = self.watches.get_mut(&call) else {
            return Err("something was delivered before the watch began".to_owned());
        };
        match delivery {
            Delivery::Changes(piece) => {
                let number = piece.revision.number;
                if number != watching.next {
                    let (node, due) = (watching.node.0, watching.next);
                    return Err(format!(
                        "n{node}: a watch was told of revision {number}, {due} was due"
                    ));
                }
                for change in &piece.changes {
                    let text = format!("{:?} {} {:?};", change.kind, change.path, change.new);
                    watching.begun.push_str(&text);
                }
                let changes = u32::try_from(piece.changes.len()).unwrap_or(u32::MAX);
                self.delivered += u64::from(changes);
                if !piece.more {
                    watching.next += 1;
                    let told = std::mem::take(&mut watching.begun);
                    let key = (watching.node, piece.revision.incarnation, number);
                    let before = self.told.entry(key).or_insert_with(|| told.clone());
                    if *before != told {
                        return Err(format!(
                            "revision {number} was told as {before} and as {told}"
                        ));
                    }
                }
                Ok((changes, true))
            }
            Delivery::Lagged { next, .. } if self.tiny_window => {
                watching.next = *next;
                watching.begun.clear();
                Ok((0, true))
            }
            Delivery::Ended(refusal)
                if matches!(refusal.kind(), RefusalKind::Compacted { .. })
                    && (self.tiny_window || self.voids) =>
            {
                self.watches.remove(&call);
                Ok((0, false))
            }
            other => Err(format!("a watch that kept up was told {other:?}")),
        }
    }

    pub(crate) fn lose_watch(&mut self, call: CallId) {
        self.watches.remove(&call);
    }

    /// Watches that were not told of everything yet.
    pub(crate) fn watches_behind(&self) -> usize {
        let is_behind = |watch: &&Watching| {
            let newest = self.newest.get(&watch.node);
            newest.is_some_and(|newest| watch.next != newest.number + 1)
        };
        self.watches.values().filter(is_behind).count()
    }

    /// All is whole again: what was acknowledged shows everywhere or is a draft of its author, and
    /// what was refused or removed shows nowhere.
    pub(crate) fn conclude(
        &self,
        tree: &Snapshot,
        drafts: &BTreeMap<NodeIndex, Drafts>,
    ) -> Result<(), String> {
        for (id, fate) in &self.acknowledged {
            let (node, number) = *id;
            let mark = mark(node.0, number);
            let path = mark_path(node.0, number);
            let shows = tree.get(&path) == Some(&Value::from(mark.as_str()));
            let drafts = drafts.get(&node);
            let is_draft = drafts.is_some_and(|drafts| drafts.set.contains(&mark));
            match self.removals.get(id) {
                None => {
                    if !shows && !is_draft && *fate == Fate::Kept {
                        return Err(format!(
                            "{path} was acknowledged and is neither shown nor a draft"
                        ));
                    }
                }
                Some(by) => {
                    let kept = self.acknowledged.get(&(node, *by)) == Some(&Fate::Kept);
                    let label = format!("e{number}");
                    let is_void = drafts.is_some_and(|drafts| drafts.removed.contains(&label));
                    if shows && kept && !is_void {
                        return Err(format!("{path} was removed and is there"));
                    }
                }
            }
        }
        for (node, number) in &self.refused {
            let path = mark_path(node.0, *number);
            if tree.get(&path).is_some() {
                return Err(format!("{path} was refused and is there"));
            }
        }
        Ok(())
    }
}

/// What the drafts of a process would set and remove.
#[derive(Debug, Default)]
pub(crate) struct Drafts {
    set: BTreeSet<String>,
    removed: BTreeSet<String>,
}

impl Drafts {
    pub(crate) fn of<'a>(events: impl Iterator<Item = &'a Event>) -> Self {
        let mut drafts = Self::default();
        for event in events {
            match &event.payload {
                Payload::Tree(TreeOp::Write { value, .. }) => {
                    drafts.set.extend(value.as_text().map(str::to_owned));
                }
                Payload::Tree(TreeOp::Remove { node, .. }) => {
                    if let Some((_, HomeStep::Labelled { label, .. })) = node.home() {
                        drafts.removed.insert(label.to_string());
                    }
                }
                _ => {}
            }
        }
        drafts
    }
}

fn marks_of(tree: &Snapshot) -> BTreeSet<String> {
    let sources = tree.root().child("m");
    let sources = sources.iter().flat_map(|marks| marks.children());
    let mut marks = BTreeSet::new();
    for source in sources {
        for mark in source.children() {
            marks.extend(mark.value().and_then(Value::as_text).map(str::to_owned));
        }
    }
    marks
}

/// Labels, values, attributes and order, with the revision of each as it is here.
fn digest(tree: &Snapshot) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    for row in tree.image() {
        let mut attributes: Vec<_> = row.attributes.iter().collect();
        attributes.sort_by_key(|(name, _)| *name);
        let text = format!(
            "{} {} {:?} {:?} {attributes:?} {}",
            row.depth, row.id, row.label, row.value, row.revision
        );
        hasher.update(text.as_bytes());
    }
    *hasher.finalize().as_bytes()
}
