//! Nodes that the configuration binds a resolver to: while it does, they take no content.
//!
//! Whether somebody has read such a node decides only what shows there, so it must not decide what
//! may be written. `materialise` ends the binding of its node for good, and the log keeps that.

use std::collections::BTreeSet;

use dhlrs_bag::{BagNode, Branch, BranchBuilder, Content, Edit, NodeId, Op, Row, Tree, Value};
use dhlrs_path::Path;
use dhlrs_resolver::{BINDINGS_MAX, Binding, Bindings, Slot, Source};
use dhlrs_wire::{Refusal, RefusalKind};

/// The bindings of a store, and what they do not reach any more.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bound<'a> {
    pub(crate) bindings: &'a Bindings,
    /// Materialised nodes: neither they nor what is in them are bound.
    pub(crate) own: &'a BTreeSet<NodeId>,
}

/// Where an edit goes: labels only, and the last node on the way that is stored.
struct Place<'t> {
    path: Path<'static>,
    nearest: BagNode<'t>,
    exists: bool,
}

impl<'a> Bound<'a> {
    /// The binding that stands in for a stored node's value.
    pub(crate) fn of(self, node: &BagNode<'_>) -> Option<&'a Binding> {
        // Every read comes by here, and most stores bind nothing.
        if self.bindings.is_empty() {
            return None;
        }
        let binding = self.bindings.of(&node.path(), true)?;
        let is_own = self.own_depth(node).is_some();
        (!is_own).then_some(binding)
    }

    /// The binding that stands in for the value at a path where no node is stored.
    pub(crate) fn of_missing(self, tree: &Tree, path: &Path<'_>) -> Option<&'a Binding> {
        let binding = self.bindings.of(path, false)?;
        let is_own = place(tree, path).is_some_and(|at| self.own_depth(&at.nearest).is_some());
        (!is_own).then_some(binding)
    }

    /// Whether a binding covers a path where nothing is stored and nothing shows.
    pub(crate) fn of_missing_alone(self, tree: &Tree, path: &Path<'_>) -> bool {
        tree.node(path).is_none() && self.of_missing(tree, path).is_some()
    }

    /// The resolver of a slot: a local binding before the node's own.
    pub(crate) fn source_of(
        self,
        tree: &Tree,
        slot: &Slot,
        node: Option<&BagNode<'a>>,
    ) -> Option<Source<'a>> {
        let binding = match slot {
            Slot::Node(_) => node.and_then(|node| self.of(node)),
            Slot::Missing(path) => self.of_missing(tree, path),
        };
        let own = || match slot {
            Slot::Node(_) => node.and_then(BagNode::resolver).map(Source::Node),
            // What another resolver's answer names there is asked when it is read, and only then.
            Slot::Missing(_) => None,
        };
        binding.map(Source::Binding).or_else(own)
    }

    /// How deep the outermost materialised node is, among this one and those around it.
    fn own_depth(self, node: &BagNode<'_>) -> Option<usize> {
        if self.own.is_empty() {
            return None;
        }
        let chain = std::iter::once(*node).chain(node.ancestors());
        let own = chain.filter(|node| self.own.contains(&node.id()));
        own.map(|node| node.depth()).min()
    }

    /// Whether an edit writes where a resolver stands in for what is there.
    pub(crate) fn check(self, tree: &Tree, edit: &Edit) -> Result<(), Refusal> {
        if self.bindings.is_empty() {
            return Ok(());
        }
        // A path that leads nowhere is refused where the edit is judged.
        let Some(at) = place(tree, edit.path()) else {
            return Ok(());
        };
        match edit {
            Edit::Invalidate { .. } => return Ok(()),
            Edit::Materialise { .. } => return self.check_materialise(tree, edit.path(), &at),
            _ => self.check_above(&at)?,
        }
        match edit {
            Edit::Set { path, content, .. } if path.query().is_none() => content
                .as_ref()
                .map_or(Ok(()), |content| self.check_content(&at, content)),
            Edit::SetResolver { content, .. } => content
                .as_ref()
                .map_or(Ok(()), |content| self.check_content(&at, content)),
            Edit::Replace { branch, .. } | Edit::Merge { branch, .. } => {
                self.check_itself(&at)?;
                self.check_rows(&at, branch)
            }
            Edit::Sort { .. } | Edit::Clear { .. } => self.check_itself(&at),
            Edit::Move { to, .. } => match place(tree, to) {
                Some(to) => self.check_move(tree, &at, &to),
                None => Ok(()),
            },
            Edit::Rename { label, .. } => {
                let to = at.path.parent().and_then(|bag| bag.child(label).ok());
                match to.and_then(|to| place(tree, &to)) {
                    Some(to) => self.check_move(tree, &at, &to),
                    None => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }

    /// Whether a bag may take rows, whatever they are.
    pub(crate) fn check_bag(self, tree: &Tree, path: &Path<'_>) -> Result<(), Refusal> {
        match place(tree, path).filter(|_| !self.bindings.is_empty()) {
            Some(at) => self.check_above(&at).and_then(|()| self.check_itself(&at)),
            None => Ok(()),
        }
    }

    /// The bound nodes that ops made or filled, without what is in them. Where a wildcard binds many,
    /// it is what holds them all, so that a record has room for it.
    pub(crate) fn materialised(self, tree: &Tree, ops: &[Op]) -> Vec<NodeId> {
        let ids = ops.iter().filter_map(|op| match op {
            Op::Write { id, .. } | Op::Insert { id, .. } => Some(*id),
            _ => None,
        });
        self.bound_in(ids.filter_map(|id| tree.node_by_id(id)))
    }

    /// The same for what has been materialised at a path.
    pub(crate) fn materialised_at(self, tree: &Tree, path: &Path<'_>) -> Vec<NodeId> {
        self.bound_in(tree.node(path).into_iter())
    }

    fn bound_in<'t>(self, tops: impl Iterator<Item = BagNode<'t>>) -> Vec<NodeId> {
        let mut own = Vec::new();
        for top in tops {
            let before = own.len();
            let inside = top.stored_walk().map(|visited| visited.node);
            let mut skip_below = None;
            for node in std::iter::once(top).chain(inside) {
                if skip_below.is_some_and(|depth| node.depth() > depth) {
                    continue;
                }
                let is_bound = self.of(&node).is_some();
                skip_below = is_bound.then(|| node.depth());
                own.extend(is_bound.then(|| node.id()));
                if own.len() - before > BINDINGS_MAX {
                    own.truncate(before);
                    own.push(top.id());
                    break;
                }
            }
        }
        own
    }

    fn covers(self, path: &Path<'_>, nearest: &BagNode<'_>) -> bool {
        let is_own = || {
            self.own_depth(nearest)
                .is_some_and(|own| own <= path.depth())
        };
        self.bindings.of(path, true).is_some() && !is_own()
    }

    fn check_above(self, at: &Place<'_>) -> Result<(), Refusal> {
        let mut above = at.path.parent();
        while let Some(path) = above.filter(|path| !path.is_root()) {
            if self.covers(&path, &at.nearest) {
                return Err(refusal(&path));
            }
            above = path.parent().map(Path::into_owned);
        }
        Ok(())
    }

    fn check_itself(self, at: &Place<'_>) -> Result<(), Refusal> {
        match self.covers(&at.path, &at.nearest) {
            true => Err(refusal(&at.path)),
            false => Ok(()),
        }
    }

    fn check_content(self, at: &Place<'_>, content: &Content) -> Result<(), Refusal> {
        match content {
            // It makes the node that the binding waits for.
            Content::Value(Value::Null) if !at.exists => Ok(()),
            Content::Value(_) => self.check_itself(at),
            Content::Branch(branch) => {
                self.check_itself(at)?;
                self.check_rows(at, branch)
            }
        }
    }

    fn check_rows(self, at: &Place<'_>, branch: &Branch) -> Result<(), Refusal> {
        match self.bound_rows(at, branch.rows()).next() {
            Some((_, path)) => Err(refusal(&path)),
            None => Ok(()),
        }
    }

    /// The rows with content that a binding covers, by place and path.
    fn bound_rows<'r>(
        self,
        at: &'r Place<'_>,
        rows: &'r [Row],
    ) -> impl Iterator<Item = (usize, Path<'static>)> + use<'a, 'r> {
        let mut all = self.bindings.iter();
        let reach = all.any(|binding| binding.pattern().intersects_subtree(&at.path));
        let mut open = vec![at.path.clone()];
        let rows = rows.iter().enumerate().filter(move |_| reach);
        rows.filter_map(move |(place, row)| {
            open.truncate(usize::from(row.depth) + 1);
            let path = open.last()?.child(&row.label).ok()?;
            let has_content = row.value != Some(Value::Null);
            let is_bound = has_content && self.covers(&path, &at.nearest);
            open.push(path.clone());
            is_bound.then_some((place, path))
        })
    }

    /// A branch without what its bag cannot take, and why; `None` if it can take everything.
    pub(crate) fn free_rows(
        self,
        tree: &Tree,
        path: &Path<'_>,
        branch: &Branch,
    ) -> Option<(Branch, Vec<Refusal>)> {
        if self.bindings.is_empty() {
            return None;
        }
        let at = place(tree, path)?;
        let mut bound = self.bound_rows(&at, branch.rows()).peekable();
        bound.peek()?;
        let mut kept = BranchBuilder::new();
        let mut refusals = Vec::new();
        let mut left_out = None;
        for (place, row) in branch.rows().iter().enumerate() {
            let found = bound.next_if(|(bound, _)| *bound == place);
            if left_out.is_some_and(|depth| row.depth > depth) {
                continue;
            }
            left_out = found.is_some().then_some(row.depth);
            match found {
                Some((_, path)) => refusals.push(refusal(&path)),
                // These rows were a branch, and what is left out goes with all that is in it.
                None => drop(kept.push(row.clone())),
            }
        }
        Some((kept.finish(), refusals))
    }

    /// A node may not take its content to where it would be hidden.
    fn check_move(self, tree: &Tree, from: &Place<'_>, to: &Place<'_>) -> Result<(), Refusal> {
        self.check_above(to)?;
        let Some(node) = tree.stored_node(&from.path).filter(|_| from.exists) else {
            return Ok(());
        };
        let has_content = |node: &BagNode<'_>| node.stored_value() != Some(&Value::Null);
        let is_own = |node: &BagNode<'_>| self.own_depth(node).is_some();
        if has_content(&node) && !is_own(&node) {
            self.check_itself(to)?;
        }
        for visited in node.stored_walk() {
            let inner = visited.node.path();
            let moved = inner
                .strip_prefix(&from.path)
                .map(|below| to.path.join(&below));
            let Some(Ok(moved)) = moved else { continue };
            if has_content(&visited.node)
                && !is_own(&visited.node)
                && !self.covers(&inner, &visited.node)
                && self.covers(&moved, &to.nearest)
            {
                return Err(refusal(&moved));
            }
        }
        Ok(())
    }

    /// Nothing shows at a bound node that nobody has read, so there is nothing to store.
    fn check_materialise(
        self,
        tree: &Tree,
        path: &Path<'_>,
        at: &Place<'_>,
    ) -> Result<(), Refusal> {
        let shows = tree.node(path).is_some_and(|node| {
            let mut chain = std::iter::once(node).chain(node.ancestors());
            chain.any(|node| node.has_overlay())
        });
        if shows || !self.covers(&at.path, &at.nearest) {
            return Ok(());
        }
        Err(Refusal::new(
            RefusalKind::PreconditionFailed,
            format!(
                "{} has not been resolved yet: read it, then materialise what it shows",
                at.path
            ),
        ))
    }
}

fn place<'t>(tree: &'t Tree, path: &Path<'_>) -> Option<Place<'t>> {
    let target = path.without_query();
    if let Some(nearest) = tree.stored_node(&target) {
        let path = nearest.path();
        return Some(Place {
            path,
            nearest,
            exists: true,
        });
    }
    let mut above = target.parent();
    let mut missing = 1;
    let nearest = loop {
        let path = above?;
        if let Some(node) = tree.stored_node(&path) {
            break node;
        }
        missing += 1;
        above = path.parent().map(Path::into_owned);
    };
    let below = target.tail(missing);
    let path = nearest.path().join(&below).ok().filter(Path::labels_only)?;
    Some(Place {
        path,
        nearest,
        exists: false,
    })
}

fn refusal(path: &Path<'_>) -> Refusal {
    Refusal::new(
        RefusalKind::UnderOverlay,
        format!("{path} is bound to a resolver; materialise it before writing there"),
    )
}
