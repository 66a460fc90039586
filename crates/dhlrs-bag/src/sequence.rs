//! The order of children: counted B+trees whose nodes lie in one arena and know their parents by
//! number, so that a child's place is found by climbing from the leaf that its slot names. Nothing
//! is ever compared or re-spaced, and a number means the same in every snapshot.

use triomphe::Arc;

use crate::pages::{Item, NONE, Pages};

/// The most children of one leaf.
pub(crate) const LEAF_CHILDREN_MAX: usize = 64;
const INNER_NODES_MAX: usize = 32;

/// Tells the slot of a child which leaf it is in from now on: `placed(child, leaf)`.
pub(crate) trait Placed: FnMut(u32, u32) {}

impl<F: FnMut(u32, u32)> Placed for F {}

#[derive(Clone)]
pub(crate) struct Sequences {
    nodes: Pages<Option<Arc<Bunch>>>,
    free: u32,
}

#[derive(Clone)]
struct Bunch {
    // Of a free node: the next free one.
    parent: u32,
    body: Body,
}

#[derive(Clone)]
enum Body {
    Leaf(Vec<u32>),
    Inner(Vec<Counted>),
}

#[derive(Clone, Copy)]
struct Counted {
    node: u32,
    children: u32,
}

impl Item for Option<Arc<Bunch>> {
    fn shared(&self) -> usize {
        self.as_ref().map_or(0, Arc::count)
    }
}

impl Body {
    fn width(&self) -> usize {
        match self {
            Self::Leaf(children) => children.len(),
            Self::Inner(nodes) => nodes.len(),
        }
    }
}

impl Sequences {
    pub(crate) fn new() -> Self {
        Self {
            nodes: Pages::new(),
            free: NONE,
        }
    }

    /// The children in `leaf`, in order.
    #[inline]
    pub(crate) fn leaf(&self, leaf: u32) -> &[u32] {
        match self.body(leaf) {
            Some(Body::Leaf(children)) => children,
            _ => &[],
        }
    }

    /// The leaf with the first child, or `NONE`.
    pub(crate) fn first_leaf(&self, root: u32) -> u32 {
        self.outermost(root, |nodes| nodes.first())
    }

    /// The leaf with the last child, or `NONE`.
    pub(crate) fn last_leaf(&self, root: u32) -> u32 {
        self.outermost(root, |nodes| nodes.last())
    }

    fn outermost(&self, root: u32, pick: impl Fn(&[Counted]) -> Option<&Counted>) -> u32 {
        let mut node = root;
        while let Some(Body::Inner(nodes)) = self.body(node) {
            node = pick(nodes).map_or(NONE, |counted| counted.node);
        }
        node
    }

    /// The leaf after `leaf`, or `NONE`.
    pub(crate) fn next_leaf(&self, leaf: u32) -> u32 {
        let mut node = leaf;
        while let Some((parent, at)) = self.place_in_parent(node) {
            if let Some(next) = self.inner(parent).get(at + 1) {
                return self.first_leaf(next.node);
            }
            node = parent;
        }
        NONE
    }

    /// The leaf before `leaf`, or `NONE`.
    pub(crate) fn previous_leaf(&self, leaf: u32) -> u32 {
        let mut node = leaf;
        while let Some((parent, at)) = self.place_in_parent(node) {
            let before = at.checked_sub(1).and_then(|at| self.inner(parent).get(at));
            if let Some(before) = before {
                return self.last_leaf(before.node);
            }
            node = parent;
        }
        NONE
    }

    /// The leaf and the place in it of the child with this index.
    pub(crate) fn at(&self, root: u32, index: u64) -> Option<(u32, usize)> {
        let mut node = root;
        let mut index = usize::try_from(index).ok()?;
        loop {
            match self.body(node)? {
                Body::Leaf(children) => return (index < children.len()).then_some((node, index)),
                Body::Inner(nodes) => {
                    let mut nodes = nodes.iter();
                    node = loop {
                        let counted = nodes.next()?;
                        match index.checked_sub(counted.children as usize) {
                            Some(rest) => index = rest,
                            None => break counted.node,
                        }
                    };
                }
            }
        }
    }

    /// The index of `child`, which is in `leaf`.
    pub(crate) fn index_of(&self, leaf: u32, child: u32) -> u64 {
        let in_leaf = self.leaf(leaf).iter().position(|own| *own == child);
        let mut index = in_leaf.unwrap_or(0) as u64;
        let mut node = leaf;
        while let Some((parent, at)) = self.place_in_parent(node) {
            let before = self.inner(parent).iter().take(at);
            index += before
                .map(|counted| u64::from(counted.children))
                .sum::<u64>();
            node = parent;
        }
        index
    }

