//! 100,000 leaves in 50 bags of 50 bags of 40.

use std::{hint::black_box, sync::atomic};

use dhlrs_bag::{Bag, Changes, Edit, Meta, Shown};
use dhlrs_path::{Path, Pattern};
use dhlrs_trigger::{Flow, Place, Subscription, Target, Triggers};

use crate::{
    floor::{Linked, Nested},
    measure::{Aim, Measure, Numbers, ns_of},
};

const FLOOR: &str = "nested IndexMap";
const PATTERNS: usize = 10_000;

/// What all the measures work on.
pub(crate) struct Trees {
    ordered: Vec<String>,
    random: Vec<String>,
    bag: Bag,
    bag_of_random: Bag,
    nested: Nested,
    nested_of_random: Nested,
    listened: Listened,
    listened_by_many: Listened,
    linked: Linked,
    rounds: i64,
    measures: Vec<Measure>,
}

/// A bag and those who are told what changes in it.
struct Listened {
    bag: Bag,
    triggers: Triggers,
}

// A callback must be `Send`; that of the floor does the same.
static HEARD: atomic::AtomicI64 = atomic::AtomicI64::new(0);
static LINKED_HEARD: atomic::AtomicI64 = atomic::AtomicI64::new(0);
static CALLED: atomic::AtomicI64 = atomic::AtomicI64::new(0);

impl Trees {
    pub(crate) fn new() -> Self {
        let ordered = paths();
        let random = Numbers::new().shuffled(&ordered);
        let floor = |name, most| Measure::new(name, FLOOR, Aim::Times(most));
        let measures = vec![
            floor("set a new path, in order", 1.3),
            floor("set a new path, at random", 1.3),
            floor("set a path that is there, in order", 1.3),
            floor("set a path that is there, at random", 1.3),
            floor("get by path, at random", 1.3),
            floor("get by parsed path, at random", 1.0),
            floor("walk, built in order", 2.0),
            floor("walk, built at random", 3.5),
            Measure::new(
                "update, one subscriber at the root",
                "linked nodes, one callback",
                Aim::Times(1.3),
            ),
            Measure::new(
                "update, 10,000 patterns of which one matches",
                "the line above",
                Aim::Times(1.5),
            ),
        ];
        Self {
            bag: bag_of(&ordered),
            bag_of_random: bag_of(&random),
            nested: Nested::of(&ordered),
            nested_of_random: Nested::of(&random),
            listened: Listened::new(&ordered, 0),
            listened_by_many: Listened::new(&ordered, PATTERNS),
            linked: Linked::of(&ordered, |old, new| {
                LINKED_HEARD.fetch_add(new - old, atomic::Ordering::Relaxed);
            }),
            ordered,
            random,
            rounds: 0,
            measures,
        }
    }

    pub(crate) fn into_measures(self) -> Vec<Measure> {
        self.measures
    }

    /// One turn of each. What the first round measures does not count: it warms up.
    pub(crate) fn round(&mut self, round: i64) {
        self.rounds += 1;
        let count = self.ordered.len();
        let (ordered, random) = (&self.ordered, &self.random);
        let parsed: Vec<Path<'_>> = random.iter().filter_map(|p| Path::parse(p).ok()).collect();
        let (bag, nested) = (&mut self.bag, &mut self.nested);
        // Never what was there before: that would be no change, and nobody would be told.
        let written = |at: usize| (round + 1) * 1_000_000 + at as i64;
        let figures = [
            (
                ns_of(count, || bag_of(ordered)),
                ns_of(count, || Nested::of(ordered)),
            ),
            (
                ns_of(count, || bag_of(random)),
                ns_of(count, || Nested::of(random)),
            ),
            (
                ns_of(count, || set_all(bag, ordered, written)),
                ns_of(count, || set_all_nested(nested, ordered, written)),
            ),
            (
                ns_of(count, || set_all(bag, random, |at| -written(at))),
                ns_of(count, || set_all_nested(nested, random, |at| -written(at))),
            ),
            (
                ns_of(count, || {
                    let values = random.iter().filter_map(|path| bag.get(path)?.as_int());
                    values.sum::<i64>()
                }),
                ns_of(count, || {
                    let values = random.iter().filter_map(|path| nested.get(path));
                    values.sum::<i64>()
                }),
            ),
            (
                ns_of(count, || {
                    let nodes = parsed.iter().filter_map(|path| bag.node(path));
                    let values = nodes.filter_map(|node| node.value()?.as_int());
                    values.sum::<i64>()
                }),
                ns_of(count, || {
                    let values = random.iter().filter_map(|path| nested.get(path));
                    values.sum::<i64>()
                }),
            ),
            (
                ns_of(count, || sum(black_box(bag))),
                ns_of(count, || black_box(&nested).sum()),
            ),
            (
                ns_of(count, || sum(black_box(&self.bag_of_random))),
                ns_of(count, || black_box(&self.nested_of_random).sum()),
            ),
        ];
        let one = ns_of(count, || self.listened.update_all(random, written));
        let linked = ns_of(count, || {
            for (at, path) in random.iter().enumerate() {
                self.linked.update(path, written(at));
            }
        });
        let many = ns_of(count, || self.listened_by_many.update_all(random, written));
        if round == 0 {
            return;
        }
        let all = figures.into_iter().chain([(one, linked), (many, one)]);
        for (measure, (ours, base)) in self.measures.iter_mut().zip(all) {
            measure.add(ours, base);
        }
    }

