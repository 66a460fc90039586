//! Limits hold at themselves and not one above.

use dhlrs_codec::{
    DecodeErrorKind, EncodeErrorKind, bounded_bytes, bounded_string, bounded_vec, decode, encode,
};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct Small {
    #[serde(deserialize_with = "bounded_vec::<_, _, 3>")]
    numbers: Vec<u32>,
    #[serde(deserialize_with = "bounded_string::<_, 4>")]
    text: String,
    #[serde(deserialize_with = "bounded_bytes::<_, 2>")]
    bytes: Vec<u8>,
}

fn small(numbers: usize, text: usize, bytes: usize) -> Small {
    Small {
        numbers: vec![7; numbers],
        text: "x".repeat(text),
        bytes: vec![9; bytes],
    }
}

#[track_caller]
fn refuses(value: &Small, message: &str) {
    let err = decode::<Small>(&encode(value, 100).unwrap(), 100).unwrap_err();
    assert_eq!(err.kind(), DecodeErrorKind::Refused);
    assert!(err.to_string().contains(message), "{err}");
}

#[test]
fn takes_what_is_at_the_limit_and_refuses_one_more() {
    let full = small(3, 4, 2);
    assert_eq!(
        decode::<Small>(&encode(&full, 100).unwrap(), 100).unwrap(),
        full
    );
    refuses(&small(4, 4, 2), "at most 3 elements");
    refuses(&small(3, 5, 2), "at most 4 bytes");
    refuses(&small(3, 4, 3), "at most 2 bytes");
}

#[test]
fn encoding_stops_at_the_limit() {
    assert_eq!(encode("abc", 4).unwrap(), b"\x03abc");
    let err = encode("abc", 3).unwrap_err();
    assert_eq!(err.kind(), EncodeErrorKind::TooLarge);
    assert_eq!(err.to_string(), "encoding too large: limit 3 bytes");
}
