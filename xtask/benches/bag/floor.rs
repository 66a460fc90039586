//! What the measures are held against: the least that does the same work, and nothing else.

use std::hash::BuildHasherDefault;

use indexmap::IndexMap;
use rustc_hash::FxHasher;

pub(crate) type Map<T> = IndexMap<String, T, BuildHasherDefault<FxHasher>>;

/// Nested maps; the path is split at each call.
#[derive(Default)]
pub(crate) struct Nested {
    root: Map<Held>,
}

enum Held {
    Value(i64),
    Bag(Map<Held>),
}

impl Nested {
    pub(crate) fn of(paths: &[String]) -> Self {
        let mut nested = Self::default();
        for (value, path) in paths.iter().enumerate() {
            nested.set(path, value as i64);
        }
        nested
    }

    pub(crate) fn set(&mut self, path: &str, value: i64) {
        let mut map = &mut self.root;
        let mut steps = path.split('.').peekable();
        while let Some(step) = steps.next() {
            let is_last = steps.peek().is_none();
            // One look for what is there; only what is not costs another.
            let at = map.get_index_of(step).unwrap_or_else(|| {
                let held = Held::Bag(Map::default());
                map.insert_full(step.to_owned(), held).0
            });
            match map.get_index_mut(at) {
                Some((_, held)) if is_last => {
                    *held = Held::Value(value);
                    return;
                }
                Some((_, Held::Bag(inside))) => map = inside,
                _ => return,
            }
        }
    }

    pub(crate) fn get(&self, path: &str) -> Option<i64> {
        let mut map = &self.root;
        for step in path.split('.') {
            match map.get(step)? {
                Held::Bag(inside) => map = inside,
                Held::Value(value) => return Some(*value),
            }
        }
        None
    }

    pub(crate) fn sum(&self) -> i64 {
        sum(&self.root)
    }
}

fn sum(map: &Map<Held>) -> i64 {
    let held = map.values().map(|held| match held {
        Held::Value(value) => *value,
        Held::Bag(inside) => sum(inside),
    });
    held.sum()
}

/// Nodes in one vector that know their parents, and one callback at the root.
pub(crate) struct Linked {
    nodes: Vec<Node>,
}

struct Node {
    parent: Option<usize>,
    value: i64,
    children: Map<usize>,
    callback: Option<Callback>,
}

type Callback = Box<dyn FnMut(i64, i64)>;

impl Linked {
    pub(crate) fn of(paths: &[String], callback: impl FnMut(i64, i64) + 'static) -> Self {
        let mut linked = Self { nodes: Vec::new() };
        linked.add(None);
        linked.nodes[0].callback = Some(Box::new(callback));
        for (value, path) in paths.iter().enumerate() {
            let mut at = 0;
            for step in path.split('.') {
                at = match linked.nodes[at].children.get(step) {
                    Some(child) => *child,
                    None => {
                        let child = linked.add(Some(at));
                        linked.nodes[at].children.insert(step.to_owned(), child);
                        child
                    }
                };
            }
            linked.nodes[at].value = value as i64;
        }
        linked
    }

    fn add(&mut self, parent: Option<usize>) -> usize {
        self.nodes.push(Node {
            parent,
            value: 0,
            children: Map::default(),
            callback: None,
        });
        self.nodes.len() - 1
    }

    /// Writes a value, then climbs to the root and calls whoever listens on the way.
    pub(crate) fn update(&mut self, path: &str, value: i64) -> Option<()> {
        let mut at = 0;
        for step in path.split('.') {
            at = *self.nodes[at].children.get(step)?;
        }
        let old = std::mem::replace(&mut self.nodes[at].value, value);
        let mut above = Some(at);
        while let Some(at) = above {
            let node = &mut self.nodes[at];
            if let Some(callback) = &mut node.callback {
                callback(old, value);
            }
            above = node.parent;
        }
        Some(())
    }
}
