//! Reads that resolve: the addressed node and every node on the way to it, within the deadline.
//!
//! A read that has to wait is kept here and goes on from the beginning of its path when a resolver
//! answers, with the answers that it has had so far.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use dhlrs_bag::{Attributes, BagNode, Content};
use dhlrs_clock::Time;
use dhlrs_path::Path;
use dhlrs_resolver::{
    FlightId, Read as Resolution, Request as ResolverRequest, ResolveError, ResolveErrorKind, Slot,
    Source as ResolverSource,
};
use dhlrs_wire::{Read, Refusal, RefusalKind, Reply, Selection, View};

use crate::bound::Bound;
use crate::following::{Followed, Located, Standing, opened};
use crate::machine::{State, Store};
use crate::port::{Caller, Output, RequestId};
use crate::reads::Source;

/// Reads that wait for a resolver.
const WAITING_READS_MAX: usize = 65_536;
/// Resolvers that one read asks, each but the first inside what the one before gave.
pub const NESTED_RESOLVERS_MAX: usize = 16;

#[derive(Debug, Default)]
pub(crate) struct Waiting {
    pub(crate) reads: BTreeMap<RequestId, WaitingRead>,
    /// Answers that resolvers gave, in order, until they are dealt with.
    pub(crate) answers: VecDeque<(RequestId, Result<Arc<Content>, ResolveError>)>,
    /// Bound nodes without a place in the tree that are to be resolved anew.
    pub(crate) resets: Vec<Path<'static>>,
    /// Nodes whose refresh interval is over.
    pub(crate) due: VecDeque<Slot>,
}

#[derive(Debug)]
pub(crate) struct WaitingRead {
    caller: Caller,
    purpose: Purpose,
    pub(crate) deadline_ms: u64,
    /// Answers that it has had, so that no resolver is asked twice for one read.
    had: BTreeMap<Slot, Arc<Content>>,
    waits_for: Slot,
}

#[derive(Debug)]
enum Purpose {
    Read(Box<Read>),
    Refresh,
}

impl Waiting {
    pub(crate) fn next_deadline_ms(&self) -> Option<u64> {
        self.reads.values().map(|read| read.deadline_ms).min()
    }
}

