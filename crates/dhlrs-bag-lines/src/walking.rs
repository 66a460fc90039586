//! How a path leads through the bags of a session, and through what resolvers give on the way.

use dhlrs_bag::{Name, NodeId, Value};
use dhlrs_path::{Path, Step};

use crate::{error::ErrorClass, request::Request, resolving::Resolved, session::Session};

/// A node of a bag of the session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spot {
    pub(crate) handle: String,
    pub(crate) node: NodeId,
}

/// A label as it stands in a path.
pub(crate) fn escaped(label: &str) -> String {
    Step::Label(label.into()).to_string()
}

impl Session {
    /// The node at a path; `None` where there is none. What stands on the way is resolved or not.
    pub(crate) fn find(
        &mut self,
        handle: &str,
        path: &Path<'_>,
        resolve: bool,
    ) -> Result<Option<Spot>, ErrorClass> {
        self.handle(handle)?;
        let root = Spot {
            handle: handle.to_owned(),
            node: NodeId::ROOT,
        };
        self.find_from(root, path, resolve)
    }

    /// The node at a path that begins in a bag. The bag itself is not resolved.
    pub(crate) fn find_from(
        &mut self,
        bag: Spot,
        path: &Path<'_>,
        resolve: bool,
    ) -> Result<Option<Spot>, ErrorClass> {
        let mut spot = bag;
        for (at, step) in path.steps().enumerate() {
            if at > 0 && resolve && step != Step::Parent {
                match self.resolve(&spot, &[])? {
                    Resolved::Stored => {}
                    Resolved::Apart(bag) => spot = bag,
                    Resolved::Value(_) => return Ok(None),
                }
            }
            match self.step(&spot, &step) {
                Some(node) => spot.node = node,
                None => return Ok(None),
            }
        }
        Ok(Some(spot))
    }

    pub(crate) fn step(&self, from: &Spot, step: &Step<'_>) -> Option<NodeId> {
        let handle = self.handles.get(&from.handle)?;
        let node = handle.bag.node_by_id(from.node)?;
        let found = match step {
            Step::Parent => {
                let around = node.parent()?;
                return handle.is_linked(around.id()).then(|| around.id());
            }
            Step::Label(label) => node.child(label),
            Step::Index(index) => node.child_at(*index),
            Step::Attribute { .. } | Step::Value(_) => {
                let text = step.to_string();
                let path = node.path().join(&Path::parse(&text).ok()?).ok()?;
                handle.bag.node(&path)
            }
            Step::Displaced { .. } => None,
        };
        found.map(|child| child.id())
    }

    /// The node that a request is about, and nothing for the bag itself; resolving on the way only
    /// where the request says so.
    pub(crate) fn node_of(&mut self, request: &Request<'_>) -> Result<Option<Spot>, ErrorClass> {
        let path = request.path()?;
        let resolve = !request.flag("static", true);
        self.node_at(&request.handle()?, &path, resolve)
    }

    pub(crate) fn node_at(
        &mut self,
        handle: &str,
        path: &Path<'_>,
        resolve: bool,
    ) -> Result<Option<Spot>, ErrorClass> {
        let spot = self.find(handle, path, resolve)?;
        Ok(spot.filter(|_| !path.is_root() && path.query().is_none()))
    }

    /// The bag that a request is about.
    pub(crate) fn bag_of(&mut self, request: &Request<'_>) -> Result<Spot, ErrorClass> {
        let handle = request.handle()?;
        self.handle(&handle)?;
        let path = match request.get("path") {
            Some(path) if path.is_truthy() => path.text().ok_or(ErrorClass::Type)?,
            _ => "",
        };
        let path = Path::parse(path)?;
        let spot = self.find(&handle, &path, false)?;
        let spot = spot.filter(|_| path.query().is_none());
        let spot = spot.ok_or(ErrorClass::Missing)?;
        let node = self.handle(&spot.handle)?.bag.node_by_id(spot.node);
        match node.is_some_and(|node| node.is_bag()) {
            true => Ok(spot),
            false => Err(ErrorClass::Missing),
        }
    }

    /// Names and values of the arguments of a read.
    pub(crate) fn arguments(
        &mut self,
        request: &Request<'_>,
    ) -> Result<Vec<(Name, Value)>, ErrorClass> {
        match request.get("kw") {
            None => Ok(Vec::new()),
            Some(kw) => self.named_values(kw),
        }
    }
}
