//! Whatever the bytes are: a message or an error, and memory in proportion to the bytes.

use std::error::Error;

use dhlrs_codec::{DecodeError, DecodeErrorKind};
use dhlrs_wire::{MESSAGE_BYTES_MAX, Message, ROUTES_MAX, Refusal, RefusalKind, Request};
use proptest::prelude::*;

use crate::samples::{intent, messages, refused, request};

/// What decodes at all is a message that could have been sent.
fn judge(bytes: &[u8]) -> bool {
    let Ok(message) = Message::decode(bytes) else {
        return false;
    };
    let again = message.encode().unwrap();
    assert_eq!(Message::decode(&again).unwrap(), message);
    true
}

#[test]
fn every_truncation_is_an_error() {
    for message in messages() {
        let bytes = message.encode().unwrap();
        for end in 0..bytes.len() {
            assert!(
                Message::decode(&bytes[..end]).is_err(),
                "{message:?} cut at {end}"
            );
        }
    }
}

#[test]
fn every_byte_too_many_is_an_error() {
    for message in messages() {
        let mut bytes = message.encode().unwrap();
        bytes.push(0);
        assert!(Message::decode(&bytes).is_err(), "{message:?}");
    }
}

#[test]
fn every_flipped_bit_gives_an_error_or_a_message() {
    let (mut flipped, mut decoded) = (0, 0);
    for message in messages() {
        let mut bytes = message.encode().unwrap();
        for bit in 0..bytes.len() * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            decoded += usize::from(judge(&bytes));
            flipped += 1;
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
    }
    // Neither everything nor nothing: the flips reach numbers and letters as well as structure.
    assert!(
        decoded > flipped / 10 && decoded < flipped * 9 / 10,
        "{decoded} of {flipped}"
    );
}

// `bytes` up to where `before` ends, and then a length that says `announced`.
fn announcing(message: &Message, before: &[u8], mut announced: u64) -> Vec<u8> {
    let mut bytes = message.encode().unwrap();
    let found = bytes.windows(before.len()).position(|at| at == before);
    bytes.truncate(found.unwrap() + before.len());
    while announced >= 0x80 {
        bytes.push(announced as u8 | 0x80);
        announced >>= 7;
    }
    bytes.push(announced as u8);
    bytes
}

#[track_caller]
fn refuses(bytes: &[u8], kind: DecodeErrorKind) {
    let error = Message::decode(bytes).unwrap_err();
    let cause = error
        .source()
        .and_then(|cause| cause.downcast_ref::<DecodeError>());
    assert_eq!(cause.map(DecodeError::kind), Some(kind), "{error}");
}

#[test]
fn a_length_that_the_bytes_cannot_hold_is_refused_before_anything_is_made_of_it() {
    let routes = Message::Announce(Vec::new());
    let edits = request(Request::Write(Box::new(intent(Vec::new()))));
    let text = refused(Refusal::new(RefusalKind::Missing, "x"));
    // Missing is the 7th kind; 300, the intent's counter, is written before its edits.
    for announced in [1 << 20, 1 << 32, u64::MAX] {
        refuses(
            &announcing(&routes, &[0], announced),
            DecodeErrorKind::TooManyElements,
        );
        refuses(
            &announcing(&edits, &[0xac, 0x02], announced),
            DecodeErrorKind::TooManyElements,
        );
        refuses(
            &announcing(&text, &[6], announced),
            DecodeErrorKind::Truncated,
        );
    }
}

#[test]
fn a_list_beyond_its_limit_is_refused_before_its_first_element_is_read() {
    // What follows the length could be so many elements, but is none: were it read, the error would say so.
    let routes = Message::Announce(Vec::new());
    let mut bytes = announcing(&routes, &[0], 1 << 19);
    bytes.resize(MESSAGE_BYTES_MAX, 0xff);
    let error = Message::decode(&bytes).unwrap_err().to_string();
    assert!(error.contains(&(1 << 19).to_string()), "{error}");
    assert!(error.contains(&ROUTES_MAX.to_string()), "{error}");
}

proptest! {
    #[test]
    fn random_bytes_give_an_error_or_a_message(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        judge(&bytes);
    }

    #[test]
    fn messages_with_random_bytes_in_them_give_an_error_or_a_message(
        at in any::<prop::sample::Index>(),
        place in any::<prop::sample::Index>(),
        taken in 0usize..8,
        put in prop::collection::vec(any::<u8>(), 0..8),
    ) {
        let messages = messages();
        let mut bytes = at.get(&messages).encode().unwrap();
        let place = place.index(bytes.len());
        let end = (place + taken).min(bytes.len());
        bytes.splice(place..end, put);
        judge(&bytes);
    }
}