    /// Puts `child` into `leaf` at a place; into a new tree when `root` is `NONE`.
    pub(crate) fn insert(
        &mut self,
        root: &mut u32,
        leaf: u32,
        place: usize,
        child: u32,
        placed: &mut impl Placed,
    ) {
        if *root == NONE {
            *root = self.build(&[child], placed);
            return;
        }
        let Some(Body::Leaf(children)) = self.body_mut(leaf) else {
            return;
        };
        children.insert(place.min(children.len()), child);
        placed(child, leaf);
        let mut node = leaf;
        let mut new = self.split_if_wide(leaf, place, placed);
        while let Some((parent, at)) = self.place_in_parent(node) {
            let split = new.map(|new| (new, self.count(node), self.count(new)));
            let Some(Body::Inner(nodes)) = self.body_mut(parent) else {
                return;
            };
            if let Some(counted) = nodes.get_mut(at) {
                counted.children = split.map_or(counted.children + 1, |(_, left, _)| left);
            }
            if let Some((node, _, children)) = split {
                nodes.insert(at + 1, Counted { node, children });
                self.set_parent(node, parent);
            }
            node = parent;
            new = new.and_then(|_| self.split_if_wide(parent, at + 1, placed));
        }
        if let Some(new) = new {
            let nodes = [node, new].map(|node| Counted {
                node,
                children: self.count(node),
            });
            *root = self.add(Body::Inner(nodes.to_vec()));
            self.set_parent(node, *root);
            self.set_parent(new, *root);
        }
    }

    /// Takes `child` out of `leaf`; an emptied tree is freed and its root becomes `NONE`.
    pub(crate) fn remove(
        &mut self,
        root: &mut u32,
        leaf: u32,
        child: u32,
        placed: &mut impl Placed,
    ) {
        let Some(Body::Leaf(children)) = self.body_mut(leaf) else {
            return;
        };
        let Some(place) = children.iter().position(|own| *own == child) else {
            return;
        };
        children.remove(place);
        let mut node = leaf;
        while let Some((parent, at)) = self.place_in_parent(node) {
            let (width, count) = (self.width(node), self.count(node));
            if let Some(Body::Inner(nodes)) = self.body_mut(parent) {
                if width == 0 {
                    nodes.remove(at);
                } else if let Some(counted) = nodes.get_mut(at) {
                    counted.children = count;
                }
            }
            if width == 0 {
                self.release(node);
            } else {
                self.join_if_narrow(parent, at, placed);
            }
            node = parent;
        }
        // Of a root with one node below it, that node is the root.
        loop {
            match self.body(*root) {
                Some(Body::Inner(nodes)) if nodes.len() == 1 => {
                    let only = nodes.first().map_or(NONE, |counted| counted.node);
                    self.release(*root);
                    self.set_parent(only, NONE);
                    *root = only;
                }
                Some(body) if body.width() == 0 => {
                    self.release(*root);
                    *root = NONE;
                }
                _ => return,
            }
        }
    }

    /// A tree of `children`, in this order; `NONE` when there is none.
    pub(crate) fn build(&mut self, children: &[u32], placed: &mut impl Placed) -> u32 {
        let mut level: Vec<u32> = Vec::with_capacity(children.len().div_ceil(LEAF_CHILDREN_MAX));
        for children in children.chunks(LEAF_CHILDREN_MAX) {
            let leaf = self.add(Body::Leaf(children.to_vec()));
            children.iter().for_each(|child| placed(*child, leaf));
            level.push(leaf);
        }
        self.join(level)
    }

    /// A leaf without a tree, and without children for now.
    pub(crate) fn empty_leaf(&mut self) -> u32 {
        self.add(Body::Leaf(Vec::new()))
    }

    /// Puts children, at most [`LEAF_CHILDREN_MAX`], into a leaf of [`empty_leaf`](Self::empty_leaf).
    pub(crate) fn fill_leaf(&mut self, leaf: u32, children: &[u32]) {
        if let Some(body) = self.body_mut(leaf) {
            *body = Body::Leaf(children.to_vec());
        }
    }

    /// A tree of these leaves, in this order; `NONE` when there is none.
    pub(crate) fn join(&mut self, leaves: Vec<u32>) -> u32 {
        let mut level = leaves;
        while level.len() > 1 {
            let mut above = Vec::with_capacity(level.len().div_ceil(INNER_NODES_MAX));
            for nodes in level.chunks(INNER_NODES_MAX) {
                let counted = nodes.iter().map(|node| Counted {
                    node: *node,
                    children: self.count(*node),
                });
                let body = Body::Inner(counted.collect());
                let inner = self.add(body);
                nodes.iter().for_each(|node| self.set_parent(*node, inner));
                above.push(inner);
            }
            level = above;
        }
        level.first().copied().unwrap_or(NONE)
    }

    /// Frees the nodes of a tree. The children are the caller's.
    pub(crate) fn discard(&mut self, root: u32) {
        let mut left = vec![root];
        while let Some(node) = left.pop() {
            if let Some(Body::Inner(nodes)) = self.body(node) {
                left.extend(nodes.iter().map(|counted| counted.node));
            }
            self.release(node);
        }
    }

