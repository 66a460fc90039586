//! What a reduction changed becomes ops on a [`Bag`], so that whoever watches it is told of what others do in the same
//! words as of what is done here.

use std::collections::{BTreeMap, BTreeSet};

use dhlrs_bag::{
    Attributes, AttributesWrite, Bag, Branch, Change, ChangeKind, Content, Name, NodeId, Op,
    Placed, Row, Shown, Value,
};

use crate::displaced::shown_label;
use crate::moving::Obstacle;
use crate::view::Told;
use crate::{NodeView, Reducer, ViewChanges};

impl Reducer {
    /// Brings a bag that showed the state before a reduction to the state after, and says what changed in it.
    ///
    /// The bag nodes of the bag have the ids of the events. Of two children with one label the displaced one shows as
    /// `label~ID`. What was cleared or replaced is told as that, what was set with all on its way as one insert each,
    /// and a disagreement as a [`ChangeKind::Conflict`] of its own. O(changes), and for a bag that was sorted O(n log n).
    pub fn show(&self, changes: &ViewChanges, bag: &mut Bag, revision: u64) -> Vec<Change> {
        let mut showing = Showing::new(self, changes, bag, revision);
        showing.run();
        showing.told
    }

    /// All that shows, as if it had just come: what brings an empty bag up to date.
    #[must_use]
    pub fn whole_view(&self) -> ViewChanges {
        let mut changes = ViewChanges::default();
        let mut open = vec![NodeId::ROOT];
        while let Some(bag) = open.pop() {
            for id in self.children(bag) {
                changes.nodes.insert(id, (None, self.shared_view(id)));
                open.push(id);
            }
        }
        if !self.root_attributes().is_empty() {
            changes.root_attributes = Some(self.root_attributes().clone());
        }
        changes
    }
}

pub(crate) struct Showing<'a> {
    pub(crate) reducer: &'a Reducer,
    pub(crate) changes: &'a ViewChanges,
    pub(crate) bag: &'a mut Bag,
    pub(crate) revision: u64,
    pub(crate) told: Vec<Change>,
    /// When the batch first named a bag node.
    pub(crate) first: BTreeMap<NodeId, usize>,
    pub(crate) cleared: BTreeSet<NodeId>,
    /// Those that went into the bag as part of a branch.
    pub(crate) covered: BTreeSet<NodeId>,
    /// Those that hold and have what they should.
    pub(crate) written: BTreeSet<NodeId>,
    /// Those that have got their place.
    pub(crate) placed: BTreeSet<NodeId>,
    /// Bags in which bag nodes were put beside siblings that may not have had their places yet, and how many.
    pub(crate) entered: BTreeMap<NodeId, usize>,
    /// Bags on the way of something that was set.
    pub(crate) passed: BTreeSet<NodeId>,
}

impl<'a> Showing<'a> {
    fn new(
        reducer: &'a Reducer,
        changes: &'a ViewChanges,
        bag: &'a mut Bag,
        revision: u64,
    ) -> Self {
        let (mut first, mut made) = (BTreeMap::new(), BTreeMap::new());
        let mut cleared = BTreeSet::new();
        for (at, (id, told)) in changes.told.iter().enumerate() {
            first.entry(*id).or_insert(at);
            match told {
                Told::Create => {
                    made.entry(*id).or_insert(at);
                }
                Told::Clear => {
                    cleared.insert(*id);
                }
                Told::Other => {}
            }
        }
        // A bag on the way is made after what it was made for.
        let mut passed = BTreeSet::new();
        for (id, at) in &made {
            let parent = reducer.node(*id).map(|view| view.parent);
            if let Some((parent, above)) = parent.and_then(|id| Some((id, made.get(&id)?)))
                && at < above
            {
                passed.insert(parent);
            }
        }
        Self {
            reducer,
            changes,
            bag,
            revision,
            told: Vec::new(),
            first,
            cleared,
            covered: BTreeSet::new(),
            written: BTreeSet::new(),
            placed: BTreeSet::new(),
            entered: BTreeMap::new(),
            passed,
        }
    }

