//! What must hold: the rules of a storm, each a way to say no.

use std::collections::{BTreeMap, BTreeSet};

use dhlrs_bag::{Snapshot, Value};
use dhlrs_engine::CallId;
use dhlrs_path::{Path, Pattern, StoreName};
use dhlrs_wire::{Delivery, Refusal, RefusalKind, Reply, Revision};

use super::is_definite;
use crate::node::NodeIndex;
use crate::{Cluster, Fate};

#[derive(Debug)]
pub(crate) struct Judge {
    base: NodeIndex,
    copy: Option<NodeIndex>,
    /// Windows are so small that watches may lag.
    tiny_window: bool,
    issued: BTreeMap<String, u64>,
    acknowledged: BTreeMap<String, BTreeSet<u64>>,
    /// Refused for certain, so never to be seen.
    undone: BTreeSet<(String, u64)>,
    failures: Vec<String>,
    /// What each published revision looked like, by node.
    shown: BTreeMap<NodeIndex, BTreeMap<u64, [u8; 32]>>,
    newest: BTreeMap<NodeIndex, Revision>,
    counts: BTreeMap<(NodeIndex, String), i64>,
    watches: BTreeMap<CallId, Watching>,
    /// What watches told of each revision.
    told: BTreeMap<u64, String>,
    delivered: u64,
    /// Stores that have to show a new incarnation.
    anew: BTreeSet<NodeIndex>,
    /// How often a session was lost, and how often a source's writes came again at the copy.
    session_losses: u64,
    repeats: BTreeMap<String, u64>,
}

#[derive(Debug)]
struct Watching {
    /// The revision that is due.
    next: u64,
    /// What has come of it so far.
    begun: String,
}

impl Judge {
    pub(crate) fn new(base: NodeIndex, copy: Option<NodeIndex>, tiny_window: bool) -> Self {
        Self {
            base,
            copy,
            tiny_window,
            issued: BTreeMap::new(),
            acknowledged: BTreeMap::new(),
            undone: BTreeSet::new(),
            failures: Vec::new(),
            shown: BTreeMap::new(),
            newest: BTreeMap::new(),
            counts: BTreeMap::new(),
            watches: BTreeMap::new(),
            told: BTreeMap::new(),
            delivered: 0,
            anew: BTreeSet::new(),
            session_losses: 0,
            repeats: BTreeMap::new(),
        }
    }

    /// A store starts as a backup that was put back: its sessions are forgotten, and so are those
    /// of its forwards.
    pub(crate) fn begins_anew(&mut self, node: NodeIndex) {
        self.anew.insert(node);
        self.session_losses += 1;
    }

    pub(crate) fn wrote(&mut self, source: &str, number: u64) {
        self.failures.clear();
        self.issued.insert(source.to_owned(), number);
    }

