//! Where a child stands among its siblings, as something that two replicas can choose without asking.

use core::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::OrderKeyError;

/// The most bytes of an [`OrderKey`].
pub const ORDER_KEY_BYTES_MAX: usize = 255;

/// A fractional index: between any two keys there is another one.
///
/// Read it as the digits of a fraction in base 256. The empty key is 0, the place of children that nobody has placed.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct OrderKey(
    // Invariant: at most `ORDER_KEY_BYTES_MAX`, and the last is not 0: below a key that ends in 0 stands another
    // spelling of the same fraction, with nothing between them.
    Box<[u8]>,
);

impl OrderKey {
    /// A key above `below` and below `above`, as short as can be; `None` is the end of the bag on that side.
    ///
    /// # Errors
    ///
    /// When `below` is not less than `above`, and when there is none of at most [`ORDER_KEY_BYTES_MAX`] bytes: then
    /// the siblings want new keys.
    pub fn between(below: Option<&Self>, above: Option<&Self>) -> Result<Self, OrderKeyError> {
        let low = below.map_or(&[][..], |key| &key.0);
        if above.is_some_and(|above| *low >= *above.0) {
            return Err(OrderKeyError::not_between());
        }
        let mut key = Vec::new();
        // Once the key has gone below a digit of `above`, nothing bounds the digits that follow.
        let mut high = above.map(|key| &*key.0);
        for at in 0..ORDER_KEY_BYTES_MAX {
            let from = low.get(at).copied().unwrap_or(0);
            let to = high.map_or(256, |high| u16::from(high.get(at).copied().unwrap_or(0)));
            let gap = to.saturating_sub(u16::from(from));
            if gap > 1 {
                // At an end of the bag a small step: most children are added there, one after another.
                let step = match (below, above) {
                    (_, None) => 1,
                    (None, Some(_)) => gap - 1,
                    _ => gap / 2,
                };
                key.push(from.saturating_add(u8::try_from(step).unwrap_or(1)));
                return Ok(Self(key.into()));
            }
            key.push(from);
            if gap == 1 {
                high = None;
            }
        }
        Err(OrderKeyError::too_long())
    }

    /// The key of these digits.
    ///
    /// # Errors
    ///
    /// When there are more than [`ORDER_KEY_BYTES_MAX`], or the last one is 0.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, OrderKeyError> {
        if bytes.len() > ORDER_KEY_BYTES_MAX {
            return Err(OrderKeyError::too_long());
        }
        if bytes.last() == Some(&0) {
            return Err(OrderKeyError::last_digit());
        }
        Ok(Self(bytes.into()))
    }

    /// The digits.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for OrderKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("0.")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Serialize for OrderKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for OrderKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = dhlrs_codec::bounded_bytes::<_, ORDER_KEY_BYTES_MAX>(deserializer)?;
        Self::from_bytes(&bytes).map_err(serde::de::Error::custom)
    }
}
