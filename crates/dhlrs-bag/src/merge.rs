//! One branch laid over another.

use dhlrs_path::Path;

use crate::{
    AttributesWrite, Bag, Branch, BranchBuilder, Content, EditError, EditErrorKind as Kind, Label,
    NodeId, Op, Placed, Position, ResolverWrite, Row, Tree, Value,
    fit::{Fit, check_node},
    order::{Judge, Refusal},
    putting::Put,
    slot::{Held, View},
    tree::ROOT_SLOT,
};

/// The most refusals that [`Merged::first_skipped`] lists.
pub const MERGE_REFUSALS_MAX: usize = 8;

/// A merge that leaves out what cannot be merged.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Merged {
    /// What is to be done for the rest.
    pub ops: Vec<Op>,
    /// How many rows are left out: each that is refused, and all in it.
    pub skipped: u64,
    /// Why the first [`MERGE_REFUSALS_MAX`] of them were refused.
    pub first_skipped: Vec<EditError>,
}

impl Bag {
    /// As [`order`](Self::order) of an [`Edit::Merge`](crate::Edit::Merge), but a row that is
    /// refused is left out, with everything in it, and the others are merged.
    ///
    /// # Errors
    /// When the bag at the path cannot be merged into.
    pub fn order_merge(&self, path: &Path<'static>, branch: &Branch) -> Result<Merged, EditError> {
        let mut judge = Judge::new(self, path);
        let mut merged = Merged::default();
        let done = (judge.plain(path)).and_then(|()| judge.merge(path, branch, Some(&mut merged)));
        match done {
            Ok(()) => {
                merged.ops = judge.ops;
                Ok(merged)
            }
            Err(refusal) => Err(judge.error(refusal)),
        }
    }
}

/// A bag that rows go into.
struct OpenBag {
    /// Its slot, if it is there already.
    at: Option<u32>,
    id: NodeId,
    /// The last stored child, which a new one goes after.
    last: Option<NodeId>,
    fit: Fit,
}

