//! Walks in pre-order that keep their place by index, so a reader can go on after a pause.

use crate::{
    BagNode, Row, Tree,
    branch::RowRef,
    children::Children,
    pages::NONE,
    slot::{Held, Slot, VACANT, View},
};

/// A node that a walk came by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Visited<'a> {
    /// 0 for a direct child of where the walk began, one more for each bag between.
    pub depth: u16,
    /// The node.
    pub node: BagNode<'a>,
}

/// Where a walk stands, kept while nothing is borrowed: goes on in the same [`Snapshot`], or in
/// another state of the tree as well as that allows.
///
/// [`Snapshot`]: crate::Snapshot
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WalkPosition {
    // In each open bag, from outside: the index of the next child.
    pub(crate) next: Vec<u64>,
}

/// Everything in a bag as it shows, in pre-order. Does not recurse; O(1) a node.
#[derive(Clone)]
pub struct Walk<'a> {
    cursor: Cursor<'a>,
}

/// Everything stored in a bag, as the rows of a [`Branch`](crate::Branch).
#[derive(Clone)]
pub struct Rows<'a> {
    cursor: Cursor<'a>,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(cursor: Cursor<'a>) -> Self {
        Self { cursor }
    }

    /// Leaves out what is in the node that came last.
    pub fn skip_inside(&mut self) {
        self.cursor.skip_inside();
    }

    /// Where the walk stands.
    pub fn pause(&self) -> WalkPosition {
        self.cursor.pause()
    }

    /// The walk from there on.
    pub fn resume(mut self, position: &WalkPosition) -> Self {
        self.cursor.resume(position);
        self
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = Visited<'a>;

    #[inline]
    fn next(&mut self) -> Option<Visited<'a>> {
        let (depth, at, slot) = self.cursor.advance()?;
        let tree = self.cursor.tree;
        Some(Visited {
            depth,
            node: BagNode { tree, at, slot },
        })
    }

    fn fold<B, F: FnMut(B, Visited<'a>) -> B>(self, init: B, mut f: F) -> B {
        let tree = self.cursor.tree;
        self.cursor.fold_slots(init, |total, depth, at, slot| {
            let node = BagNode { tree, at, slot };
            f(total, Visited { depth, node })
        })
    }
}

impl<'a> Rows<'a> {
    pub(crate) fn new(cursor: Cursor<'a>) -> Self {
        Self { cursor }
    }

    /// Where the rows stand.
    pub fn pause(&self) -> WalkPosition {
        self.cursor.pause()
    }

    /// The rows from there on.
    pub fn resume(mut self, position: &WalkPosition) -> Self {
        self.cursor.resume(position);
        self
    }
}

impl<'a> Rows<'a> {
    /// The next row, without a copy of it.
    #[inline]
    pub(crate) fn next_ref(&mut self) -> Option<RowRef<'a>> {
        let (depth, _, slot) = self.cursor.advance()?;
        Some(RowRef {
            depth,
            label: &slot.label,
            value: slot.held.scalar(),
            attributes: slot.attributes(),
            resolver: slot.resolver(),
        })
    }
}

impl Iterator for Rows<'_> {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        self.next_ref().map(RowRef::to_row)
    }
}

impl PartialEq for Tree {
    fn eq(&self, other: &Self) -> bool {
        let same = |a: &Slot, b: &Slot| {
            a.label == b.label
                && a.held.scalar() == b.held.scalar()
                && a.attributes() == b.attributes()
                && a.resolver() == b.resolver()
        };
        let (a, b) = (self.root(), other.root());
        let mut mine = Cursor::new(self, a.at, View::Stored);
        let mut theirs = Cursor::new(other, b.at, View::Stored);
        if !same(self.slot(a.at), other.slot(b.at)) || self.len() != other.len() {
            return false;
        }
        loop {
            match (mine.next(), theirs.next()) {
                (None, None) => return true,
                (Some((depth, a)), Some((other_depth, b))) => {
                    if depth != other_depth || !same(self.slot(a), other.slot(b)) {
                        return false;
                    }
                }
                _ => return false,
            }
        }
    }
}

impl Eq for Tree {}

impl std::fmt::Debug for Tree {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tree")
            .field("revision", &self.revision())
            .field("attributes", self.root().attributes())
            .field("rows", &self.root().rows().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

/// Goes over slots in pre-order.
#[derive(Clone)]
pub(crate) struct Cursor<'a> {
    tree: &'a Tree,
    view: View,
    base: u32,
    open: Vec<Open<'a>>,
    /// The page of the last node, for the next one is often beside it.
    page: (u32, &'a [Slot]),
    /// The last node is the bag that was opened last.
    is_inside_last: bool,
}

// A bag in the midst of its children.
#[derive(Clone)]
pub(crate) struct Open<'a> {
    /// The leaf of their order that is being walked; `NONE` where they are few.
    leaf: u32,
    /// What is in the leaf, or the few.
    list: &'a [u32],
    rest: &'a [u32],
}

impl<'a> Open<'a> {
    pub(crate) fn new(tree: &'a Tree, children: Option<&'a Children>) -> Self {
        let first = children.map(|own| own.first_leaf(&tree.sequences));
        let (leaf, list) = first.unwrap_or((NONE, &[]));
        tree.warm(list);
        Self {
            leaf,
            list,
            rest: list,
        }
    }

