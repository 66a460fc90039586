//! The reader of the format, with its budgets.

use serde::de::value::U32Deserializer;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};

use crate::decode::{DEPTH_MAX, ELEMENT_BYTES_FREE, ELEMENT_BYTES_PER_INPUT_BYTE_MAX};
use crate::{DecodeError, DecodeErrorKind as Kind};

type Result<T> = core::result::Result<T, DecodeError>;

/// Reads postcard's format from a slice and keeps the budgets.
pub(crate) struct Reader<'de> {
    input: &'de [u8],
    at: usize,
    depth: usize,
    elements_left: usize,
    element_bytes_left: usize,
}

impl<'de> Reader<'de> {
    pub(crate) fn new(input: &'de [u8]) -> Self {
        Self {
            input,
            at: 0,
            depth: 0,
            // Every element that has a size takes a byte of its own, so only those without one can run out.
            elements_left: input.len(),
            element_bytes_left: ELEMENT_BYTES_FREE
                .saturating_add(input.len().saturating_mul(ELEMENT_BYTES_PER_INPUT_BYTE_MAX)),
        }
    }

    pub(crate) fn at(&self) -> usize {
        self.at
    }

    fn error(&self, kind: Kind, limit: usize) -> DecodeError {
        DecodeError::new(kind, self.at, limit)
    }

    fn malformed(&self) -> DecodeError {
        self.error(Kind::Malformed, 0)
    }

    fn left(&self) -> usize {
        self.input.len() - self.at
    }

    fn byte(&mut self) -> Result<u8> {
        let byte = self
            .input
            .get(self.at)
            .copied()
            .ok_or_else(|| self.error(Kind::Truncated, 0))?;
        self.at += 1;
        Ok(byte)
    }

    fn take(&mut self, length: usize) -> Result<&'de [u8]> {
        let rest = self.input.get(self.at..).unwrap_or_default();
        let bytes = rest
            .get(..length)
            .ok_or_else(|| self.error(Kind::Truncated, 0))?;
        self.at += length;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let bytes = self.take(N)?;
        bytes.try_into().map_err(|_| self.malformed())
    }

    /// A number of at most `bits` bits, seven a byte, the lowest first.
    #[inline]
    fn varint(&mut self, bits: u32) -> Result<u128> {
        // Most numbers are short, and no type has less than seven bits.
        match self.input.get(self.at) {
            Some(byte) if *byte < 0x80 => {
                self.at += 1;
                Ok(u128::from(*byte))
            }
            _ => self.long_varint(bits),
        }
    }

    fn long_varint(&mut self, bits: u32) -> Result<u128> {
        let mut number = 0u128;
        let mut shift = 0;
        loop {
            let byte = self.byte()?;
            let part = u128::from(byte & 0x7f);
            if shift >= bits || (bits - shift < 7 && part >> (bits - shift) != 0) {
                return Err(self.malformed());
            }
            number |= part << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
            shift += 7;
        }
    }

    fn zigzag(&mut self, bits: u32) -> Result<i128> {
        let number = self.varint(bits)?;
        Ok((number >> 1) as i128 ^ -((number & 1) as i128))
    }

    fn length(&mut self) -> Result<usize> {
        let length = self.varint(usize::BITS)?;
        usize::try_from(length).map_err(|_| self.malformed())
    }

    fn sized_bytes(&mut self) -> Result<&'de [u8]> {
        let length = self.length()?;
        self.take(length)
    }

    fn text(&mut self) -> Result<&'de str> {
        let bytes = self.sized_bytes()?;
        core::str::from_utf8(bytes).map_err(|_| self.malformed())
    }

    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.depth == DEPTH_MAX {
            return Err(self.error(Kind::TooDeep, DEPTH_MAX));
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    fn announced_elements(&mut self) -> Result<usize> {
        let length = self.length()?;
        if length > self.left() {
            return Err(self.error(Kind::TooManyElements, self.left()));
        }
        Ok(length)
    }

    fn charge_element(&mut self, element_bytes: usize) -> Result<()> {
        if self.elements_left == 0 {
            return Err(self.error(Kind::TooManyElements, self.input.len()));
        }
        self.elements_left -= 1;
        match self.element_bytes_left.checked_sub(element_bytes) {
            Some(left) => self.element_bytes_left = left,
            None => return Err(self.error(Kind::TooManyElements, self.input.len())),
        }
        Ok(())
    }
}

