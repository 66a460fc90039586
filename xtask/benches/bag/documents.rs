//! A tree as a document and back: JSON and postcard, beside `serde_json`'s `Value` of the same text. That keeps the
//! order of its keys as well, is read from bytes too, and neither is dropped within the time.

use std::hint::black_box;

use dhlrs_bag::{Bag, formats::ReadLimits};
use serde_json::Value;

use crate::{
    measure::{Aim, Measure, ns_of},
    tree::{bag_of, paths},
};

pub(crate) struct Documents {
    bag: Bag,
    leaves: usize,
    is_sound: bool,
    measures: Vec<Measure>,
}

impl Documents {
    pub(crate) fn new() -> Self {
        let paths = paths();
        let json = "serde_json's Value";
        Self {
            bag: bag_of(&paths),
            leaves: paths.len(),
            is_sound: true,
            measures: vec![
                Measure::new("JSON: write and read, a leaf", json, Aim::Times(1.5)),
                Measure::new("typed JSON: write and read, a leaf", json, Aim::Times(1.5)),
                Measure::new("postcard: write and read, a leaf", json, Aim::Times(1.5)),
                Measure::new(
                    "postcard beside JSON, a leaf",
                    "JSON, the first line",
                    Aim::Times(1.0),
                ),
            ],
        }
    }

    /// One turn of each. What the first round measures does not count: it warms up.
    pub(crate) fn round(&mut self, round: i64) {
        let (bag, limits, leaves) = (&self.bag, ReadLimits::default(), self.leaves);
        let mut sound = true;
        let mut reads = |read: Option<Bag>| sound &= read.as_ref() == Some(bag);
        let plain = Self::timed(leaves, &mut reads, || {
            Bag::from_json(bag.root().to_json().0.as_bytes(), &limits).ok()
        });
        let typed = Self::timed(leaves, &mut reads, || {
            Bag::from_typed_json(bag.root().to_typed_json().as_bytes(), &limits).ok()
        });
        let postcard = Self::timed(leaves, &mut reads, || {
            Bag::from_postcard(&bag.root().to_postcard(), &limits).ok()
        });
        let value: Option<Value> = serde_json::from_str(&bag.root().to_json().0).ok();
        let floor = ns_of(leaves, || {
            let json = serde_json::to_vec(&value).unwrap_or_default();
            black_box(serde_json::from_slice::<Value>(&json).ok())
        });
        sound &= value.is_some_and(|value| value.is_object());
        self.is_sound &= sound;
        if round > 0 {
            let figures = [
                (plain, floor),
                (typed, floor),
                (postcard, floor),
                (postcard, plain),
            ];
            for (measure, (ours, base)) in self.measures.iter_mut().zip(figures) {
                measure.add(ours, base);
            }
        }
    }

    // What comes out is looked at outside of the time.
    fn timed(
        leaves: usize,
        reads: &mut impl FnMut(Option<Bag>),
        run: impl FnOnce() -> Option<Bag>,
    ) -> f64 {
        let mut read = None;
        let ns = ns_of(leaves, || read = run());
        reads(read);
        ns
    }

    /// Whether each document read as the bag that was written.
    pub(crate) fn is_sound(&self) -> bool {
        self.is_sound
    }

    pub(crate) fn into_measures(self) -> Vec<Measure> {
        self.measures
    }
}
