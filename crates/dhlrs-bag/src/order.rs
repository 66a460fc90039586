//! Edits become ops: paths become ids, positions become siblings, and what cannot be done is
//! refused. Judged is the stored tree; a node that is only an overlay counts as missing in it.

use dhlrs_path::{Path, Step};

use crate::{
    Attributes, AttributesWrite, Branch, Content, Edit, EditError, EditErrorKind as Kind,
    GuardedEdit, Label, NodeId, Op, Placed, Precondition, ResolverWrite, SORT_TERMS_MAX, SortKey,
    Tree, Value,
    op::SORTED_CHILDREN_MAX,
    putting::{Put, attribute_put},
    slot::{Held, View},
    tree::ROOT_SLOT,
};

/// Judges one edit.
pub(crate) fn judge(tree: &Tree, edit: &GuardedEdit) -> Result<Vec<Op>, EditError> {
    let mut judge = Judge::new(tree, edit.edit.path());
    match judge.guarded(edit) {
        Ok(()) => Ok(judge.ops),
        Err(refusal) => Err(judge.error(refusal)),
    }
}

pub(crate) struct Judge<'a> {
    pub(crate) tree: &'a Tree,
    pub(crate) ops: Vec<Op>,
    path: &'a Path<'static>,
    next_id: u64,
    /// The other path of the edit, once it is what is in the way.
    pub(crate) blamed: Option<Path<'static>>,
}

/// Why an edit is refused, and the node that is in the way, if it is not the edit's own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refusal {
    pub(crate) kind: Kind,
    pub(crate) at: Option<u32>,
}

impl From<Kind> for Refusal {
    fn from(kind: Kind) -> Self {
        Self { kind, at: None }
    }
}

impl Kind {
    pub(crate) const fn at(self, at: u32) -> Refusal {
        Refusal {
            kind: self,
            at: Some(at),
        }
    }
}

/// Where a path leads in the stored tree.
pub(crate) struct Target {
    /// The last node on the way that is there.
    pub(crate) at: u32,
    /// The labels below it that are not.
    pub(crate) missing: Vec<Label>,
    /// The last of these shows as an overlay, if only as a bag that holds one.
    pub(crate) is_shown: bool,
}

impl Target {
    pub(crate) fn existing(&self) -> Option<u32> {
        self.missing.is_empty().then_some(self.at)
    }
}

impl<'a> Judge<'a> {
    pub(crate) fn new(tree: &'a Tree, path: &'a Path<'static>) -> Self {
        Self {
            tree,
            ops: Vec::new(),
            path,
            next_id: tree.next_id,
            blamed: None,
        }
    }

    pub(crate) fn error(&self, refusal: Refusal) -> EditError {
        let path = match refusal.at {
            Some(at) => self.tree.path_of(at),
            None => self.blamed.as_ref().unwrap_or(self.path).clone(),
        };
        EditError::new(refusal.kind, path)
    }

    fn guarded(&mut self, edit: &GuardedEdit) -> Result<(), Refusal> {
        if let Some(precondition) = edit.precondition {
            let existing = match self.target(self.path) {
                Ok(target) => target.existing(),
                Err(refusal) if refusal.kind == Kind::Missing => None,
                Err(refusal) => return Err(refusal),
            };
            let revision = existing.map(|at| self.tree.slot(at).revision);
            let holds = match precondition {
                Precondition::Missing => revision.is_none(),
                Precondition::Present => revision.is_some(),
                Precondition::Revision(last) => revision.is_some_and(|own| own <= last),
            };
            if !holds {
                return Err(Kind::PreconditionFailed.into());
            }
        }
        self.edit(&edit.edit)
    }

