//! Order: the second step. Judges edits against head, where nothing else can come in between.
//!
//! From here on nothing is left to decide: paths and positions have become node ids.

use std::collections::BTreeSet;

use dhlrs_bag::{
    Bag, Branch, Change, Edit, EditError, EditErrorKind, GuardedEdit, NodeId, Op, Precondition,
    Snapshot,
};
use dhlrs_codec as codec;
use dhlrs_path::Path;
use dhlrs_resolver::Bindings;
use dhlrs_wire::{FIRST_SKIPPED_MAX, Refusal, RefusalKind};

use crate::bound::Bound;
use crate::lost::Lost;
use crate::record::RECORD_BYTES_MAX;

/// Encoded ops of one intent. Its record has room for them, for its answer and for what it is about.
const OPS_BYTES_MAX: usize = RECORD_BYTES_MAX - (64 << 10);

/// What an intent's edits have become.
#[derive(Debug, Default)]
pub(crate) struct Ordered {
    pub(crate) ops: Vec<Op>,
    ops_bytes: usize,
    pub(crate) changes: Vec<Change>,
    pub(crate) lost: Lost,
    /// Bound nodes that have become their own.
    pub(crate) materialised: Vec<NodeId>,
    /// Bound nodes that are missing, whose resolvers are to forget what they gave.
    pub(crate) resets: Vec<Path<'static>>,
    pub(crate) skipped: u64,
    pub(crate) first_skipped: Vec<Refusal>,
}

/// Which of several edits a refusal is about.
fn place_in(edits: &[GuardedEdit], place: usize) -> Option<usize> {
    (edits.len() > 1).then_some(place)
}

impl Ordered {
    /// Some edits become far more than they are: a sort names every child, a path whose bags are
    /// missing one op for each. What does not fit a record is refused before it is applied.
    fn make_room(
        &mut self,
        edits: &[GuardedEdit],
        edit: &GuardedEdit,
        ops: Vec<Op>,
    ) -> Result<Vec<Op>, Refusal> {
        let grows = matches!(edit.edit, Edit::Sort { .. } | Edit::Materialise { .. });
        if edits.len() == 1 && !grows {
            return Ok(ops);
        }
        let room = OPS_BYTES_MAX.saturating_sub(self.ops_bytes);
        match codec::encode(&ops, room) {
            Ok(bytes) => {
                self.ops_bytes += bytes.len();
                Ok(ops)
            }
            Err(_) => Err(Refusal::new(
                RefusalKind::TooLarge,
                format!("too much at once: it would take more than {OPS_BYTES_MAX} bytes of log"),
            )),
        }
    }

    /// Judges a merge whose rows may be refused one by one.
    fn merge(
        &mut self,
        bag: &Bag,
        bound: Bound<'_>,
        edit: &GuardedEdit,
        path: &Path<'static>,
        branch: &Branch,
    ) -> Result<Vec<Op>, Refusal> {
        bound.check_bag(bag, path)?;
        let free = bound.free_rows(bag, path, branch);
        let kept = free.as_ref().map_or(branch, |(kept, _)| kept);
        let merged = bag.order_merge(path, kept);
        let merged = merged.map_err(|error| refusal(edit, &error))?;
        let refusals = merged.first_skipped.iter();
        let refusals = refusals.map(|error| refusal(edit, error)).collect();
        self.skip(merged.skipped, refusals);
        if let Some((kept, refusals)) = free {
            self.skip((branch.len() - kept.len()) as u64, refusals);
        }
        Ok(merged.ops)
    }

    fn skip(&mut self, nodes: u64, refusals: Vec<Refusal>) {
        self.skipped += nodes;
        let room = FIRST_SKIPPED_MAX.saturating_sub(self.first_skipped.len());
        self.first_skipped.extend(refusals.into_iter().take(room));
    }
}

/// What edits are judged on, and what takes in what they come to: the tree itself in an owned store,
/// a fork of it in a replicated one.
pub(crate) trait Ground {
    /// The tree as the edits so far leave it.
    fn bag(&self) -> &Bag;

    /// Takes in an edit; `may_part` if parts of it may stand alone.
    fn take(
        &mut self,
        ops: &[Op],
        may_part: bool,
        revision: u64,
        lost: &mut Lost,
    ) -> Result<Vec<Change>, Refusal>;

    /// Takes all edits back.
    fn take_back(&mut self);

    /// Whether new bag nodes have the ids already that they keep.
    fn is_final(&self) -> bool;
}

/// The tree of an owned store.
#[derive(Debug)]
pub(crate) struct OwnedTree<'a> {
    bag: &'a mut Bag,
    before: Option<Snapshot>,
}

impl<'a> OwnedTree<'a> {
    pub(crate) fn new(bag: &'a mut Bag, edits: &[GuardedEdit], atomic: bool) -> Self {
        // One edit is refused before anything is applied, so there is nothing to take back.
        let before = (atomic && edits.len() > 1).then(|| bag.snapshot());
        Self { bag, before }
    }
}

impl Ground for OwnedTree<'_> {
    fn bag(&self) -> &Bag {
        self.bag
    }

    fn take(
        &mut self,
        ops: &[Op],
        _: bool,
        revision: u64,
        lost: &mut Lost,
    ) -> Result<Vec<Change>, Refusal> {
        Ok(lost.apply(self.bag, ops, revision))
    }

    fn take_back(&mut self) {
        if let Some(before) = self.before.take() {
            *self.bag = Bag::from(before);
        }
    }

    fn is_final(&self) -> bool {
        true
    }
}

