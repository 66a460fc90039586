//! How the nouns of this crate travel through serde: paths and positions as text, and nothing is
//! taken in without the check that its constructor makes.

use std::{fmt, marker::PhantomData, str::FromStr};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, SeqAccess, Visitor},
};

use crate::{
    ATTRIBUTES_MAX, Attributes, Branch, BranchBuilder, Bytes, Decimal, LIST_ITEMS_MAX, Label, List,
    Name, Position, Row, Text, Timestamp, VALUE_BYTES_MAX, Value,
};

/// What typed access knows the scalars of this crate by; in other codings these names say nothing.
pub(crate) const DECIMAL: &str = "dhlrs_bag::Decimal";
pub(crate) const TIMESTAMP: &str = "dhlrs_bag::Timestamp";
pub(crate) const VALUE: &str = "dhlrs_bag::Value";

// The longest text that `FromStr` is tried on; labels, names and paths are shorter.
const PARSED_BYTES_MAX: usize = 4 * dhlrs_path::PATH_BYTES_MAX;

struct Parsed<T>(PhantomData<T>);

impl<T: FromStr<Err: fmt::Display>> Visitor<'_> for Parsed<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a text of at most {PARSED_BYTES_MAX} bytes")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        if text.len() > PARSED_BYTES_MAX {
            return Err(E::invalid_length(text.len(), &self));
        }
        text.parse().map_err(E::custom)
    }
}

fn parsed<'de, D: Deserializer<'de>, T: FromStr<Err: fmt::Display>>(d: D) -> Result<T, D::Error> {
    d.deserialize_str(Parsed(PhantomData))
}

// A text that may be absent. `Option<Via<T>>` lets serde do the optional part.
struct Via<T>(T);

impl<'de, T: FromStr<Err: fmt::Display>> Deserialize<'de> for Via<T> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        parsed(d).map(Self)
    }
}

impl<T: fmt::Display> Serialize for Via<&T> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self.0)
    }
}

pub(crate) mod path {
    use super::{Deserializer, Serializer, parsed};
    use dhlrs_path::Path;

    pub(crate) fn serialize<S: Serializer>(path: &Path<'static>, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(path.as_str())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Path<'static>, D::Error> {
        parsed(d)
    }
}

pub(crate) mod optional_text {
    use super::{Deserialize, Deserializer, FromStr, Serialize, Serializer, Via, fmt};

    pub(crate) fn serialize<T: fmt::Display, S: Serializer>(
        text: &Option<T>,
        s: S,
    ) -> Result<S::Ok, S::Error> {
        text.as_ref().map(Via).serialize(s)
    }

    pub(crate) fn deserialize<'de, T: FromStr<Err: fmt::Display>, D: Deserializer<'de>>(
        d: D,
    ) -> Result<Option<T>, D::Error> {
        Ok(Option::<Via<T>>::deserialize(d)?.map(|via| via.0))
    }
}

pub(crate) use optional_text as optional_path;

// The text of a value: long ones are refused before they are copied.
struct TextVisitor<const BYTES_MAX: usize>;

impl<const BYTES_MAX: usize> Visitor<'_> for TextVisitor<BYTES_MAX> {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a text of at most {BYTES_MAX} bytes")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Text, E> {
        if text.len() > BYTES_MAX {
            return Err(E::invalid_length(text.len(), &self));
        }
        Ok(Text::new(text))
    }
}

struct BytesVisitor;

impl Visitor<'_> for BytesVisitor {
    type Value = Bytes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at most {VALUE_BYTES_MAX} bytes")
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Bytes, E> {
        if bytes.len() > VALUE_BYTES_MAX {
            return Err(E::invalid_length(bytes.len(), &self));
        }
        Ok(Bytes::new(bytes))
    }
}

struct BoundedVisitor<T, const MAX: usize>(PhantomData<T>);

