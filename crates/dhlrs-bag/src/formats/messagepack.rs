//! MessagePack, token by token: an array of version, attributes and rows.

use rmp::{Marker, encode};

use super::{FormatError, FormatErrorKind as Kind, ReadLimits, assemble::Assembly};
use crate::{
    ATTRIBUTES_MAX, Attributes, Bag, BagNode, Bytes, Decimal, LIST_ITEMS_MAX, Label, List, Name,
    ResolverRef, Row, Text, Timestamp, VALUE_BYTES_MAX, Value, branch::RowRef,
};

/// The first element of a bag in MessagePack.
pub const MESSAGEPACK_VERSION: u8 = 1;

// MessagePack's own extension type for instants.
const TIMESTAMP: i8 = -1;
// The scale in one byte, then the mantissa in 16, most significant first.
const DECIMAL: i8 = 1;
// A bag, whose children are the deeper rows that follow. No payload.
const BAG: i8 = 2;

impl BagNode<'_> {
    /// What is stored in this bag as MessagePack, which [`Bag::from_messagepack`] reads to an equal
    /// tree; of a leaf, its attributes alone. O(n).
    ///
    /// `[1, {attribute: value}, [row…]]` with rows `[depth, label, value, {attribute: value},
    /// resolver?]` in pre-order, a resolver being `[name, cache time in ms, read only, {parameter:
    /// value}]`. A Timestamp is MessagePack's own extension −1, a Decimal extension 1, a bag the
    /// empty extension 2; a List is an array.
    pub fn to_messagepack(&self) -> Vec<u8> {
        let mut rows = Vec::new();
        let mut count = 0;
        for row in self.row_refs() {
            count += 1;
            write_row(&mut rows, row);
        }
        let mut out = Vec::new();
        array(&mut out, 3);
        int(&mut out, i64::from(MESSAGEPACK_VERSION));
        write_attributes(&mut out, self.attributes());
        array(&mut out, count);
        out.extend_from_slice(&rows);
        out
    }
}

// Writing to memory cannot fail; these say so once.
fn array(out: &mut Vec<u8>, len: usize) {
    let _: Result<_, _> = encode::write_array_len(out, u32::try_from(len).unwrap_or(u32::MAX));
}

fn int(out: &mut Vec<u8>, number: i64) {
    let _: Result<_, _> = encode::write_sint(out, number);
}

fn text(out: &mut Vec<u8>, text: &str) {
    let _: Result<_, _> = encode::write_str(out, text);
}

fn ext(out: &mut Vec<u8>, kind: i8, bytes: &[u8]) {
    let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let _: Result<_, _> = encode::write_ext_meta(out, len, kind);
    out.extend_from_slice(bytes);
}

fn boolean(out: &mut Vec<u8>, value: bool) {
    let _: Result<_, _> = encode::write_bool(out, value);
}

fn write_row(out: &mut Vec<u8>, row: RowRef<'_>) {
    array(out, if row.resolver.is_some() { 5 } else { 4 });
    int(out, i64::from(row.depth));
    text(out, row.label);
    match row.value {
        Some(Value::List(list)) => {
            array(out, list.items().len());
            list.items().iter().for_each(|item| write_scalar(out, item));
        }
        Some(value) => write_scalar(out, value),
        None => ext(out, BAG, &[]),
    }
    write_attributes(out, row.attributes);
    if let Some(resolver) = row.resolver {
        array(out, 4);
        text(out, &resolver.name);
        int(out, resolver.cache_time_ms);
        boolean(out, resolver.read_only);
        write_attributes(out, &resolver.parameters);
    }
}

fn write_attributes(out: &mut Vec<u8>, attributes: &Attributes) {
    let len = u32::try_from(attributes.len()).unwrap_or(u32::MAX);
    let _: Result<_, _> = encode::write_map_len(out, len);
    for (name, value) in attributes.iter() {
        text(out, name);
        match value {
            Value::List(list) => {
                array(out, list.items().len());
                list.items().iter().for_each(|item| write_scalar(out, item));
            }
            value => write_scalar(out, value),
        }
    }
}