    fn edit(&mut self, edit: &Edit) -> Result<(), Refusal> {
        match edit {
            Edit::Set {
                path,
                content,
                attributes,
                position,
                overwrite,
            } => {
                let put = Put {
                    content: content.as_ref(),
                    attributes: attributes.clone().map(AttributesWrite::Replace),
                    resolver: None,
                    position: position.as_ref(),
                    overwrite: *overwrite,
                };
                match path.query() {
                    None => self.put(path, put),
                    Some(query) => self.put(path, attribute_put(&query, put)?),
                }
            }
            Edit::SetAttributes { path, attributes } => {
                let put = Put {
                    attributes: Some(AttributesWrite::Merge(attributes.clone())),
                    ..Put::default()
                };
                self.plain(path)?;
                self.put(path, put)
            }
            Edit::SetResolver {
                path,
                resolver,
                content,
                attributes,
                position,
            } => {
                let resolver = resolver.clone();
                self.plain(path)?;
                let put = Put {
                    content: content.as_ref(),
                    attributes: attributes.clone().map(AttributesWrite::Replace),
                    resolver: Some(resolver.map_or(ResolverWrite::Remove, ResolverWrite::Put)),
                    position: position.as_ref(),
                    overwrite: false,
                };
                self.put(path, put)
            }
            Edit::Remove { path } => self.remove(path),
            Edit::Move { path, to, position } => self.shift(path, to, position.as_ref()),
            Edit::Rename { path, label } => self.rename(path, label),
            Edit::Sort { path, by } => self.sort(path, by),
            Edit::Clear { path } => self.replace(path, &Branch::new()),
            Edit::Replace { path, branch } => self.replace(path, branch),
            Edit::Merge { path, branch } => {
                self.plain(path)?;
                self.merge(path, branch, None)
            }
            Edit::Invalidate { path } => {
                self.plain(path)?;
                let node = self.tree.node(path).ok_or(Kind::Missing)?;
                self.ops.push(Op::Invalidate { id: node.id() });
                Ok(())
            }
            Edit::Materialise { path } => self.materialise(path),
        }
    }

    pub(crate) fn plain(&self, path: &Path<'_>) -> Result<(), Refusal> {
        match path.query() {
            None => Ok(()),
            Some(_) => Err(Kind::BadPath.into()),
        }
    }

    pub(crate) fn ids(&mut self, count: usize) -> NodeId {
        let first = NodeId::counted(self.next_id);
        self.next_id += count as u64;
        first
    }

    pub(crate) fn target(&self, path: &Path<'_>) -> Result<Target, Refusal> {
        let mut target = Target {
            at: ROOT_SLOT,
            missing: Vec::new(),
            is_shown: false,
        };
        // What shows in the place of each missing label.
        let mut shown: Vec<Option<u32>> = Vec::new();
        for step in path.steps() {
            let at = target.at;
            let here = shown.last().copied().flatten();
            match &step {
                Step::Parent if target.missing.pop().is_some() => {
                    shown.pop();
                    continue;
                }
                Step::Parent => {
                    let parent = self.tree.step(at, View::Stored, &step);
                    target.at = parent.ok_or(Kind::BadPath)?;
                    continue;
                }
                _ if self.tree.slot(at).overlay().is_some() => {
                    return Err(Kind::UnderOverlay.at(at));
                }
                _ if here.is_some_and(|here| !self.tree.slot(here).id.is_way()) => {
                    return Err(Kind::UnderOverlay.into());
                }
                _ => {}
            }
            let found = match (target.missing.is_empty(), here) {
                (true, _) => self.tree.step(at, View::Stored, &step),
                (false, Some(way)) => self.tree.step(way, View::Stored, &step),
                (false, None) => None,
            };
            match (found, &step) {
                (Some(child), _) if self.tree.slot(child).is_overlay() => {
                    target.missing.push(self.tree.slot(child).label.clone());
                    shown.push(Some(child));
                }
                (Some(child), _) => target.at = child,
                (None, Step::Label(label)) => {
                    target
                        .missing
                        .push(Label::new(label).map_err(|_| Kind::BadPath)?);
                    shown.push(None);
                }
                _ => return Err(Kind::Missing.into()),
            }
        }
        target.is_shown = shown.last().is_some_and(Option::is_some);
        Ok(target)
    }

    fn remove(&mut self, path: &Path<'_>) -> Result<(), Refusal> {
        let target = match self.target(path) {
            Ok(target) => target,
            Err(refusal) if refusal.kind == Kind::Missing => return Ok(()),
            Err(refusal) => return Err(refusal),
        };
        let Some(at) = target.existing() else {
            return match target.is_shown {
                true => Err(Kind::UnderOverlay.into()),
                false => Ok(()),
            };
        };
        let slot = self.tree.slot(at);
        let Some(query) = path.query() else {
            if at == ROOT_SLOT {
                return Err(Kind::BadPath.into());
            }
            self.ops.push(Op::Remove { id: slot.id });
            return Ok(());
        };
        let names = slot.attributes().iter().map(|(name, _)| name);
        let removed = names.filter(|name| query.includes(name));
        let removed: Attributes = removed.map(|name| (name.clone(), Value::Null)).collect();
        let put = Put {
            attributes: Some(AttributesWrite::Merge(removed)),
            ..Put::default()
        };
        self.write(at, put)
    }

