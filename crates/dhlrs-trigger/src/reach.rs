//! Whether and how a change reaches one subscriber. What follows from it for many at once is in
//! `index`.

use dhlrs_bag::{Change, ChangeKind, NodeId};
use dhlrs_path::{Path, Pattern};

use crate::kinds::Kinds;
use crate::target::{Place, Target};

/// Whether a change is one of everything below its node too: a node that is removed, moved or
/// renamed takes all along, and content that is a branch, or was one, comes and goes as a whole.
/// A bag that came to be because something below it was set is none.
pub fn touches_below(change: &Change) -> bool {
    match change.kind {
        ChangeKind::Remove | ChangeKind::Move | ChangeKind::Rename | ChangeKind::Replace => true,
        ChangeKind::Sort | ChangeKind::Conflict | ChangeKind::Attributes => false,
        ChangeKind::Insert | ChangeKind::Resolve => {
            !change.autocreated && (change.old.is_branch() || change.new.is_branch())
        }
        // From branch to branch it would be a `Replace`: this one is about the resolver.
        ChangeKind::Value | ChangeKind::ValueAndAttributes => {
            !change.autocreated && change.old.is_branch() != change.new.is_branch()
        }
    }
}

/// Whether a change is about the children of its node, and so concerns those who listen to that
/// bag.
pub(crate) fn is_inside(change: &Change) -> bool {
    matches!(change.kind, ChangeKind::Sort | ChangeKind::Replace)
}

/// Whether the attributes that the pattern's query names are touched, or the pattern has no query.
/// Where a node comes or goes, all of it does.
pub(crate) fn touches_attributes(pattern: &Pattern, change: &Change) -> bool {
    let Some(query) = pattern.query() else {
        return true;
    };
    match change.kind {
        ChangeKind::Remove | ChangeKind::Move | ChangeKind::Rename | ChangeKind::Replace => true,
        ChangeKind::Value | ChangeKind::Sort | ChangeKind::Resolve | ChangeKind::Conflict => false,
        ChangeKind::Insert | ChangeKind::Attributes | ChangeKind::ValueAndAttributes => change
            .attributes
            .iter()
            .any(|attribute| query.includes(&attribute.name)),
    }
}

/// The paths that a change is about: the present one, and the one before it.
pub(crate) fn paths(change: &Change) -> impl Iterator<Item = &Path<'static>> {
    std::iter::once(&change.path).chain(&change.old_path)
}

/// The bags that a change happened in, present and former; some may come twice.
pub(crate) fn bags(change: &Change) -> impl Iterator<Item = &NodeId> {
    change.ancestors.iter().chain(&change.old_ancestors)
}

/// One target with its kinds, which follows its node where it goes.
///
/// It judges one change after the other, in order; that is what a reader of a [`Window`] does.
///
/// [`Window`]: crate::Window
#[derive(Debug, Clone)]
pub struct Selector {
    target: Target,
    kinds: Kinds,
}

impl Selector {
    /// Selects these kinds of change there.
    pub fn new(target: impl Into<Target>, kinds: Kinds) -> Self {
        Self {
            target: target.into(),
            kinds,
        }
    }

    /// Whether the change is one of those. Every change has to be shown to it once, in order.
    pub fn selects(&mut self, change: &Change, in_transaction: bool) -> bool {
        let reached = self.reaches(change);
        self.follow(change);
        reached && self.kinds.wants(change.kind, in_transaction)
    }

    /// Whether it may be one of those, as far as can be said without following the node.
    pub(crate) fn may_select(&self, change: &Change, in_transaction: bool) -> bool {
        let reached = match self.target {
            Target::Pattern(_) => self.reaches(change),
            Target::Node(_) | Target::Bag(_) | Target::Branch(_) => true,
        };
        reached && self.kinds.wants(change.kind, in_transaction)
    }

