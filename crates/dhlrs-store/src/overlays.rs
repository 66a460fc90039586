//! Resolved values in the tree: shown, never logged, and gone when what they follow from is.

use dhlrs_bag::{Attributes, ChangeKind, Changes, Content};
use dhlrs_clock::Time;
use dhlrs_path::Path;
use dhlrs_resolver::{Output as ResolverOutput, Request as ResolverRequest, Slot};
use dhlrs_wire::{Refusal, RefusalKind};

use crate::bound::Bound;
use crate::machine::Store;
use crate::port::{Output, RequestId};
use crate::resolve::WaitingRead;

impl Store {
    pub(crate) fn resolver_outputs(&mut self, outputs: Vec<ResolverOutput>, out: &mut Vec<Output>) {
        for output in outputs {
            match output {
                ResolverOutput::Start { flight, call } => {
                    out.push(Output::Resolve { flight, call })
                }
                ResolverOutput::Cancel { flight } => out.push(Output::CancelResolve(flight)),
                ResolverOutput::Answer { reader, result } => {
                    self.waiting.answers.push_back((RequestId(reader), result));
                }
                ResolverOutput::Store { slot, content } => {
                    self.show(&slot, Some(content.as_ref().clone()), out);
                }
                ResolverOutput::Unstore { slot } => self.show(&slot, None, out),
                ResolverOutput::Due { slot } => self.waiting.due.push_back(slot),
                ResolverOutput::Failed { slot, error } => {
                    let what = self.describe(&slot);
                    out.push(Output::Warning(format!("resolving {what} failed: {error}")));
                }
            }
        }
    }

    /// A resolved value enters the tree as a ticket without records.
    fn show(&mut self, slot: &Slot, content: Option<Content>, out: &mut Vec<Output>) {
        if !self.is_open() {
            return;
        }
        let path = match slot {
            Slot::Missing(path) => path.clone(),
            Slot::Node(id) => match self.head.bag.node_by_id(*id) {
                Some(node) => node.path(),
                None => return,
            },
        };
        // A derived value stands before what a resolver gave there.
        if self.derivations.covers(&path) {
            return;
        }
        match self.head.bag.set_overlay(&path, content) {
            Ok(list) => self.overlays_changed(list),
            Err(error) => {
                out.push(Output::Warning(format!(
                    "a resolved value cannot be shown: {error}"
                )));
            }
        }
    }

    fn describe(&self, slot: &Slot) -> String {
        match slot {
            Slot::Missing(path) => path.to_string(),
            Slot::Node(id) => self
                .published
                .tree
                .node_by_id(*id)
                .map_or_else(|| id.to_string(), |node| node.path().to_string()),
        }
    }

    /// Carries out what `invalidate` asked of nodes that have no place in the tree.
    pub(crate) fn reset_missing(&mut self, out: &mut Vec<Output>) {
        let mut outputs = Vec::new();
        for path in std::mem::take(&mut self.waiting.resets) {
            let slot = Slot::Missing(path);
            self.resolvers.invalidate(&slot, &mut outputs);
        }
        self.resolver_outputs(outputs, out);
    }

    /// Changes of the tree end what was cached for the nodes that they concern.
    pub(crate) fn resolvers_see(&mut self, now: Time, changes: &Changes, out: &mut Vec<Output>) {
        let mut outputs = Vec::new();
        let mut gone = false;
        let mut moved = Vec::new();
        // Places that were left, and where what stood there went.
        let mut emptied: Vec<(Path<'static>, Option<Path<'static>>)> = Vec::new();
        for change in &changes.list {
            let slot = Slot::Node(change.id);
            match change.kind {
                _ if change.invalidated => {
                    self.resolvers.invalidate(&slot, &mut outputs);
                    // What shows where nothing is stored is cached by its path.
                    let is_inside = |slot: &Slot| match slot {
                        Slot::Missing(path) => path.starts_with(&change.path),
                        Slot::Node(_) => false,
                    };
                    self.resolvers.invalidate_where(is_inside, &mut outputs);
                }
                ChangeKind::Resolve => {}
                // What was read here before the node existed is the node's now, or nobody's.
                ChangeKind::Insert if self.config.bindings.of(&change.path, false).is_some() => {
                    match self.head.materialised.contains(&change.id) {
                        true => {
                            let missing = Slot::Missing(change.path.clone());
                            self.resolvers.forget(&missing, &mut outputs);
                        }
                        false => self.resolvers.adopt(&change.path, change.id, &mut outputs),
                    }
                }
                ChangeKind::Move | ChangeKind::Rename => {
                    moved.push(change.id);
                    if let Some(old_path) = &change.old_path {
                        emptied.push((old_path.clone(), Some(change.path.clone())));
                    }
                }
                ChangeKind::Value | ChangeKind::ValueAndAttributes => {
                    self.resolvers.forget(&slot, &mut outputs);
                }
                ChangeKind::Remove | ChangeKind::Replace => {
                    gone = true;
                    emptied.push((change.path.clone(), None));
                }
                _ => {}
            }
        }
        if gone || !moved.is_empty() {
            // A node's path decides which binding covers it, and what it asks.
            let bag = &self.head.bag;
            let is_over = |slot: &Slot| match slot {
                Slot::Node(id) => bag.node_by_id(*id).is_none_or(|node| {
                    let mut chain = std::iter::once(node).chain(node.ancestors());
                    !moved.is_empty() && chain.any(|node| moved.contains(&node.id()))
                }),
                Slot::Missing(path) => emptied.iter().any(|(left, _)| path.starts_with(left)),
            };
            self.resolvers.forget_where(is_over, &mut outputs);
            follow_overlays(&mut outputs, &emptied);
        }
        self.resolver_outputs(outputs, out);
        self.answer_readers(now, out);
    }

