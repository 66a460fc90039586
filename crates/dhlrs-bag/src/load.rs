//! Bulk load: nodes come in pre-order and go last into their bags, so that each bag's order and
//! index are made as it fills and put in place once, when it ends.

use std::fmt;

use triomphe::Arc;

use crate::{
    Label, NodeId, Tree, Value,
    children::{Children, FEW_MAX, Few, Listed, Many, Room, find_position},
    ids::Run,
    index::Index,
    pages::NONE,
    sequence::LEAF_CHILDREN_MAX,
    slot::{Extra, Held, Slot, View},
};

/// Puts nodes into a tree that nobody reads before [`Loader::finish`].
pub(crate) struct Loader {
    // Of each depth that was come by; those from `depth` on are over and kept for their room.
    bags: Vec<Filling>,
    depth: usize,
    ids: Run,
}

/// A node to put in.
pub(crate) struct Loaded {
    pub(crate) id: NodeId,
    pub(crate) label: Label,
    /// `None` is a bag.
    pub(crate) value: Option<Value>,
    pub(crate) extra: Option<Arc<Extra>>,
    pub(crate) revision: u64,
}

/// A bag in the midst of its children.
struct Filling {
    bag: u32,
    view: View,
    len: u32,
    /// How many the bag before had: bags beside one another are often alike.
    expected: usize,
    room: Room,
    /// The hashes of the labels of few, as they come.
    hashes: Vec<u32>,
    /// The labels of many.
    labels: Index,
    /// The leaf that is being filled, and what is in it; few children are in none.
    leaf: u32,
    children: Vec<u32>,
    /// The leaves before it.
    leaves: Vec<u32>,
}

impl Loader {
    /// Begins to put nodes behind what is in `bag`.
    pub(crate) fn new(tree: &mut Tree, bag: u32, view: View) -> Self {
        let mut filling = Filling::new();
        filling.begin(bag, view);
        if let Some(own) = tree.children(bag, view).cloned() {
            filling.room = own.room;
            let there: Vec<u32> = own.list(&tree.sequences).collect();
            if let Listed::Many(many) = own.listed {
                tree.sequences.discard(many.order);
            }
            for child in there {
                let hash = tree.hash(tree.slot(child).label.as_bytes());
                filling.note(child, hash, |_| false);
                let leaf = filling.list(tree, child);
                tree.edit(child, |slot| slot.leaf = leaf);
            }
        }
        Self {
            bags: vec![filling],
            depth: 1,
            ids: Run::default(),
        }
    }

    /// How many bags the next node may go into: 1, and one more for each that is open.
    pub(crate) fn depth(&self) -> usize {
        self.depth
    }

    /// The bag that the next node may go into `depth` bags below the first.
    #[cfg(feature = "json")]
    pub(crate) fn bag(&self, depth: usize) -> Option<u32> {
        let open = self.bags.get(..self.depth)?;
        open.get(depth).map(|filling| filling.bag)
    }

    /// Whether a node was put in with this id.
    pub(crate) fn has(&self, tree: &Tree, id: NodeId) -> bool {
        self.ids.has(id) || tree.by_id(id).is_some()
    }

    /// Puts a node last into the bag that is open `depth` bags below the first, and ends those
    /// below that. `false` when the bag has its label, or is not open; nothing is put in then.
    ///
    /// The id must be one that no other node has.
    pub(crate) fn push(&mut self, tree: &mut Tree, depth: usize, node: Loaded) -> bool {
        self.close_to(tree, depth + 1);
        let Some(filling) = self.bags.get_mut(depth).filter(|_| depth < self.depth) else {
            return false;
        };
        let hash = tree.hash(node.label.as_bytes());
        let at = tree.next_slot();
        let is_there = |own: u32| tree.slot(own).label == node.label;
        if !filling.note(at, hash, is_there) {
            return false;
        }
        let leaf = filling.list(tree, at);
        let parent = filling.bag;
        let is_bag = node.value.is_none();
        tree.put(Slot {
            id: node.id,
            label: node.label,
            // A bag holds its children when it ends.
            held: Held::Scalar(node.value.unwrap_or(Value::Null)),
            extra: node.extra,
            revision: node.revision,
            parent,
            leaf,
        });
        tree.put_id(&mut self.ids, node.id, at);
        if is_bag {
            self.open(at);
        }
        true
    }