    /// The node that it follows, if it does.
    pub fn follows(&self) -> Option<NodeId> {
        match &self.target {
            Target::Pattern(_) => None,
            Target::Node(place) | Target::Bag(place) | Target::Branch(place) => Some(place.id),
        }
    }

    /// Goes on from another place of the node that it follows. For a reader that begins in the past
    /// or was passed by its window, with [`Window::place_at`](crate::Window::place_at).
    pub fn resume_at(&mut self, place: Place) {
        if let Target::Node(own) | Target::Bag(own) | Target::Branch(own) = &mut self.target {
            *own = place;
        }
    }

    fn reaches(&self, change: &Change) -> bool {
        let below = touches_below(change);
        match &self.target {
            Target::Pattern(pattern) => {
                touches_attributes(pattern, change)
                    && paths(change).any(|path| {
                        pattern.matches_path(path) || below && pattern.intersects_subtree(path)
                    })
            }
            Target::Node(place) => {
                place.id == change.id || below && place.ancestors.contains(&change.id)
            }
            Target::Bag(place) => {
                bags(change).any(|bag| *bag == place.id)
                    || place.id == change.id && (below || is_inside(change))
                    || below && place.ancestors.contains(&change.id)
            }
            Target::Branch(place) => {
                place.id == change.id
                    || bags(change).any(|bag| *bag == place.id)
                    || below && place.ancestors.contains(&change.id)
            }
        }
    }

    fn follow(&mut self, change: &Change) {
        if !changes_places(change) {
            return;
        }
        let (Target::Node(place) | Target::Bag(place) | Target::Branch(place)) = &mut self.target
        else {
            return;
        };
        if let Some(ancestors) = ancestors_after(place.id, &place.ancestors, change) {
            place.ancestors = ancestors;
        }
    }
}

/// Whether a change can put the bags around any node in question.
pub(crate) fn changes_places(change: &Change) -> bool {
    match change.kind {
        ChangeKind::Insert | ChangeKind::Remove | ChangeKind::Move | ChangeKind::Replace => true,
        ChangeKind::Value | ChangeKind::ValueAndAttributes => loses_children(change),
        _ => false,
    }
}

pub(crate) fn loses_children(change: &Change) -> bool {
    change.kind == ChangeKind::Replace || change.old.is_branch() && !change.new.is_branch()
}

/// The bags around a node after a change, if they are others than before; none around one that is
/// gone.
pub(crate) fn ancestors_after(
    id: NodeId,
    ancestors: &[NodeId],
    change: &Change,
) -> Option<Vec<NodeId>> {
    let itself = id == change.id;
    let inside = ancestors.iter().position(|ancestor| *ancestor == change.id);
    match change.kind {
        ChangeKind::Insert => itself.then(|| change.ancestors.clone()),
        ChangeKind::Remove => (itself || inside.is_some()).then(Vec::new),
        ChangeKind::Move if itself => Some(change.ancestors.clone()),
        ChangeKind::Move => {
            let kept = ancestors.get(..=inside?)?;
            Some([kept, &change.ancestors].concat())
        }
        _ => (inside.is_some() && loses_children(change)).then(Vec::new),
    }
}

/// The bags around a node before a change, if they are others than after it: the change undone. None
/// around one that was made by it; one that went with a bag is not known here.
pub(crate) fn ancestors_before(
    id: NodeId,
    ancestors: &[NodeId],
    change: &Change,
) -> Option<Vec<NodeId>> {
    match change.kind {
        ChangeKind::Insert => (id == change.id).then(Vec::new),
        ChangeKind::Move if change.old_ancestors.is_empty() => None,
        ChangeKind::Move if id == change.id => Some(change.old_ancestors.clone()),
        ChangeKind::Move => {
            let inside = ancestors.iter().position(|bag| *bag == change.id)?;
            let kept = ancestors.get(..=inside)?;
            Some([kept, &change.old_ancestors].concat())
        }
        _ => None,
    }
}