    /// The bag at a path, whose content may be written.
    fn bag(&self, path: &Path<'_>) -> Result<u32, Refusal> {
        self.plain(path)?;
        let target = self.target(path)?;
        let at = match target.existing() {
            Some(at) => at,
            None if target.is_shown => return Err(Kind::UnderOverlay.into()),
            None => return Err(Kind::Missing.into()),
        };
        match self.tree.slot(at).held {
            Held::Bag(_) => self.writable(at).map(|()| at),
            Held::Scalar(_) => Err(Kind::NotABag.into()),
        }
    }

    fn replace(&mut self, path: &Path<'_>, branch: &Branch) -> Result<(), Refusal> {
        let at = self.bag(path)?;
        let content = Content::Branch(branch.clone());
        let put = Put {
            content: Some(&content),
            ..Put::default()
        };
        self.write(at, put)
    }

    fn sort(&mut self, path: &Path<'_>, by: &SortKey) -> Result<(), Refusal> {
        let at = self.bag(path)?;
        let children = self.tree.children(at, View::Stored);
        let width = children.map_or(0, |children| children.len());
        if by.terms.len() > SORT_TERMS_MAX || width > SORTED_CHILDREN_MAX {
            return Err(Kind::Limit.into());
        }
        if let Some(order) = self.tree.sorted(at, by) {
            let id = self.tree.slot(at).id;
            self.ops.push(Op::Sort { id, order });
        }
        Ok(())
    }

    fn materialise(&mut self, path: &Path<'_>) -> Result<(), Refusal> {
        self.plain(path)?;
        let tree = self.tree;
        let node = tree.node(path).ok_or(Kind::Missing)?;
        let chain: Vec<u32> = std::iter::once(node.at)
            .chain(tree.around(node.at))
            .collect();
        let is_way = |at: &u32| tree.slot(*at).id.is_way();
        // The outermost: what is inside an overlay cannot be stored without what is around it.
        let shows = |at: &&u32| tree.seen(**at).has_overlay() && (**at == node.at || !is_way(at));
        let Some(&at) = chain.iter().rfind(shows) else {
            return Ok(());
        };
        let slot = tree.slot(at);
        let content = match slot.held(View::Shown) {
            Held::Scalar(value) => Content::Value(value.clone()),
            Held::Bag(_) if is_way(&at) => Content::Branch(tree.branch_of(at, View::Shown)),
            Held::Bag(_) => Content::Branch(tree.shown_branch(at, &chain)),
        };
        if !slot.is_overlay() {
            let content = Some(self.placed(&content));
            self.ops.push(Op::Write {
                id: slot.id,
                content,
                attributes: None,
                resolver: slot.resolver().map(|_| ResolverWrite::Remove),
                autocreated: false,
            });
            return Ok(());
        }
        // Bags that only hold overlays become ordinary ones, and their other overlays stay that.
        let ways = tree.around(at).take_while(is_way).collect::<Vec<u32>>();
        let outermost = ways.last().copied().unwrap_or(at);
        let mut parent = tree.slot(tree.slot(outermost).parent).id;
        let mut after = self.stored_before(tree.previous(outermost), None);
        for way in ways.into_iter().rev() {
            let id = self.ids(1);
            let slot = tree.slot(way);
            self.ops.push(Op::Insert {
                parent,
                after,
                id,
                label: slot.label.clone(),
                content: Content::Branch(Branch::new()),
                attributes: slot.attributes().clone(),
                resolver: None,
                autocreated: true,
            });
            (parent, after) = (id, None);
        }
        let id = self.ids(1);
        // The rows take the ids behind the node's own.
        let Placed { content, .. } = self.placed(&content);
        self.ops.push(Op::Insert {
            parent,
            after,
            id,
            label: slot.label.clone(),
            content,
            attributes: slot.attributes().clone(),
            resolver: None,
            autocreated: false,
        });
        Ok(())
    }
}