impl Store {
    pub(crate) fn read(
        &mut self,
        now: Time,
        id: RequestId,
        caller: &Caller,
        timeout_ms: u64,
        read: Read,
        out: &mut Vec<Output>,
    ) {
        if matches!(self.state, State::Opening(_)) {
            let result = Err(self.unavailable());
            out.push(Output::Answer { id, result });
            return;
        }
        if let Some(stamp) = read.at {
            // What head has and the disk has not is shown with the ticket.
            if self.takes_more(id, out) {
                let result = self.read_past(now, caller, read, stamp);
                self.tickets.answer(id, result);
            }
            return;
        }
        let deadline_ms = now.monotonic_ms.saturating_add(timeout_ms);
        let purpose = Purpose::Read(Box::new(read));
        self.go_on_reading(
            now,
            id,
            caller.clone(),
            purpose,
            deadline_ms,
            BTreeMap::new(),
            out,
        );
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of a waiting read")]
    fn go_on_reading(
        &mut self,
        now: Time,
        id: RequestId,
        caller: Caller,
        purpose: Purpose,
        deadline_ms: u64,
        mut had: BTreeMap<Slot, Arc<Content>>,
        out: &mut Vec<Output>,
    ) {
        let Purpose::Read(read) = purpose else { return };
        let located = match &read.selection {
            Selection::Pattern(_) => Ok(Located::Here(Box::new(Source {
                tree: self.published.tree.clone(),
                revision: self.revision(),
                path: Path::default(),
                top: None,
                is_own: false,
            }))),
            Selection::Path(path) => {
                let path = path.clone();
                self.locate(now, id, &path, &read, deadline_ms, &mut had, out)
            }
        };
        let result = match located {
            Ok(Located::Waits(waits_for)) => {
                if self.waiting.reads.len() >= WAITING_READS_MAX {
                    self.leave_resolvers(now, id, out);
                    let message = "too many reads wait for resolvers: try again";
                    Err(Refusal::new(RefusalKind::Overloaded, message))
                } else {
                    let purpose = Purpose::Read(read);
                    let waiting = WaitingRead {
                        caller,
                        purpose,
                        deadline_ms,
                        had,
                        waits_for,
                    };
                    self.waiting.reads.insert(id, waiting);
                    return;
                }
            }
            Ok(Located::Here(source)) => Ok(self.first_page(now, &caller, *read, *source)),
            Ok(Located::Missing) => Ok(Reply::Page(Box::new(dhlrs_wire::Page {
                revision: self.revision(),
                rows: Vec::new(),
                next: None,
            }))),
            Err(refusal) => Err(refusal),
        };
        out.push(Output::Answer { id, result });
    }

    /// Follows a path; resolves what it passes and what it ends at if the read asks for it.
    #[expect(clippy::too_many_arguments, reason = "the parts of a waiting read")]
    fn locate(
        &mut self,
        now: Time,
        reader: RequestId,
        path: &Path<'static>,
        read: &Read,
        deadline_ms: u64,
        had: &mut BTreeMap<Slot, Arc<Content>>,
        out: &mut Vec<Output>,
    ) -> Result<Located, Refusal> {
        let mut at = Followed {
            tree: self.published.tree.clone(),
            base: Path::default(),
            steps: path.step_texts().map(|text| text.to_string()).collect(),
            top: None,
        };
        if read.view != View::Resolve {
            return self.found(at, read.view);
        }
        // A derived value stands before whatever a resolver gives there.
        let is_derived = self.derivations.covers(path);
        let mut asked = 0;
        while !is_derived && let Some(standing) = self.next_resolver(&at, path.query().is_some())? {
            let Standing {
                taken, place, slot, ..
            } = &standing;
            if asked == NESTED_RESOLVERS_MAX {
                let message = format!(
                    "{place} cannot be resolved: {NESTED_RESOLVERS_MAX} resolvers were asked on the \
                     way, one inside what another gave, and one read asks no more"
                );
                return Err(Refusal::new(RefusalKind::Resolver, message));
            }
            asked += 1;
            let content = match had.get(slot) {
                Some(content) => content.clone(),
                None => {
                    let none = Attributes::new();
                    let arguments = match *taken == at.steps.len() {
                        true => &read.arguments,
                        false => &none,
                    };
                    match self.ask_resolver(now, reader, &standing, arguments, deadline_ms, out) {
                        Resolution::Ready(Ok(content)) => content,
                        Resolution::Ready(Err(error)) => return Err(refusal(place, &error)),
                        Resolution::Pending => return Ok(Located::Waits(slot.clone())),
                    }
                }
            };
            had.insert(slot.clone(), content.clone());
            let (tree, top) = opened(&content, &standing, self.revision())?;
            at = Followed {
                tree,
                base: standing.place,
                steps: at.steps.split_off(standing.taken),
                top: Some(top),
            };
        }
        self.found(at, read.view)
    }

    /// What stands in for the value at a path, if anything does: a local binding before the node's
    /// own resolver.
    pub(crate) fn slot_of(&self, path: &Path<'_>, node: Option<&BagNode<'_>>) -> Option<Slot> {
        let place = node.map(BagNode::path);
        if self.derivations.covers(place.as_ref().unwrap_or(path)) {
            return None;
        }
        match node {
            Some(node) if !node.is_overlay() && node.depth() > 0 => {
                let has_one = self.bound().of(node).is_some() || node.resolver().is_some();
                has_one.then(|| Slot::Node(node.id()))
            }
            _ => {
                self.bound().of_missing(&self.published.tree, path)?;
                Some(Slot::Missing(path.clone().into_owned()))
            }
        }
    }

    /// What the configuration binds, beside what has been materialised.
    pub(crate) fn bound(&self) -> Bound<'_> {
        Bound {
            bindings: &self.config.bindings,
            own: &self.head.materialised,
        }
    }

    fn ask_resolver(
        &mut self,
        now: Time,
        reader: RequestId,
        standing: &Standing<'_>,
        arguments: &Attributes,
        deadline_ms: u64,
        out: &mut Vec<Output>,
    ) -> Resolution {
        let Standing {
            place,
            node,
            slot,
            named,
            ..
        } = standing;
        let bound = Bound {
            bindings: &self.config.bindings,
            own: &self.head.materialised,
        };
        let source = match named {
            Some(resolver) => Some(ResolverSource::Node(resolver)),
            None => bound.source_of(&self.published.tree, slot, node.as_ref()),
        };
        let Some(source) = source else {
            let error = ResolveError::new(ResolveErrorKind::Gone, "the resolver is gone");
            return Resolution::Ready(Err(error));
        };
        let none = Attributes::new();
        let request = ResolverRequest {
            slot,
            path: place,
            source,
            attributes: node.as_ref().map_or(&none, |node| node.attributes()),
            arguments,
        };
        let mut outputs = Vec::new();
        let read = self
            .resolvers
            .read(now, &request, reader.0, deadline_ms, &mut outputs);
        self.resolver_outputs(outputs, out);
        read
    }

