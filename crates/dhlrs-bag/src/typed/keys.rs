//! Labels as the keys of maps, and back.

use serde::{
    de::{self, Deserializer, IntoDeserializer, Unexpected, Visitor},
    ser::{Impossible, Serialize, Serializer},
};

use super::{TypedError, TypedErrorKind as Kind, refused::refused};
use crate::Label;

/// Reads a label as whatever the key is: a text, a number, a truth value, a variant.
pub(super) struct KeyReader<'a> {
    label: &'a str,
}

impl<'a> KeyReader<'a> {
    pub(super) fn new(label: &'a Label) -> Self {
        Self { label }
    }
}

macro_rules! parsed {
    ($($method:ident $visit:ident $expected:literal;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TypedError> {
            match self.label.parse() {
                Ok(key) => visitor.$visit(key),
                Err(_) => Err(de::Error::invalid_value(Unexpected::Str(self.label), &$expected)),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for KeyReader<'_> {
    type Error = TypedError;

    parsed! {
        deserialize_bool visit_bool "a truth value as key";
        deserialize_i8 visit_i64 "an integer as key";
        deserialize_i16 visit_i64 "an integer as key";
        deserialize_i32 visit_i64 "an integer as key";
        deserialize_i64 visit_i64 "an integer as key";
        deserialize_i128 visit_i128 "an integer as key";
        deserialize_u8 visit_u64 "an integer as key";
        deserialize_u16 visit_u64 "an integer as key";
        deserialize_u32 visit_u64 "an integer as key";
        deserialize_u64 visit_u64 "an integer as key";
        deserialize_u128 visit_u128 "an integer as key";
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TypedError> {
        visitor.visit_str(self.label)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TypedError> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, TypedError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, TypedError> {
        let variant: de::value::StrDeserializer<'_, TypedError> = self.label.into_deserializer();
        visitor.visit_enum(variant)
    }

    serde::forward_to_deserialize_any! {
        f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct
        identifier ignored_any
    }
}

/// Writes a key as a label.
pub(super) struct KeyWriter;

fn label(text: &str) -> Result<Label, TypedError> {
    Label::new(text).map_err(|cause| {
        TypedError::new(
            Kind::BadLabel,
            format_args!("`{text}` cannot be a label: {cause}"),
        )
    })
}

fn no_key<T>() -> Result<T, TypedError> {
    let detail = "a key of a map is a text, an integer, a truth value or a unit variant";
    Err(TypedError::new(Kind::BadLabel, detail))
}

macro_rules! printed {
    ($($method:ident $from:ty;)*) => {$(
        fn $method(self, key: $from) -> Result<Label, TypedError> {
            label(&key.to_string())
        }
    )*};
}

impl Serializer for KeyWriter {
    type Ok = Label;
    type Error = TypedError;

    printed! {
        serialize_bool bool;
        serialize_i8 i8;
        serialize_i16 i16;
        serialize_i32 i32;
        serialize_i64 i64;
        serialize_i128 i128;
        serialize_u8 u8;
        serialize_u16 u16;
        serialize_u32 u32;
        serialize_u64 u64;
        serialize_u128 u128;
        serialize_char char;
    }

    fn serialize_str(self, key: &str) -> Result<Label, TypedError> {
        label(key)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, key: &T) -> Result<Label, TypedError> {
        key.serialize(self)
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<Label, TypedError> {
        label(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        key: &T,
    ) -> Result<Label, TypedError> {
        key.serialize(self)
    }

    refused! {
        Label, no_key: f32 f64 bytes none unit unit_struct newtype_variant seq tuple tuple_struct
            tuple_variant map struct struct_variant
    }
}