    pub(crate) fn answered(
        &mut self,
        source: &str,
        number: u64,
        answer: Option<Result<Reply, Refusal>>,
    ) -> Result<(), String> {
        match answer {
            Some(Ok(Reply::Written(_))) => {
                let own = self.acknowledged.entry(source.to_owned()).or_default();
                own.insert(number);
                Ok(())
            }
            Some(Ok(other)) => Err(format!("{source} {number}: a strange answer: {other:?}")),
            Some(Err(refusal)) => {
                self.failures.push(format!("{source} {number}: {refusal}"));
                if is_definite(&refusal) {
                    self.undone.insert((source.to_owned(), number));
                }
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Calls died with their process: nothing is known of them.
    pub(crate) fn lost(&mut self, cluster: &Cluster, writes: &BTreeMap<CallId, (String, u64)>) {
        let lost = |call: CallId| cluster.call(call).is_some_and(|own| own.fate == Fate::Lost);
        self.watches.retain(|call, _| !lost(*call));
        self.failures.extend(
            writes
                .iter()
                .filter(|(call, _)| lost(**call))
                .map(|(_, (source, number))| format!("{source} {number}: its process died")),
        );
    }

    /// Writes since the last one that was begun which did not come true.
    pub(crate) fn fresh_writes_failed(&self) -> &[String] {
        &self.failures
    }

    pub(crate) fn acknowledged(&self) -> u64 {
        self.acknowledged.values().map(|own| own.len() as u64).sum()
    }

    pub(crate) fn delivered(&self) -> u64 {
        self.delivered
    }

    /// What readers see never goes back, and no revision ever looks different.
    pub(crate) fn published(
        &mut self,
        node: NodeIndex,
        store: &StoreName,
        tree: &Snapshot,
        revision: Revision,
    ) -> Result<(), String> {
        let number = revision.number;
        if let Some(before) = self.newest.insert(node, revision) {
            let is_new = before.incarnation != revision.incarnation;
            match (self.anew.remove(&node), is_new) {
                (false, true) => {
                    return Err(format!("{store} has another incarnation after a crash"));
                }
                (true, false) => {
                    return Err(format!("{store} was put back and has its old incarnation"));
                }
                _ => {}
            }
            if before.number > number {
                return Err(format!(
                    "readers of {store} saw revision {} and now see {number}",
                    before.number
                ));
            }
        }
        let digest = digest(tree);
        let shown = self.shown.entry(node).or_default();
        if *shown.entry(number).or_insert(digest) != digest {
            return Err(format!(
                "revision {number} of {store} looked different before"
            ));
        }
        let top = if Some(node) == self.copy {
            tree.root().child("in")
        } else {
            Some(tree.root())
        };
        for source in top.iter().flat_map(|top| top.children()) {
            let count = source
                .child("count")
                .and_then(|count| count.value().cloned());
            let Some(Value::Int(count)) = count else {
                continue;
            };
            let name = source.label().as_str().to_owned();
            let before = self.counts.insert((node, name.clone()), count);
            if before.is_some_and(|before| before > count) {
                let repeats = self.repeats.entry(name.clone()).or_default();
                *repeats += 1;
                // What was not answered in a lost session may come once more.
                if Some(node) == self.copy && *repeats <= self.session_losses {
                    continue;
                }
                return Err(format!(
                    "{store}: write {count} of {name} came after write {before:?}"
                ));
            }
        }
        if node == self.base {
            self.acknowledged_are_there(tree)?;
        }
        Ok(())
    }

    fn acknowledged_are_there(&self, tree: &Snapshot) -> Result<(), String> {
        for (source, numbers) in &self.acknowledged {
            let own = tree.root().child(source);
            // Acknowledgements come in order, so the last one is enough most of the time.
            let Some(last) = numbers.last() else { continue };
            if own.and_then(|own| own.child(&format!("e{last}"))).is_none() {
                return Err(format!(
                    "write {last} of {source} was acknowledged and is gone"
                ));
            }
        }
        Ok(())
    }

    /// Says whether the watch began.
    pub(crate) fn watch_began(
        &mut self,
        call: CallId,
        answer: Option<Result<Reply, Refusal>>,
    ) -> Result<bool, String> {
        match answer {
            Some(Ok(Reply::Watching { from, .. })) => {
                let begun = String::new();
                let next = from.number;
                self.watches.insert(call, Watching { next, begun });
                Ok(true)
            }
            Some(Err(refusal)) => match refusal.kind() {
                RefusalKind::NoRoute
                | RefusalKind::Unavailable
                | RefusalKind::Timeout
                | RefusalKind::Compacted { .. } => Ok(false),
                _ => Err(format!("a watch was refused: {refusal}")),
            },
            _ => Err("a watch had a strange answer".to_owned()),
        }
    }

    /// Judges a piece of a watch's stream; says how many changes it held, and whether it goes on.
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
                    return Err(format!(
                        "watch {} was told of revision {number}, {} was due",
                        call.0, watching.next
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
                    let before = self.told.entry(number).or_insert_with(|| told.clone());
                    if *before != told {
                        return Err(format!(
                            "revision {number} was told as {before} and as {told}"
                        ));
                    }
                }
                Ok((changes, true))
            }
            Delivery::Lagged { revisions, next } if self.tiny_window => {
                if watching.next + revisions != *next || *revisions == 0 {
                    return Err(format!(
                        "lagged by {revisions} from {} to {next}",
                        watching.next
                    ));
                }
                watching.next = *next;
                watching.begun.clear();
                Ok((0, true))
            }
            Delivery::Ended(refusal) if self.tiny_window || self.session_losses > 0 => {
                match refusal.kind() {
                    RefusalKind::Compacted { oldest }
                        if oldest.number > watching.next || self.session_losses > 0 =>
                    {
                        self.watches.remove(&call);
                        Ok((0, false))
                    }
                    _ => Err(format!("a watch ended: {refusal}")),
                }
            }
            other => Err(format!("a watch that kept up was told {other:?}")),
        }
    }

    pub(crate) fn all_caught_up(&self, open: &BTreeMap<CallId, NodeIndex>) -> bool {
        let Some(newest) = self.newest.get(&self.base) else {
            return true;
        };
        open.keys().all(|call| {
            let own = self.watches.get(call);
            own.is_some_and(|own| own.next == newest.number + 1)
        })
    }

    pub(crate) fn describe_watches(&self, open: &BTreeMap<CallId, NodeIndex>) -> String {
        let due: Vec<_> = open
            .keys()
            .map(|call| (call.0, self.watches.get(call).map(|own| own.next)))
            .collect();
        let newest = self.newest.get(&self.base).map(|newest| newest.number);
        format!("watches due {due:?} of {newest:?}")
    }

    /// All is quiet: everything acknowledged is there, nothing refused is, nothing is left out.
    pub(crate) fn conclude(&self, cluster: &Cluster, store: &str) -> Result<(), String> {
        let Some(tree) = cluster.published(self.base, store) else {
            return Err("the store is not there at the end".to_owned());
        };
        for (source, last) in &self.issued {
            let own = tree.root().child(source);
            let acknowledged = self.acknowledged.get(source);
            for number in 1..=*last {
                let is_there = own.is_some_and(|own| own.child(&format!("e{number}")).is_some());
                let was_acknowledged = acknowledged.is_some_and(|own| own.contains(&number));
                if was_acknowledged && !is_there {
                    return Err(format!(
                        "write {number} of {source} was acknowledged and is gone"
                    ));
                }
                if is_there && self.undone.contains(&(source.clone(), number)) {
                    return Err(format!(
                        "write {number} of {source} was refused and is there"
                    ));
                }
            }
            let order: Vec<String> = own
                .iter()
                .flat_map(|own| own.children())
                .map(|child| child.label().as_str().to_owned())
                .filter(|label| label != "count")
                .collect();
            let mut sorted = order.clone();
            sorted.sort_by_key(|label| label[1..].parse::<u64>().unwrap_or(0));
            if order != sorted {
                return Err(format!("writes of {source} came in the order {order:?}"));
            }
        }
        Ok(())
    }
}

/// What the copy does not show as the original does, as far as the pattern goes, or shows beside it.
pub(crate) fn first_difference(
    cluster: &Cluster,
    pattern: &Pattern,
    original: (NodeIndex, &str),
    copy: (NodeIndex, &str),
) -> Option<String> {
    let nodes = |(node, store): (NodeIndex, &str)| -> Vec<(Path<'static>, Option<Value>)> {
        let tree = cluster.published(node, store);
        let nodes = tree.into_iter().flat_map(|tree| tree.root().walk());
        nodes
            .map(|visited| (visited.node.path(), visited.node.value().cloned()))
            .collect()
    };
    let (prefix, to) = (pattern.literal_prefix(), Path::from_labels(["in"]).ok()?);
    let expected: BTreeMap<Path<'_>, _> = nodes(original)
        .into_iter()
        .filter(|(path, _)| pattern.matches_path(path))
        .filter_map(|(path, value)| {
            let rest = path.strip_prefix(&prefix)?;
            Some((to.join(&rest).ok()?, value))
        })
        .collect();
    let is_forwarded = |path: &Path<'_>| {
        let rest = path.strip_prefix(&to)?;
        let here = prefix.join(&rest).ok()?;
        Some(!here.is_root() && pattern.matches_path(&here))
    };
    let (found, others): (BTreeMap<Path<'_>, _>, BTreeMap<_, _>) = nodes(copy)
        .into_iter()
        .partition(|(path, _)| is_forwarded(path) == Some(true));
    if let Some((path, value)) = others.iter().find(|(_, value)| value.is_some()) {
        return Some(format!("{path} is {value:?} there, and nothing sent it"));
    }
    let paths: BTreeSet<&Path<'_>> = expected.keys().chain(found.keys()).collect();
    let path = paths
        .into_iter()
        .find(|path| expected.get(*path) != found.get(*path))?;
    let (is, should) = (found.get(path), expected.get(path));
    Some(format!("{path} is {is:?} there and should be {should:?}"))
}

fn digest(tree: &Snapshot) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    for visited in tree.root().walk() {
        hasher.update(&visited.depth.to_le_bytes());
        hasher.update(visited.node.label().as_str().as_bytes());
        if let Some(Value::Int(number)) = visited.node.value() {
            hasher.update(&number.to_le_bytes());
        }
    }
    *hasher.finalize().as_bytes()
}
