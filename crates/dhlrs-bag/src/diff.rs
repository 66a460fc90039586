//! What turns one tree into another, and what undoes it.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    AttributesWrite, BRANCH_NODES_MAX, Bag, Branch, Change, Content, Label, NodeId, Op, Placed,
    ResolverWrite, Tree,
    apply::Applier,
    slot::{Held, Slot, View},
    tree::ROOT_SLOT,
    walk::Cursor,
};

impl Tree {
    /// The ops that turn this tree into another: `apply(diff(a, b), a) == b`.
    ///
    /// Children are matched by label, and where none has it, by id, which is a rename; a node that
    /// went to another bag is removed here and made there. No more siblings move than have to. The
    /// ops hold for this state only. Overlays do not count. O(n log n) in the size of both.
    pub fn diff(&self, to: &Tree) -> Vec<Op> {
        let mut differ = Differ {
            from: self,
            to,
            next_id: self.next_id,
            ops: Vec::new(),
        };
        // Both are bags, so nothing but attributes is written.
        let mut left = Vec::from_iter(differ.node(ROOT_SLOT, ROOT_SLOT));
        while let Some(pair) = left.pop() {
            differ.bag(&pair, &mut left);
        }
        differ.ops
    }

    /// The ops that undo `ops`, which are about to be applied to this tree: what they take away
    /// comes back under its old ids. Overlays do not come back.
    ///
    /// O(n) in what the ops take away.
    pub fn undo(&self, ops: &[Op]) -> Vec<Op> {
        let mut tree = self.clone();
        let mut undone = Vec::new();
        for op in ops {
            undone.push(tree.undo_one(op));
            Applier::quiet(&mut tree, self.revision).run(std::slice::from_ref(op));
        }
        undone.into_iter().rev().flatten().collect()
    }

    fn undo_one(&self, op: &Op) -> Vec<Op> {
        let stored = |id: NodeId| {
            let at = self.by_id(id)?;
            (!self.slot(at).is_overlay()).then_some(at)
        };
        let undone = match op {
            Op::Insert { id, .. } if self.by_id(*id).is_none() => {
                Some(vec![Op::Remove { id: *id }])
            }
            Op::Insert { .. } | Op::Invalidate { .. } => None,
            Op::Write { id, content, .. } => {
                stored(*id).map(|at| self.write_back(at, content.is_some()))
            }
            Op::Remove { id } => stored(*id).map(|at| {
                let mut ops = vec![self.insert_back(at)];
                self.insert_inside(at, &mut ops);
                ops
            }),
            Op::Move { id, .. } | Op::Rename { id, .. } => {
                stored(*id).filter(|at| *at != ROOT_SLOT).map(|at| {
                    let slot = self.slot(at);
                    vec![Op::Move {
                        id: *id,
                        parent: self.slot(slot.parent).id,
                        after: self.stored_previous(at),
                        label: slot.label.clone(),
                    }]
                })
            }
            Op::Sort { id, order } => stored(*id).map(|_| {
                let mut back: Vec<(u32, u32)> = order.iter().copied().zip(0..).collect();
                back.sort_unstable();
                let order = back.into_iter().map(|(_, now)| now).collect();
                vec![Op::Sort { id: *id, order }]
            }),
        };
        undone.unwrap_or_default()
    }

    // What a node holds now, as a write; what is in a bag comes after it, node by node.
    fn write_back(&self, at: u32, with_content: bool) -> Vec<Op> {
        let slot = self.slot(at);
        let content = with_content.then(|| Placed {
            content: hollow(slot),
            first: NodeId::counted(self.next_id),
        });
        let resolver = match slot.resolver() {
            _ if at == ROOT_SLOT => None,
            Some(resolver) => Some(ResolverWrite::Put(resolver.clone())),
            None => Some(ResolverWrite::Remove),
        };
        let mut ops = vec![Op::Write {
            id: slot.id,
            content,
            attributes: Some(AttributesWrite::Replace(slot.attributes().clone())),
            resolver,
            autocreated: false,
        }];
        if with_content {
            self.insert_inside(at, &mut ops);
        }
        ops
    }

