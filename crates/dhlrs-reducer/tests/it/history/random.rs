//! Random histories from a seed: writes, partial syncs, opens, closes, Marks, joiners, restores, forks, wrong clocks.

use std::collections::BTreeMap;

use dhlrs_bag::{Bag, Label, Name, Value};
use dhlrs_clock::Stamp;
use dhlrs_feed::{
    Capability, Cell, ControlRecord, FeedEnd, FeedId, HomePath, OnConcurrentWrite, OrderKey,
    Payload, TreeOp,
};
use dhlrs_reducer::Reducer;

use crate::images::restored;

use super::replica::{Replica, author, common_prefix};

/// SplitMix64: the same numbers everywhere, and no dependency.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    pub(crate) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.below(at + 1));
        }
    }
}

pub(crate) struct Sim {
    pub(crate) random: Random,
    pub(crate) now_ms: u64,
    /// The first keeps the control log of a store with a root.
    pub(crate) replicas: Vec<Replica>,
    backups: BTreeMap<usize, Replica>,
    authors: usize,
    is_rooted: bool,
    values: i64,
    moves_more: bool,
    plant: fn(Reducer) -> Reducer,
}

impl Sim {
    pub(crate) fn new(seed: u64, is_rooted: bool, plant: fn(Reducer) -> Reducer) -> Self {
        let mut random = Random(seed);
        let authors = 2 + random.below(3);
        let moves_more = random.one_in(2);
        let mut sim = Self {
            random,
            now_ms: 1_000_000,
            replicas: (0..authors)
                .map(|n| Replica::new(author(n), is_rooted, plant))
                .collect(),
            backups: BTreeMap::new(),
            authors,
            is_rooted,
            values: 0,
            moves_more,
            plant,
        };
        if is_rooted {
            for n in 0..authors {
                sim.open(n);
            }
            sim.exchange_all();
        }
        sim
    }

    /// Restores a second reducer of a replica from an image of the first.
    pub(crate) fn restart(&mut self, n: usize) {
        let replica = &mut self.replicas[n];
        replica.again = Some((self.plant)(restored(&replica.reducer)));
    }

    pub(crate) fn step(&mut self) {
        // Often nothing, so that stamps of several authors are equal.
        self.now_ms += self.random.below(3) as u64 * 700;
        let n = self.random.below(self.replicas.len());
        match self.random.below(100) {
            0..=49 => self.write(n),
            50..=74 => self.fetch(n),
            75..=82 if self.is_rooted => self.mark(),
            83..=85 if self.is_rooted => self.close_or_open(),
            86 => self.restore(n),
            87 => _ = self.backups.insert(n, self.replicas[n].clone()),
            88 => self.wrong_clock(n),
            89 if self.is_rooted => self.join(n),
            90 => self.wait(),
            _ => self.see(n),
        }
    }

    fn open(&mut self, n: usize) {
        let mut prefix = Vec::new();
        if n > 0 && self.random.one_in(6) {
            prefix.push(self.label());
        }
        let capability = Capability { prefix };
        let record = ControlRecord::Open {
            author: author(n),
            capability,
        };
        self.replicas[0].receive(&[], &[record], self.now_ms);
    }

    /// Lets everybody tell everybody everything, and the root settle every fork.
    pub(crate) fn come_to_rest(&mut self) {
        self.now_ms += 10_000_000;
        self.replicas
            .iter_mut()
            .for_each(|replica| replica.offset_ms = 0);
        self.exchange_all();
        while self.is_rooted && self.close_a_fork() {
            self.exchange_all();
        }
        self.exchange_all();
    }

    fn exchange_all(&mut self) {
        for _ in 0..3 {
            for a in 0..self.replicas.len() {
                for b in 0..self.replicas.len() {
                    self.fetch_from(a, b, usize::MAX / 2, usize::MAX / 2);
                }
            }
        }
    }

    fn fetch_from(&mut self, to: usize, from: usize, events_max: usize, records_max: usize) {
        if let Ok([to, from]) = self.replicas.get_disjoint_mut([to, from]) {
            to.fetch(from, events_max, records_max, self.now_ms);
        }
    }

    fn fetch(&mut self, n: usize) {
        let from = self.random.below(self.replicas.len());
        let (events, records) = match self.random.one_in(3) {
            true => (1 + self.random.below(6), self.random.below(4)),
            false => (1000, 1000),
        };
        self.fetch_from(n, from, events, records);
    }

    fn wait(&mut self) {
        self.now_ms += 70_000;
        for replica in &mut self.replicas {
            replica.receive(&[], &[], self.now_ms);
        }
    }

