//! Order: the second step. Judges edits against head, where nothing else can come in between.
//!
//! From here on nothing is left to decide: paths and positions have become node ids.

use dhlrs_bag::{Bag, Change, Edit, EditError, EditErrorKind, GuardedEdit, Op, Precondition};
use dhlrs_wire::{Refusal, RefusalKind};

/// Refusals of a batch that are told in full.
const FIRST_SKIPPED_MAX: usize = 8;

/// What an intent's edits have become.
#[derive(Debug, Default)]
pub(crate) struct Ordered {
    pub(crate) ops: Vec<Op>,
    pub(crate) changes: Vec<Change>,
    pub(crate) skipped: u64,
    pub(crate) first_skipped: Vec<Refusal>,
}

impl Ordered {
    fn skip(&mut self, nodes: u64, refusals: Vec<Refusal>) {
        self.skipped += nodes;
        let room = FIRST_SKIPPED_MAX.saturating_sub(self.first_skipped.len());
        self.first_skipped.extend(refusals.into_iter().take(room));
    }
}

/// Judges the edits one after the other, each on the state that the previous ones left, and applies
/// them to `bag` as `revision`. If an atomic intent is refused, `bag` is as it was.
///
/// Judging and applying go together because the next edit is judged on what this one left; the
/// fourth step, apply, is `Bag::apply`, called here on a fork that costs nothing to drop.
pub(crate) fn order(
    bag: &mut Bag,
    edits: &[GuardedEdit],
    atomic: bool,
    revision: u64,
) -> Result<Ordered, Refusal> {
    let mut ordered = Ordered::default();
    // One edit is refused before anything is applied, so there is nothing to take back.
    let before = (atomic && edits.len() > 1).then(|| bag.snapshot());
    for (place, edit) in edits.iter().enumerate() {
        let judged = match &edit.edit {
            // A row of a merge can be refused alone.
            Edit::Merge { path, branch } if !atomic && edit.precondition.is_none() => {
                bag.order_merge(path, branch).map(|merged| {
                    let refusals = merged.first_skipped.iter();
                    let refusals = refusals.map(|error| refusal(edit, error, None)).collect();
                    ordered.skip(merged.skipped, refusals);
                    merged.ops
                })
            }
            _ => bag.order(edit),
        };
        match judged {
            Ok(ops) => {
                let changes = bag.apply(&ops, revision);
                ordered.ops.extend(ops);
                ordered.changes.extend(changes);
            }
            Err(error) if atomic => {
                let of_many = edits.len() > 1;
                if let Some(before) = before {
                    *bag = Bag::from(before);
                }
                return Err(refusal(edit, &error, of_many.then_some(place)));
            }
            Err(error) => {
                let nodes = match &edit.edit {
                    Edit::Merge { branch, .. } => branch.len() as u64,
                    _ => 1,
                };
                ordered.skip(nodes, vec![refusal(edit, &error, None)]);
            }
        }
    }
    Ok(ordered)
}

/// An edit's refusal as its source is told.
fn refusal(edit: &GuardedEdit, error: &EditError, place: Option<usize>) -> Refusal {
    let kind = match error.kind() {
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
    };
    let hint = match (kind, &edit.precondition) {
        (RefusalKind::PreconditionFailed, Some(Precondition::Missing)) => ": the node is there",
        (RefusalKind::PreconditionFailed, Some(Precondition::Present)) => ": the node is missing",
        _ => "",
    };
    match place {
        Some(place) => Refusal::new(kind, format!("edit {place}: {error}{hint}")),
        None => Refusal::new(kind, format!("{error}{hint}")),
    }
}
