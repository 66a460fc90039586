//! Positions become siblings; moves and renames are judged.

use dhlrs_path::{Path, Step};

use crate::{
    EditErrorKind as Kind, Label, NodeId, Op, Position, Value,
    fit::{Fit, check_node},
    order::{Judge, Refusal},
    slot::{Held, View},
    tree::ROOT_SLOT,
};

impl Judge<'_> {
    /// The stored sibling that a position in a bag means to stand after. `moving` is a child of the
    /// bag that is about to take the position, and does not count as a sibling.
    pub(crate) fn after(
        &self,
        position: &Position,
        bag: u32,
        moving: Option<u32>,
    ) -> Result<Option<NodeId>, Refusal> {
        let tree = self.tree;
        let label = |label: &Label| tree.child(bag, View::Stored, label);
        let index = |index: i64| tree.child_at(bag, View::Stored, index);
        let (sibling, is_before) = match position {
            Position::First => return Ok(None),
            Position::Last => {
                let children = tree.children(bag, View::Stored);
                let last = children.and_then(|children| tree.last(children));
                return Ok(self.stored_before(last, moving));
            }
            Position::At(at) => return self.after_index(*at, bag, moving),
            Position::BeforeLabel(sibling) => (label(sibling), true),
            Position::AfterLabel(sibling) => (label(sibling), false),
            Position::BeforeIndex(sibling) => (index(*sibling), true),
            Position::AfterIndex(sibling) => (index(*sibling), false),
        };
        let sibling = sibling.ok_or(Kind::BadPosition)?;
        Ok(match is_before || moving == Some(sibling) {
            true => self.stored_before(tree.previous(sibling), moving),
            false => self.stored_before(Some(sibling), moving),
        })
    }

    fn after_index(
        &self,
        index: i64,
        bag: u32,
        moving: Option<u32>,
    ) -> Result<Option<NodeId>, Refusal> {
        let tree = self.tree;
        let children = tree.children(bag, View::Stored);
        let moving = moving.filter(|moving| tree.slot(*moving).parent == bag);
        let others = children.map_or(0, |children| children.len() as i64);
        let others = others - i64::from(moving.is_some());
        let index = match index < 0 {
            true => others.checked_add(index),
            false => Some(index),
        };
        let index = index.filter(|index| (0..=others).contains(index));
        let index = index.ok_or(Kind::BadPosition)?;
        let Some(before) = index.checked_sub(1).filter(|before| *before >= 0) else {
            return Ok(None);
        };
        // Behind its own place, the moving node is one of those that are counted.
        let is_behind = moving.is_some_and(|moving| before as u64 >= tree.index_of(moving));
        let sibling = tree.child_at(bag, View::Stored, before + i64::from(is_behind));
        Ok(self.stored_before(sibling, moving))
    }

    /// This node, or the nearest before it that is stored and does not move.
    pub(crate) fn stored_before(&self, from: Option<u32>, moving: Option<u32>) -> Option<NodeId> {
        let before = |at: &u32| self.tree.previous(*at);
        std::iter::successors(from, before)
            .find(|at| !self.tree.slot(*at).is_overlay() && Some(*at) != moving)
            .map(|at| self.tree.slot(at).id)
    }

    fn movable(&self, path: &Path<'_>) -> Result<u32, Refusal> {
        self.plain(path)?;
        let target = self.target(path)?;
        match target.existing() {
            Some(ROOT_SLOT) => Err(Kind::BadPath.into()),
            Some(at) => Ok(at),
            None if target.is_shown => Err(Kind::UnderOverlay.into()),
            None => Err(Kind::Missing.into()),
        }
    }

    pub(crate) fn shift(
        &mut self,
        path: &Path<'_>,
        to: &Path<'_>,
        position: Option<&Position>,
    ) -> Result<(), Refusal> {
        let at = self.movable(path)?;
        let (parent, label) = self.new_place(to).inspect_err(|_| {
            self.blamed.get_or_insert_with(|| to.clone().into_owned());
        })?;
        self.shift_to(at, parent, label, position)
    }

    fn new_place(&mut self, to: &Path<'_>) -> Result<(u32, Label), Refusal> {
        self.plain(to)?;
        let (Some(parent), Some(Step::Label(label))) = (to.parent(), to.last()) else {
            return Err(Kind::BadPath.into());
        };
        let label = Label::new(&label).map_err(|_| Kind::BadPath)?;
        let target = self.target(&parent);
        let kind = match target.map(|target| (target.existing(), target.is_shown)) {
            Ok((Some(parent), _)) => return Ok((parent, label)),
            Ok((None, true)) => Kind::UnderOverlay.into(),
            Ok((None, false)) => Kind::Missing.into(),
            Err(refusal) => refusal,
        };
        self.blamed = Some(parent.into_owned());
        Err(kind)
    }

    pub(crate) fn rename(&mut self, path: &Path<'_>, label: &Label) -> Result<(), Refusal> {
        let at = self.movable(path)?;
        let parent = self.tree.slot(at).parent;
        self.shift_to(at, parent, label.clone(), None)
    }

    fn shift_to(
        &mut self,
        at: u32,
        parent: u32,
        label: Label,
        position: Option<&Position>,
    ) -> Result<(), Refusal> {
        let tree = self.tree;
        let (slot, bag) = (tree.slot(at), tree.slot(parent));
        if parent == at || tree.around(parent).any(|bag| bag == at) {
            return Err(Kind::Cycle.into());
        }
        if bag.overlay().is_some() {
            return Err(Kind::UnderOverlay.at(parent));
        }
        let becomes_bag = match &bag.held {
            Held::Bag(_) => false,
            // As a write goes through it.
            Held::Scalar(Value::Null) => true,
            Held::Scalar(_) => return Err(Kind::NotABag.at(parent)),
        };
        if becomes_bag {
            self.writable(parent)?;
        }
        match tree.child(parent, View::Stored, &label) {
            Some(there) if there == at => {}
            Some(there) if tree.slot(there).is_overlay() => {
                return Err(Kind::UnderOverlay.at(there));
            }
            Some(there) => return Err(Kind::Exists.at(there)),
            None => {}
        }
        let here = self.stored_before(tree.previous(at), None);
        let is_same_bag = slot.parent == parent;
        let after = match position {
            None | Some(Position::First | Position::Last | Position::At(0)) if becomes_bag => None,
            Some(_) if becomes_bag => return Err(Kind::BadPosition.into()),
            Some(position) => self.after(position, parent, Some(at))?,
            None if is_same_bag => here,
            None => self.after(&Position::Last, parent, Some(at))?,
        };
        let fit = Fit::of(tree, parent).child(&label);
        fit.check_moved(tree, at)?;
        check_node(
            &label,
            slot.held.scalar(),
            slot.attributes(),
            slot.resolver(),
        )?;
        if becomes_bag {
            self.make_bag(parent);
        }
        let id = slot.id;
        let stays = is_same_bag && after == here;
        match (stays, label == slot.label) {
            (true, true) => {}
            (true, false) => self.ops.push(Op::Rename { id, label }),
            (false, _) => self.ops.push(Op::Move {
                id,
                parent: bag.id,
                after,
                label,
            }),
        }
        Ok(())
    }
}