fn write_scalar(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => drop(encode::write_nil(out)),
        Value::Bool(value) => boolean(out, *value),
        Value::Int(value) => int(out, *value),
        Value::Float(value) => drop(encode::write_f64(out, *value)),
        Value::Text(value) => text(out, value),
        Value::Bytes(value) => drop(encode::write_bin(out, value.as_slice())),
        Value::Timestamp(value) => {
            // The longest of the three layouts, which has room for every instant.
            let (seconds, ns) = (
                value.as_ns().div_euclid(NS_PER_S),
                value.as_ns().rem_euclid(NS_PER_S),
            );
            let mut bytes = [0; 12];
            let (head, tail) = bytes.split_at_mut(4);
            head.copy_from_slice(&u32::try_from(ns).unwrap_or_default().to_be_bytes());
            tail.copy_from_slice(&seconds.to_be_bytes());
            ext(out, TIMESTAMP, &bytes);
        }
        Value::Decimal(value) => {
            let mut bytes = vec![value.scale()];
            bytes.extend_from_slice(&value.mantissa().to_be_bytes());
            ext(out, DECIMAL, &bytes);
        }
        // Lists hold none; each caller writes its own.
        Value::List(_) => array(out, 0),
    }
}

const NS_PER_S: i64 = 1_000_000_000;

impl Bag {
    /// The bag that [`BagNode::to_messagepack`] wrote.
    ///
    /// Memory is bounded by the length of the input, whatever lengths it announces. O(n log n) in
    /// the width of the bags.
    ///
    /// # Errors
    /// See [`FormatErrorKind`](super::FormatErrorKind); the error says at which byte.
    pub fn from_messagepack(bytes: &[u8], limits: &ReadLimits) -> Result<Self, FormatError> {
        limits.check_bytes(bytes.len() as u64)?;
        let mut tokens = Tokens { bytes, at: 0 };
        let mut assembly = Assembly::new(*limits);
        if tokens.array()? != 3 {
            return Err(tokens.wrong("a bag is [version, attributes, rows]"));
        }
        let version = tokens.int()?;
        if version != i64::from(MESSAGEPACK_VERSION) {
            let detail = format!("version {version}; this program knows {MESSAGEPACK_VERSION}");
            return Err(tokens.error(Kind::UnknownVersion, detail));
        }
        let own = tokens.attributes()?;
        let at = tokens.at as u64;
        assembly
            .root_attributes(own)
            .map_err(|error| error.at_byte(at))?;
        for _ in 0..tokens.array()? {
            let at = tokens.at as u64;
            let row = tokens.row()?;
            assembly.row(row).map_err(|error| error.at_byte(at))?;
        }
        if tokens.at < bytes.len() {
            return Err(tokens.error(Kind::Syntax, "bytes follow the last row"));
        }
        Ok(assembly.finish())
    }
}

struct Tokens<'a> {
    bytes: &'a [u8],
    at: usize,
}

enum Token<'a> {
    Scalar(Value),
    Text(&'a str),
    Array(usize),
    Map(usize),
    Bag,
}

impl<'a> Tokens<'a> {
    fn row(&mut self) -> Result<Row, FormatError> {
        let fields = self.array()?;
        if !(4..=5).contains(&fields) {
            return Err(self.wrong("a row is [depth, label, value, attributes, resolver?]"));
        }
        let depth = self.int()?;
        let depth = u16::try_from(depth).map_err(|_| self.wrong("a depth beyond a tree"))?;
        let label = self.text()?;
        let label = Label::new(label)
            .map_err(|cause| self.error(Kind::BadLabel, format!("cannot be a label: {cause}")))?;
        let value = match self.token()? {
            Token::Bag => None,
            token => Some(self.value(token)?),
        };
        let attributes = self.attributes()?;
        let resolver = (fields == 5).then(|| self.resolver()).transpose()?;
        Ok(Row {
            depth,
            label,
            value,
            attributes,
            resolver,
        })
    }

    fn resolver(&mut self) -> Result<ResolverRef, FormatError> {
        if self.array()? != 4 {
            return Err(self.wrong("a resolver is [name, cache time, read only, parameters]"));
        }
        let name = self.name()?;
        let cache_time_ms = self.int()?;
        let Token::Scalar(Value::Bool(read_only)) = self.token()? else {
            return Err(self.wrong("a resolver is [name, cache time, read only, parameters]"));
        };
        Ok(ResolverRef {
            name,
            cache_time_ms,
            read_only,
            parameters: self.attributes()?,
        })
    }

    fn attributes(&mut self) -> Result<Attributes, FormatError> {
        let Token::Map(len) = self.token()? else {
            return Err(self.wrong("attributes are a map"));
        };
        if len > ATTRIBUTES_MAX {
            let detail = format!("{len} attributes, limit {ATTRIBUTES_MAX}");
            return Err(self.error(Kind::TooLarge, detail));
        }
        let mut attributes = Attributes::new();
        for _ in 0..len {
            let name = self.name()?;
            let token = self.token()?;
            let value = self.value(token)?;
            if attributes.insert(name, value).is_some() {
                return Err(self.error(Kind::DuplicateLabel, "an attribute stands there twice"));
            }
        }
        Ok(attributes)
    }

