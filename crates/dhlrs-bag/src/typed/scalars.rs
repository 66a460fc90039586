//! What is inside this crate's own scalars, as serde hands it over.

use serde::ser::{Error as _, Impossible, Serialize, SerializeTuple, Serializer};

use super::{TypedError, refused::refused};

/// Takes the one integer of a Timestamp.
pub(super) struct IntWriter;

/// Takes mantissa and scale of a Decimal.
#[derive(Default)]
pub(super) struct DecimalWriter {
    parts: Vec<i128>,
}

/// Takes one integer of any width.
struct WideIntWriter;

fn other<T>() -> Result<T, TypedError> {
    Err(TypedError::custom(
        "a scalar that is put together otherwise",
    ))
}

/// What none of them takes, and `$more`.
macro_rules! refused_by_all {
    ($ok:ty: $($more:tt)*) => {
        type Ok = $ok;
        type Error = TypedError;

        refused! {
            $ok, other: bool i8 i16 i32 u16 u32 u64 f32 f64 char str bytes none some unit unit_struct
                unit_variant newtype_struct newtype_variant seq tuple_struct tuple_variant map struct
                struct_variant $($more)*
        }
    };
}

impl Serializer for IntWriter {
    refused_by_all! { i64: u8 tuple }

    fn serialize_i64(self, number: i64) -> Result<i64, TypedError> {
        Ok(number)
    }
}

impl Serializer for WideIntWriter {
    refused_by_all! { i128: i64 tuple }

    fn serialize_u8(self, number: u8) -> Result<i128, TypedError> {
        Ok(i128::from(number))
    }

    fn serialize_i128(self, number: i128) -> Result<i128, TypedError> {
        Ok(number)
    }
}

impl Serializer for DecimalWriter {
    type SerializeTuple = Self;

    refused_by_all! { (i128, u8): i64 u8 }

    fn serialize_tuple(self, _: usize) -> Result<Self, TypedError> {
        Ok(self)
    }
}

impl SerializeTuple for DecimalWriter {
    type Ok = (i128, u8);
    type Error = TypedError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, part: &T) -> Result<(), TypedError> {
        self.parts.push(part.serialize(WideIntWriter)?);
        Ok(())
    }

    fn end(self) -> Result<(i128, u8), TypedError> {
        match self.parts.as_slice() {
            [mantissa, scale] => match u8::try_from(*scale) {
                Ok(scale) => Ok((*mantissa, scale)),
                Err(_) => other(),
            },
            _ => other(),
        }
    }
}
