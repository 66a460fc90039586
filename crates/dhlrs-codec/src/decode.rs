//! Decoding, and the limits that hold for all of an input.

use serde::Deserialize;

use crate::deserializer::Reader;
use crate::{DecodeError, DecodeErrorKind};

/// How deep containers (sequences, structs, options, enums) may stand in one another, in levels.
pub const DEPTH_MAX: usize = 64;

/// Memory that the elements of all sequences of one input may take however short the input is, in bytes.
pub const ELEMENT_BYTES_FREE: usize = 1024 * 1024;

/// Memory that those elements may take for each byte of input beyond that, in bytes.
pub const ELEMENT_BYTES_PER_INPUT_BYTE_MAX: usize = 32;

/// Decodes one value that takes up the whole input.
///
/// Never panics, never recurses deeper than [`DEPTH_MAX`] levels, and never holds more than
/// [`ELEMENT_BYTES_FREE`] bytes plus [`ELEMENT_BYTES_PER_INPUT_BYTE_MAX`] times the input in the elements of
/// sequences. A sequence has at most as many elements as the input has bytes. O(length of the input).
///
/// # Errors
///
/// [`DecodeError`] says what was wrong at which byte.
pub fn decode<'de, T: Deserialize<'de>>(
    input: &'de [u8],
    bytes_max: usize,
) -> Result<T, DecodeError> {
    let (value, used) = decode_head(input, bytes_max)?;
    if used < input.len() {
        return Err(DecodeError::new(
            DecodeErrorKind::TrailingBytes,
            used,
            input.len() - used,
        ));
    }
    Ok(value)
}

/// Decodes one value from the beginning of the input and says how many bytes it took.
///
/// For a header in front of bytes that are to be passed on without a copy. Promises and limits as [`decode`].
///
/// # Errors
///
/// [`DecodeError`] says what was wrong at which byte.
pub fn decode_head<'de, T: Deserialize<'de>>(
    input: &'de [u8],
    bytes_max: usize,
) -> Result<(T, usize), DecodeError> {
    if input.len() > bytes_max {
        return Err(DecodeError::new(
            DecodeErrorKind::TooLarge,
            input.len(),
            bytes_max,
        ));
    }
    let mut reader = Reader::new(input);
    match T::deserialize(&mut reader) {
        Ok(value) => Ok((value, reader.at())),
        Err(err) => Err(err.placed(reader.at())),
    }
}
