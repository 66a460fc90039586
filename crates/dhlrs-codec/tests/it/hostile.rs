//! No input recurses, floods or panics.

use std::collections::BTreeMap;

use dhlrs_codec::{DEPTH_MAX, DecodeErrorKind, decode};
use proptest::prelude::*;
use serde::Deserialize;

#[derive(Deserialize, Debug)]
#[expect(dead_code, reason = "decoded only to see that it ends well")]
enum Tree {
    Leaf(u8),
    Branch(Vec<Tree>),
    Boxed(Box<Tree>),
    Maybe(Option<Box<Tree>>),
    Map(BTreeMap<u8, Tree>),
}

#[track_caller]
fn refuses<'de, T: Deserialize<'de> + std::fmt::Debug>(bytes: &'de [u8], kind: DecodeErrorKind) {
    assert_eq!(decode::<T>(bytes, usize::MAX).unwrap_err().kind(), kind);
}

#[test]
fn a_recursive_type_ends_at_the_depth_limit() {
    for step in [&[1u8, 1][..], &[2], &[3, 1], &[4, 1, 0]] {
        let bytes = step.repeat(100_000);
        refuses::<Tree>(&bytes, DecodeErrorKind::TooDeep);
    }
    let mut bytes = vec![2; DEPTH_MAX - 1];
    bytes.extend([0, 9]);
    decode::<Tree>(&bytes, 100).unwrap();
    bytes.insert(0, 2);
    refuses::<Tree>(&bytes, DecodeErrorKind::TooDeep);
}

#[test]
fn elements_without_a_size_are_counted_too() {
    refuses::<Vec<()>>(
        &[0xff, 0xff, 0xff, 0xff, 0x0f],
        DecodeErrorKind::TooManyElements,
    );
    // Each inner list stays below the bytes that follow it; together they would make 250 billion elements.
    let mut bytes = vec![0x80, 0x80, 0x20];
    bytes.extend([0xff, 0xff, 0x0f].repeat(0x80000));
    refuses::<Vec<Vec<()>>>(&bytes, DecodeErrorKind::TooManyElements);
    refuses::<BTreeMap<(), ()>>(&[0xff, 0x7f], DecodeErrorKind::TooManyElements);
}

#[test]
fn elements_that_take_far_more_memory_than_input_are_refused() {
    let mut bytes = vec![0x80, 0x80, 0x40];
    bytes.resize(3 + (1 << 20), 0);
    refuses::<Vec<Option<[u64; 16]>>>(&bytes, DecodeErrorKind::TooManyElements);
}

#[test]
fn numbers_flags_and_texts_are_checked() {
    refuses::<u64>(&[0xff; 11], DecodeErrorKind::Malformed);
    refuses::<u16>(&[0xff, 0xff, 0x04], DecodeErrorKind::Malformed);
    refuses::<bool>(&[2], DecodeErrorKind::Malformed);
    refuses::<Option<u8>>(&[2, 0], DecodeErrorKind::Malformed);
    refuses::<String>(&[1, 0xff], DecodeErrorKind::Malformed);
    refuses::<char>(&[2, b'a', b'b'], DecodeErrorKind::Malformed);
    refuses::<String>(&[5, b'a'], DecodeErrorKind::Truncated);
    refuses::<Tree>(&[9], DecodeErrorKind::Refused);
}

#[test]
fn a_refusal_of_a_type_is_quoted_in_part_only() {
    #[derive(Debug)]
    struct Picky;
    impl<'de> Deserialize<'de> for Picky {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            Err(serde::de::Error::custom(String::deserialize(deserializer)?))
        }
    }
    let bytes = dhlrs_codec::encode(&"é".repeat(5_000), 20_000).unwrap();
    let err = decode::<Picky>(&bytes, 20_000).unwrap_err();
    assert!(err.to_string().len() < 300);
    assert_eq!(err.at(), bytes.len());
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes: Vec<u8>) {
        let _ = decode::<Tree>(&bytes, 1_000);
        let _ = decode::<Vec<(String, Option<u64>, char, i128)>>(&bytes, 1_000);
    }
}
