//! Reads that resolve.

use dhlrs_bag::{Attributes, Content, Name, NodeId, Value};
use dhlrs_clock::Time;
use dhlrs_resolver::{Output, Read, Request, ResolveError, ResolveErrorKind, Slot, Source};

use crate::{
    counter::{Called, effective},
    error::ErrorClass,
    handle::Handle,
    session::Session,
    walking::Spot,
};

/// Where the value of a node is, once it was resolved.
pub(crate) enum Resolved {
    /// The node holds it.
    Stored,
    /// It is a bag that only this read sees.
    Apart(Spot),
    /// It is a value that only this read sees.
    Value(Value),
}

// There is one reader, and it waits as long as it takes.
const READER: u64 = 0;

impl Session {
    pub(crate) fn now(&self) -> Time {
        Time {
            wall_ms: self.clock_ms,
            monotonic_ms: self.clock_ms,
        }
    }

    /// Brings the value of a node up to date, if a resolver stands in for it.
    pub(crate) fn resolve(
        &mut self,
        spot: &Spot,
        arguments: &[(Name, Value)],
    ) -> Result<Resolved, ErrorClass> {
        let now = self.now();
        let handle = self.handle_mut(&spot.handle)?;
        let node = handle
            .bag
            .node_by_id(spot.node)
            .ok_or(ErrorClass::Internal)?;
        let Some(resolver) = node.resolver().cloned() else {
            return Ok(Resolved::Stored);
        };
        let parameters = effective(&resolver, node.attributes(), arguments);
        let request = Request {
            slot: &Slot::Node(spot.node),
            path: &node.path(),
            source: Source::Node(&resolver),
            attributes: &parameters,
            arguments: &Attributes::new(),
        };
        let mut outputs = Vec::new();
        let read = handle
            .resolvers
            .read(now, &request, READER, u64::MAX, &mut outputs);
        let content = match read {
            Read::Ready(Ok(content)) => content.as_ref().clone(),
            Read::Ready(Err(_)) => return Err(ErrorClass::Value),
            Read::Pending => {
                let started = outputs.into_iter().find_map(|output| match output {
                    Output::Start { flight, call } => Some((flight, call)),
                    _ => None,
                });
                let (flight, call) = started.ok_or(ErrorClass::Internal)?;
                let called = self.call(&call.parameters);
                let result = match &called {
                    Ok(content) => Ok(content.clone()),
                    Err(class) => {
                        let kind = ResolveErrorKind::Failed;
                        Err(ResolveError::new(kind, class.as_str()))
                    }
                };
                let handle = self.handle_mut(&spot.handle)?;
                handle
                    .resolvers
                    .resolved(now, flight, result, &mut Vec::new());
                // What it was called with is what it is called with from now on, but for the
                // arguments of a read.
                let mut used = resolver.clone();
                used.parameters = effective(&resolver, handle.attributes(spot.node), &[]);
                let stored = called.as_ref().ok().filter(|_| !resolver.read_only);
                handle.write_quietly(spot.node, stored.cloned(), Some(Some(used)))?;
                if stored.is_some() {
                    handle.content_replaced(spot.node);
                }
                called?
            }
        };
        if !resolver.read_only {
            return Ok(Resolved::Stored);
        }
        Ok(match content {
            Content::Value(value) => Resolved::Value(value),
            Content::Branch(branch) => {
                let handle = self.keep_passing(Handle::of(branch)?);
                let node = NodeId::ROOT;
                Resolved::Apart(Spot { handle, node })
            }
        })
    }

    fn call(&mut self, parameters: &Attributes) -> Result<Content, ErrorClass> {
        Ok(match self.counters.call(parameters)? {
            Called::Text(text) => Content::Value(Value::from(text)),
            Called::Bag(nodes) => Content::Branch(self.branch(&nodes)?),
        })
    }

    /// Forgets what the resolver of a node gave.
    pub(crate) fn reset_resolver(&mut self, spot: &Spot) -> Result<(), ErrorClass> {
        let handle = self.handle_mut(&spot.handle)?;
        handle
            .resolvers
            .invalidate(&Slot::Node(spot.node), &mut Vec::new());
        Ok(())
    }
}

impl Handle {
    pub(crate) fn attributes(&self, node: NodeId) -> &Attributes {
        static NONE: Attributes = Attributes::new();
        match self.bag.node_by_id(node) {
            Some(node) => node.attributes(),
            None => &NONE,
        }
    }
}