    fn value(&mut self, token: Token<'a>) -> Result<Value, FormatError> {
        let Token::Array(len) = token else {
            return self.scalar(token);
        };
        if len > LIST_ITEMS_MAX {
            let detail = format!("a list of {len} items, limit {LIST_ITEMS_MAX}");
            return Err(self.error(Kind::TooLarge, detail));
        }
        // An item takes a byte at least, so what is reserved is bounded by what is there.
        let mut items = Vec::with_capacity(len.min(self.bytes.len() - self.at));
        for _ in 0..len {
            let token = self.token()?;
            items.push(self.scalar(token)?);
        }
        let list = List::new(items);
        list.map(Value::List)
            .map_err(|cause| self.error(Kind::BadShape, cause.to_string()))
    }

    fn scalar(&self, token: Token<'a>) -> Result<Value, FormatError> {
        match token {
            Token::Scalar(value) => Ok(value),
            Token::Text(text) if text.len() <= VALUE_BYTES_MAX => Ok(Value::Text(Text::new(text))),
            Token::Text(_) => Err(self.error(
                Kind::TooLarge,
                format!("a text of more than {VALUE_BYTES_MAX} bytes"),
            )),
            _ => Err(self.wrong("a scalar is missing")),
        }
    }

    fn array(&mut self) -> Result<usize, FormatError> {
        match self.token()? {
            Token::Array(len) => Ok(len),
            _ => Err(self.wrong("an array is missing")),
        }
    }

    fn int(&mut self) -> Result<i64, FormatError> {
        match self.token()? {
            Token::Scalar(Value::Int(number)) => Ok(number),
            _ => Err(self.wrong("an integer is missing")),
        }
    }

