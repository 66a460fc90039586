//! The format is postcard's, byte for byte.

use std::collections::BTreeMap;

use dhlrs_codec::{DecodeErrorKind, decode, decode_head, encode};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
enum Kind {
    Unit,
    Newtype(i64),
    Tuple(u8, i8),
    Struct { text: String, number: i16 },
}

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
struct Wrapper(u32);

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
struct Everything {
    flag: bool,
    big: (u128, i128, u64, i32, u16),
    floats: (f32, f64),
    character: char,
    maybe: Option<Box<Kind>>,
    kinds: Vec<Kind>,
    map: BTreeMap<String, Vec<u8>>,
    wrapper: Wrapper,
    array: [u8; 3],
    unit: (),
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        Just(Kind::Unit),
        any::<i64>().prop_map(Kind::Newtype),
        any::<(u8, i8)>().prop_map(|(a, b)| Kind::Tuple(a, b)),
        (any::<String>(), any::<i16>()).prop_map(|(text, number)| Kind::Struct { text, number }),
    ]
}

prop_compose! {
    fn everything()(
        flag: bool,
        big: (u128, i128, u64, i32, u16),
        floats in (-1e30f32..1e30, -1e300f64..1e300),
        character: char,
        maybe in prop::option::of(kind()),
        kinds in prop::collection::vec(kind(), 0..5),
        map in prop::collection::btree_map(any::<String>(), any::<Vec<u8>>(), 0..3),
        wrapper: u32,
        array: [u8; 3],
    ) -> Everything {
        let (maybe, wrapper) = (maybe.map(Box::new), Wrapper(wrapper));
        Everything { flag, big, floats, character, maybe, kinds, map, wrapper, array, unit: () }
    }
}

proptest! {
    #[test]
    fn reads_what_postcard_writes_and_writes_what_postcard_reads(value in everything()) {
        let theirs = postcard::to_stdvec(&value).unwrap();
        prop_assert_eq!(decode::<Everything>(&theirs, theirs.len()).unwrap(), value.clone());
        prop_assert_eq!(encode(&value, theirs.len()).unwrap(), theirs);
    }

    #[test]
    fn agrees_with_postcard_on_damaged_bytes(value in everything(), at: prop::sample::Index, bit in 0..8u8) {
        let mut bytes = postcard::to_stdvec(&value).unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        // A char of two characters is the one thing that postcard lets pass.
        if let Ok(ours) = decode::<Everything>(&bytes, bytes.len()) {
            prop_assert_eq!(format!("{:?}", postcard::from_bytes::<Everything>(&bytes).unwrap()), format!("{ours:?}"));
        }
    }
}

#[test]
fn the_whole_input_must_be_used() {
    let err = decode::<u8>(&[1, 2, 3], 10).unwrap_err();
    assert_eq!((err.kind(), err.at()), (DecodeErrorKind::TrailingBytes, 1));
    assert_eq!(err.to_string(), "2 bytes too many at byte 1");
    assert_eq!(decode_head::<u8>(&[1, 2, 3], 10).unwrap(), (1, 1));
}

#[test]
fn the_limit_holds_at_itself_and_not_one_above() {
    decode::<[u8; 3]>(&[1, 2, 3], 3).unwrap();
    let err = decode::<[u8; 3]>(&[1, 2, 3], 2).unwrap_err();
    assert_eq!(err.to_string(), "input too large: 3 bytes, limit 2");
}
