//! Who is there, as far as a caller that waits for a neighbour wants to know.

use std::collections::BTreeSet;

use dhlrs_path::NodeName;

use crate::error::{NodeError, NodeErrorKind};

#[derive(Debug, Default)]
pub(crate) struct Neighbours {
    /// Neighbours that have said what they reach, the first one first.
    announced: Vec<NodeName>,
    /// Neighbours with a link.
    linked: BTreeSet<NodeName>,
    /// Those to which we connected.
    dialed: BTreeSet<NodeName>,
    /// One for each URL that is connected to: what went wrong the last time.
    dials: Vec<Option<NodeError>>,
}

impl Neighbours {
    pub(crate) fn new(dials: usize) -> Self {
        Self {
            dials: vec![None; dials],
            ..Self::default()
        }
    }

    pub(crate) fn up(&mut self, name: &NodeName) {
        self.linked.insert(name.clone());
    }

    pub(crate) fn is_linked(&self, name: &NodeName) -> bool {
        self.linked.contains(name)
    }

    /// A neighbour answered where we connected, over this link or another one.
    pub(crate) fn dialed(&mut self, name: &NodeName) {
        if self.linked.contains(name) {
            self.dialed.insert(name.clone());
        }
    }

    pub(crate) fn announced(&mut self, name: &NodeName) {
        if !self.announced.contains(name) {
            self.announced.push(name.clone());
        }
    }

    pub(crate) fn down(&mut self, name: &NodeName) {
        self.announced.retain(|known| known != name);
        self.linked.remove(name);
        self.dialed.remove(name);
    }

    pub(crate) fn dial_ended(&mut self, dial: usize, outcome: Option<NodeError>) {
        if let Some(last) = self.dials.get_mut(dial) {
            *last = outcome;
        }
    }

    /// The first neighbour; where we connect, of those that we connected to.
    pub(crate) fn first(&self) -> Option<&NodeName> {
        let counts = |name: &&NodeName| self.dials.is_empty() || self.dialed.contains(*name);
        self.announced.iter().find(counts)
    }

    /// Why waiting cannot help, if it cannot.
    pub(crate) fn hopeless(&self) -> Option<NodeError> {
        let lasting = |error: &NodeError| !error.kind().is_transient();
        let hopeless = self
            .dials
            .iter()
            .all(|last| last.as_ref().is_some_and(lasting));
        if hopeless {
            self.dials.first().cloned().flatten()
        } else {
            None
        }
    }

    /// Why there is no neighbour yet.
    pub(crate) fn reason(&self) -> NodeError {
        if let Some(error) = self.dials.iter().flatten().next() {
            return error.clone();
        }
        let message = match self.dials.len() {
            0 => "no neighbour has connected, and there is no URL to connect to",
            _ => "no neighbour has answered in time",
        };
        NodeError::new(NodeErrorKind::Unreachable, message)
    }
}
