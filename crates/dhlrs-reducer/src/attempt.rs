//! Edits become tree ops: they are tried on a fork of what is shown, and what comes of them names ids and order keys.

use std::collections::{BTreeMap, BTreeSet};

use dhlrs_bag::{Attributes, Bag, Change, GuardedEdit, Label, NodeId, Op, Placed, ResolverWrite};
use dhlrs_feed::{HomePath, OnConcurrentWrite, OrderKey, TRANSACTION_EVENTS_MAX, TreeOp};
use dhlrs_path::Path;

use crate::displaced::looks_displaced;
use crate::{IntentError, Reducer};

/// The most bytes of the ops of one transaction, each encoded by itself.
pub const TRANSACTION_BYTES_MAX: usize = 256 * 1024;

/// Edits of one intent, each judged on what those before it left, as tree ops.
///
/// Made by [`Reducer::attempt`]. Nothing changes until the events that carry the ops are reduced; those that must
/// stand or fall together go into one transaction.
#[derive(Debug)]
pub struct Attempt<'a> {
    pub(crate) reducer: &'a Reducer,
    pub(crate) bag: Bag,
    revision: u64,
    pub(crate) unseen: OnConcurrentWrite,
    ops: Vec<TreeOp>,
    /// How many bytes the ops come to, up to each of them.
    sums: Vec<usize>,
    ends: Vec<usize>,
    pub(crate) noted: Notes,
    /// What the edit that is being tried has noted so far.
    pub(crate) fresh: Notes,
    /// Bags on the way of the edit that is being tried: made after what they were made for, by which others know them.
    passed: Vec<TreeOp>,
    /// Nulls that were passed; each is a bag once something stands in it.
    pub(crate) nulls: Vec<NodeId>,
}

/// What the ops so far come to, as far as the fork cannot say.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    /// The bag nodes that were made here, by the id that the fork gave them.
    made: BTreeMap<NodeId, HomePath>,
    /// The bags and labels of those that were made, moved or renamed.
    stands: BTreeMap<NodeId, (NodeId, Label)>,
    /// The order keys that were given, by the id in the fork.
    pub(crate) keys: BTreeMap<NodeId, OrderKey>,
    /// Those that have got a Create or a Move.
    pub(crate) asserted: BTreeSet<NodeId>,
}

impl Notes {
    fn take_in(&mut self, fresh: Self) {
        self.made.extend(fresh.made);
        self.stands.extend(fresh.stands);
        self.keys.extend(fresh.keys);
        self.asserted.extend(fresh.asserted);
    }
}

impl Reducer {
    /// Begins to try edits on the bag that [`Reducer::show`] keeps up to date.
    ///
    /// `unseen` is what becomes of what somebody writes at the same time below what is removed or cleared.
    #[must_use]
    pub fn attempt(&self, bag: &Bag, unseen: OnConcurrentWrite) -> Attempt<'_> {
        Attempt {
            reducer: self,
            bag: bag.clone(),
            revision: bag.revision() + 1,
            unseen,
            ops: Vec::new(),
            sums: Vec::new(),
            ends: Vec::new(),
            noted: Notes::default(),
            fresh: Notes::default(),
            passed: Vec::new(),
            nulls: Vec::new(),
        }
    }
}