    // Stands before the child with this index, or at the end.
    pub(crate) fn at(tree: &'a Tree, at: u32, view: View, index: u64) -> Self {
        let children = tree.children(at, view);
        let place = children.map(|own| own.leaf_at(&tree.sequences, index));
        let (leaf, list, place) = place.unwrap_or((NONE, &[], 0));
        Self {
            leaf,
            list,
            rest: list.get(place..).unwrap_or_default(),
        }
    }

    #[inline]
    pub(crate) fn next(&mut self, tree: &'a Tree) -> Option<u32> {
        if self.rest.is_empty() && !self.next_leaf(tree) {
            return None;
        }
        let (child, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*child)
    }

    fn next_leaf(&mut self, tree: &'a Tree) -> bool {
        if self.leaf == NONE {
            return false;
        }
        let leaf = tree.sequences.next_leaf(self.leaf);
        let list = tree.sequences.leaf(leaf);
        if list.is_empty() {
            return false;
        }
        tree.warm(list);
        (self.leaf, self.list, self.rest) = (leaf, list, list);
        true
    }

    pub(crate) fn next_index(&self, tree: &Tree) -> u64 {
        let passed = (self.list.len() - self.rest.len()) as u64;
        match self.list.first() {
            Some(first) if self.leaf != NONE => tree.sequences.index_of(self.leaf, *first) + passed,
            _ => passed,
        }
    }
}

impl Tree {
    // Reads the slots of children that are about to be walked. Where they lie far apart, that is
    // faster than to come by them one by one: here nothing waits for the read before.
    fn warm(&self, children: &[u32]) {
        let [first, .., last] = children else { return };
        if last.wrapping_sub(*first) as usize + 1 != children.len() {
            let bags = children.iter().map(|child| self.slot(*child));
            let bags = bags.filter(|slot| matches!(slot.held, Held::Bag(_)));
            std::hint::black_box(bags.count());
        }
    }
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(tree: &'a Tree, base: u32, view: View) -> Self {
        Self {
            tree,
            view,
            base,
            open: vec![Open::new(tree, tree.children(base, view))],
            page: (NONE, &[]),
            is_inside_last: false,
        }
    }

    pub(crate) fn skip_inside(&mut self) {
        if std::mem::take(&mut self.is_inside_last) {
            self.open.pop();
        }
    }

    pub(crate) fn pause(&self) -> WalkPosition {
        WalkPosition {
            next: (self.open.iter().map(|open| open.next_index(self.tree))).collect(),
        }
    }

    pub(crate) fn resume(&mut self, position: &WalkPosition) {
        self.open.clear();
        self.is_inside_last = false;
        let mut bag = self.base;
        for (level, next) in position.next.iter().enumerate() {
            self.open.push(Open::at(self.tree, bag, self.view, *next));
            let is_last = level + 1 == position.next.len();
            let inside = next
                .checked_sub(1)
                .and_then(|last| i64::try_from(last).ok());
            match inside.and_then(|last| self.tree.child_at(bag, self.view, last)) {
                Some(last) if !is_last => bag = last,
                _ => break,
            }
        }
    }
}

impl Iterator for Cursor<'_> {
    type Item = (u16, u32);

    fn next(&mut self) -> Option<(u16, u32)> {
        let (depth, at, _) = self.advance()?;
        Some((depth, at))
    }
}

impl<'a> Cursor<'a> {
    /// The next node: how deep it is, its number and its slot.
    #[inline]
    pub(crate) fn advance(&mut self) -> Option<(u16, u32, &'a Slot)> {
        loop {
            let depth = self.open.len().checked_sub(1)?;
            let Some(at) = self.open.last_mut()?.next(self.tree) else {
                self.open.pop();
                continue;
            };
            let slot = self.slot(at);
            if self.view == View::Stored && slot.is_overlay() {
                continue;
            }
            let held = slot.held(self.view);
            self.is_inside_last = matches!(held, Held::Bag(_));
            if self.is_inside_last {
                self.open.push(Open::new(self.tree, held.children()));
            }
            return Some((depth as u16, at, slot));
        }
    }

    /// Goes over all that is left, as `advance` would one by one: of the children of a bag, nothing
    /// is put down and taken up again between two leaves.
    fn fold_slots<B>(self, init: B, mut f: impl FnMut(B, u16, u32, &'a Slot) -> B) -> B {
        let Self {
            tree,
            view,
            mut open,
            page,
            ..
        } = self;
        let (mut total, mut first, mut page) = (init, page.0, page.1);
        'bags: while let Some(depth) = open.len().checked_sub(1) {
            let Some(own) = open.last_mut() else { break };
            while let Some((at, rest)) = own.rest.split_first() {
                own.rest = rest;
                if at.wrapping_sub(first) as usize >= page.len() {
                    (first, page) = tree.slots.page(*at).unwrap_or((NONE, &[]));
                }
                let slot = page.get(at.wrapping_sub(first) as usize).unwrap_or(&VACANT);
                if view == View::Stored && slot.is_overlay() {
                    continue;
                }
                total = f(total, depth as u16, *at, slot);
                if let Held::Bag(children) = slot.held(view) {
                    open.push(Open::new(tree, Some(children)));
                    continue 'bags;
                }
            }
            if !own.next_leaf(tree) {
                open.pop();
            }
        }
        total
    }

    #[inline]
    fn slot(&mut self, at: u32) -> &'a Slot {
        let (first, page) = self.page;
        if let Some(slot) = page.get(at.wrapping_sub(first) as usize) {
            return slot;
        }
        let (first, page) = self.tree.slots.page(at).unwrap_or((NONE, &[]));
        self.page = (first, page);
        page.get(at.wrapping_sub(first) as usize).unwrap_or(&VACANT)
    }
}