/// Judges the edits one after the other, each on the state that the previous ones left, and has the
/// ground take them in as `revision`. If an atomic intent is refused, the ground is as it was.
///
/// Judging and applying go together because the next edit is judged on what this one left; the
/// fourth step, apply, is called here on a fork that costs nothing to drop. What is materialised
/// joins `own`, again only if the intent is not refused.
pub(crate) fn order(
    ground: &mut impl Ground,
    own: &mut BTreeSet<NodeId>,
    bindings: &Bindings,
    edits: &[GuardedEdit],
    atomic: bool,
    revision: u64,
) -> Result<Ordered, Refusal> {
    let mut ordered = Ordered::default();
    for (place, edit) in edits.iter().enumerate() {
        let bag = ground.bag();
        let bound = Bound { bindings, own };
        let mut may_part = false;
        let judged = match &edit.edit {
            // A row of a merge can be refused alone.
            Edit::Merge { path, branch } if !atomic && edit.precondition.is_none() => {
                may_part = true;
                ordered.merge(bag, bound, edit, path, branch)
            }
            Edit::Invalidate { path } if bound.of_missing_alone(bag, path) => {
                ordered.resets.push(path.clone());
                Ok(Vec::new())
            }
            _ => (bound.check(bag, &edit.edit)).and_then(|()| {
                let judged = bag.order(edit);
                judged.map_err(|error| refusal(edit, &error))
            }),
        };
        let taken = judged
            .and_then(|ops| ordered.make_room(edits, edit, ops))
            .and_then(|ops| {
                let changes = ground.take(&ops, may_part, revision, &mut ordered.lost)?;
                Ok((ops, changes))
            })
            .map_err(|refusal| match place_in(edits, place) {
                Some(place) => {
                    let message = format!("edit {place}: {}", refusal.message());
                    Refusal::new(refusal.kind(), message)
                }
                None => refusal,
            });
        match taken {
            Ok((ops, changes)) => {
                if let Edit::Materialise { .. } = &edit.edit
                    && ground.is_final()
                {
                    let bound = Bound { bindings, own };
                    let materialised = bound.materialised(ground.bag(), &ops);
                    own.extend(&materialised);
                    ordered.materialised.extend(materialised);
                }
                ordered.ops.extend(ops);
                ordered.changes.extend(changes);
            }
            Err(refusal) if atomic => {
                ground.take_back();
                for id in &ordered.materialised {
                    own.remove(id);
                }
                return Err(refusal);
            }
            Err(refusal) => {
                let nodes = match &edit.edit {
                    Edit::Merge { branch, .. } => branch.len() as u64,
                    _ => 1,
                };
                ordered.skip(nodes, vec![refusal]);
            }
        }
    }
    Ok(ordered)
}

/// What an edit's error is to its source.
pub(crate) fn refusal_of(error: &EditError) -> Refusal {
    Refusal::new(kind_of(error), error)
}

fn kind_of(error: &EditError) -> RefusalKind {
    match error.kind() {
        EditErrorKind::Missing => RefusalKind::Missing,
        EditErrorKind::Exists => RefusalKind::Exists,
        EditErrorKind::Cycle => RefusalKind::Cycle,
        EditErrorKind::PreconditionFailed => RefusalKind::PreconditionFailed,
        EditErrorKind::ThroughScalar => RefusalKind::ThroughScalar,
        EditErrorKind::BadPosition => RefusalKind::BadPosition,
        EditErrorKind::ResolverGuard => RefusalKind::ResolverGuard,
        EditErrorKind::UnderOverlay => RefusalKind::UnderOverlay,
        EditErrorKind::TooLarge | EditErrorKind::TooDeep | EditErrorKind::TooManyAttributes => {
            RefusalKind::TooLarge
        }
        _ => RefusalKind::Invalid,
    }
}

/// An edit's refusal as its source is told.
fn refusal(edit: &GuardedEdit, error: &EditError) -> Refusal {
    let kind = kind_of(error);
    let hint = match (kind, &edit.precondition) {
        (RefusalKind::PreconditionFailed, Some(precondition)) => match precondition {
            Precondition::Missing => ": the node is there".to_owned(),
            Precondition::Present => ": the node is missing".to_owned(),
            Precondition::Revision(revision) => {
                format!(": the node has changed since revision {revision}, or is missing")
            }
        },
        _ => String::new(),
    };
    Refusal::new(kind, format!("{error}{hint}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_a_record_is_refused_before_it_is_applied() {
        let mut bag = Bag::new();
        let edit = |path: &str| GuardedEdit::from(Edit::set(path.parse().unwrap(), 1));
        let edits = [edit("a"), edit("b.c.d")];
        let mut ordered = Ordered {
            ops_bytes: OPS_BYTES_MAX - 60,
            ..Ordered::default()
        };
        let ops = bag.order(&edits[0]).unwrap();
        let ops = ordered.make_room(&edits, &edits[0], ops).unwrap();
        bag.apply(&ops, 1);
        let ops = bag.order(&edits[1]).unwrap();
        let refused = ordered.make_room(&edits, &edits[1], ops).unwrap_err();
        assert_eq!(refused.kind(), RefusalKind::TooLarge);
        assert!(bag.get("b").is_none());
    }
}
