//! Scalars whose type counts: two of different types are never equal, whatever they print as.

use std::{cmp::Ordering, fmt, hash, mem};

use triomphe::Arc;

use crate::{Decimal, Text, Timestamp, ValueError, ValueErrorKind};

/// The most bytes a value may encode to.
pub const VALUE_BYTES_MAX: usize = 256 * 1024;
/// The most items a [`List`] may have.
pub const LIST_ITEMS_MAX: usize = 4096;

/// A scalar, or a flat list of scalars. Never recursive, cheap to clone, 24 bytes in place.
///
/// The type is part of the value: `1`, `true` and `1.0` differ, and so do the decimals 1.5 and
/// 1.50. A NaN equals every NaN, so that writing it twice is one change; `0.0` and `-0.0` differ.
///
/// `Display` prints the value as `#=t` of a path compares it: Text as it is, Bytes in base64, a
/// List in brackets.
#[derive(Clone, Debug, Default)]
pub enum Value {
    /// Nothing; a node that stands there without a value.
    #[default]
    Null,
    /// True or false.
    Bool(bool),
    /// An integer of 64 bits.
    Int(i64),
    /// A floating point number of 64 bits.
    Float(f64),
    /// A string.
    Text(Text),
    /// Opaque bytes.
    Bytes(Bytes),
    /// An instant in UTC.
    Timestamp(Timestamp),
    /// A decimal number that keeps its scale.
    Decimal(Decimal),
    /// A flat list of scalars, opaque to paths.
    List(List),
}

/// Opaque bytes, shared when cloned.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bytes(Arc<[u8]>);

/// At most [`LIST_ITEMS_MAX`] scalars, shared when cloned.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct List(
    // Invariant: holds no list, and at most `LIST_ITEMS_MAX` items.
    Arc<[Value]>,
);