    fn wrong_clock(&mut self, n: usize) {
        let replica = &mut self.replicas[n];
        replica.offset_ms = match replica.offset_ms {
            // Clocks that were wrong are mended to what they should be; nothing else here goes back.
            0 => [30_000, 100_000, -40_000][self.random.below(3)],
            _ => 0,
        };
    }

    /// Puts a backup back. Its owner does not notice: what it writes next may fork its feed.
    fn restore(&mut self, n: usize) {
        if n > 0
            && let Some(backup) = self.backups.get(&n)
        {
            self.replicas[n] = backup.clone();
        }
    }

    fn join(&mut self, n: usize) {
        let from = &self.replicas[n];
        let checkpoint = from.reducer.checkpoint().unwrap();
        let mut reducer = (self.plant)(Reducer::from_checkpoint(&checkpoint).unwrap());
        let numbered = (1..).zip(from.records.iter().cloned());
        let mut events: Vec<_> = from.chains.values().flatten().cloned().collect();
        self.random.shuffle(&mut events);
        let mut twin = (self.plant)(Reducer::with_root()).retaining_all();
        twin.reduce(events.clone(), numbered.clone(), from.now(self.now_ms));
        reducer.reduce(events, numbered, from.now(self.now_ms));
        let mut bag = Bag::new();
        reducer.show(&reducer.whole_view(), &mut bag, 1);
        let joiner = Replica {
            bag,
            told: Vec::new(),
            reducer,
            twin,
            again: None,
            author: author(90),
            ..from.clone()
        };
        match self.replicas.len() > self.authors + 1 {
            true => self.replicas[self.authors] = joiner,
            false => self.replicas.push(joiner),
        }
    }

    fn see(&mut self, n: usize) {
        self.replicas[n].write(vec![Payload::Seen], None, self.now_ms);
    }

    fn close_or_open(&mut self) {
        if self.close_a_fork() {
            return;
        }
        let n = 1 + self.random.below(self.authors - 1);
        let root = &self.replicas[0];
        let opened = (1..)
            .zip(&root.records)
            .filter_map(|(number, record)| match record {
                ControlRecord::Open { author: of, .. } if *of == author(n) => {
                    Some(FeedId::new(*of, dhlrs_feed::Epoch::numbered(number)))
                }
                _ => None,
            });
        match opened.last() {
            Some(feed) if root.reducer.is_open(&feed) => {
                if self.random.one_in(2) {
                    self.close(feed, None);
                }
            }
            _ => self.open(n),
        }
    }

    fn close(&mut self, feed: FeedId, fork: Option<u64>) {
        let root = &self.replicas[0];
        let least = root.mark_frontier().get(&feed);
        let reduced = root.reducer.frontier().get(&feed).map_or(0, |end| end.seq);
        let chain = root.chains.get(&feed).map_or(&[][..], Vec::as_slice);
        let ends: Vec<u64> = (least..=reduced)
            .filter(|seq| *seq == 0 || chain[*seq as usize - 1].0.following == 0)
            .collect();
        let seq = match self.random.one_in(2) {
            true => ends[self.random.below(ends.len())],
            false => reduced,
        };
        let end = (seq > 0).then(|| FeedEnd {
            seq,
            id: self.replicas[0].chains[&feed][seq as usize - 1].1,
        });
        let record = ControlRecord::Close { feed, end, fork };
        self.replicas[0].receive(&[], &[record], self.now_ms);
    }

    /// Closes a feed of which two branches are about.
    fn close_a_fork(&mut self) -> bool {
        let root = &self.replicas[0];
        let mut forked = None;
        for replica in &self.replicas {
            for (feed, chain) in &replica.chains {
                let ours = root.chains.get(feed).map_or(&[][..], Vec::as_slice);
                let shared = common_prefix(ours, chain);
                let splits = shared < ours.len() && shared < chain.len();
                if splits && root.reducer.is_open(feed) {
                    let least = forked.map_or(shared, |(_, least): (FeedId, usize)| least);
                    forked = match forked {
                        Some((other, _)) if other != *feed => forked,
                        _ => Some((*feed, shared.min(least))),
                    };
                }
            }
        }
        let Some((feed, shared)) = forked else {
            return false;
        };
        self.close(feed, Some(shared as u64));
        true
    }

    fn mark(&mut self) {
        let root = &self.replicas[0];
        let before = root.mark_frontier();
        let frontier = root.reducer.frontier();
        let ends: Vec<_> = frontier
            .iter()
            .filter(|(feed, end)| end.seq > before.get(feed))
            .map(|(feed, end)| (*feed, *end))
            .collect();
        // A root that writes a Mark too early does no harm: nothing is dropped at it.
        let is_due = self.all_have_acknowledged() || self.random.one_in(8);
        if !ends.is_empty() && is_due {
            self.replicas[0].receive(&[], &[ControlRecord::Mark { ends }], self.now_ms);
        }
    }