    fn insert_back(&self, at: u32) -> Op {
        let slot = self.slot(at);
        Op::Insert {
            parent: self.slot(slot.parent).id,
            after: self.stored_previous(at),
            id: slot.id,
            label: slot.label.clone(),
            content: hollow(slot),
            attributes: slot.attributes().clone(),
            resolver: slot.resolver().cloned(),
            autocreated: false,
        }
    }

    fn insert_inside(&self, at: u32, ops: &mut Vec<Op>) {
        ops.extend(Cursor::new(self, at, View::Stored).map(|(_, at)| self.insert_back(at)));
    }

    fn stored_previous(&self, at: u32) -> Option<NodeId> {
        let before = |at: &u32| self.previous(*at);
        std::iter::successors(before(&at), before)
            .find(|at| !self.slot(*at).is_overlay())
            .map(|at| self.slot(at).id)
    }
}

impl Bag {
    /// Makes this bag equal to another tree and says what changed: [`Tree::diff`], applied.
    ///
    /// What is the same in both keeps its id and revision. `revision` becomes that of every node
    /// that changes. O(n log n) in the size of both.
    pub fn patch(&mut self, to: &Tree, revision: u64) -> Vec<Change> {
        let ops = self.diff(to);
        self.apply(&ops, revision)
    }
}

struct Differ<'a> {
    from: &'a Tree,
    to: &'a Tree,
    next_id: u64,
    ops: Vec<Op>,
}

/// A bag of both trees, or one that was just made and is to be filled.
struct Pair {
    /// In the tree that is changed.
    id: NodeId,
    from: Option<u32>,
    to: u32,
}