macro_rules! numbers {
    ($($method:ident $visit:ident $read:ident $number:ty;)*) => { $(
        #[inline]
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
            let number = self.$read(<$number>::BITS)?;
            visitor.$visit(<$number>::try_from(number).map_err(|_| self.malformed())?)
        }
    )* };
}

impl<'de> Deserializer<'de> for &mut Reader<'de> {
    type Error = DecodeError;

    fn is_human_readable(&self) -> bool {
        false
    }

    numbers! {
        deserialize_u16 visit_u16 varint u16;
        deserialize_u32 visit_u32 varint u32;
        deserialize_u64 visit_u64 varint u64;
        deserialize_u128 visit_u128 varint u128;
        deserialize_i16 visit_i16 zigzag i16;
        deserialize_i32 visit_i32 zigzag i32;
        deserialize_i64 visit_i64 zigzag i64;
        deserialize_i128 visit_i128 zigzag i128;
    }

    fn deserialize_u8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_u8(self.byte()?)
    }

    fn deserialize_i8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_i8(i8::from_le_bytes(self.array()?))
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.byte()? {
            0 => visitor.visit_bool(false),
            1 => visitor.visit_bool(true),
            _ => Err(self.malformed()),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_f32(f32::from_le_bytes(self.array()?))
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_f64(f64::from_le_bytes(self.array()?))
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        let mut characters = self.text()?.chars();
        match (characters.next(), characters.next()) {
            (Some(character), None) => visitor.visit_char(character),
            _ => Err(self.malformed()),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_borrowed_str(self.text()?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_borrowed_bytes(self.sized_bytes()?)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.byte()? {
            0 => visitor.visit_none(),
            1 => self.nested(|reader| visitor.visit_some(reader)),
            _ => Err(self.malformed()),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value> {
        self.nested(|reader| visitor.visit_newtype_struct(reader))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        let left = self.announced_elements()?;
        self.nested(|reader| visitor.visit_seq(Elements { reader, left }))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value> {
        self.nested(|reader| {
            visitor.visit_seq(Fields {
                reader,
                left: length,
            })
        })
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value> {
        self.deserialize_tuple(length, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        let left = self.announced_elements()?;
        self.nested(|reader| visitor.visit_map(Elements { reader, left }))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        self.deserialize_tuple(fields.len(), visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        self.nested(|reader| visitor.visit_enum(reader))
    }

    // Postcard writes neither types nor names, so there is nothing to look at or to skip.
    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value> {
        Err(self.malformed())
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, _: V) -> Result<V::Value> {
        Err(self.malformed())
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value> {
        Err(self.malformed())
    }
}

/// The elements of a list or the entries of a map; their number came from the input.
struct Elements<'a, 'de> {
    reader: &'a mut Reader<'de>,
    left: usize,
}

impl<'de> SeqAccess<'de> for Elements<'_, 'de> {
    type Error = DecodeError;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>> {
        let Some(left) = self.left.checked_sub(1) else {
            return Ok(None);
        };
        self.left = left;
        self.reader.charge_element(size_of::<S::Value>())?;
        seed.deserialize(&mut *self.reader).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

impl<'de> MapAccess<'de> for Elements<'_, 'de> {
    type Error = DecodeError;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>> {
        SeqAccess::next_element_seed(self, seed)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value> {
        seed.deserialize(&mut *self.reader)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

/// The fields of a struct or tuple; their number is the type's own.
struct Fields<'a, 'de> {
    reader: &'a mut Reader<'de>,
    left: usize,
}

impl<'de> SeqAccess<'de> for Fields<'_, 'de> {
    type Error = DecodeError;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>> {
        let Some(left) = self.left.checked_sub(1) else {
            return Ok(None);
        };
        self.left = left;
        seed.deserialize(&mut *self.reader).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

impl<'de> EnumAccess<'de> for &mut Reader<'de> {
    type Error = DecodeError;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self)> {
        let number = u32::try_from(self.varint(u32::BITS)?).map_err(|_| self.malformed())?;
        let number: U32Deserializer<DecodeError> = number.into_deserializer();
        Ok((seed.deserialize(number)?, self))
    }
}

impl<'de> VariantAccess<'de> for &mut Reader<'de> {
    type Error = DecodeError;

    fn unit_variant(self) -> Result<()> {
        Ok(())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value> {
        self.deserialize_tuple(length, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        self.deserialize_tuple(fields.len(), visitor)
    }
}