    /// Whether all contestants have done the same work.
    pub(crate) fn is_sound(&self) -> bool {
        let leaves = self.ordered.len() as i64;
        let heard = HEARD.load(atomic::Ordering::Relaxed);
        let linked_heard = LINKED_HEARD.load(atomic::Ordering::Relaxed);
        sum(&self.bag) == self.nested.sum()
            && sum(&self.bag_of_random) == leaves * (leaves - 1) / 2
            && self.nested_of_random.sum() == leaves * (leaves - 1) / 2
            // Both trees tell the root's subscriber the same.
            && heard == 2 * linked_heard
            && CALLED.load(atomic::Ordering::Relaxed) == leaves * self.rounds
            && sum(&self.listened.bag) == linked_heard + leaves * (leaves - 1) / 2
    }
}

/// The paths of all leaves, in order; every label has 8 bytes.
pub(crate) fn paths() -> Vec<String> {
    let paths = (0..50).flat_map(|a| {
        (0..50).flat_map(move |b| {
            (0..40).map(move |c| format!("branch{a:02}.branch{b:02}.leaf00{c:02}"))
        })
    });
    paths.collect()
}

pub(crate) fn bag_of(paths: &[String]) -> Bag {
    let mut bag = Bag::new();
    set_all(&mut bag, paths, |at| at as i64);
    bag
}

fn set_all(bag: &mut Bag, paths: &[String], value: impl Fn(usize) -> i64) {
    for (at, path) in paths.iter().enumerate() {
        // `is_sound` sees a value that is missing.
        let _ = bag.set(path, value(at));
    }
}

fn set_all_nested(nested: &mut Nested, paths: &[String], value: impl Fn(usize) -> i64) {
    for (at, path) in paths.iter().enumerate() {
        nested.set(path, value(at));
    }
}

fn sum(bag: &Bag) -> i64 {
    let values = bag
        .root()
        .walk()
        .filter_map(|visited| visited.node.value()?.as_int());
    values.sum()
}

impl Listened {
    /// A subscriber at the root, and patterns of which one fits every leaf.
    fn new(paths: &[String], patterns: usize) -> Self {
        let mut triggers = Triggers::new(1);
        let root = Subscription::to(Target::Bag(Place::ROOT));
        let _ = triggers.on(root, |event, _| {
            let number = |shown: &Shown| match shown {
                Shown::Scalar(value) => value.as_int().unwrap_or(0),
                _ => 0,
            };
            let risen = number(event.new()) - number(event.old());
            HEARD.fetch_add(risen, atomic::Ordering::Relaxed);
            Flow::Continue
        });
        for number in 0..patterns {
            let text = match number {
                0 => "*.*.*".to_owned(),
                _ => format!("branch{:02}.*.gone{number}", number % 50),
            };
            if let Ok(pattern) = text.parse::<Pattern>() {
                let _ = triggers.on(pattern, move |_, _| {
                    CALLED.fetch_add(1, atomic::Ordering::Relaxed);
                    Flow::Continue
                });
            }
        }
        Self {
            bag: bag_of(paths),
            triggers,
        }
    }

    fn update_all(&mut self, paths: &[String], value: impl Fn(usize) -> i64) {
        for (at, path) in paths.iter().enumerate() {
            let Ok(path) = Path::parse(path) else {
                continue;
            };
            let edit = Edit::set(path.into_owned(), value(at));
            let Ok(list) = self.bag.edit(edit) else {
                continue;
            };
            let changes = Changes {
                meta: Meta {
                    revision: self.bag.revision(),
                    ..Meta::default()
                },
                list,
                transaction: false,
            };
            self.triggers.dispatch(&changes, None);
        }
    }
}