impl Value {
    /// What kind of value this is: `null`, `bool`, `int`, `float`, `text`, `bytes`, `timestamp`,
    /// `decimal` or `list`.
    pub const fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float",
            Self::Text(_) => "text",
            Self::Bytes(_) => "bytes",
            Self::Timestamp(_) => "timestamp",
            Self::Decimal(_) => "decimal",
            Self::List(_) => "list",
        }
    }

    /// Whether this is Null.
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The Bool in it.
    pub const fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The Int in it.
    pub const fn as_int(&self) -> Option<i64> {
        match self {
            Self::Int(value) => Some(*value),
            _ => None,
        }
    }

    /// The Float in it; an Int is none.
    pub const fn as_float(&self) -> Option<f64> {
        match self {
            Self::Float(value) => Some(*value),
            _ => None,
        }
    }

    /// The Text in it.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(value) => Some(value),
            _ => None,
        }
    }

    /// The Bytes in it.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Bytes(value) => Some(value.as_slice()),
            _ => None,
        }
    }

    /// The List in it.
    pub fn as_list(&self) -> Option<&[Value]> {
        match self {
            Self::List(value) => Some(value.items()),
            _ => None,
        }
    }

    /// How many bytes the value takes in the postcard encoding of this crate. O(1), but for a List.
    pub fn encoded_bytes(&self) -> usize {
        let payload = match self {
            Self::Null => 0,
            Self::Bool(_) => 1,
            Self::Float(_) => 8,
            // Seven bits a byte, of a number that is spread over both signs.
            Self::Int(number) => {
                let bits = u64::BITS - ((number << 1) ^ (number >> 63)).leading_zeros();
                bits.div_ceil(7).max(1) as usize
            }
            Self::Timestamp(time) => varint_bytes(zigzag(i128::from(time.as_ns()))),
            Self::Decimal(number) => varint_bytes(zigzag(number.mantissa())) + 1,
            Self::Text(text) => prefixed_bytes(text.len()),
            Self::Bytes(bytes) => prefixed_bytes(bytes.as_slice().len()),
            Self::List(list) => {
                let items = list.items();
                let bytes: usize = items.iter().map(|item| item.encoded_bytes()).sum();
                varint_bytes(items.len() as u128) + bytes
            }
        };
        1 + payload
    }

    /// The order in which a bag is sorted by value: Null, Bool, numbers by size, Timestamp, Text,
    /// Bytes, List. Total, and the same on every machine.
    pub fn sort_cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            (Self::Int(a), Self::Int(b)) => a.cmp(b),
            (Self::Decimal(a), Self::Decimal(b)) => a.number_cmp(b),
            (Self::Timestamp(a), Self::Timestamp(b)) => a.cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Bytes(a), Self::Bytes(b)) => a.cmp(b),
            (Self::List(a), Self::List(b)) => {
                let pairs = a.items().iter().zip(b.items());
                pairs
                    .map(|(a, b)| a.flat_cmp(b))
                    .find(|order| order.is_ne())
                    .unwrap_or_else(|| a.items().len().cmp(&b.items().len()))
            }
            _ => self.flat_cmp(other),
        }
    }

    // Items of a list are no lists, so this never needs to look into one.
    fn flat_cmp(&self, other: &Self) -> Ordering {
        let rank = |value: &Self| match value {
            Self::Null => 0,
            Self::Bool(_) => 1,
            Self::Int(_) | Self::Float(_) | Self::Decimal(_) => 2,
            Self::Timestamp(_) => 3,
            Self::Text(_) => 4,
            Self::Bytes(_) => 5,
            Self::List(_) => 6,
        };
        let exact = || match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            (Self::Timestamp(a), Self::Timestamp(b)) => a.cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Bytes(a), Self::Bytes(b)) => a.cmp(b),
            // Numbers of two types are compared as floats first, then by type, then exactly: each
            // step refines the one before it, so the order is total however floats round.
            _ => match (self.to_f64(), other.to_f64()) {
                (Some(a), Some(b)) => a.total_cmp(&b).then_with(|| match (self, other) {
                    (Self::Int(a), Self::Int(b)) => a.cmp(b),
                    (Self::Decimal(a), Self::Decimal(b)) => a.number_cmp(b),
                    _ => self.number_rank().cmp(&other.number_rank()),
                }),
                _ => Ordering::Equal,
            },
        };
        rank(self).cmp(&rank(other)).then_with(exact)
    }

    fn number_rank(&self) -> u8 {
        match self {
            Self::Int(_) => 0,
            Self::Decimal(_) => 1,
            _ => 2,
        }
    }

    pub(crate) fn to_f64(&self) -> Option<f64> {
        match self {
            Self::Int(number) => Some(*number as f64),
            Self::Decimal(number) => Some(number.to_f64()),
            // All NaNs are one value, which sorts last.
            Self::Float(number) if number.is_nan() => Some(f64::NAN.copysign(1.0)),
            Self::Float(number) => Some(*number),
            _ => None,
        }
    }

    /// Whether the value prints as `text`, as `#=text` asks. Allocates nothing.
    pub(crate) fn prints_as(&self, text: &str) -> bool {
        match self {
            Self::Text(own) => own == text,
            _ => {
                let mut rest = Rest(text);
                fmt::write(&mut rest, format_args!("{self}")).is_ok() && rest.0.is_empty()
            }
        }
    }
}

// What is left of a text that is compared while it is printed.
struct Rest<'a>(&'a str);

impl fmt::Write for Rest<'_> {
    fn write_str(&mut self, printed: &str) -> fmt::Result {
        self.0 = self.0.strip_prefix(printed).ok_or(fmt::Error)?;
        Ok(())
    }
}

pub(crate) fn prefixed_bytes(len: usize) -> usize {
    varint_bytes(len as u128) + len
}

pub(crate) fn varint_bytes(number: u128) -> usize {
    let bits = 128 - number.leading_zeros() as usize;
    bits.div_ceil(7).max(1)
}

pub(crate) fn zigzag(number: i128) -> u128 {
    ((number << 1) ^ (number >> 127)) as u128
}

impl Bytes {
    /// A copy of `bytes`.
    pub fn new(bytes: &[u8]) -> Self {
        Self(Arc::from(bytes))
    }

    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bytes({})", Base64(&self.0))
    }
}

