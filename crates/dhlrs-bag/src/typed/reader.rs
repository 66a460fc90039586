//! Nodes and values as serde reads them.

use serde::de::{
    self, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess,
    Unexpected, VariantAccess, Visitor, value::StrDeserializer,
};

use super::{TypedError, keys::KeyReader};
use crate::{
    BagNode, Value,
    coding::{DECIMAL, TIMESTAMP, VALUE},
};

/// Reads a node: a bag by its children, a leaf by its value.
///
/// serde goes one call deeper a level of the tree, of which there are at most
/// [`DEPTH_MAX`](dhlrs_path::DEPTH_MAX).
pub(super) struct NodeReader<'a> {
    node: BagNode<'a>,
}

/// Reads a scalar or a list.
pub(super) struct ValueReader<'a> {
    value: &'a Value,
}

impl<'a> NodeReader<'a> {
    pub(super) fn new(node: BagNode<'a>) -> Self {
        Self { node }
    }

    // The reader of its value, or that it is a bag.
    fn value(&self) -> Option<ValueReader<'a>> {
        self.node.value().map(ValueReader::new)
    }
}

impl<'a> ValueReader<'a> {
    pub(super) fn new(value: &'a Value) -> Self {
        Self { value }
    }
}

impl<'de> Deserializer<'de> for NodeReader<'_> {
    type Error = TypedError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TypedError> {
        match self.value() {
            Some(value) => value.deserialize_any(visitor),
            // Types that serde buffers before it knows what they are come this way.
            None if is_sequence(&self.node) => visitor.visit_seq(Children::new(self.node)),
            None => visitor.visit_map(Children::new(self.node)),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TypedError> {
        match self.value() {
            Some(value) => value.deserialize_any(visitor),
            None => visitor.visit_map(Children::new(self.node)),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, TypedError> {
        self.deserialize_map(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TypedError> {
        match self.node.value() {
            Some(Value::Null) => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TypedError> {
        match self.value() {
            Some(value) => value.deserialize_seq(visitor),
            None => visitor.visit_seq(Children::new(self.node)),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, TypedError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, TypedError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, TypedError> {
        match self.value() {
            Some(value) => value.deserialize_newtype_struct(name, visitor),
            None => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, TypedError> {
        if let Some(value) = self.value() {
            return value.deserialize_enum(name, variants, visitor);
        }
        let mut children = self.node.children();
        match (children.next(), children.next()) {
            (Some(variant), None) => visitor.visit_enum(Variant { node: variant }),
            _ => Err(de::Error::invalid_type(
                Unexpected::Other("a bag of another size"),
                &"a bag with one child, the variant",
            )),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TypedError> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct identifier
    }
}

/// Whether the labels are those that a sequence gets.
fn is_sequence(bag: &BagNode<'_>) -> bool {
    !bag.is_empty()
        && (0_u64..)
            .zip(bag.children())
            .all(|(at, child)| child.label().as_str() == at.to_string())
}

impl<'de> Deserializer<'de> for ValueReader<'_> {
    type Error = TypedError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TypedError> {
        match self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Int(value) => visitor.visit_i64(*value),
            Value::Float(value) => visitor.visit_f64(*value),
            Value::Text(value) => visitor.visit_str(value),
            Value::Bytes(value) => visitor.visit_bytes(value.as_slice()),
            Value::Timestamp(_) | Value::Decimal(_) => visitor.visit_string(self.value.to_string()),
            Value::List(list) => visitor.visit_seq(Items {
                items: list.items().iter(),
            }),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TypedError> {
        match self.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TypedError> {
        match self.value {
            Value::Bytes(bytes) => visitor.visit_seq(de::value::SeqDeserializer::new(
                bytes.as_slice().iter().copied(),
            )),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, TypedError> {
        match (name, self.value) {
            (TIMESTAMP, Value::Timestamp(time)) => {
                visitor.visit_newtype_struct(time.as_ns().into_deserializer())
            }
            (DECIMAL, Value::Decimal(number)) => {
                let parts = Parts {
                    mantissa: Some(number.mantissa()),
                    scale: Some(number.scale()),
                };
                visitor.visit_newtype_struct(de::value::SeqAccessDeserializer::new(parts))
            }
            (TIMESTAMP | DECIMAL, other) => {
                let found = format!("{} {other}", other.type_name());
                Err(de::Error::invalid_type(Unexpected::Other(&found), &visitor))
            }
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, TypedError> {
        match self.value {
            value if name == VALUE => visitor.visit_enum(Own { value }),
            Value::Text(variant) => {
                let variant: StrDeserializer<'_, TypedError> = variant.as_str().into_deserializer();
                visitor.visit_enum(variant)
            }
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TypedError> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct tuple tuple_struct map struct identifier
    }
}

// The children of a bag, with or without their labels.
struct Children<'a, I> {
    left: usize,
    children: I,
    value: Option<BagNode<'a>>,
}

impl<'a> Children<'a, ()> {
    fn new(node: BagNode<'a>) -> Children<'a, impl Iterator<Item = BagNode<'a>>> {
        Children {
            left: usize::try_from(node.len()).unwrap_or(usize::MAX),
            children: node.children(),
            value: None,
        }
    }
}

fn read<'de, S: DeserializeSeed<'de>>(seed: S, node: BagNode<'_>) -> Result<S::Value, TypedError> {
    seed.deserialize(NodeReader::new(node))
        .map_err(|error| error.at(&node.path()))
}

impl<'a, 'de, I: Iterator<Item = BagNode<'a>>> MapAccess<'de> for Children<'a, I> {
    type Error = TypedError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, TypedError> {
        let Some(node) = self.children.next() else {
            return Ok(None);
        };
        self.left = self.left.saturating_sub(1);
        self.value = Some(node);
        let key = seed.deserialize(KeyReader::new(node.label()));
        key.map(Some).map_err(|error| error.at(&node.path()))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<S::Value, TypedError> {
        match self.value.take() {
            Some(node) => read(seed, node),
            None => Err(de::Error::custom("a value was asked for before its key")),
        }
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

impl<'a, 'de, I: Iterator<Item = BagNode<'a>>> SeqAccess<'de> for Children<'a, I> {
    type Error = TypedError;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, TypedError> {
        self.left = self.left.saturating_sub(1);
        self.children
            .next()
            .map(|node| read(seed, node))
            .transpose()
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

struct Items<'a> {
    items: std::slice::Iter<'a, Value>,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = TypedError;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, TypedError> {
        let item = self.items.next();
        item.map(|value| seed.deserialize(ValueReader::new(value)))
            .transpose()
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

// A bag whose one child is the variant.
struct Variant<'a> {
    node: BagNode<'a>,
}

impl<'a, 'de> EnumAccess<'de> for Variant<'a> {
    type Error = TypedError;
    type Variant = NodeReader<'a>;

    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, NodeReader<'a>), TypedError> {
        let variant = seed.deserialize(KeyReader::new(self.node.label()));
        let variant = variant.map_err(|error| error.at(&self.node.path()))?;
        Ok((variant, NodeReader::new(self.node)))
    }
}

impl<'de> VariantAccess<'de> for NodeReader<'_> {
    type Error = TypedError;

    fn unit_variant(self) -> Result<(), TypedError> {
        read(std::marker::PhantomData::<()>, self.node)
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<S::Value, TypedError> {
        read(seed, self.node)
    }

    fn tuple_variant<V: Visitor<'de>>(
        self,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, TypedError> {
        let path = self.node.path();
        self.deserialize_seq(visitor)
            .map_err(|error| error.at(&path))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, TypedError> {
        let path = self.node.path();
        self.deserialize_map(visitor)
            .map_err(|error| error.at(&path))
    }
}

// A value read as the enum of this crate.
struct Own<'a> {
    value: &'a Value,
}

impl<'a, 'de> EnumAccess<'de> for Own<'a> {
    type Error = TypedError;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Self), TypedError> {
        let index: u32 = match self.value {
            Value::Null => 0,
            Value::Bool(_) => 1,
            Value::Int(_) => 2,
            Value::Float(_) => 3,
            Value::Text(_) => 4,
            Value::Bytes(_) => 5,
            Value::Timestamp(_) => 6,
            Value::Decimal(_) => 7,
            Value::List(_) => 8,
        };
        let variant = seed.deserialize(index.into_deserializer());
        variant.map(|variant: S::Value| (variant, self))
    }
}

impl<'de> VariantAccess<'de> for Own<'_> {
    type Error = TypedError;

    fn unit_variant(self) -> Result<(), TypedError> {
        Ok(())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<S::Value, TypedError> {
        seed.deserialize(ValueReader::new(self.value))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, TypedError> {
        ValueReader::new(self.value).deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, TypedError> {
        ValueReader::new(self.value).deserialize_any(visitor)
    }
}

// A decimal as it travels: mantissa, then scale.
struct Parts {
    mantissa: Option<i128>,
    scale: Option<u8>,
}

impl<'de> SeqAccess<'de> for Parts {
    type Error = TypedError;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, TypedError> {
        if let Some(mantissa) = self.mantissa.take() {
            return seed.deserialize(mantissa.into_deserializer()).map(Some);
        }
        let scale = self.scale.take();
        scale
            .map(|scale| seed.deserialize(scale.into_deserializer()))
            .transpose()
    }
}
