//! Snapshots, and the first write to a place after one was taken.

use std::hint::black_box;

use dhlrs_bag::{Bag, Snapshot};

use crate::measure::{Aim, Measure, Numbers, median, ns_of};

const COUNT: usize = 500;
const NODES: [usize; 2] = [1_000, 1_000_000];

pub(crate) struct Snapshots {
    bags: Vec<Bag>,
    numbers: Numbers,
    measures: Vec<[Measure; 3]>,
}

impl Snapshots {
    pub(crate) fn new() -> Self {
        let names = [
            [
                "snapshot, 1,000 nodes",
                "first set after it, 1,000 nodes",
                "first new path after it, 1,000 nodes",
            ],
            [
                "snapshot, 1,000,000 nodes",
                "first set after it, 1,000,000 nodes",
                "first new path after it, 1,000,000 nodes",
            ],
        ];
        let aims = [100.0, 10_000.0, 10_000.0].map(Aim::Ns);
        let measures = names.map(|names| {
            let mut aims = aims.into_iter();
            names.map(|name| Measure::new(name, "", aims.next().unwrap_or(Aim::Ns(0.0))))
        });
        Self {
            bags: NODES.map(bag).into(),
            numbers: Numbers::new(),
            measures: measures.into(),
        }
    }

    pub(crate) fn round(&mut self, round: i64) {
        for (number, nodes) in NODES.into_iter().enumerate() {
            let bag = &mut self.bags[number];
            let paths: Vec<String> = (0..COUNT)
                .map(|_| path(self.numbers.below(nodes)))
                .collect();
            let news: Vec<String> = (0..COUNT)
                .map(|n| format!("{}r{round}n{n}", path(self.numbers.below(nodes))))
                .collect();
            let figures = [
                ns_of(COUNT, || {
                    for _ in 0..COUNT {
                        black_box(bag.snapshot());
                    }
                }),
                first_writes(bag, &paths, round),
                first_writes(bag, &news, round),
            ];
            for path in &news {
                let _ = bag.remove(path);
            }
            if round > 0 {
                for (measure, ours) in self.measures[number].iter_mut().zip(figures) {
                    measure.add(ours, f64::NAN);
                }
            }
        }
    }

    /// Whether nothing that was added is still there, and nothing else is gone.
    pub(crate) fn is_sound(&self) -> bool {
        let leaves = self.bags.iter().map(|bag| {
            let leaves = bag.root().walk().filter(|visited| !visited.node.is_bag());
            leaves.count()
        });
        leaves.eq(NODES)
    }

    pub(crate) fn into_measures(self) -> Vec<Measure> {
        self.measures.into_iter().flatten().collect()
    }
}

// One write, as the median of single ones; what comes between them is not counted.
fn first_writes(bag: &mut Bag, paths: &[String], round: i64) -> f64 {
    let mut kept: Option<Snapshot> = None;
    let mut ns = Vec::with_capacity(paths.len());
    for (at, path) in paths.iter().enumerate() {
        drop(kept.replace(bag.snapshot()));
        ns.push(ns_of(1, || {
            bag.set(path, at as i64 + 1_000_000 * round).is_ok()
        }));
    }
    median(ns.into_iter())
}

fn path(number: usize) -> String {
    format!("branch{:03}.leaf{:04}", number / 1000, number % 1000)
}

fn bag(nodes: usize) -> Bag {
    let mut bag = Bag::new();
    for number in 0..nodes {
        let _ = bag.set(&path(number), number as i64);
    }
    bag
}
