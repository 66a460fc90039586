//! What is inside this crate's own scalars, as serde hands it over.

use serde::ser::{Error as _, Impossible, Serialize, SerializeTuple, Serializer};

use super::TypedError;

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

macro_rules! only {
    ($ok:ty, $tuple:ty) => {
        type Ok = $ok;
        type Error = TypedError;
        type SerializeSeq = Impossible<$ok, TypedError>;
        type SerializeTuple = $tuple;
        type SerializeTupleStruct = Impossible<$ok, TypedError>;
        type SerializeTupleVariant = Impossible<$ok, TypedError>;
        type SerializeMap = Impossible<$ok, TypedError>;
        type SerializeStruct = Impossible<$ok, TypedError>;
        type SerializeStructVariant = Impossible<$ok, TypedError>;

        fn serialize_bool(self, _: bool) -> Result<$ok, TypedError> {
            other()
        }

        fn serialize_i8(self, _: i8) -> Result<$ok, TypedError> {
            other()
        }

        fn serialize_i16(self, _: i16) -> Result<$ok, TypedError> {
            other()
        }

        fn serialize_i32(self, _: i32) -> Result<$ok, TypedError> {
            other()
        }

        fn serialize_u16(self, _: u16) -> Result<$ok, TypedError> {
            other()
        }

        fn serialize_u32(self, _: u32) -> Result<$ok, TypedError> {
            other()
        }

        fn serialize_u64(self, _: u64) -> Result<$ok, TypedError> {
            other()
        }

        fn serialize_f32(self, _: f32) -> Result<$ok, TypedError> {
            other()
        }

        fn serialize_f64(self, _: f64) -> Result<$ok, TypedError> {
            other()
        }

        fn serialize_char(self, _: char) -> Result<$ok, TypedError> {
            other()
        }

        fn serialize_str(self, _: &str) -> Result<$ok, TypedError> {
            other()
        }

        fn serialize_bytes(self, _: &[u8]) -> Result<$ok, TypedError> {
            other()
        }

        fn serialize_none(self) -> Result<$ok, TypedError> {
            other()
        }

        fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<$ok, TypedError> {
            other()
        }

        fn serialize_unit(self) -> Result<$ok, TypedError> {
            other()
        }

        fn serialize_unit_struct(self, _: &'static str) -> Result<$ok, TypedError> {
            other()
        }

        fn serialize_unit_variant(
            self,
            _: &'static str,
            _: u32,
            _: &'static str,
        ) -> Result<$ok, TypedError> {
            other()
        }

        fn serialize_newtype_struct<T: Serialize + ?Sized>(
            self,
            _: &'static str,
            _: &T,
        ) -> Result<$ok, TypedError> {
            other()
        }

        fn serialize_newtype_variant<T: Serialize + ?Sized>(
            self,
            _: &'static str,
            _: u32,
            _: &'static str,
            _: &T,
        ) -> Result<$ok, TypedError> {
            other()
        }

        fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, TypedError> {
            other()
        }

        fn serialize_tuple_struct(
            self,
            _: &'static str,
            _: usize,
        ) -> Result<Self::SerializeTupleStruct, TypedError> {
            other()
        }

        fn serialize_tuple_variant(
            self,
            _: &'static str,
            _: u32,
            _: &'static str,
            _: usize,
        ) -> Result<Self::SerializeTupleVariant, TypedError> {
            other()
        }

        fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, TypedError> {
            other()
        }

        fn serialize_struct(
            self,
            _: &'static str,
            _: usize,
        ) -> Result<Self::SerializeStruct, TypedError> {
            other()
        }

        fn serialize_struct_variant(
            self,
            _: &'static str,
            _: u32,
            _: &'static str,
            _: usize,
        ) -> Result<Self::SerializeStructVariant, TypedError> {
            other()
        }
    };
}

impl Serializer for IntWriter {
    only! { i64, Impossible<i64, TypedError> }

    fn serialize_i64(self, number: i64) -> Result<i64, TypedError> {
        Ok(number)
    }

    fn serialize_u8(self, _: u8) -> Result<i64, TypedError> {
        other()
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, TypedError> {
        other()
    }
}

impl Serializer for WideIntWriter {
    only! { i128, Impossible<i128, TypedError> }

    fn serialize_i64(self, _: i64) -> Result<i128, TypedError> {
        other()
    }

    fn serialize_u8(self, number: u8) -> Result<i128, TypedError> {
        Ok(i128::from(number))
    }

    fn serialize_i128(self, number: i128) -> Result<i128, TypedError> {
        Ok(number)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, TypedError> {
        other()
    }
}

impl Serializer for DecimalWriter {
    only! { (i128, u8), Self }

    fn serialize_i64(self, _: i64) -> Result<(i128, u8), TypedError> {
        other()
    }

    fn serialize_u8(self, _: u8) -> Result<(i128, u8), TypedError> {
        other()
    }

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