    fn run(&mut self) {
        let replaced = self.replaced();
        let late = self.remove_gone(&replaced);
        self.move_who_stays();
        for id in late {
            // What is still inside goes with all that is.
            if !self.is_within(id, &replaced) {
                self.apply(Op::Remove { id });
            }
        }
        for id in replaced {
            self.replace(id);
        }
        self.reorder();
        self.insert_and_write();
        self.report_conflicts();
    }

    pub(crate) fn apply(&mut self, op: Op) {
        let changes = self.bag.apply(&[op], self.revision);
        self.told.extend(changes);
    }

    pub(crate) fn view(&self, id: NodeId) -> Option<&'a NodeView> {
        self.reducer.node(id)
    }

    /// Those that showed before and show now, but otherwise.
    pub(crate) fn stayed(
        &self,
    ) -> impl Iterator<Item = (NodeId, &'a NodeView, &'a NodeView)> + use<'a> {
        let nodes = self.changes.nodes.iter();
        nodes.filter_map(|(id, (old, now))| Some((*id, old.as_deref()?, now.as_deref()?)))
    }

    fn is_new(&self, id: NodeId) -> bool {
        let change = self.changes.nodes.get(&id);
        change.is_some_and(|(old, now)| old.is_none() && now.is_some())
    }

    pub(crate) fn parent_in_bag(&self, id: NodeId) -> Option<NodeId> {
        Some(self.bag.node_by_id(id)?.parent()?.id())
    }

    pub(crate) fn is_within(&self, id: NodeId, bags: &BTreeSet<NodeId>) -> bool {
        let node = self.bag.node_by_id(id);
        node.is_some_and(|node| node.ancestors().any(|bag| bags.contains(&bag.id())))
    }

    /// The nearest sibling before it that stands in its bag already.
    pub(crate) fn after(&self, id: NodeId, parent: NodeId) -> Option<NodeId> {
        let mut before = self.reducer.before(id);
        before.find(|sibling| self.parent_in_bag(*sibling) == Some(parent))
    }

    /// Bags whose inside a Clear took, and bags that became scalars by one: one write says it all.
    fn replaced(&self) -> BTreeSet<NodeId> {
        let mut touched: BTreeSet<NodeId> = BTreeSet::new();
        for (id, (old, now)) in &self.changes.nodes {
            touched.insert(*id);
            touched.extend([old, now].into_iter().flatten().map(|view| view.parent));
        }
        let is_replaced = |id: &NodeId| {
            let shows = *id == NodeId::ROOT || self.view(*id).is_some();
            let was_bag = (self.bag.node_by_id(*id)).map(|node| node.stored_value().is_none());
            let is_bag = self.view(*id).is_none_or(|view| view.value.is_none());
            shows && touched.contains(id) && (was_bag == Some(true) || was_bag.is_some() && is_bag)
        };
        self.cleared.iter().copied().filter(is_replaced).collect()
    }

    /// Makes a bag of a scalar that something is put into.
    pub(crate) fn open(&mut self, id: NodeId) {
        let is_scalar = (self.bag.node_by_id(id)).is_some_and(|node| node.stored_value().is_some());
        if is_scalar {
            let autocreated = !self.cleared.contains(&id);
            self.hold(id, Content::Branch(Branch::new()), None, autocreated);
        }
    }

    fn hold(
        &mut self,
        id: NodeId,
        content: Content,
        attributes: Option<AttributesWrite>,
        autocreated: bool,
    ) {
        self.apply(Op::Write {
            id,
            content: Some(Placed {
                content,
                first: following(id),
            }),
            attributes,
            resolver: None,
            autocreated,
        });
    }

    fn replace(&mut self, id: NodeId) {
        if self.covered.contains(&id) || self.bag.node_by_id(id).is_none() {
            return;
        }
        let attributes = self.changed_attributes(id);
        let scalar = self.view(id).and_then(|view| view.value.clone());
        if let Some(value) = scalar {
            self.written.insert(id);
            self.hold(id, Content::Value(value), attributes, false);
            return;
        }
        if let Some((ids, branch)) = self.rows(id) {
            self.written.insert(id);
            self.hold(id, Content::Branch(branch), attributes, false);
            self.bag.identify(id, ids.iter().copied());
            self.covered.extend(ids);
            return;
        }
        // Too much for one write: what is gone goes one by one, and so comes what is new.
        let node = self.bag.node_by_id(id).into_iter();
        let children = node.flat_map(|node| node.children().map(|child| child.id()));
        let gone: Vec<NodeId> = children
            .filter(|child| self.view(*child).is_none())
            .collect();
        for id in gone {
            self.apply(Op::Remove { id });
        }
    }

    /// What is in a bag, as the rows of a branch and their ids; `None` beyond the limits of a branch.
    fn rows(&self, bag: NodeId) -> Option<(Vec<NodeId>, Branch)> {
        let mut ids = Vec::new();
        let mut rows = Vec::new();
        let mut open: Vec<(u16, NodeId)> = Vec::new();
        let children = self.reducer.children(bag).rev();
        open.extend(children.map(|id| (0, id)));
        while let Some((depth, id)) = open.pop() {
            let view = self.view(id)?;
            ids.push(id);
            rows.push(Row {
                depth,
                label: shown_label(id, view),
                value: view.value.clone(),
                attributes: attributes_of(&view.attributes),
                resolver: None,
            });
            let below = depth.checked_add(1)?;
            let children = self.reducer.children(id).rev();
            open.extend(children.map(|id| (below, id)));
        }
        Some((ids, Branch::from_rows(rows).ok()?))
    }

    /// Brings in what is new, and writes what those that were there before hold, in the order of the events.
    fn insert_and_write(&mut self) {
        let mut bags: BTreeMap<NodeId, Vec<NodeId>> = BTreeMap::new();
        let mut first: BTreeMap<NodeId, usize> = BTreeMap::new();
        for id in self.changes.nodes.keys() {
            let Some(view) = self.view(*id).filter(|_| self.is_new(*id)) else {
                continue;
            };
            if !self.covered.contains(id) {
                bags.entry(view.parent).or_default().push(*id);
            }
            // A bag comes no later than what is in it.
            let when = self.first(*id);
            let mut at = Some(*id);
            while let Some(id) = at.filter(|id| self.is_new(*id)) {
                let known = first.entry(id).or_insert(usize::MAX);
                if *known <= when {
                    break;
                }
                *known = when;
                at = self.view(id).map(|view| view.parent);
            }
        }
        for ids in bags.values_mut() {
            ids.sort_by_key(|id| self.view(*id).map(|view| (view.place.clone(), *id)));
        }
        let roots = bags.iter();
        let roots = roots.filter(|(bag, _)| self.bag.node_by_id(**bag).is_some());
        let mut tasks: Vec<(usize, NodeId)> = roots
            .flat_map(|(_, ids)| ids)
            .map(|id| (first.get(id).copied().unwrap_or(usize::MAX), *id))
            .collect();
        let stayed = self.stayed().map(|(id, ..)| id);
        let root = self.changes.root_attributes.as_ref();
        let stayed = stayed.chain(root.map(|_| NodeId::ROOT));
        let stayed = stayed.filter(|id| !self.covered.contains(id) && !self.written.contains(id));
        tasks.extend(stayed.map(|id| (self.first(id), id)));
        tasks.sort_unstable();
        for (_, id) in tasks {
            if !self.is_new(id) {
                self.write(id);
                continue;
            }
            let mut open = vec![id];
            while let Some(id) = open.pop() {
                if !self.covered.contains(&id) {
                    self.insert_one(id, self.passed.contains(&id));
                }
                let below = bags.remove(&id).unwrap_or_default();
                open.extend(below.into_iter().rev());
            }
        }
    }

    pub(crate) fn first(&self, id: NodeId) -> usize {
        self.first.get(&id).copied().unwrap_or(usize::MAX)
    }

    /// Brings in one that is new: with all that is in it, or as a shell that is filled one by one.
    pub(crate) fn insert_one(&mut self, id: NodeId, is_shell: bool) {
        let Some(view) = self.view(id) else { return };
        let parent = view.parent;
        self.open(parent);
        if let Obstacle::Label(other) = self.obstacle(id) {
            self.step_aside(other);
        }
        let after = self.after(id, parent);
        let mut inside = None;
        if view.value.is_none() && !is_shell {
            inside = self.rows(id);
        }
        let (ids, content) = match (&view.value, inside) {
            (Some(value), _) => (Vec::new(), Content::Value(value.clone())),
            (None, Some((ids, branch))) => (ids, Content::Branch(branch)),
            (None, None) => (Vec::new(), Content::Branch(Branch::new())),
        };
        self.apply(Op::Insert {
            parent,
            after,
            id,
            label: shown_label(id, view),
            content,
            attributes: attributes_of(&view.attributes),
            resolver: None,
            autocreated: self.passed.contains(&id),
        });
        self.bag.identify(id, ids.iter().copied());
        self.covered.insert(id);
        self.covered.extend(ids);
    }

    /// Value and attributes of one that was there before.
    fn write(&mut self, id: NodeId) {
        let Some(node) = self.bag.node_by_id(id) else {
            return;
        };
        let stored = node.stored_value();
        let content = match self.view(id).map(|view| &view.value) {
            Some(Some(value)) if stored != Some(value) => Some(Content::Value(value.clone())),
            Some(None) if stored.is_some() => Some(Content::Branch(Branch::new())),
            _ => None,
        };
        let attributes = self.changed_attributes(id);
        match (content, attributes) {
            (Some(content), attributes) => self.hold(id, content, attributes, false),
            (None, Some(attributes)) => self.apply(Op::Write {
                id,
                content: None,
                attributes: Some(attributes),
                resolver: None,
                autocreated: false,
            }),
            (None, None) => {}
        }
    }

    /// What is to be written to make the attributes what they are now; Null for those that are gone.
    fn changed_attributes(&self, id: NodeId) -> Option<AttributesWrite> {
        let now = match id {
            NodeId::ROOT => self.reducer.root_attributes(),
            _ => &self.view(id)?.attributes,
        };
        let before = self.bag.node_by_id(id)?.attributes();
        let gone = before.iter().map(|(name, _)| name);
        let gone = gone.filter(|name| !now.contains_key(*name));
        let gone = gone.map(|name| (name.clone(), Value::Null));
        let written = now
            .iter()
            .filter(|(name, value)| before.get(name) != Some(value));
        let written = written.map(|(name, value)| (name.clone(), value.clone()));
        let write: Attributes = written.chain(gone).collect();
        (!write.is_empty()).then_some(AttributesWrite::Merge(write))
    }

    fn report_conflicts(&mut self) {
        for (id, (old, now)) in &self.changes.nodes {
            let Some(now) = now.as_ref().filter(|now| now.is_in_conflict()) else {
                continue;
            };
            let was = old.as_ref().filter(|old| old.is_in_conflict());
            let is_known = was.is_some_and(|old| {
                (old.is_displaced, &old.hidden) == (now.is_displaced, &now.hidden)
            });
            let Some(node) = self.bag.node_by_id(*id).filter(|_| !is_known) else {
                continue;
            };
            let shown = match node.stored_value() {
                Some(value) => Shown::Scalar(value.clone()),
                None => Shown::Branch {
                    nodes: node.nodes(),
                },
            };
            let old = match &now.hidden {
                Some(hidden) => Shown::Scalar(hidden.clone()),
                None => shown.clone(),
            };
            self.told.push(Change {
                kind: ChangeKind::Conflict,
                id: *id,
                path: node.path(),
                old_path: None,
                ancestors: node.ancestors().map(|bag| bag.id()).collect(),
                old_ancestors: Vec::new(),
                old,
                new: shown,
                attributes: Vec::new(),
                index: Some(node.index()),
                old_index: None,
                autocreated: false,
                invalidated: false,
            });
        }
    }
}

fn attributes_of(attributes: &BTreeMap<Name, Value>) -> Attributes {
    let entries = attributes.iter();
    entries
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// Ids of rows until they get their own: nobody else's, for nobody can choose what a hash comes to.
fn following(id: NodeId) -> NodeId {
    NodeId::from_bytes((u128::from_be_bytes(*id.as_bytes()).wrapping_add(1)).to_be_bytes())
}