impl Attempt<'_> {
    /// The tree as the edits so far leave it, but for what only the reduction can say: new bag nodes have ids of the
    /// fork's own.
    #[must_use]
    pub const fn bag(&self) -> &Bag {
        &self.bag
    }

    /// Judges an edit on what those before it left, and says what it will change, here and now.
    ///
    /// # Errors
    ///
    /// When it cannot be done; the attempt is as it was.
    pub fn edit(&mut self, edit: &GuardedEdit) -> Result<Vec<Change>, IntentError> {
        let ops = self.bag.order(edit).map_err(IntentError::edit)?;
        self.take(&ops)
    }

    /// The same for what [`Bag::order`] has said of [`Attempt::bag`].
    ///
    /// # Errors
    ///
    /// When no events can say it; the attempt is as it was.
    pub fn take(&mut self, ops: &[Op]) -> Result<Vec<Change>, IntentError> {
        self.take_as(ops, false)
    }

    /// The same for an edit of which parts may stand alone: [`Attempt::into_transactions`] makes several transactions
    /// of it where one would be too large.
    ///
    /// # Errors
    ///
    /// When no events can say it; the attempt is as it was.
    pub fn take_apart(&mut self, ops: &[Op]) -> Result<Vec<Change>, IntentError> {
        self.take_as(ops, true)
    }

    fn take_as(&mut self, ops: &[Op], may_part: bool) -> Result<Vec<Change>, IntentError> {
        let before = (self.bag.snapshot(), self.ops.len(), self.ends.len());
        let mut changes = Vec::new();
        let mut taken = Ok(());
        for op in ops {
            taken = self.op(op);
            if taken.is_err() {
                break;
            }
            changes.extend(self.bag.apply(std::slice::from_ref(op), self.revision));
        }
        let taken = taken.and_then(|()| self.close_edit(may_part));
        if let Err(error) = taken {
            self.bag = Bag::from(before.0);
            self.ops.truncate(before.1);
            self.sums.truncate(before.1);
            self.ends.truncate(before.2);
            self.fresh = Notes::default();
            self.passed.clear();
            self.nulls.clear();
            return Err(error);
        }
        let fresh = std::mem::take(&mut self.fresh);
        self.noted.take_in(fresh);
        if self.ops.len() > before.1 {
            self.ends.push(self.ops.len());
        }
        Ok(changes)
    }

    /// The ops of all edits as one transaction; none if they have no effect.
    ///
    /// # Errors
    ///
    /// `TooLarge` when they are more than [`TRANSACTION_EVENTS_MAX`] or [`TRANSACTION_BYTES_MAX`] allow.
    pub fn into_transaction(self) -> Result<Vec<TreeOp>, IntentError> {
        self.check_transaction(0)?;
        Ok(self.ops)
    }

    /// The ops of each edit as a transaction of its own, without those that have no effect; of one that was taken apart
    /// as several.
    #[must_use]
    pub fn into_transactions(self) -> Vec<Vec<TreeOp>> {
        let mut ops = self.ops.into_iter();
        let mut begin = 0;
        let ends = self.ends.into_iter();
        ends.map(|end| {
            let count = end - std::mem::replace(&mut begin, end);
            ops.by_ref().take(count).collect()
        })
        .collect()
    }

    // One edit that is too large can be told at once; several may still go one by one.
    fn close_edit(&mut self, may_part: bool) -> Result<(), IntentError> {
        let passed = std::mem::take(&mut self.passed);
        passed.into_iter().rev().try_for_each(|op| self.push(op))?;
        for id in std::mem::take(&mut self.nulls) {
            let is_empty = self.bag.node_by_id(id).is_some_and(|node| node.is_empty());
            if is_empty {
                self.clear(id)?;
            }
        }
        let begin = self.ends.last().copied().unwrap_or(0);
        match may_part {
            true => self.part(begin),
            false => self.check_transaction(begin)?,
        }
        Ok(())
    }

    /// Whether the ops from there on fit one transaction.
    fn check_transaction(&self, begin: usize) -> Result<(), IntentError> {
        let (count, bytes) = (self.ops.len() - begin, self.bytes_of(begin, self.ops.len()));
        match count > TRANSACTION_EVENTS_MAX || bytes > TRANSACTION_BYTES_MAX {
            true => Err(IntentError::too_large(count, bytes)),
            false => Ok(()),
        }
    }

    /// Ends transactions where the next op would be too much.
    fn part(&mut self, mut begin: usize) {
        for end in begin + 1..self.ops.len() {
            let is_full = end - begin == TRANSACTION_EVENTS_MAX
                || self.bytes_of(begin, end + 1) > TRANSACTION_BYTES_MAX;
            if is_full {
                self.ends.push(end);
                begin = end;
            }
        }
    }

    fn bytes_of(&self, begin: usize, end: usize) -> usize {
        let upto = |count: usize| {
            count
                .checked_sub(1)
                .and_then(|at| self.sums.get(at))
                .copied()
        };
        upto(end).unwrap_or(0) - upto(begin).unwrap_or(0)
    }

    pub(crate) fn push(&mut self, op: TreeOp) -> Result<(), IntentError> {
        let room = TRANSACTION_BYTES_MAX;
        let bytes = dhlrs_codec::encode(&op, room);
        let bytes = bytes.map_err(|_| IntentError::too_large(1, room + 1))?;
        let sum = self.sums.last().copied().unwrap_or(0);
        self.sums.push(sum + bytes.len());
        self.ops.push(op);
        Ok(())
    }

    fn op(&mut self, op: &Op) -> Result<(), IntentError> {
        match op {
            Op::Insert {
                parent,
                after,
                id,
                label,
                content,
                attributes,
                resolver,
                autocreated,
            } => {
                if resolver.is_some() {
                    return Err(self.no_resolvers(*parent));
                }
                let key = self.place(*parent, *after, None)?;
                let node = self.make(*parent, *id, label, &key)?;
                let create = TreeOp::Create {
                    node: node.clone(),
                    order: key,
                };
                if *autocreated {
                    self.passed.push(create);
                    return Ok(());
                }
                self.push(create)?;
                self.hold(*id, &node, content, *id)?;
                self.write_attributes(&node, &Attributes::new(), attributes.iter())
            }
            Op::Write {
                id,
                content,
                attributes,
                resolver,
                autocreated,
            } => {
                if let Some(ResolverWrite::Put(_)) = resolver {
                    return Err(self.no_resolvers(*id));
                }
                if let Some(Placed { content, first }) = content {
                    self.rewrite(*id, content, *first, *autocreated)?;
                }
                if let Some(write) = attributes {
                    self.rewrite_attributes(*id, write)?;
                }
                Ok(())
            }
            Op::Remove { id } => {
                let (node, unseen) = (self.home(*id)?, self.unseen);
                self.push(TreeOp::Remove { node, unseen })
            }
            Op::Move {
                id,
                parent,
                after,
                label,
            } => self.shift(*id, *parent, *after, label),
            Op::Rename { id, label } => self.rename(*id, label),
            Op::Sort { id, order } => self.sort(*id, order),
            // It forgets what this process has been told, and is no event.
            Op::Invalidate { .. } => Ok(()),
        }
    }

    /// Where a bag node of the fork is at home.
    pub(crate) fn home(&self, id: NodeId) -> Result<HomePath, IntentError> {
        if id == NodeId::ROOT {
            return Ok(HomePath::root());
        }
        let made = self.fresh.made.get(&id).or(self.noted.made.get(&id));
        let home = made.or_else(|| self.reducer.home(id)).cloned();
        // Whatever the fork shows is known to one of them.
        home.ok_or_else(|| IntentError::stale(self.path(id)))
    }

    fn path(&self, id: NodeId) -> Path<'static> {
        self.bag
            .node_by_id(id)
            .map(|node| node.path())
            .unwrap_or_default()
    }

    pub(crate) fn no_resolvers(&self, id: NodeId) -> IntentError {
        IntentError::resolver(self.path(id))
    }

    /// Finds the slot of a label that nothing shows in the bag, and puts the new bag node there.
    pub(crate) fn make(
        &mut self,
        parent: NodeId,
        id: NodeId,
        label: &Label,
        key: &OrderKey,
    ) -> Result<HomePath, IntentError> {
        let bag = self.home(parent)?;
        self.check_label(parent, label)?;
        let mut incarnation = 0;
        let home = loop {
            let slot = bag
                .child(label.clone(), incarnation)
                .map_err(|_| IntentError::too_deep(self.path(parent)))?;
            let stands = self.fresh.stands.get(&slot.id());
            let stands = stands
                .or(self.noted.stands.get(&slot.id()))
                .cloned()
                .or_else(|| self.reducer.stands(slot.id()));
            match stands {
                Some((at, name)) if at != bag.id() || name != *label => incarnation += 1,
                _ => break slot,
            }
        };
        self.fresh.made.insert(id, home.clone());
        self.fresh.keys.insert(id, key.clone());
        self.fresh.asserted.insert(home.id());
        self.fresh
            .stands
            .insert(home.id(), (bag.id(), label.clone()));
        Ok(home)
    }

    fn check_label(&self, parent: NodeId, label: &Label) -> Result<(), IntentError> {
        match looks_displaced(label) {
            true => Err(IntentError::reserved(self.path(parent), label.clone())),
            false => Ok(()),
        }
    }

    fn shift(
        &mut self,
        id: NodeId,
        parent: NodeId,
        after: Option<NodeId>,
        label: &Label,
    ) -> Result<(), IntentError> {
        let (node, bag) = (self.home(id)?, self.home(parent)?);
        let order = self.place(parent, after, Some(id))?;
        let own = self.bag.node_by_id(id);
        let from = own.and_then(|own| own.parent()).map(|bag| bag.id());
        self.fresh.keys.insert(id, order.clone());
        if from == Some(parent) {
            self.push(TreeOp::Reorder {
                node,
                parent: bag,
                order,
            })?;
        } else {
            let own = node.id();
            let name = self.name(own).unwrap_or_else(|| label.clone());
            self.fresh.stands.insert(own, (bag.id(), name));
            self.fresh.asserted.insert(own);
            self.push(TreeOp::Move {
                node,
                parent: bag,
                order,
            })?;
        }
        self.rename(id, label)
    }

    fn rename(&mut self, id: NodeId, label: &Label) -> Result<(), IntentError> {
        let node = self.home(id)?;
        let shown = self.bag.node_by_id(id).map(|own| own.label().clone());
        if shown.as_ref() == Some(label) {
            return Ok(());
        }
        self.check_label(id, label)?;
        let own = node.id();
        // One that is displaced may go by that label already; the new claim is what this is for then.
        let bag = self.stands(own).map_or(NodeId::ROOT, |(bag, _)| bag);
        self.fresh.stands.insert(own, (bag, label.clone()));
        self.push(TreeOp::Rename {
            node,
            label: label.clone(),
        })
    }

    fn stands(&self, own: NodeId) -> Option<(NodeId, Label)> {
        let noted = self.fresh.stands.get(&own).or(self.noted.stands.get(&own));
        noted.cloned().or_else(|| self.reducer.stands(own))
    }

    fn name(&self, own: NodeId) -> Option<Label> {
        self.stands(own).map(|(_, name)| name)
    }

    fn sort(&mut self, id: NodeId, order: &[u32]) -> Result<(), IntentError> {
        let bag = self.home(id)?;
        let children: Vec<NodeId> = self.children(id).collect();
        let sorted: Vec<NodeId> = order
            .iter()
            .filter_map(|place| children.get(*place as usize).copied())
            .collect();
        let mut keys: Vec<OrderKey> = children.iter().map(|child| self.key(*child)).collect();
        let rises = |pair: &[OrderKey]| matches!(pair, [a, b] if a < b);
        let is_placed = keys.first().is_some_and(|key| *key != OrderKey::default());
        if !is_placed || !keys.windows(2).all(rises) {
            keys = self.spread(sorted.len(), None, None)?;
        }
        for (child, key) in sorted.into_iter().zip(keys) {
            if self.key(child) != key {
                self.reorder(child, &bag, key)?;
            }
        }
        Ok(())
    }

    pub(crate) fn reorder(
        &mut self,
        child: NodeId,
        bag: &HomePath,
        order: OrderKey,
    ) -> Result<(), IntentError> {
        let node = self.home(child)?;
        self.fresh.keys.insert(child, order.clone());
        self.push(TreeOp::Reorder {
            node,
            parent: bag.clone(),
            order,
        })
    }
}
