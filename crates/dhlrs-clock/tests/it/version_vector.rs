//! A version vector is a set of events: its operations are those of sets, and it has one spelling.

use std::collections::BTreeSet;

use dhlrs_clock::{Dot, VersionVector};
use proptest::prelude::*;

fn vectors() -> impl Strategy<Value = VersionVector<u8>> {
    proptest::collection::vec((0..5u8, 0..5u64), 0..6).prop_map(|dots| {
        dots.into_iter()
            .map(|(feed, seq)| Dot::new(feed, seq))
            .collect()
    })
}

fn events(vector: &VersionVector<u8>) -> BTreeSet<Dot<u8>> {
    (0..5u8)
        .flat_map(|feed| (0..6u64).map(move |seq| Dot::new(feed, seq)))
        .filter(|dot| vector.contains(dot))
        .collect()
}

proptest! {
    #[test]
    fn it_is_a_set_of_events(a in vectors(), b in vectors()) {
        let mut joined = a.clone();
        joined.join(&b);
        prop_assert_eq!(events(&joined), &events(&a) | &events(&b));
        prop_assert_eq!(a.includes(&b), events(&a).is_superset(&events(&b)));
        prop_assert_eq!(a.partial_cmp(&b), events(&a).partial_cmp_of_sets(&events(&b)));
        prop_assert_eq!(a == b, events(&a) == events(&b));
        prop_assert_eq!(a.is_empty(), events(&a).is_empty());
    }

    #[test]
    fn what_is_cut_is_gone_and_nothing_else(a in vectors(), feed in 0..5u8, seq in 0..5u64) {
        let mut cut = a.clone();
        cut.truncate(&feed, seq);
        let expected: BTreeSet<_> = events(&a)
            .into_iter()
            .filter(|dot| dot.feed != feed || dot.seq <= seq)
            .collect();
        prop_assert_eq!(events(&cut), expected);
    }

    #[test]
    fn its_encoding_comes_back(a in vectors()) {
        let bytes = postcard::to_allocvec(&a).unwrap();
        prop_assert_eq!(postcard::from_bytes::<VersionVector<u8>>(&bytes).unwrap(), a);
    }

    #[test]
    fn it_has_one_encoding(entries in proptest::collection::vec((0..4u8, 0..3u64), 0..4)) {
        let bytes = postcard::to_allocvec(&entries).unwrap();
        if let Ok(vector) = postcard::from_bytes::<VersionVector<u8>>(&bytes) {
            prop_assert_eq!(postcard::to_allocvec(&vector).unwrap(), bytes);
        }
    }
}

trait PartialCmpOfSets {
    fn partial_cmp_of_sets(&self, other: &Self) -> Option<std::cmp::Ordering>;
}

impl PartialCmpOfSets for BTreeSet<Dot<u8>> {
    fn partial_cmp_of_sets(&self, other: &Self) -> Option<std::cmp::Ordering> {
        use std::cmp::Ordering::{Equal, Greater, Less};
        match (self.is_superset(other), self.is_subset(other)) {
            (true, true) => Some(Equal),
            (true, false) => Some(Greater),
            (false, true) => Some(Less),
            (false, false) => None,
        }
    }
}

#[test]
fn event_0_is_no_event() {
    let vector: VersionVector<&str> = [Dot::new("a", 0)].into_iter().collect();
    assert!(vector.is_empty());
    assert!(!vector.contains(&Dot::new("a", 0)));
}

#[test]
fn refuses_more_feeds_than_it_may_name() {
    let entries: Vec<(u32, u64)> = (0..=dhlrs_clock::VERSION_VECTOR_FEEDS_MAX as u32)
        .map(|feed| (feed, 1))
        .collect();
    let whole = postcard::to_allocvec(&entries).unwrap();
    assert!(postcard::from_bytes::<VersionVector<u32>>(&whole).is_err());
    let one_less = postcard::to_allocvec(&entries[1..]).unwrap();
    assert!(postcard::from_bytes::<VersionVector<u32>>(&one_less).is_ok());
}