impl<'de, T: Deserialize<'de>, const MAX: usize> Visitor<'de> for BoundedVisitor<T, MAX> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at most {MAX} elements")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<T>, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = seq.next_element()? {
            if elements.len() == MAX {
                return Err(de::Error::invalid_length(MAX + 1, &self));
            }
            elements.push(element);
        }
        Ok(elements)
    }
}

/// At most `MAX` elements; memory grows with what has arrived, not with what is announced.
pub(crate) fn bounded<'de, D: Deserializer<'de>, T: Deserialize<'de>, const MAX: usize>(
    d: D,
) -> Result<Vec<T>, D::Error> {
    d.deserialize_seq(BoundedVisitor::<T, MAX>(PhantomData))
}

/// The reason of a [`Meta`](crate::Meta).
pub(crate) fn reason<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Text>, D::Error> {
    struct Reason(Text);

    impl<'de> Deserialize<'de> for Reason {
        fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
            d.deserialize_str(TextVisitor::<{ crate::REASON_BYTES_MAX }>)
                .map(Self)
        }
    }

    Ok(Option::<Reason>::deserialize(d)?.map(|reason| reason.0))
}

macro_rules! as_text {
    ($($type:ty),*) => {$(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                parsed(d)
            }
        }
    )*};
}

as_text!(Label, Name);

impl Serialize for Position {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Position {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        parsed(d)
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_str(TextVisitor::<VALUE_BYTES_MAX>)
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_bytes(self.as_slice())
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_bytes(BytesVisitor)
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_newtype_struct(DECIMAL, &(self.mantissa(), self.scale()))
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Parts;

        impl<'de> Visitor<'de> for Parts {
            type Value = Decimal;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a decimal")
            }

            fn visit_newtype_struct<D: Deserializer<'de>>(self, d: D) -> Result<Decimal, D::Error> {
                match d.is_human_readable() {
                    true => d.deserialize_any(self),
                    false => d.deserialize_tuple(2, self),
                }
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Decimal, A::Error> {
                let missing = |at: usize| de::Error::invalid_length(at, &"mantissa and scale");
                let mantissa: i128 = parts.next_element()?.ok_or_else(|| missing(0))?;
                let scale: u8 = parts.next_element()?.ok_or_else(|| missing(1))?;
                Decimal::new(mantissa, scale).map_err(de::Error::custom)
            }

            // What it prints as, where serde had to buffer it.
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Decimal, E> {
                text.parse().map_err(E::custom)
            }
        }

        d.deserialize_newtype_struct(DECIMAL, Parts)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Ns;

        impl<'de> Visitor<'de> for Ns {
            type Value = Timestamp;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("nanoseconds, or a time as RFC 3339 spells it")
            }

            fn visit_newtype_struct<D: Deserializer<'de>>(
                self,
                d: D,
            ) -> Result<Timestamp, D::Error> {
                match d.is_human_readable() {
                    true => d.deserialize_any(self),
                    false => d.deserialize_i64(self),
                }
            }

            fn visit_i64<E: de::Error>(self, ns: i64) -> Result<Timestamp, E> {
                Ok(Timestamp::from_ns(ns))
            }

            fn visit_u64<E: de::Error>(self, ns: u64) -> Result<Timestamp, E> {
                let ns = i64::try_from(ns);
                let ns = ns.map_err(|_| E::custom("nanoseconds beyond 64 bits with a sign"))?;
                Ok(Timestamp::from_ns(ns))
            }

            // What it prints as, where serde had to buffer it.
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Timestamp, E> {
                text.parse().map_err(E::custom)
            }
        }

        d.deserialize_newtype_struct(TIMESTAMP, Ns)
    }
}

// The variants of a value under the same numbers; an item of a list has no variant for lists, so
// that decoding cannot recurse.
macro_rules! wire_value {
    ($name:ident $(, $list:ident($items:ty))?) => {
        #[derive(Deserialize)]
        #[serde(rename = "dhlrs_bag::Value")]
        enum $name {
            Null,
            Bool(bool),
            Int(i64),
            Float(f64),
            Text(Text),
            Bytes(Bytes),
            Timestamp(Timestamp),
            Decimal(Decimal),
            $($list($items),)?
        }
    };
}

