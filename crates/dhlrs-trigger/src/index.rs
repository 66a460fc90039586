//! All subscriptions of a store, filed so that a change finds those that it reaches.

use std::collections::{BTreeMap, BTreeSet};

use dhlrs_bag::{Change, NodeId};

use crate::kinds::Kinds;
use crate::reach::{
    ancestors_after, changes_places, is_inside, paths, touches_attributes, touches_below,
};
use crate::target::Target;
use crate::trie::PatternTrie;

/// How a change reaches a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reach {
    pub(crate) key: u64,
    pub(crate) stage: Stage,
    /// The change is of a node above what was subscribed to.
    pub(crate) is_above: bool,
}

/// When in the order of a dispatch a subscription is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Node,
    /// A bag of the chain of levels. The root has depth 0.
    Bag {
        level: i32,
        depth: usize,
        /// It is a bag that the node has left.
        is_left: bool,
    },
    Pattern,
}

#[derive(Debug, Default)]
pub(crate) struct Index {
    entries: BTreeMap<u64, Entry>,
    patterns: PatternTrie,
    nodes: BTreeMap<NodeId, BTreeSet<u64>>,
    bags: BTreeMap<NodeId, BTreeSet<u64>>,
    branches: BTreeMap<NodeId, BTreeSet<u64>>,
    places: BTreeMap<NodeId, Around>,
    // Which of the places lie below a node.
    below: BTreeMap<NodeId, BTreeSet<NodeId>>,
}

#[derive(Debug)]
struct Entry {
    target: Target,
    kinds: Kinds,
}

#[derive(Debug)]
struct Around {
    ancestors: Vec<NodeId>,
    subscriptions: usize,
}

