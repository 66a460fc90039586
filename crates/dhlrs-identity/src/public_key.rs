//! The key that names an identity.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ParseKeyError;

/// The key that names an identity. Prints as 64 lowercase hex digits.
///
/// Holding one does not mean that it is a valid Ed25519 key: verifying a signature finds out.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// The key of these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

impl FromStr for PublicKey {
    type Err = ParseKeyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.as_bytes();
        if digits.len() != 64 {
            return Err(ParseKeyError::length(digits.len()));
        }
        let mut bytes = [0; 32];
        for (at, (byte, pair)) in bytes.iter_mut().zip(digits.chunks_exact(2)).enumerate() {
            let &[high, low] = pair else {
                return Err(ParseKeyError::digit(at * 2));
            };
            let high = digit(high).ok_or(ParseKeyError::digit(at * 2))?;
            let low = digit(low).ok_or(ParseKeyError::digit(at * 2 + 1))?;
            *byte = high << 4 | low;
        }
        Ok(Self(bytes))
    }
}

// Uppercase would give a key a second spelling.
fn digit(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'a'..=b'f' => Some(character - b'a' + 10),
        _ => None,
    }
}