wire_value!(WireItem);
wire_value!(WireValue, List(WireList));

struct WireList(List);

impl<'de> Deserialize<'de> for WireList {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let items: Vec<WireItem> = bounded::<_, _, LIST_ITEMS_MAX>(d)?;
        let items = items.into_iter().map(|item| match item {
            WireItem::Null => Value::Null,
            WireItem::Bool(value) => Value::Bool(value),
            WireItem::Int(value) => Value::Int(value),
            WireItem::Float(value) => Value::Float(value),
            WireItem::Text(value) => Value::Text(value),
            WireItem::Bytes(value) => Value::Bytes(value),
            WireItem::Timestamp(value) => Value::Timestamp(value),
            WireItem::Decimal(value) => Value::Decimal(value),
        });
        List::new(items.collect())
            .map(Self)
            .map_err(de::Error::custom)
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        // As `WireValue` would write it, without a copy.
        match self {
            Self::Null => s.serialize_unit_variant(VALUE, 0, "Null"),
            Self::Bool(value) => s.serialize_newtype_variant(VALUE, 1, "Bool", value),
            Self::Int(value) => s.serialize_newtype_variant(VALUE, 2, "Int", value),
            Self::Float(value) => s.serialize_newtype_variant(VALUE, 3, "Float", value),
            Self::Text(value) => s.serialize_newtype_variant(VALUE, 4, "Text", value),
            Self::Bytes(value) => s.serialize_newtype_variant(VALUE, 5, "Bytes", value),
            Self::Timestamp(value) => s.serialize_newtype_variant(VALUE, 6, "Timestamp", value),
            Self::Decimal(value) => s.serialize_newtype_variant(VALUE, 7, "Decimal", value),
            Self::List(value) => s.serialize_newtype_variant(VALUE, 8, "List", value.items()),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Ok(match WireValue::deserialize(d)? {
            WireValue::Null => Self::Null,
            WireValue::Bool(value) => Self::Bool(value),
            WireValue::Int(value) => Self::Int(value),
            WireValue::Float(value) => Self::Float(value),
            WireValue::Text(value) => Self::Text(value),
            WireValue::Bytes(value) => Self::Bytes(value),
            WireValue::Timestamp(value) => Self::Timestamp(value),
            WireValue::Decimal(value) => Self::Decimal(value),
            WireValue::List(value) => Self::List(value.0),
        })
    }
}

impl Serialize for Attributes {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for Attributes {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Entries;

        impl<'de> Visitor<'de> for Entries {
            type Value = Attributes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "at most {ATTRIBUTES_MAX} attributes")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Attributes, A::Error> {
                let mut attributes = Attributes::new();
                while let Some((name, value)) = seq.next_element()? {
                    if attributes.len() == ATTRIBUTES_MAX {
                        return Err(de::Error::invalid_length(ATTRIBUTES_MAX + 1, &self));
                    }
                    if attributes.insert(name, value).is_some() {
                        return Err(de::Error::custom("an attribute is there twice"));
                    }
                }
                Ok(attributes)
            }
        }

        d.deserialize_seq(Entries)
    }
}

impl Serialize for Branch {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_seq(self.rows())
    }
}

impl<'de> Deserialize<'de> for Branch {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Rows;

        impl<'de> Visitor<'de> for Rows {
            type Value = Branch;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the rows of a branch")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Branch, A::Error> {
                let mut builder = BranchBuilder::new();
                while let Some(row) = seq.next_element::<Row>()? {
                    builder.push(row).map_err(de::Error::custom)?;
                }
                Ok(builder.finish())
            }
        }

        d.deserialize_seq(Rows)
    }
}