    fn text(&mut self) -> Result<&'a str, FormatError> {
        match self.token()? {
            Token::Text(text) => Ok(text),
            _ => Err(self.wrong("a string is missing")),
        }
    }

    fn name(&mut self) -> Result<Name, FormatError> {
        let text = self.text()?;
        Name::new(text).map_err(|cause| self.error(Kind::BadLabel, format!("a name: {cause}")))
    }

    fn token(&mut self) -> Result<Token<'a>, FormatError> {
        let [marker] = self.fixed()?;
        let int = |number: i64| Ok(Token::Scalar(Value::Int(number)));
        match Marker::from_u8(marker) {
            Marker::Null => Ok(Token::Scalar(Value::Null)),
            Marker::False => Ok(Token::Scalar(Value::Bool(false))),
            Marker::True => Ok(Token::Scalar(Value::Bool(true))),
            Marker::FixPos(number) => int(i64::from(number)),
            Marker::FixNeg(number) => int(i64::from(number)),
            Marker::U8 => int(i64::from(u8::from_be_bytes(self.fixed()?))),
            Marker::U16 => int(i64::from(u16::from_be_bytes(self.fixed()?))),
            Marker::U32 => int(i64::from(u32::from_be_bytes(self.fixed()?))),
            Marker::U64 => {
                let number = u64::from_be_bytes(self.fixed()?);
                int(i64::try_from(number).map_err(|_| {
                    let detail = format!("{number} is beyond an integer of 64 bits with a sign");
                    self.error(Kind::BadNumber, detail)
                })?)
            }
            Marker::I8 => int(i64::from(i8::from_be_bytes(self.fixed()?))),
            Marker::I16 => int(i64::from(i16::from_be_bytes(self.fixed()?))),
            Marker::I32 => int(i64::from(i32::from_be_bytes(self.fixed()?))),
            Marker::I64 => int(i64::from_be_bytes(self.fixed()?)),
            Marker::F32 => Ok(Token::Scalar(Value::Float(f64::from(f32::from_be_bytes(
                self.fixed()?,
            ))))),
            Marker::F64 => Ok(Token::Scalar(Value::Float(f64::from_be_bytes(
                self.fixed()?,
            )))),
            Marker::FixStr(len) => self.string(usize::from(len)),
            Marker::Str8 => self.len8().and_then(|len| self.string(len)),
            Marker::Str16 => self.len16().and_then(|len| self.string(len)),
            Marker::Str32 => self.len32().and_then(|len| self.string(len)),
            Marker::Bin8 => self.len8().and_then(|len| self.bin(len)),
            Marker::Bin16 => self.len16().and_then(|len| self.bin(len)),
            Marker::Bin32 => self.len32().and_then(|len| self.bin(len)),
            Marker::FixArray(len) => Ok(Token::Array(usize::from(len))),
            Marker::Array16 => self.len16().map(Token::Array),
            Marker::Array32 => self.len32().map(Token::Array),
            Marker::FixMap(len) => Ok(Token::Map(usize::from(len))),
            Marker::Map16 => self.len16().map(Token::Map),
            Marker::Map32 => self.len32().map(Token::Map),
            Marker::FixExt1 => self.ext(1),
            Marker::FixExt2 => self.ext(2),
            Marker::FixExt4 => self.ext(4),
            Marker::FixExt8 => self.ext(8),
            Marker::FixExt16 => self.ext(16),
            Marker::Ext8 => self.len8().and_then(|len| self.ext(len)),
            Marker::Ext16 => self.len16().and_then(|len| self.ext(len)),
            Marker::Ext32 => self.len32().and_then(|len| self.ext(len)),
            Marker::Reserved => Err(self.error(Kind::Syntax, "the byte c1, which nobody writes")),
        }
    }

    fn len8(&mut self) -> Result<usize, FormatError> {
        Ok(usize::from(u8::from_be_bytes(self.fixed()?)))
    }

    fn len16(&mut self) -> Result<usize, FormatError> {
        Ok(usize::from(u16::from_be_bytes(self.fixed()?)))
    }

    fn len32(&mut self) -> Result<usize, FormatError> {
        Ok(u32::from_be_bytes(self.fixed()?) as usize)
    }

    fn string(&mut self, len: usize) -> Result<Token<'a>, FormatError> {
        let bytes = self.take(len)?;
        let text = std::str::from_utf8(bytes);
        text.map(Token::Text)
            .map_err(|_| self.error(Kind::Syntax, "a string is not UTF-8"))
    }

    fn bin(&mut self, len: usize) -> Result<Token<'a>, FormatError> {
        let bytes = self.take(len)?;
        Ok(Token::Scalar(Value::Bytes(Bytes::new(bytes))))
    }

    fn ext(&mut self, len: usize) -> Result<Token<'a>, FormatError> {
        let kind = i8::from_be_bytes(self.fixed()?);
        let bytes = self.take(len)?;
        let value = match kind {
            BAG if bytes.is_empty() => return Ok(Token::Bag),
            DECIMAL => decimal(bytes).map(Value::Decimal),
            TIMESTAMP => timestamp(bytes).map(Value::Timestamp),
            _ => return Err(self.wrong("an extension that is none of -1, 1 and 2")),
        };
        value
            .map(Token::Scalar)
            .ok_or_else(|| self.wrong("an extension with a payload that it cannot have"))
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], FormatError> {
        let bytes = self.take(N)?;
        bytes.try_into().map_err(|_| self.ends())
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], FormatError> {
        let end = self.at.checked_add(len);
        match end.and_then(|end| self.bytes.get(self.at..end)) {
            Some(bytes) => {
                self.at += len;
                Ok(bytes)
            }
            None => Err(self.ends()),
        }
    }

    fn ends(&self) -> FormatError {
        self.error(Kind::Syntax, "it ends in the middle")
    }

    fn wrong(&self, detail: &'static str) -> FormatError {
        self.error(Kind::BadShape, detail)
    }

    fn error(&self, kind: Kind, detail: impl Into<std::borrow::Cow<'static, str>>) -> FormatError {
        FormatError::new(kind, detail).at_byte(self.at as u64)
    }
}

fn decimal(bytes: &[u8]) -> Option<Decimal> {
    let (scale, mantissa) = bytes.split_first()?;
    Decimal::new(i128::from_be_bytes(mantissa.try_into().ok()?), *scale).ok()
}

// In any of the three layouts of MessagePack.
fn timestamp(bytes: &[u8]) -> Option<Timestamp> {
    let (seconds, ns) = match bytes.len() {
        4 => (i64::from(u32::from_be_bytes(bytes.try_into().ok()?)), 0),
        8 => {
            let both = u64::from_be_bytes(bytes.try_into().ok()?);
            let seconds = both & ((1 << 34) - 1);
            (
                i64::try_from(seconds).ok()?,
                i64::try_from(both >> 34).ok()?,
            )
        }
        12 => {
            let (ns, seconds) = bytes.split_at(4);
            (
                i64::from_be_bytes(seconds.try_into().ok()?),
                i64::from(u32::from_be_bytes(ns.try_into().ok()?)),
            )
        }
        _ => return None,
    };
    if ns >= NS_PER_S {
        return None;
    }
    let ns = i128::from(seconds) * i128::from(NS_PER_S) + i128::from(ns);
    Some(Timestamp::from_ns(i64::try_from(ns).ok()?))
}