    fn split_if_wide(&mut self, node: u32, place: usize, placed: &mut impl Placed) -> Option<u32> {
        let is_wide = match self.body(node)? {
            Body::Leaf(children) => children.len() > LEAF_CHILDREN_MAX,
            Body::Inner(nodes) => nodes.len() > INNER_NODES_MAX,
        };
        if !is_wide {
            return None;
        }
        let is_last = self.next_leaf(node) == NONE;
        match self.body_mut(node)? {
            Body::Leaf(children) => {
                // A bag that grows at its end has full leaves.
                let appended = is_last && place + 1 == children.len();
                let cut = if appended { place } else { children.len() / 2 };
                let right = children.split_off(cut);
                let new = self.add(Body::Leaf(right));
                for child in self.leaf(new) {
                    placed(*child, new);
                }
                Some(new)
            }
            Body::Inner(nodes) => {
                let appended = place + 1 == nodes.len();
                let cut = if appended { place } else { nodes.len() / 2 };
                let right = nodes.split_off(cut);
                let moved: Vec<u32> = right.iter().map(|counted| counted.node).collect();
                let new = self.add(Body::Inner(right));
                moved.iter().for_each(|node| self.set_parent(*node, new));
                Some(new)
            }
        }
    }

    // Joins the node at `at` with a neighbour when both are narrow, with room left for growth.
    fn join_if_narrow(&mut self, parent: u32, at: usize, placed: &mut impl Placed) {
        let nodes = self.inner(parent);
        let width = |at: usize| nodes.get(at).map(|counted| self.width(counted.node));
        let max = match nodes.get(at).and_then(|counted| self.body(counted.node)) {
            Some(Body::Leaf(_)) => LEAF_CHILDREN_MAX,
            _ => INNER_NODES_MAX,
        };
        let Some(own) = width(at).filter(|own| *own < max / 4) else {
            return;
        };
        let fits = |other: Option<usize>| other.is_some_and(|other| own + other <= max / 2);
        let left = if fits(width(at + 1)) {
            at
        } else if at > 0 && fits(width(at - 1)) {
            at - 1
        } else {
            return;
        };
        let (Some(into), Some(from)) = (nodes.get(left).copied(), nodes.get(left + 1).copied())
        else {
            return;
        };
        let Some(body) = self.body(from.node).cloned() else {
            return;
        };
        match (&body, self.body_mut(into.node)) {
            (Body::Leaf(moved), Some(Body::Leaf(children))) => {
                children.extend_from_slice(moved);
                moved.iter().for_each(|child| placed(*child, into.node));
            }
            (Body::Inner(moved), Some(Body::Inner(nodes))) => {
                nodes.extend_from_slice(moved);
                for counted in moved {
                    self.set_parent(counted.node, into.node);
                }
            }
            _ => return,
        }
        self.release(from.node);
        if let Some(Body::Inner(nodes)) = self.body_mut(parent) {
            nodes.remove(left + 1);
            if let Some(counted) = nodes.get_mut(left) {
                counted.children = into.children + from.children;
            }
        }
    }

    fn place_in_parent(&self, node: u32) -> Option<(u32, usize)> {
        let parent = self.nodes.get(node)?.as_ref()?.parent;
        let nodes = self.inner(parent).iter();
        let at = nodes.enumerate().find(|(_, counted)| counted.node == node);
        at.map(|(at, _)| (parent, at))
    }

    fn inner(&self, node: u32) -> &[Counted] {
        match self.body(node) {
            Some(Body::Inner(nodes)) => nodes,
            _ => &[],
        }
    }

    fn width(&self, node: u32) -> usize {
        self.body(node).map_or(0, Body::width)
    }

    fn count(&self, node: u32) -> u32 {
        match self.body(node) {
            Some(Body::Leaf(children)) => children.len() as u32,
            Some(Body::Inner(nodes)) => nodes.iter().map(|counted| counted.children).sum(),
            None => 0,
        }
    }

    fn body(&self, node: u32) -> Option<&Body> {
        Some(&self.nodes.get(node)?.as_ref()?.body)
    }

    fn body_mut(&mut self, node: u32) -> Option<&mut Body> {
        Some(&mut Arc::make_mut(self.nodes.get_mut(node)?.as_mut()?).body)
    }

    fn set_parent(&mut self, node: u32, parent: u32) {
        if let Some(Some(bunch)) = self.nodes.get_mut(node) {
            Arc::make_mut(bunch).parent = parent;
        }
    }

    fn add(&mut self, body: Body) -> u32 {
        let parent = NONE;
        let bunch = Some(Arc::new(Bunch { parent, body }));
        let free = self.free;
        match self.nodes.get_mut(free) {
            Some(slot) => {
                self.free = slot.as_ref().map_or(NONE, |bunch| bunch.parent);
                *slot = bunch;
                free
            }
            None => self.nodes.push(bunch).unwrap_or(NONE),
        }
    }

    fn release(&mut self, node: u32) {
        let parent = self.free;
        if let Some(slot) = self.nodes.get_mut(node) {
            let body = Body::Leaf(Vec::new());
            *slot = Some(Arc::new(Bunch { parent, body }));
            self.free = node;
        }
    }
}
