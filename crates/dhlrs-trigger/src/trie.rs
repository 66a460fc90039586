//! Patterns in a tree of their steps, so that a change finds those that fit it without looking at
//! the others.

use std::collections::{BTreeMap, BTreeSet};

use dhlrs_path::{Path, Pattern};

/// Keys filed under patterns.
///
/// Looking up costs what fits: `O(steps × patterns that begin like it)` node visits, each with one
/// ordered lookup, however many patterns there are. Queries of patterns do not count.
#[derive(Debug, Clone)]
pub struct PatternTrie {
    // Slot 0 is the root. A free slot has no keys and no children.
    nodes: Vec<TrieNode>,
    free: Vec<usize>,
}

#[derive(Debug, Clone, Default)]
struct TrieNode {
    parent: usize,
    // By canonical spelling; neither `*` nor `**` is the spelling of a label.
    steps: BTreeMap<Box<str>, usize>,
    keys: BTreeSet<u64>,
    // It stands for `**`, so it may take any number of steps.
    is_any_depth: bool,
}

const ANY: &str = "*";
const ANY_DEPTH: &str = "**";

impl Default for PatternTrie {
    fn default() -> Self {
        Self {
            nodes: vec![TrieNode::default()],
            free: Vec::new(),
        }
    }
}

impl PatternTrie {
    /// Whether there is no pattern.
    pub fn is_empty(&self) -> bool {
        let root = self.nodes.first();
        root.is_none_or(|root| root.keys.is_empty() && root.steps.is_empty())
    }

    /// Files a key under a pattern. The same key may stand under several.
    pub fn insert(&mut self, pattern: &Pattern, key: u64) {
        let mut at = 0;
        for step in pattern.step_texts() {
            at = match self.nodes[at].steps.get(step) {
                Some(&next) => next,
                None => self.add(at, step),
            };
        }
        self.nodes[at].keys.insert(key);
    }

    fn add(&mut self, parent: usize, step: &str) -> usize {
        let node = TrieNode {
            parent,
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
        self.nodes[parent].steps.insert(step.into(), at);
        at
    }

    /// Takes a key from under a pattern; whether it was there.
    pub fn remove(&mut self, pattern: &Pattern, key: u64) -> bool {
        let mut at = 0;
        for step in pattern.step_texts() {
            let Some(&next) = self.nodes[at].steps.get(step) else {
                return false;
            };
            at = next;
        }
        let was_there = self.nodes[at].keys.remove(&key);
        let texts: Vec<_> = pattern.step_texts().collect();
        for step in texts.into_iter().rev() {
            let node = &self.nodes[at];
            if !node.keys.is_empty() || !node.steps.is_empty() {
                break;
            }
            let parent = node.parent;
            self.nodes[parent].steps.remove(step);
            self.free.push(at);
            at = parent;
        }
        was_there
    }

    /// Collects the keys of all patterns that the path's place fits.
    pub fn at(&self, path: &Path<'_>, keys: &mut BTreeSet<u64>) {
        for at in self.walk(path) {
            keys.extend(&self.nodes[at].keys);
        }
    }

    /// Collects the keys of all patterns that the path's place or one below it fits.
    pub fn at_or_below(&self, path: &Path<'_>, keys: &mut BTreeSet<u64>) {
        // Whatever a pattern still asks for after the path, some place below fulfils it.
        let mut stack = self.walk(path);
        while let Some(at) = stack.pop() {
            let node = &self.nodes[at];
            keys.extend(&node.keys);
            stack.extend(node.steps.values());
        }
    }

    /// The nodes that the path leads to, each once.
    fn walk(&self, path: &Path<'_>) -> Vec<usize> {
        let (mut here, mut next) = (vec![0], Vec::new());
        self.pass_any_depth(&mut here);
        for step in path.step_texts() {
            next.clear();
            for &at in &here {
                let node = &self.nodes[at];
                next.extend(node.steps.get(step));
                next.extend(node.steps.get(ANY));
                next.extend(node.is_any_depth.then_some(at));
            }
            self.pass_any_depth(&mut next);
            std::mem::swap(&mut here, &mut next);
        }
        here
    }

    /// A `**` may take no step.
    fn pass_any_depth(&self, here: &mut Vec<usize>) {
        let mut seen = 0;
        while let Some(&at) = here.get(seen) {
            here.extend(self.nodes[at].steps.get(ANY_DEPTH));
            seen += 1;
        }
        here.sort_unstable();
        here.dedup();
    }
}
