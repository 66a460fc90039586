//! Encoding up to a limit.

use postcard::ser_flavors::Flavor;
use serde::Serialize;

use crate::EncodeError;

/// Encodes a value into at most `bytes_max` bytes.
///
/// Stops as soon as the limit is passed, so a value over it costs no more than one that meets it.
///
/// # Errors
///
/// [`EncodeError`]: over the limit, or a type that postcard cannot encode.
pub fn encode<T: Serialize + ?Sized>(value: &T, bytes_max: usize) -> Result<Vec<u8>, EncodeError> {
    postcard::serialize_with_flavor(
        value,
        Capped {
            bytes: Vec::new(),
            bytes_max,
        },
    )
    .map_err(|source| EncodeError::new(source, bytes_max))
}

struct Capped {
    bytes: Vec<u8>,
    bytes_max: usize,
}

impl Flavor for Capped {
    type Output = Vec<u8>;

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.try_extend(&[byte])
    }

    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        if self.bytes_max - self.bytes.len() < bytes.len() {
            return Err(postcard::Error::SerializeBufferFull);
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<Vec<u8>> {
        Ok(self.bytes)
    }
}