    /// Ends all bags.
    pub(crate) fn finish(mut self, tree: &mut Tree) {
        self.close_to(tree, 0);
        tree.put_run(self.ids);
    }

    fn open(&mut self, bag: u32) {
        if self.depth == self.bags.len() {
            self.bags.push(Filling::new());
        }
        if let Some(filling) = self.bags.get_mut(self.depth) {
            filling.begin(bag, View::Stored);
            self.depth += 1;
        }
    }

    fn close_to(&mut self, tree: &mut Tree, depth: usize) {
        while self.depth > depth {
            self.depth -= 1;
            if let Some(filling) = self.bags.get_mut(self.depth) {
                filling.end(tree);
            }
        }
    }
}

impl Filling {
    fn new() -> Self {
        Self {
            bag: NONE,
            view: View::Stored,
            len: 0,
            expected: 0,
            room: Room::default(),
            hashes: Vec::new(),
            labels: Index::new(),
            leaf: NONE,
            children: Vec::new(),
            leaves: Vec::new(),
        }
    }

    fn begin(&mut self, bag: u32, view: View) {
        self.expected = self.len as usize;
        (self.bag, self.view, self.len) = (bag, view, 0);
        self.room = Room::default();
    }

    /// Notes the label of a child that is listed next, unless one that `is` the same is there.
    fn note(&mut self, child: u32, hash: u32, is: impl Fn(u32) -> bool) -> bool {
        if self.leaf != NONE {
            return self.labels.insert_new(hash, child, is);
        }
        let is_at = |place: usize| self.children.get(place).is_some_and(|own| is(*own));
        let is_new = find_position(&self.hashes, hash, is_at).is_none();
        if is_new {
            self.hashes.push(hash);
        }
        is_new
    }

    /// Lists a child last, and says in which leaf it is.
    fn list(&mut self, tree: &mut Tree, child: u32) -> u32 {
        if self.leaf == NONE && self.children.len() == FEW_MAX {
            self.widen(tree, child);
        }
        self.len += 1;
        if self.leaf != NONE {
            if self.children.len() == LEAF_CHILDREN_MAX {
                self.end_leaf(tree);
            }
            if self.children.is_empty() {
                self.leaf = tree.sequences.empty_leaf();
            }
        }
        self.children.push(child);
        self.leaf
    }

    // Makes many of few and of the child that is one too many.
    fn widen(&mut self, tree: &mut Tree, child: u32) {
        self.labels = Index::with_room(self.expected);
        let children = self.children.iter().chain([&child]);
        for (own, hash) in children.zip(self.hashes.drain(..)) {
            self.labels.insert(hash, *own);
        }
        let leaf = tree.sequences.empty_leaf();
        for own in &self.children {
            tree.edit(*own, |slot| slot.leaf = leaf);
        }
        self.leaf = leaf;
    }

    fn end_leaf(&mut self, tree: &mut Tree) {
        tree.sequences.fill_leaf(self.leaf, &self.children);
        self.leaves.push(self.leaf);
        self.children.clear();
    }

    fn end(&mut self, tree: &mut Tree) {
        let listed = if self.leaf == NONE {
            Listed::Few(Few::of(&self.children, self.hashes.drain(..)))
        } else {
            self.end_leaf(tree);
            let mut labels = std::mem::replace(&mut self.labels, Index::new());
            labels.shrink();
            Listed::Many(Many {
                order: tree.sequences.join(std::mem::take(&mut self.leaves)),
                len: self.len,
                labels,
            })
        };
        self.children.clear();
        self.leaf = NONE;
        let room = self.room;
        tree.put_children(self.bag, self.view, Children { listed, room });
    }
}

impl fmt::Debug for Loader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loader")
            .field("depth", &self.depth)
            .finish_non_exhaustive()
    }
}
