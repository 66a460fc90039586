//! Patterns in a tree of their steps, so that a change finds those that fit it without looking at
//! the others.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, Hasher};
use std::mem;

use dhlrs_path::{Path, Pattern};
use foldhash::quality::FixedState;
use hashbrown::HashTable;

/// Keys filed under patterns.
///
/// Looking up costs what fits: `O(steps × patterns that begin like it)` node visits, each with one
/// hashed lookup, however many patterns there are. Queries of patterns do not count.
#[derive(Debug, Clone)]
pub struct PatternTrie {
    // Slot 0 is the root. A free slot has no keys and nothing below it.
    nodes: Vec<TrieNode>,
    free: Vec<usize>,
    // The nodes that stand for labels, by what is above them and the label.
    labels: HashTable<usize>,
    hasher: FixedState,
}

#[derive(Debug, Clone, Default)]
struct TrieNode {
    parent: usize,
    // Its canonical spelling; neither `*` nor `**` is the spelling of a label.
    step: Box<str>,
    below: Vec<usize>,
    // Its place in what is below its parent.
    place: usize,
    // What is below it for `*` and for `**`.
    any: Option<usize>,
    any_depth: Option<usize>,
    keys: BTreeSet<u64>,
    // It stands for `**`, so it may take any number of steps.
    is_any_depth: bool,
}

const ANY: &str = "*";
const ANY_DEPTH: &str = "**";

impl Default for PatternTrie {
    fn default() -> Self {
        Self::with_seed(0)
    }
}

impl PatternTrie {
    /// A trie whose index is seeded; take a random seed where patterns come from strangers.
    /// Nothing that can be seen depends on it.
    pub fn with_seed(seed: u64) -> Self {
        Self {
            nodes: vec![TrieNode::default()],
            free: Vec::new(),
            labels: HashTable::new(),
            hasher: FixedState::with_seed(seed),
        }
    }

    /// Whether there is no pattern.
    pub fn is_empty(&self) -> bool {
        self.nodes.first().is_none_or(TrieNode::is_bare)
    }

    /// Files a key under a pattern. The same key may stand under several.
    pub fn insert(&mut self, pattern: &Pattern, key: u64) {
        let mut at = 0;
        for step in pattern.step_texts() {
            at = match self.next(at, step) {
                Some(next) => next,
                None => self.add(at, step),
            };
        }
        self.nodes[at].keys.insert(key);
    }

    fn add(&mut self, parent: usize, step: &str) -> usize {
        let node = TrieNode {
            parent,
            step: step.into(),
            place: self.nodes[parent].below.len(),
            is_any_depth: step == ANY_DEPTH,
            ..TrieNode::default()
        };
        let at = match self.free.pop() {
            Some(at) => {
                self.nodes[at] = node;
                at
            }
            None => {
                self.nodes.push(node);
                self.nodes.len() - 1
            }
        };
        let above = &mut self.nodes[parent];
        match step {
            ANY => above.any = Some(at),
            ANY_DEPTH => above.any_depth = Some(at),
            _ => {
                above.below.push(at);
                let Self { nodes, hasher, .. } = self;
                let hash = |own: &usize| edge(nodes[*own].parent, hash(hasher, &nodes[*own].step));
                self.labels.insert_unique(hash(&at), at, hash);
            }
        }
        at
    }

    /// Takes a key from under a pattern; whether it was there.
    pub fn remove(&mut self, pattern: &Pattern, key: u64) -> bool {
        let mut at = 0;
        for step in pattern.step_texts() {
            let Some(next) = self.next(at, step) else {
                return false;
            };
            at = next;
        }
        let was_there = self.nodes[at].keys.remove(&key);
        while at != 0 && self.nodes[at].is_bare() {
            at = self.take(at);
        }
        was_there
    }

    /// Takes a node away that has nothing, and names the one above it.
    fn take(&mut self, at: usize) -> usize {
        let node = mem::take(&mut self.nodes[at]);
        self.free.push(at);
        let above = &mut self.nodes[node.parent];
        match &*node.step {
            ANY => above.any = None,
            ANY_DEPTH => above.any_depth = None,
            step => {
                above.below.swap_remove(node.place);
                if let Some(&moved) = above.below.get(node.place) {
                    self.nodes[moved].place = node.place;
                }
                let hash = edge(node.parent, hash(&self.hasher, step));
                if let Ok(found) = self.labels.find_entry(hash, |own| *own == at) {
                    found.remove();
                }
            }
        }
        node.parent
    }

    /// The node below another one that stands for this step of a pattern.
    fn next(&self, at: usize, step: &str) -> Option<usize> {
        match step {
            ANY => self.nodes[at].any,
            ANY_DEPTH => self.nodes[at].any_depth,
            _ => self.label(at, step, hash(&self.hasher, step)),
        }
    }

    fn label(&self, at: usize, label: &str, hash: u64) -> Option<usize> {
        let is_it = |own: &usize| {
            let node = &self.nodes[*own];
            node.parent == at && *node.step == *label
        };
        self.labels.find(edge(at, hash), is_it).copied()
    }

    /// Collects the keys of all patterns that the path's place fits.
    pub fn at(&self, path: &Path<'_>, keys: &mut impl Extend<u64>) {
        for at in self.walk(path) {
            keys.extend(self.nodes[at].keys.iter().copied());
        }
    }

    /// Collects the keys of all patterns that the path's place or one below it fits; one that fits
    /// in several ways may come several times.
    pub fn at_or_below(&self, path: &Path<'_>, keys: &mut impl Extend<u64>) {
        // Whatever a pattern still asks for after the path, some place below fulfils it.
        let mut stack = self.walk(path);
        while let Some(at) = stack.pop() {
            let node = &self.nodes[at];
            keys.extend(node.keys.iter().copied());
            stack.extend(node.below.iter().chain(&node.any).chain(&node.any_depth));
        }
    }

    /// The nodes that the path leads to, each once.
    fn walk(&self, path: &Path<'_>) -> Vec<usize> {
        let (mut here, mut next) = (Vec::with_capacity(8), Vec::with_capacity(8));
        here.push(0);
        self.pass_any_depth(&mut here);
        for step in path.step_texts() {
            next.clear();
            let hash = hash(&self.hasher, step);
            for &at in &here {
                let node = &self.nodes[at];
                if !node.below.is_empty() {
                    next.extend(self.label(at, step, hash));
                }
                next.extend(node.any);
                next.extend(node.is_any_depth.then_some(at));
            }
            self.pass_any_depth(&mut next);
            mem::swap(&mut here, &mut next);
        }
        here
    }

    /// A `**` may take no step.
    fn pass_any_depth(&self, here: &mut Vec<usize>) {
        let mut seen = 0;
        while let Some(&at) = here.get(seen) {
            here.extend(self.nodes[at].any_depth);
            seen += 1;
        }
        here.sort_unstable();
        here.dedup();
    }
}

impl TrieNode {
    fn is_bare(&self) -> bool {
        let is_last = self.below.is_empty() && self.any.is_none() && self.any_depth.is_none();
        is_last && self.keys.is_empty()
    }
}

fn hash(hasher: &FixedState, step: &str) -> u64 {
    let mut hasher = hasher.build_hasher();
    hasher.write(step.as_bytes());
    hasher.finish()
}

// One step is hashed once for all the nodes that it may follow.
fn edge(parent: usize, hash: u64) -> u64 {
    hash ^ (parent as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}