impl List {
    /// A list of `items`.
    ///
    /// # Errors
    /// When there are more than [`LIST_ITEMS_MAX`], or one of them is a list.
    pub fn new(items: Vec<Value>) -> Result<Self, ValueError> {
        if items.len() > LIST_ITEMS_MAX {
            return Err(ValueError::new(ValueErrorKind::ListTooLong));
        }
        if items.iter().any(|item| matches!(item, Value::List(_))) {
            return Err(ValueError::new(ValueErrorKind::NestedList));
        }
        Ok(Self(Arc::from(items)))
    }

    /// The items, in order.
    pub fn items(&self) -> &[Value] {
        &self.0
    }
}

impl fmt::Debug for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter()).finish()
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => float_bits(*a) == float_bits(*b),
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::Bytes(a), Self::Bytes(b)) => a == b,
            (Self::Timestamp(a), Self::Timestamp(b)) => a == b,
            (Self::Decimal(a), Self::Decimal(b)) => a == b,
            (Self::List(a), Self::List(b)) => a == b,
            _ => false,
        }
    }
}

impl Eq for Value {}

impl hash::Hash for Value {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        mem::discriminant(self).hash(state);
        match self {
            Self::Null => {}
            Self::Bool(value) => value.hash(state),
            Self::Int(value) => value.hash(state),
            Self::Float(value) => float_bits(*value).hash(state),
            Self::Text(value) => value.hash(state),
            Self::Bytes(value) => value.hash(state),
            Self::Timestamp(value) => value.hash(state),
            Self::Decimal(value) => value.hash(state),
            Self::List(value) => value.hash(state),
        }
    }
}

fn float_bits(number: f64) -> u64 {
    if number.is_nan() {
        f64::NAN.to_bits()
    } else {
        number.to_bits()
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::List(list) = self else {
            return self.fmt_flat(f);
        };
        f.write_str("[")?;
        for (index, item) in list.items().iter().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            match item {
                Self::Text(text) => fmt_quoted(text, f)?,
                _ => item.fmt_flat(f)?,
            }
        }
        f.write_str("]")
    }
}

impl Value {
    fn fmt_flat(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(value) => write!(f, "{value}"),
            // `Debug` keeps the point, so that 1.0 does not print as the Int 1.
            Self::Float(value) => write!(f, "{value:?}"),
            Self::Text(value) => f.write_str(value),
            Self::Bytes(value) => write!(f, "{}", Base64(value.as_slice())),
            Self::Timestamp(value) => write!(f, "{value}"),
            Self::Decimal(value) => write!(f, "{value}"),
            Self::List(_) => f.write_str("[]"),
        }
    }
}

fn fmt_quoted(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    use fmt::Write;
    f.write_str("\"")?;
    for char in text.chars() {
        match char {
            '"' | '\\' => write!(f, "\\{char}")?,
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            '\0'..='\x1f' => write!(f, "\\u{:04x}", char as u32)?,
            _ => f.write_char(char)?,
        }
    }
    f.write_str("\"")
}

// Standard alphabet with padding (RFC 4648, section 4).
struct Base64<'a>(&'a [u8]);

impl fmt::Display for Base64<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write;
        const ALPHABET: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        for chunk in self.0.chunks(3) {
            let byte = |i: usize| u32::from(chunk.get(i).copied().unwrap_or(0));
            let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
            for place in 0..4 {
                let sextet = (bits >> (18 - 6 * place)) as usize & 63;
                f.write_char(if place > chunk.len() {
                    '='
                } else {
                    char::from(ALPHABET[sextet])
                })?;
            }
        }
        Ok(())
    }
}

macro_rules! value_from {
    ($($from:ty => $variant:ident ($value:ident) $convert:expr;)*) => {$(
        impl From<$from> for Value {
            fn from($value: $from) -> Self {
                Self::$variant($convert)
            }
        }
    )*};
}

value_from! {
    bool => Bool(value) value;
    i64 => Int(value) value;
    i32 => Int(value) i64::from(value);
    u32 => Int(value) i64::from(value);
    f64 => Float(value) value;
    &str => Text(value) Text::new(value);
    String => Text(value) Text::from(value);
    Text => Text(value) value;
    &[u8] => Bytes(value) Bytes::new(value);
    Vec<u8> => Bytes(value) Bytes::new(&value);
    Bytes => Bytes(value) value;
    Timestamp => Timestamp(value) value;
    Decimal => Decimal(value) value;
    List => List(value) value;
}
