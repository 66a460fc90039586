//! Fields that hold no more than their type says.

use core::fmt;
use core::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};

/// Decodes a list of at most `ELEMENTS_MAX` elements: `#[serde(deserialize_with = "bounded_vec::<_, _, 64>")]`.
///
/// # Errors
///
/// That of the deserializer; a longer list is refused before its first element is read.
pub fn bounded_vec<'de, D, T, const ELEMENTS_MAX: usize>(
    deserializer: D,
) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    deserializer.deserialize_seq(VecVisitor::<T, ELEMENTS_MAX>(PhantomData))
}

/// Decodes a text of at most `BYTES_MAX` bytes: `#[serde(deserialize_with = "bounded_string::<_, 255>")]`.
///
/// # Errors
///
/// That of the deserializer; a longer text is refused without a copy of it.
pub fn bounded_string<'de, D, const BYTES_MAX: usize>(deserializer: D) -> Result<String, D::Error>
where
    D: Deserializer<'de>,
{
    deserializer.deserialize_str(StringVisitor::<BYTES_MAX>)
}

/// Decodes at most `BYTES_MAX` bytes, written as bytes or as a list of them.
///
/// # Errors
///
/// That of the deserializer; more bytes are refused without a copy of them.
pub fn bounded_bytes<'de, D, const BYTES_MAX: usize>(deserializer: D) -> Result<Vec<u8>, D::Error>
where
    D: Deserializer<'de>,
{
    deserializer.deserialize_bytes(BytesVisitor::<BYTES_MAX>)
}

struct VecVisitor<T, const ELEMENTS_MAX: usize>(PhantomData<T>);

impl<'de, T: Deserialize<'de>, const ELEMENTS_MAX: usize> Visitor<'de>
    for VecVisitor<T, ELEMENTS_MAX>
{
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list of at most {ELEMENTS_MAX} elements")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Vec<T>, A::Error> {
        if let Some(length) = elements.size_hint().filter(|length| *length > ELEMENTS_MAX) {
            return Err(A::Error::invalid_length(length, &self));
        }
        let mut list = Vec::new();
        while let Some(element) = elements.next_element()? {
            if list.len() == ELEMENTS_MAX {
                return Err(A::Error::invalid_length(ELEMENTS_MAX + 1, &self));
            }
            list.push(element);
        }
        Ok(list)
    }
}

struct StringVisitor<const BYTES_MAX: usize>;

impl<const BYTES_MAX: usize> Visitor<'_> for StringVisitor<BYTES_MAX> {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a text of at most {BYTES_MAX} bytes")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<String, E> {
        if text.len() > BYTES_MAX {
            return Err(E::invalid_length(text.len(), &self));
        }
        Ok(text.to_owned())
    }
}

struct BytesVisitor<const BYTES_MAX: usize>;

impl<const BYTES_MAX: usize> Visitor<'_> for BytesVisitor<BYTES_MAX> {
    type Value = Vec<u8>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at most {BYTES_MAX} bytes")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
        if bytes.len() > BYTES_MAX {
            return Err(E::invalid_length(bytes.len(), &self));
        }
        Ok(bytes.to_vec())
    }
}
