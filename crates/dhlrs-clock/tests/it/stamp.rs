//! A stamp has 48 + 16 bits and one spelling.

use dhlrs_clock::{STAMP_WALL_MS_MAX, Stamp};
use proptest::prelude::*;

#[track_caller]
fn refuses(text: &str) {
    assert!(text.parse::<Stamp>().is_err(), "{text:?}");
}

#[test]
fn holds_48_bits_of_wall() {
    assert!(Stamp::new(STAMP_WALL_MS_MAX, u16::MAX).is_some());
    assert_eq!(Stamp::new(STAMP_WALL_MS_MAX + 1, 0), None);
}

#[test]
fn has_one_spelling() {
    for text in [
        "",
        ".",
        "1",
        "1.",
        ".1",
        "+1.0",
        "01.0",
        "1.00",
        "1.65536",
        "1.0.0",
        " 1.0",
        "281474976710656.0",
    ] {
        refuses(text);
    }
}

#[test]
fn decoding_refuses_a_wall_above_48_bits() {
    let bytes = postcard::to_stdvec(&(STAMP_WALL_MS_MAX + 1, 0u16)).unwrap();
    assert!(postcard::from_bytes::<Stamp>(&bytes).is_err());
}

proptest! {
    #[test]
    fn prints_and_encodes_without_loss(wall_ms in 0..=STAMP_WALL_MS_MAX, counter: u16) {
        let stamp = Stamp::new(wall_ms, counter).unwrap();
        prop_assert_eq!((stamp.wall_ms(), stamp.counter()), (wall_ms, counter));
        prop_assert_eq!(stamp.to_string().parse::<Stamp>().unwrap(), stamp);
        let bytes = postcard::to_stdvec(&stamp).unwrap();
        prop_assert_eq!(postcard::from_bytes::<Stamp>(&bytes).unwrap(), stamp);
    }

    #[test]
    fn orders_by_wall_then_counter(a in (0..4u64, 0..4u16), b in (0..4u64, 0..4u16)) {
        let (x, y) = (Stamp::new(a.0, a.1).unwrap(), Stamp::new(b.0, b.1).unwrap());
        prop_assert_eq!(x.cmp(&y), a.cmp(&b));
    }
}