    pub(crate) fn resolver_tick(&mut self, now: Time, out: &mut Vec<Output>) {
        let mut outputs = Vec::new();
        self.resolvers.tick(now, &mut outputs);
        self.resolver_outputs(outputs, out);
        while let Some(slot) = self.waiting.due.pop_front() {
            self.revalidate(now, &slot, out);
        }
        self.answer_readers(now, out);
    }

    fn revalidate(&mut self, now: Time, slot: &Slot, out: &mut Vec<Output>) {
        let tree = self.published.tree.clone();
        let node = match slot {
            Slot::Node(id) => tree.node_by_id(*id),
            Slot::Missing(path) => tree.node(path),
        };
        let place = match (slot, &node) {
            (Slot::Missing(path), _) => path.clone(),
            (Slot::Node(_), Some(node)) => node.path(),
            (Slot::Node(_), None) => return,
        };
        let none = Attributes::new();
        let bound = Bound {
            bindings: &self.config.bindings,
            own: &self.head.materialised,
        };
        let Some(source) = bound.source_of(&tree, slot, node.as_ref()) else {
            return;
        };
        let attributes = node.as_ref().map_or(&none, |node| node.attributes());
        let request = ResolverRequest {
            slot,
            path: &place,
            source,
            attributes,
            arguments: &none,
        };
        let mut outputs = Vec::new();
        self.resolvers.revalidate(now, &request, &mut outputs);
        self.resolver_outputs(outputs, out);
    }

    pub(crate) fn waiting_tick(&mut self, now: Time, out: &mut Vec<Output>) {
        let late = |read: &WaitingRead| read.deadline_ms <= now.monotonic_ms;
        let reads = self.waiting.reads.iter();
        let ids: Vec<RequestId> = reads
            .filter(|(_, read)| late(read))
            .map(|(id, _)| *id)
            .collect();
        for id in ids {
            self.stop_waiting(now, id, out);
            let refusal = Refusal::new(RefusalKind::Timeout, "the resolver did not answer in time");
            out.push(Output::Answer {
                id,
                result: Err(refusal),
            });
        }
    }

    pub(crate) fn stop_waiting(&mut self, now: Time, id: RequestId, out: &mut Vec<Output>) {
        if self.waiting.reads.remove(&id).is_some() {
            self.leave_resolvers(now, id, out);
        }
    }

    pub(crate) fn leave_resolvers(&mut self, now: Time, id: RequestId, out: &mut Vec<Output>) {
        let mut outputs = Vec::new();
        self.resolvers.reader_gone(id.0, &mut outputs);
        self.resolver_outputs(outputs, out);
        self.answer_readers(now, out);
    }

    /// After a fence head begins without overlays, so nothing counts as cached.
    pub(crate) fn forget_resolved(&mut self, now: Time, out: &mut Vec<Output>) {
        let mut outputs = Vec::new();
        self.resolvers.forget_where(|_| true, &mut outputs);
        self.resolver_outputs(outputs, out);
        self.answer_readers(now, out);
    }
}

/// Overlays of missing nodes went along with the bag around them: that is where they are taken away.
fn follow_overlays(
    outputs: &mut [ResolverOutput],
    emptied: &[(Path<'static>, Option<Path<'static>>)],
) {
    for output in outputs {
        let ResolverOutput::Unstore {
            slot: Slot::Missing(path),
        } = output
        else {
            continue;
        };
        for (left, to) in emptied {
            let rest = path.strip_prefix(left);
            if let (Some(rest), Some(to)) = (rest, to)
                && let Ok(now_at) = to.join(&rest)
            {
                *path = now_at;
            }
        }
    }
}
