//! One bag of 40,000 children, beside one of 400 and beside an `IndexMap` of the same width.

use dhlrs_bag::{Bag, Edit, Position};
use dhlrs_path::Path;

use crate::{
    floor::Map,
    measure::{Aim, Measure, Numbers, ns_of},
};

const WIDE: usize = 40_000;
const NARROW: usize = 400;
const COUNT: usize = 20_000;

pub(crate) struct Wide {
    wide: Bag,
    narrow: Bag,
    map: Map<i64>,
    labels: Vec<String>,
    narrow_labels: Vec<String>,
    indexes: Vec<i64>,
    measures: Vec<Measure>,
}

impl Wide {
    pub(crate) fn new() -> Self {
        let mut numbers = Numbers::new();
        let mut labels = |width: usize| -> Vec<String> {
            let labels = (0..COUNT).map(|_| label(numbers.below(width)));
            labels.collect()
        };
        let (of_wide, of_narrow) = (labels(WIDE), labels(NARROW));
        let narrow = "the same, 400 wide";
        Self {
            wide: bag(WIDE),
            narrow: bag(NARROW),
            map: (0..WIDE).map(|n| (label(n), n as i64)).collect(),
            labels: of_wide,
            narrow_labels: of_narrow,
            indexes: (0..COUNT).map(|_| numbers.below(WIDE) as i64).collect(),
            measures: vec![
                Measure::new("40,000 wide: membership", "IndexMap", Aim::Times(1.5)),
                Measure::new("40,000 wide: set an attribute", narrow, Aim::Times(3.0)),
                Measure::new(
                    "40,000 wide: remove #n, insert at #n",
                    narrow,
                    Aim::Times(5.0),
                ),
                Measure::new("40,000 wide: #n", "IndexMap", Aim::Ns(300.0)),
            ],
        }
    }

    pub(crate) fn round(&mut self, round: i64) {
        let Some(children) = self.wide.root().child("w") else {
            return;
        };
        let figures = [
            (
                ns_of(COUNT, || {
                    let there = self
                        .labels
                        .iter()
                        .filter(|own| children.child(own).is_some());
                    there.count()
                }),
                ns_of(COUNT, || {
                    let there = self.labels.iter().filter(|own| self.map.contains_key(*own));
                    there.count()
                }),
            ),
            (
                ns_of(COUNT, || {
                    set_attributes(&mut self.wide, &self.labels, round)
                }),
                ns_of(COUNT, || {
                    set_attributes(&mut self.narrow, &self.narrow_labels, round);
                }),
            ),
            (
                ns_of(COUNT, || replace_in_the_middle(&mut self.wide, WIDE)),
                ns_of(COUNT, || replace_in_the_middle(&mut self.narrow, NARROW)),
            ),
            (
                ns_of(COUNT, || {
                    let children = self.wide.root().child("w");
                    let at = |index: &i64| children?.child_at(*index);
                    self.indexes.iter().filter_map(at).count()
                }),
                ns_of(COUNT, || {
                    let at = |index: &i64| self.map.get_index(*index as usize);
                    self.indexes.iter().filter_map(at).count()
                }),
            ),
        ];
        if round > 0 {
            for (measure, (ours, base)) in self.measures.iter_mut().zip(figures) {
                measure.add(ours, base);
            }
        }
    }

    /// Whether the bags are as wide as they were, and every attribute was written.
    pub(crate) fn is_sound(&self, round: i64) -> bool {
        let width = |bag: &Bag| bag.root().child("w").map(|own| own.len());
        let path = format!("w.{}?a", self.labels[0]);
        width(&self.wide) == Some(WIDE as u64)
            && width(&self.narrow) == Some(NARROW as u64)
            && self.wide.get(&path).and_then(|value| value.as_int()) == Some(round)
    }

    pub(crate) fn into_measures(self) -> Vec<Measure> {
        self.measures
    }
}

fn label(number: usize) -> String {
    format!("leaf{number:05}")
}

fn bag(width: usize) -> Bag {
    let mut bag = Bag::new();
    for number in 0..width {
        // `is_sound` sees a value that is missing.
        let _ = bag.set(&format!("w.{}", label(number)), number as i64);
    }
    bag
}

fn set_attributes(bag: &mut Bag, labels: &[String], value: i64) {
    for label in labels {
        let _ = bag.set_attribute(&format!("w.{label}"), "a", value);
    }
}

// Takes the child in the middle away and puts it there again.
fn replace_in_the_middle(bag: &mut Bag, width: usize) {
    let middle = width as i64 / 2;
    let Ok(path) = Path::parse(&format!("w.#{middle}")).map(Path::into_owned) else {
        return;
    };
    for _ in 0..COUNT {
        let Some(own) = bag.node(&path).map(|node| node.path()) else {
            return;
        };
        let _ = bag.edit(Edit::Remove { path: path.clone() });
        let _ = bag.edit(Edit::Set {
            path: own,
            content: Some(1.into()),
            attributes: None,
            position: Some(Position::At(middle)),
            overwrite: false,
        });
    }
}