impl Judge<'_> {
    /// Merges a branch into the bag at a path. Without `skipped` a refusal is the whole merge's.
    pub(crate) fn merge(
        &mut self,
        path: &Path<'_>,
        branch: &Branch,
        mut skipped: Option<&mut Merged>,
    ) -> Result<(), Refusal> {
        let target = self.target(path)?;
        let Some(at) = target.existing() else {
            return self.merge_into_nothing(path, branch, skipped);
        };
        let base = self.open_bag(at)?;
        let mut open = vec![base];
        let rows = branch.rows();
        let mut next = 0;
        while let Some(row) = rows.get(next) {
            let inside = rows.get(next + 1..).unwrap_or_default();
            let inside = inside.iter().take_while(|own| own.depth > row.depth);
            let end = next + 1 + inside.count();
            open.truncate(usize::from(row.depth) + 1);
            let ops = self.ops.len();
            match self.merge_row(&mut open, row, rows.get(next + 1..end).unwrap_or_default()) {
                Ok(true) => next += 1,
                Ok(false) => next = end,
                Err((refusal, label_path)) => {
                    let Some(skipped) = skipped.as_deref_mut() else {
                        return Err(refusal);
                    };
                    self.ops.truncate(ops);
                    skipped.skipped += (end - next) as u64;
                    if skipped.first_skipped.len() < MERGE_REFUSALS_MAX {
                        let error = match label_path {
                            Some(path) => EditError::new(refusal.kind, path),
                            None => self.error(refusal),
                        };
                        skipped.first_skipped.push(error);
                    }
                    next = end;
                }
            }
        }
        Ok(())
    }

    // Makes the bag, and merges into it row by row only to find the rows that do not fit.
    fn merge_into_nothing(
        &mut self,
        path: &Path<'_>,
        branch: &Branch,
        skipped: Option<&mut Merged>,
    ) -> Result<(), Refusal> {
        let target = self.target(path)?;
        let fit = Fit::of(self.tree, target.at).below(&target.missing);
        let kept = match skipped {
            None => Content::Branch(branch.clone()),
            Some(skipped) => Content::Branch(self.fitting(fit, path, branch.rows(), skipped)),
        };
        let put = Put {
            content: Some(&kept),
            ..Put::default()
        };
        self.put(path, put)
    }

    fn fitting(&self, base: Fit, path: &Path<'_>, rows: &[Row], skipped: &mut Merged) -> Branch {
        let mut builder = BranchBuilder::new();
        let mut open = vec![base];
        let mut labels: Vec<&Label> = Vec::new();
        let mut skip_below = None;
        for row in rows {
            if skip_below.is_some_and(|depth| row.depth > depth) {
                skipped.skipped += 1;
                continue;
            }
            skip_below = None;
            open.truncate(usize::from(row.depth) + 1);
            labels.truncate(usize::from(row.depth));
            labels.push(&row.label);
            let fit = open.last().copied().unwrap_or(base).child(&row.label);
            let checked = fit.check().and_then(|()| check_row(row));
            if let Err(kind) = checked {
                skip_below = Some(row.depth);
                skipped.skipped += 1;
                if skipped.first_skipped.len() < MERGE_REFUSALS_MAX {
                    let path = deepest(path, &labels);
                    skipped.first_skipped.push(EditError::new(kind, path));
                }
                continue;
            }
            open.push(fit);
            // The rows came from a branch, and whole subtrees are left out.
            let _ = builder.push(row.clone());
        }
        builder.finish()
    }

    fn open_bag(&mut self, at: u32) -> Result<OpenBag, Refusal> {
        let slot = self.tree.slot(at);
        match &slot.held {
            Held::Bag(_) => self.below(at)?,
            Held::Scalar(Value::Null) => {
                self.writable(at)?;
                self.become_bag(slot.id, true);
            }
            Held::Scalar(_) => return Err(Kind::ThroughScalar.at(at)),
        }
        Ok(OpenBag {
            at: Some(at),
            id: slot.id,
            last: self.after(&Position::Last, at, None)?,
            fit: Fit::of(self.tree, at),
        })
    }

    fn below(&self, at: u32) -> Result<(), Refusal> {
        match self.tree.slot(at).overlay() {
            Some(_) => Err(Kind::UnderOverlay.at(at)),
            None => Ok(()),
        }
    }

    fn become_bag(&mut self, id: NodeId, autocreated: bool) {
        let first = self.ids(0);
        self.ops.push(Op::Write {
            id,
            content: Some(Placed {
                content: Content::Branch(Branch::new()),
                first,
            }),
            attributes: None,
            resolver: None,
            autocreated,
        });
    }

    /// Merges one row; says whether the rows in it are still to be merged.
    fn merge_row(
        &mut self,
        open: &mut Vec<OpenBag>,
        row: &Row,
        inside: &[Row],
    ) -> Result<bool, (Refusal, Option<Path<'static>>)> {
        let Some(bag) = open.last() else {
            return Ok(false);
        };
        let there = bag
            .at
            .and_then(|at| self.tree.child(at, View::Stored, &row.label));
        let path = |tree: &Tree| {
            let bag = bag.at.unwrap_or(ROOT_SLOT);
            tree.path_of(bag).child(&row.label).ok()
        };
        let is_own = |at: &u32| row.value.is_some() || !self.tree.slot(*at).id.is_way();
        let Some(there) = there.filter(is_own) else {
            let fit = bag.fit.child(&row.label);
            let insert = self.insert_row(bag.id, bag.last, fit, row, inside);
            let id = insert.map_err(|kind| (kind.into(), path(self.tree)))?;
            if let Some(bag) = open.last_mut() {
                bag.last = Some(id);
            }
            return Ok(false);
        };
        if self.tree.slot(there).is_overlay() {
            return Err((Kind::UnderOverlay.at(there), None));
        }
        self.merge_existing(open, there, row)
            .map_err(|refusal| (refusal, path_if_own(self.tree, refusal, there)))?;
        Ok(row.value.is_none())
    }

    fn insert_row(
        &mut self,
        parent: NodeId,
        after: Option<NodeId>,
        fit: Fit,
        row: &Row,
        inside: &[Row],
    ) -> Result<NodeId, Kind> {
        check_row(row)?;
        let content = match &row.value {
            Some(value) => Content::Value(value.clone()),
            None => {
                let rows = inside.iter().cloned().map(|mut own| {
                    own.depth -= row.depth + 1;
                    own
                });
                Content::Branch(Branch::from_rows(rows).map_err(|_| Kind::Limit)?)
            }
        };
        fit.check_content(&content)?;
        let id = self.ids(1 + inside.len());
        self.ops.push(Op::Insert {
            parent,
            after,
            id,
            label: row.label.clone(),
            content,
            attributes: row.attributes.clone().without_nulls(),
            resolver: row.resolver.clone(),
            autocreated: false,
        });
        Ok(id)
    }

    fn merge_existing(
        &mut self,
        open: &mut Vec<OpenBag>,
        there: u32,
        row: &Row,
    ) -> Result<(), Refusal> {
        let slot = self.tree.slot(there);
        let content = row.value.clone().map(Content::Value);
        let is_same = row.value.is_some() && slot.held.scalar() == row.value.as_ref();
        let put = Put {
            content: content.as_ref().filter(|_| !is_same),
            attributes: Some(AttributesWrite::Merge(row.attributes.clone())),
            resolver: row.resolver.clone().map(ResolverWrite::Put),
            ..Put::default()
        };
        self.write(there, put)?;
        if row.value.is_none() {
            let into = self.open_bag(there)?;
            open.push(into);
        }
        Ok(())
    }
}

/// The path of what these labels lead to, or of the last bag on the way that a path can name.
fn deepest(path: &Path<'_>, labels: &[&Label]) -> Path<'static> {
    let mut at = path.clone().into_owned();
    for label in labels {
        match at.child(label) {
            Ok(child) => at = child,
            Err(_) => break,
        }
    }
    at
}

fn check_row(row: &Row) -> Result<(), Kind> {
    check_node(
        &row.label,
        row.value.as_ref(),
        &row.attributes,
        row.resolver.as_ref(),
    )
}

fn path_if_own(tree: &Tree, refusal: Refusal, at: u32) -> Option<Path<'static>> {
    refusal.at.is_none().then(|| tree.path_of(at))
}
