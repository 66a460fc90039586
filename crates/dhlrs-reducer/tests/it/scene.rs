//! A history that is told step by step, and what must come of it on every replica, in every order.

use dhlrs_bag::{Label, Value};
use dhlrs_feed::{
    Capability, Cell, ControlRecord, Epoch, FeedEnd, FeedId, HomePath, OnConcurrentWrite, OrderKey,
    Payload, TreeOp,
};
use dhlrs_reducer::Reducer;

use crate::history::{Replica, author};
use crate::naive;
use crate::random_histories::{agrees_with_the_fold, in_any_order};

pub(crate) struct Scene {
    pub(crate) replicas: Vec<Replica>,
    pub(crate) now_ms: u64,
    plant: fn(Reducer) -> Reducer,
}

impl Scene {
    pub(crate) fn without_root(replicas: usize) -> Self {
        Self::of(replicas, false, |reducer| reducer)
    }

    /// The first replica keeps the control log.
    pub(crate) fn with_root(capabilities: &[&[&str]], plant: fn(Reducer) -> Reducer) -> Self {
        let mut scene = Self::of(capabilities.len(), true, plant);
        for (n, prefix) in capabilities.iter().enumerate() {
            scene.record(ControlRecord::Open {
                author: author(n),
                capability: Capability {
                    prefix: prefix.iter().map(|text| label(text)).collect(),
                },
            });
        }
        scene.tell_all();
        scene
    }

    fn of(replicas: usize, is_rooted: bool, plant: fn(Reducer) -> Reducer) -> Self {
        Self {
            replicas: (0..replicas)
                .map(|n| Replica::new(author(n), is_rooted, plant))
                .collect(),
            now_ms: 1_000_000,
            plant,
        }
    }

    pub(crate) fn record(&mut self, record: ControlRecord) {
        self.replicas[0].receive(&[], &[record], self.now_ms);
    }

    /// A Mark of all that the first replica has reduced.
    pub(crate) fn mark(&mut self) {
        let ends = self.replicas[0].reducer.frontier().into_iter().collect();
        self.record(ControlRecord::Mark { ends });
    }

    /// Closes the feed that was opened by record `number`, where the first replica has it.
    pub(crate) fn close(&mut self, n: usize, number: u64, fork: Option<u64>) {
        let feed = FeedId::new(author(n), Epoch::numbered(number));
        let end: Option<FeedEnd> = self.replicas[0].reducer.frontier().get(&feed).copied();
        self.record(ControlRecord::Close { feed, end, fork });
    }

    pub(crate) fn tell(&mut self, from: usize, to: usize) {
        if let Ok([to, from]) = self.replicas.get_disjoint_mut([to, from]) {
            to.fetch(from, 1 << 30, 1 << 30, self.now_ms);
        }
    }

    pub(crate) fn tell_all(&mut self) {
        for _ in 0..2 {
            for from in 0..self.replicas.len() {
                for to in (0..self.replicas.len()).filter(|to| *to != from) {
                    self.tell(from, to);
                }
            }
        }
    }

    /// The bag node that a path means at a replica.
    pub(crate) fn at(&self, n: usize, path: &str) -> HomePath {
        let labels = path.split('.').filter(|label| !label.is_empty());
        labels.fold(HomePath::root(), |bag, text| {
            self.replicas[n]
                .reducer
                .resolve(&bag, &label(text))
                .unwrap()
        })
    }

    pub(crate) fn write(&mut self, n: usize, ops: Vec<TreeOp>) {
        self.now_ms += 1_000;
        let before = self.replicas[n].own_end;
        let payloads = ops.into_iter().map(Payload::Tree).collect();
        self.replicas[n].write(payloads, None, self.now_ms);
        assert_ne!(self.replicas[n].own_end, before, "its feed is not open");
    }

    pub(crate) fn see(&mut self, n: usize) {
        self.now_ms += 1_000;
        self.replicas[n].write(vec![Payload::Seen], None, self.now_ms);
    }

    pub(crate) fn set(&mut self, n: usize, path: &str, value: i64) {
        let node = self.at(n, path);
        self.write(n, vec![create(&node), scalar(&node, Value::from(value))]);
    }

    pub(crate) fn remove(&mut self, n: usize, path: &str) {
        let node = self.at(n, path);
        let unseen = OnConcurrentWrite::Keep;
        self.write(n, vec![TreeOp::Remove { node, unseen }]);
    }

    pub(crate) fn clear(&mut self, n: usize, path: &str) {
        let node = self.at(n, path);
        let unseen = OnConcurrentWrite::Keep;
        self.write(n, vec![TreeOp::Clear { node, unseen }]);
    }

    pub(crate) fn rename(&mut self, n: usize, path: &str, to: &str) {
        let node = self.at(n, path);
        let label = label(to);
        self.write(n, vec![TreeOp::Rename { node, label }]);
    }

    pub(crate) fn move_to(&mut self, n: usize, path: &str, bag: &str) {
        let node = self.at(n, path);
        let parent = self.at(n, bag);
        let order = order(1);
        self.write(
            n,
            vec![TreeOp::Move {
                node,
                parent,
                order,
            }],
        );
    }

    /// All tell all; then each replica, in every order that is tried, shows this.
    #[track_caller]
    pub(crate) fn comes_out_as(&mut self, expected: &str) {
        self.tell_all();
        for (n, replica) in self.replicas.iter_mut().enumerate() {
            agrees_with_the_fold(replica, self.now_ms, &format!("replica {n}"));
            assert_eq!(shown(&replica.reducer), expected, "replica {n}");
        }
        for seed in 0..20 {
            in_any_order(seed, &self.replicas[0], self.plant, self.now_ms);
        }
    }
}

/// A tree as text: `a=1 b{c=2}`; an empty bag is `a{}`, a hidden scalar stands in front of the bag, attributes after `?`.
pub(crate) fn shown(reducer: &Reducer) -> String {
    let mut text = String::new();
    let mut depth = 0;
    let rows = naive::shown_by(reducer).rows;
    for row in &rows {
        while depth > row.depth {
            text.push('}');
            depth -= 1;
        }
        if !text.is_empty() && !text.ends_with('{') {
            text.push(' ');
        }
        let displaced = if row.is_displaced { "~" } else { "" };
        text.push_str(&format!("{}{displaced}", row.label));
        for (name, value) in &row.attributes {
            text.push_str(&format!("?{}={value}", &**name));
        }
        if let Some(value) = row.value.as_ref().or(row.hidden.as_ref()) {
            text.push_str(&format!("={value}"));
        }
        let has_children = reducer.children(row.id).next().is_some();
        if has_children {
            text.push('{');
            depth += 1;
        } else if row.value.is_none() {
            text.push_str("{}");
        }
    }
    (0..depth).for_each(|_| text.push('}'));
    text
}

pub(crate) fn label(text: &str) -> Label {
    Label::new(text).unwrap()
}

pub(crate) fn order(digit: u8) -> OrderKey {
    OrderKey::from_bytes(&[digit]).unwrap()
}

pub(crate) fn create(node: &HomePath) -> TreeOp {
    TreeOp::Create {
        node: node.clone(),
        order: order(1),
    }
}

pub(crate) fn scalar(node: &HomePath, value: Value) -> TreeOp {
    TreeOp::Write {
        node: node.clone(),
        cell: Cell::Scalar,
        value,
    }
}
