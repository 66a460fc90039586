//! Frames that say which one they are, and whether they are whole.

use bytes::Bytes;
use dhlrs_transport::{Channel, Received, TransportErrorKind};

const NUMBER_BYTES: usize = 8;

/// Frame `number` of `bytes` bytes, at least eight.
pub(crate) fn numbered(number: u64, bytes: usize) -> Bytes {
    let mut frame = vec![filler(number); bytes.max(NUMBER_BYTES)];
    frame[..NUMBER_BYTES].copy_from_slice(&number.to_le_bytes());
    frame.into()
}

/// The number of a frame that [`numbered`] made and nobody touched.
#[track_caller]
pub(crate) fn number(frame: &[u8]) -> u64 {
    let (number, rest) = frame.split_first_chunk().expect("a numbered frame");
    let number = u64::from_le_bytes(*number);
    assert!(
        rest.iter().all(|byte| *byte == filler(number)),
        "frame {number} was changed"
    );
    number
}

fn filler(number: u64) -> u8 {
    number.wrapping_mul(31).to_le_bytes()[0]
}

pub(crate) async fn next(channel: &dyn Channel) -> Bytes {
    match channel.recv().await.expect("a frame") {
        Received::Frame(frame) => frame,
        other => panic!("a frame was due, not {other:?}"),
    }
}

pub(crate) async fn next_number(channel: &dyn Channel) -> u64 {
    number(&next(channel).await)
}

/// The numbers of all frames up to the clean end of the channel.
pub(crate) async fn numbers_to_the_end(channel: &dyn Channel) -> Vec<u64> {
    let mut numbers = Vec::new();
    loop {
        match channel.recv().await {
            Ok(Received::Frame(frame)) => numbers.push(number(&frame)),
            Ok(other) => panic!("a frame was due, not {other:?}"),
            Err(err) if err.kind() == TransportErrorKind::Closed => return numbers,
            Err(err) => panic!("the end was due, not {err}"),
        }
    }
}

/// Random bytes that follow from a seed.
pub(crate) fn noise(seed: u64, bytes: usize) -> Vec<u8> {
    let mut state = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut noise = Vec::with_capacity(bytes);
    for _ in 0..bytes {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        noise.push(state.to_le_bytes()[3]);
    }
    noise
}