    pub(crate) fn refresh(
        &mut self,
        now: Time,
        id: RequestId,
        caller: &Caller,
        timeout_ms: u64,
        path: &Path<'static>,
        out: &mut Vec<Output>,
    ) {
        if matches!(self.state, State::Opening(_)) {
            let result = Err(self.unavailable());
            out.push(Output::Answer { id, result });
            return;
        }
        let tree = self.published.tree.clone();
        let target = path.without_query();
        let node = tree.node(&target);
        let Some(slot) = self.slot_of(&target, node.as_ref()) else {
            let refusal = match node {
                Some(_) if target.is_root() => {
                    Refusal::new(RefusalKind::Invalid, "the root has no resolver")
                }
                Some(node) => {
                    let mut around = node.ancestors();
                    let giver = around.find(|bag| self.slot_of(&bag.path(), Some(bag)).is_some());
                    let message = match giver.filter(|_| node.is_overlay()) {
                        Some(giver) => {
                            let giver = giver.path();
                            format!("{target} is inside what a resolver gave: refresh {giver}")
                        }
                        None => format!("{target} has no resolver"),
                    };
                    Refusal::new(RefusalKind::Invalid, message)
                }
                None => Refusal::new(RefusalKind::Missing, format!("there is no node {target}")),
            };
            out.push(Output::Answer {
                id,
                result: Err(refusal),
            });
            return;
        };
        let mut outputs = Vec::new();
        self.resolvers.invalidate(&slot, &mut outputs);
        self.resolver_outputs(outputs, out);
        let deadline_ms = now.monotonic_ms.saturating_add(timeout_ms);
        let standing = Standing {
            taken: target.depth(),
            place: node
                .as_ref()
                .map_or_else(|| target.clone().into_owned(), BagNode::path),
            node,
            slot,
            named: None,
        };
        let none = Attributes::new();
        let read = self.ask_resolver(now, id, &standing, &none, deadline_ms, out);
        let result = match read {
            Resolution::Ready(Ok(_)) => Ok(Reply::Done),
            Resolution::Ready(Err(error)) => Err(refusal(&target, &error)),
            Resolution::Pending => {
                let waiting = WaitingRead {
                    caller: caller.clone(),
                    purpose: Purpose::Refresh,
                    deadline_ms,
                    had: BTreeMap::new(),
                    waits_for: standing.slot,
                };
                self.waiting.reads.insert(id, waiting);
                return;
            }
        };
        out.push(Output::Answer { id, result });
    }

    pub(crate) fn resolved(
        &mut self,
        now: Time,
        flight: FlightId,
        result: Result<Content, ResolveError>,
        out: &mut Vec<Output>,
    ) {
        let mut outputs = Vec::new();
        self.resolvers.resolved(now, flight, result, &mut outputs);
        self.resolver_outputs(outputs, out);
        self.answer_readers(now, out);
    }

    /// Gives the resolvers' answers to the reads that wait for them.
    pub(crate) fn answer_readers(&mut self, now: Time, out: &mut Vec<Output>) {
        while let Some((id, result)) = self.waiting.answers.pop_front() {
            let Some(waiting) = self.waiting.reads.remove(&id) else {
                continue;
            };
            let WaitingRead {
                caller,
                purpose,
                deadline_ms,
                mut had,
                waits_for,
            } = waiting;
            match (result, purpose) {
                (Err(error), _) => {
                    let path = match &waits_for {
                        Slot::Missing(path) => path.clone(),
                        Slot::Node(node) => self
                            .published
                            .tree
                            .node_by_id(*node)
                            .map_or_else(Path::default, |node| node.path()),
                    };
                    let result = Err(refusal(&path, &error));
                    out.push(Output::Answer { id, result });
                }
                (Ok(_), Purpose::Refresh) => out.push(Output::Answer {
                    id,
                    result: Ok(Reply::Done),
                }),
                (Ok(content), purpose) => {
                    had.insert(waits_for, content);
                    self.go_on_reading(now, id, caller, purpose, deadline_ms, had, out);
                }
            }
        }
    }
}

fn refusal(path: &Path<'_>, error: &ResolveError) -> Refusal {
    let kind = match error.kind() {
        ResolveErrorKind::Timeout => RefusalKind::Timeout,
        ResolveErrorKind::Overloaded => RefusalKind::Overloaded,
        ResolveErrorKind::Unavailable => RefusalKind::Unavailable,
        ResolveErrorKind::Denied => RefusalKind::Denied,
        ResolveErrorKind::TooLarge => RefusalKind::TooLarge,
        _ => RefusalKind::Resolver,
    };
    Refusal::new(kind, format!("{path} cannot be resolved: {error}"))
}