    fn all_have_acknowledged(&self) -> bool {
        let root = &self.replicas[0];
        let marks = (1..).zip(&root.records);
        let last = marks
            .filter(|(_, record)| matches!(record, ControlRecord::Mark { .. }))
            .map(|(number, _)| number)
            .last()
            .unwrap_or(0);
        let open = (1..)
            .zip(&root.records)
            .filter_map(|(number, record)| match record {
                ControlRecord::Open { author, .. } => {
                    Some(FeedId::new(*author, dhlrs_feed::Epoch::numbered(number)))
                }
                _ => None,
            });
        let mut open = open.filter(|feed| root.reducer.is_open(feed));
        open.all(|feed| {
            let reduced = root.reducer.frontier().get(&feed).map_or(0, |end| end.seq) as usize;
            let chain = root.chains.get(&feed).map_or(&[][..], Vec::as_slice);
            last == 0
                || chain
                    .iter()
                    .take(reduced)
                    .any(|(event, _)| event.control >= last)
        })
    }

    fn label(&mut self) -> Label {
        Label::new(["a", "b", "c"][self.random.below(3)]).unwrap()
    }

    fn bag(&mut self, n: usize, depth_max: usize) -> HomePath {
        let mut at = HomePath::root();
        for _ in 0..self.random.below(depth_max + 1) {
            let label = self.label();
            at = self.replicas[n].reducer.resolve(&at, &label).unwrap();
        }
        at
    }

    fn node(&mut self, n: usize) -> HomePath {
        let bag = self.bag(n, 2);
        let label = self.label();
        if self.random.one_in(25) {
            let random = [self.random.below(3) as u8; 16];
            return bag.anonymous_child(random).unwrap();
        }
        self.replicas[n].reducer.resolve(&bag, &label).unwrap()
    }

    fn order(&mut self) -> OrderKey {
        OrderKey::from_bytes(&[1 + self.random.below(4) as u8]).unwrap()
    }

    fn write(&mut self, n: usize) {
        let mut ops = self.ops(n);
        if self.random.one_in(20) {
            ops.extend(self.ops(n));
        }
        // Now and then an author breaks a rule: its stamp is not above its past.
        let stamp = self.random.one_in(40).then(|| {
            let past = self.now_ms - self.random.below(30_000) as u64;
            Stamp::new(past, self.random.below(3) as u16).unwrap()
        });
        let payloads = ops.into_iter().map(Payload::Tree).collect();
        self.replicas[n].write(payloads, stamp, self.now_ms);
    }

    fn ops(&mut self, n: usize) -> Vec<TreeOp> {
        let unseen = match self.random.one_in(4) {
            true => OnConcurrentWrite::Remove,
            false => OnConcurrentWrite::Keep,
        };
        let node = self.node(n);
        let order = self.order();
        let kind = match self.moves_more && self.random.one_in(3) {
            true => 8,
            false => self.random.below(17),
        };
        match kind {
            0..=1 => vec![TreeOp::Create { node, order }],
            2..=4 => {
                let write = self.scalar(node.clone());
                vec![TreeOp::Create { node, order }, write]
            }
            5..=6 => vec![self.scalar(node)],
            7 => vec![self.attribute(node)],
            8..=10 => {
                let parent = self.bag(n, 2);
                vec![TreeOp::Move {
                    node,
                    parent,
                    order,
                }]
            }
            11 => {
                let label = self.label();
                vec![TreeOp::Rename { node, label }]
            }
            12 => {
                let parent = self.bag(n, 1);
                vec![TreeOp::Reorder {
                    node,
                    parent,
                    order,
                }]
            }
            13..=14 => vec![TreeOp::Remove { node, unseen }],
            15 => {
                let node = self.bag(n, 2);
                vec![TreeOp::Clear { node, unseen }]
            }
            _ => {
                let write = self.scalar(node.clone());
                let clear = TreeOp::Clear {
                    node: node.clone(),
                    unseen,
                };
                vec![clear, TreeOp::Create { node, order }, write]
            }
        }
    }

    fn scalar(&mut self, node: HomePath) -> TreeOp {
        self.values += 1;
        let value = match self.random.one_in(8) {
            true => Value::Null,
            false => Value::from(self.values),
        };
        TreeOp::Write {
            node,
            cell: Cell::Scalar,
            value,
        }
    }

    fn attribute(&mut self, node: HomePath) -> TreeOp {
        self.values += 1;
        let value = match self.random.one_in(3) {
            true => Value::Null,
            false => Value::from(self.values),
        };
        TreeOp::Write {
            node,
            cell: Cell::Attribute(Name::new(["x", "y"][self.random.below(2)]).unwrap()),
            value,
        }
    }
}