impl Index {
    /// An index for patterns that come from strangers; nothing that can be seen depends on the seed.
    pub(crate) fn with_seed(seed: u64) -> Self {
        Self {
            patterns: PatternTrie::with_seed(seed),
            ..Self::default()
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn contains(&self, key: u64) -> bool {
        self.entries.contains_key(&key)
    }

    /// The caller sees to it that the key is new.
    pub(crate) fn insert(&mut self, key: u64, target: Target, kinds: Kinds) {
        match &target {
            Target::Pattern(pattern) => self.patterns.insert(pattern, key),
            Target::Node(place) | Target::Bag(place) | Target::Branch(place) => {
                let around = self.places.entry(place.id).or_insert_with(|| {
                    for ancestor in &place.ancestors {
                        self.below.entry(*ancestor).or_default().insert(place.id);
                    }
                    Around {
                        ancestors: place.ancestors.clone(),
                        subscriptions: 0,
                    }
                });
                around.subscriptions += 1;
                let id = place.id;
                self.filed(&target).entry(id).or_default().insert(key);
            }
        }
        self.entries.insert(key, Entry { target, kinds });
    }

    pub(crate) fn remove(&mut self, key: u64) -> bool {
        let Some(Entry { target, .. }) = self.entries.remove(&key) else {
            return false;
        };
        match &target {
            Target::Pattern(pattern) => {
                self.patterns.remove(pattern, key);
            }
            Target::Node(place) | Target::Bag(place) | Target::Branch(place) => {
                remove_from(self.filed(&target), place.id, &key);
                self.forget(place.id);
            }
        }
        true
    }

    fn filed(&mut self, target: &Target) -> &mut BTreeMap<NodeId, BTreeSet<u64>> {
        match target {
            Target::Bag(_) => &mut self.bags,
            Target::Branch(_) => &mut self.branches,
            Target::Node(_) | Target::Pattern(_) => &mut self.nodes,
        }
    }

    fn forget(&mut self, id: NodeId) {
        let Some(around) = self.places.get_mut(&id) else {
            return;
        };
        around.subscriptions -= 1;
        if around.subscriptions > 0 {
            return;
        }
        for ancestor in std::mem::take(&mut around.ancestors) {
            remove_from(&mut self.below, ancestor, &id);
        }
        self.places.remove(&id);
    }

    /// Says whom the change reaches, each once, in place of what `reaches` holds, and follows the
    /// nodes that it moved. Every change of the store has to come here once, in order.
    pub(crate) fn reach(
        &mut self,
        change: &Change,
        in_transaction: bool,
        reaches: &mut Vec<Reach>,
    ) {
        reaches.clear();
        let mut add = |keys: Option<&BTreeSet<u64>>, stage, is_above| {
            for &key in keys.into_iter().flatten() {
                reaches.push(Reach {
                    key,
                    stage,
                    is_above,
                });
            }
        };

        add(self.nodes.get(&change.id), Stage::Node, false);
        if touches_below(change) {
            if !is_inside(change) {
                add(self.bags.get(&change.id), Stage::Node, true);
            }
            for id in self.below.get(&change.id).into_iter().flatten() {
                add(self.nodes.get(id), Stage::Node, true);
                add(self.bags.get(id), Stage::Node, true);
                add(self.branches.get(id), Stage::Pattern, true);
            }
        }
        for (id, stage) in chain(change) {
            add(self.bags.get(&id), stage, false);
        }
        if !self.branches.is_empty() {
            let mut around = BTreeSet::from([change.id]);
            around.extend(change.ancestors.iter().chain(&change.old_ancestors));
            for id in around {
                add(self.branches.get(&id), Stage::Pattern, false);
            }
        }
        if !self.patterns.is_empty() {
            self.reach_patterns(change, reaches);
        }

        reaches.retain(|reach| {
            self.entries.get(&reach.key).is_some_and(|entry| {
                let touches = match &entry.target {
                    Target::Pattern(pattern) => touches_attributes(pattern, change),
                    _ => true,
                };
                touches && entry.kinds.wants(change.kind, in_transaction)
            })
        });
        self.follow(change);
    }

    fn reach_patterns(&self, change: &Change, reaches: &mut Vec<Reach>) {
        let (mut fit, mut above) = (Vec::new(), Vec::new());
        for path in paths(change) {
            self.patterns.at(path, &mut fit);
            if touches_below(change) {
                self.patterns.at_or_below(path, &mut above);
            }
        }
        for keys in [&mut fit, &mut above] {
            keys.sort_unstable();
            keys.dedup();
        }
        above.retain(|key| fit.binary_search(key).is_err());
        let found = [(fit, false), (above, true)].into_iter();
        reaches.extend(found.flat_map(|(keys, is_above)| {
            keys.into_iter().map(move |key| Reach {
                key,
                stage: Stage::Pattern,
                is_above,
            })
        }));
    }

    fn follow(&mut self, change: &Change) {
        if !changes_places(change) {
            return;
        }
        let mut moved = self.below.get(&change.id).cloned().unwrap_or_default();
        moved.insert(change.id);
        for id in moved {
            let Some(around) = self.places.get_mut(&id) else {
                continue;
            };
            let Some(ancestors) = ancestors_after(id, &around.ancestors, change) else {
                continue;
            };
            for ancestor in std::mem::replace(&mut around.ancestors, ancestors.clone()) {
                remove_from(&mut self.below, ancestor, &id);
            }
            for ancestor in ancestors {
                self.below.entry(ancestor).or_default().insert(id);
            }
        }
    }
}

/// The chain of levels of a change: the bags that the node has left, then those that it is in.
fn chain(change: &Change) -> impl Iterator<Item = (NodeId, Stage)> {
    let stage = |at: usize, of: usize, is_left| Stage::Bag {
        level: -i32::try_from(at).unwrap_or(i32::MAX),
        depth: of.saturating_sub(at + 1),
        is_left,
    };
    let itself = is_inside(change).then(|| {
        let depth = change.ancestors.len();
        (
            change.id,
            Stage::Bag {
                level: 1,
                depth,
                is_left: false,
            },
        )
    });
    let left = change.old_ancestors.iter().enumerate();
    let left = left
        .filter(|(_, id)| !change.ancestors.contains(id))
        .map(move |(at, id)| (*id, stage(at, change.old_ancestors.len(), true)));
    let present = change.ancestors.iter().enumerate();
    let present = present.map(move |(at, id)| (*id, stage(at, change.ancestors.len(), false)));
    itself.into_iter().chain(left).chain(present)
}

fn remove_from<T: Ord>(map: &mut BTreeMap<NodeId, BTreeSet<T>>, id: NodeId, item: &T) {
    if let Some(set) = map.get_mut(&id) {
        set.remove(item);
        if set.is_empty() {
            map.remove(&id);
        }
    }
}