impl Differ<'_> {
    /// Makes the children of a bag those of the other.
    fn bag(&mut self, pair: &Pair, left: &mut Vec<Pair>) {
        let (from, to) = (self.from, self.to);
        let there = pair.from.map_or_else(Vec::new, |at| from.stored_list(at));
        let wanted = to.stored_list(pair.to);
        let matched = self.matched(pair, &wanted);
        let kept: BTreeSet<u32> = matched.iter().flatten().copied().collect();
        let gone = there.iter().filter(|own| !kept.contains(own));
        self.ops.extend(gone.map(|own| Op::Remove {
            id: from.slot(*own).id,
        }));
        let places: BTreeMap<u32, usize> = there.iter().copied().zip(0..).collect();
        let order = matched.iter().flatten().map(|own| places.get(own).copied());
        let order: Vec<usize> = order.map(Option::unwrap_or_default).collect();
        let mut staying = longest_rising(&order).into_iter().peekable();
        let mut number = 0;
        let mut after = None;
        for (own, other) in matched.iter().zip(&wanted) {
            let label = to.slot(*other).label.clone();
            let Some(own) = *own else {
                after = Some(self.insert(pair.id, after, label, *other, left));
                continue;
            };
            let slot = from.slot(own);
            let id = slot.id;
            if staying.next_if_eq(&number).is_none() {
                let parent = pair.id;
                self.ops.push(Op::Move {
                    id,
                    parent,
                    after,
                    label,
                });
            } else if slot.label != label {
                self.ops.push(Op::Rename { id, label });
            }
            number += 1;
            after = Some(id);
            left.extend(self.node(own, *other));
        }
    }

    /// For each child that is wanted the one that is there. None is taken twice: labels are unique,
    /// and an id matches only where both labels are without a match.
    fn matched(&self, pair: &Pair, wanted: &[u32]) -> Vec<Option<u32>> {
        let Some(bag) = pair.from else {
            return vec![None; wanted.len()];
        };
        let by_id = |id: NodeId| {
            let own = self.from.by_id(id)?;
            let slot = self.from.slot(own);
            let is_free = (self.to.child(pair.to, View::Stored, &slot.label))
                .is_none_or(|other| self.to.slot(other).is_overlay());
            (slot.parent == bag && !slot.is_overlay() && is_free).then_some(own)
        };
        let matched = wanted.iter().map(|other| {
            let slot = self.to.slot(*other);
            match self.from.child(bag, View::Stored, &slot.label) {
                Some(own) => Some(own).filter(|own| !self.from.slot(*own).is_overlay()),
                None => by_id(slot.id),
            }
        });
        matched.collect()
    }

    /// Makes a node hold what the other holds, but for what is in a bag; that is left.
    fn node(&mut self, own: u32, other: u32) -> Option<Pair> {
        let (from, to) = (self.from.slot(own), self.to.slot(other));
        let id = from.id;
        let mut left = None;
        let content = match (&from.held, &to.held) {
            (Held::Scalar(old), Held::Scalar(new)) if old == new => None,
            (Held::Bag(_), Held::Bag(_)) => {
                left = Some(Some(own));
                None
            }
            _ => {
                let content = self.content(other);
                left = is_hollow(&content, to).then_some(None);
                let first = self.ids(count(&content));
                Some(Placed { content, first })
            }
        };
        let attributes = (from.attributes() != to.attributes())
            .then(|| AttributesWrite::Replace(to.attributes().clone()));
        let resolver = (from.resolver() != to.resolver()).then(|| match to.resolver() {
            Some(resolver) => ResolverWrite::Put(resolver.clone()),
            None => ResolverWrite::Remove,
        });
        if content.is_some() || attributes.is_some() || resolver.is_some() {
            self.ops.push(Op::Write {
                id,
                content,
                attributes,
                resolver,
                autocreated: false,
            });
        }
        left.map(|from| Pair {
            id,
            from,
            to: other,
        })
    }

    fn insert(
        &mut self,
        parent: NodeId,
        after: Option<NodeId>,
        label: Label,
        other: u32,
        left: &mut Vec<Pair>,
    ) -> NodeId {
        let slot = self.to.slot(other);
        let content = self.content(other);
        let is_hollow = is_hollow(&content, slot);
        let id = self.ids(1 + count(&content));
        self.ops.push(Op::Insert {
            parent,
            after,
            id,
            label,
            content,
            attributes: slot.attributes().clone(),
            resolver: slot.resolver().cloned(),
            autocreated: false,
        });
        left.extend(is_hollow.then_some(Pair {
            id,
            from: None,
            to: other,
        }));
        id
    }

    // A branch that is too long for one op is filled level by level.
    fn content(&self, other: u32) -> Content {
        match self.to.slot(other).held {
            Held::Bag(_) if self.to.nodes_in(other) <= BRANCH_NODES_MAX as u64 => {
                Content::Branch(self.to.branch_of(other, View::Stored))
            }
            _ => hollow(self.to.slot(other)),
        }
    }

    fn ids(&mut self, count: usize) -> NodeId {
        let first = NodeId::counted(self.next_id);
        self.next_id += count as u64;
        first
    }
}

/// What a node holds, without what is in a bag.
fn hollow(slot: &Slot) -> Content {
    match &slot.held {
        Held::Scalar(value) => Content::Value(value.clone()),
        Held::Bag(_) => Content::Branch(Branch::new()),
    }
}

fn is_hollow(content: &Content, of: &Slot) -> bool {
    let children = of.held.children().map_or(0, |children| children.len());
    children > 0 && count(content) == 0
}

fn count(content: &Content) -> usize {
    match content {
        Content::Value(_) => 0,
        Content::Branch(branch) => branch.len(),
    }
}

/// The places of a longest sequence of rising numbers, in order.
fn longest_rising(numbers: &[usize]) -> Vec<usize> {
    // Of the sequences of each length, the one that ends lowest, by the place of its end.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(numbers.len());
    let number = |place: &usize| numbers.get(*place);
    for (place, own) in numbers.iter().enumerate() {
        let shorter = ends.partition_point(|end| number(end) < Some(own));
        before.push(shorter.checked_sub(1).and_then(|at| ends.get(at).copied()));
        match ends.get_mut(shorter) {
            Some(end) => *end = place,
            None => ends.push(place),
        }
    }
    let back = |place: &usize| before.get(*place).copied().flatten();
    let mut rising: Vec<usize> = std::iter::successors(ends.last().copied(), back).collect();
    rising.reverse();
    rising
}
