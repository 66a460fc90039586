//! Values in compact typed JSON: what JSON has as it is, the rest as an object with one key that
//! starts with `$`.

use std::io::{self, Read, Write};

use super::{JsonToken, JsonTokens, tokens::TokenKind};
use crate::{
    Attributes, Decimal, List, Name, ResolverRef, Value, ValueError,
    formats::{FormatError, FormatErrorKind as Kind, bytes_of_base64},
};

/// The value as compact typed JSON: `{"$dt":…}`, `{"$dec":…}`, `{"$b64":…}` and `{"$f":"nan"}`
/// where JSON has no type.
pub fn value_to_json(value: &Value) -> String {
    text_of(|out| write_value(out, value))
}

/// Attributes as one typed JSON object, sorted by name, so that equal maps print equal.
pub fn attributes_to_json(attributes: &Attributes) -> String {
    text_of(|out| write_attributes(out, attributes))
}

/// A text as a JSON string.
pub fn text_to_json(text: &str) -> String {
    text_of(|out| write_text(out, text))
}

// What is written to memory cannot fail, and is UTF-8 throughout.
fn text_of(write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> String {
    let mut out = Vec::new();
    match write(&mut out) {
        Ok(()) => String::from_utf8(out).unwrap_or_default(),
        Err(_) => String::new(),
    }
}

pub(crate) fn write_value(out: &mut impl Write, value: &Value) -> io::Result<()> {
    let Value::List(list) = value else {
        return write_scalar(out, value);
    };
    out.write_all(b"[")?;
    for (index, item) in list.items().iter().enumerate() {
        if index > 0 {
            out.write_all(b",")?;
        }
        write_scalar(out, item)?;
    }
    out.write_all(b"]")
}

fn write_scalar(out: &mut impl Write, value: &Value) -> io::Result<()> {
    match value {
        Value::Text(text) => write_text(out, text),
        Value::Float(number) if number.is_nan() => out.write_all(br#"{"$f":"nan"}"#),
        Value::Float(number) if *number == f64::INFINITY => out.write_all(br#"{"$f":"inf"}"#),
        Value::Float(number) if number.is_infinite() => out.write_all(br#"{"$f":"-inf"}"#),
        Value::Int(number) => out.write_all(itoa::Buffer::new().format(*number).as_bytes()),
        // `Display` of a value keeps the point that tells a float from an integer.
        Value::Null | Value::Bool(_) | Value::Float(_) | Value::List(_) => {
            write!(out, "{value}")
        }
        Value::Bytes(_) => write!(out, r#"{{"$b64":"{value}"}}"#),
        Value::Timestamp(time) => write!(out, r#"{{"$dt":"{time}"}}"#),
        Value::Decimal(number) => write!(out, r#"{{"$dec":"{number}"}}"#),
    }
}

pub(crate) fn write_attributes(out: &mut impl Write, attributes: &Attributes) -> io::Result<()> {
    if attributes.is_empty() {
        return out.write_all(b"{}");
    }
    let mut sorted: Vec<(&Name, &Value)> = attributes.iter().collect();
    sorted.sort_by_key(|(name, _)| *name);
    let mut before = "{";
    for (name, value) in sorted {
        out.write_all(before.as_bytes())?;
        before = ",";
        write_text(out, name)?;
        out.write_all(b":")?;
        write_value(out, value)?;
    }
    out.write_all(b"}")
}

pub(crate) fn write_text(out: &mut impl Write, text: &str) -> io::Result<()> {
    out.write_all(b"\"")?;
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(is_escaped) {
        let (plain, others) = rest.split_at(at);
        out.write_all(plain)?;
        let Some((byte, behind)) = others.split_first() else {
            break;
        };
        rest = behind;
        match byte {
            b'"' => out.write_all(b"\\\"")?,
            b'\\' => out.write_all(b"\\\\")?,
            b'\n' => out.write_all(b"\\n")?,
            b'\r' => out.write_all(b"\\r")?,
            b'\t' => out.write_all(b"\\t")?,
            0x8 => out.write_all(b"\\b")?,
            0xc => out.write_all(b"\\f")?,
            _ => write!(out, "\\u{byte:04x}")?,
        }
    }
    out.write_all(rest)?;
    out.write_all(b"\"")
}

fn is_escaped(byte: &u8) -> bool {
    *byte < 0x20 || matches!(byte, b'"' | b'\\')
}

/// What a JSON number is: an Int where it is spelled without point and exponent, else a Float.
///
/// # Errors
/// `Err` holds what is wrong with a number that 64 bits do not hold.
pub fn number_from_json(text: &str) -> Result<Value, &'static str> {
    if !text.bytes().any(|byte| matches!(byte, b'.' | b'e' | b'E')) {
        return text
            .parse()
            .map(Value::Int)
            .map_err(|_| "is beyond an integer of 64 bits");
    }
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(Value::Float(number)),
        _ => Err("is beyond a float of 64 bits"),
    }
}

pub(crate) fn scalar<R: Read>(
    reader: &JsonTokens<R>,
    token: TokenKind,
) -> Result<Value, FormatError> {
    match token {
        TokenKind::Null => Ok(Value::Null),
        TokenKind::Bool(value) => Ok(Value::Bool(value)),
        TokenKind::Text => Ok(Value::from(reader.word())),
        TokenKind::Number => number_from_json(reader.word())
            .map_err(|why| reader.error(Kind::BadNumber, format!("`{}` {why}", reader.word()))),
        TokenKind::ObjectStart
        | TokenKind::ObjectEnd
        | TokenKind::ListStart
        | TokenKind::ListEnd
        | TokenKind::Key => Err(reader.error(Kind::BadShape, "a value is missing")),
    }
}

/// What stands where a typed value may stand.
pub(crate) enum Typed {
    /// A scalar or a list, read to its end.
    Value(Value),
    /// `{"$bag":[`, read as far as that.
    BagStart,
}

/// Reads a typed value whose first token is `token`. Does not recurse: lists are flat.
pub(crate) fn typed<R: Read>(
    reader: &mut JsonTokens<R>,
    token: TokenKind,
) -> Result<Typed, FormatError> {
    match token {
        TokenKind::ListStart => list(reader).map(Typed::Value),
        TokenKind::ObjectStart => match want(reader)? {
            JsonToken::Key(key) if key == "$bag" => match want(reader)? {
                JsonToken::ListStart => Ok(Typed::BagStart),
                _ => Err(reader.error(Kind::BadShape, "`$bag` wants a list")),
            },
            JsonToken::Key(key) => tagged(reader, &key).map(Typed::Value),
            _ => Err(reader.error(
                Kind::BadShape,
                "an object here is {\"$bag\":…} or a typed value",
            )),
        },
        token => scalar(reader, token).map(Typed::Value),
    }
}

/// Reads `{name:V,…}` whose `{` is read.
pub(crate) fn attributes<R: Read>(reader: &mut JsonTokens<R>) -> Result<Attributes, FormatError> {
    let mut attributes = Attributes::new();
    loop {
        match want_kind(reader)? {
            TokenKind::ObjectEnd => return Ok(attributes),
            TokenKind::Key => {}
            _ => return Err(reader.error(Kind::BadShape, "attributes are an object")),
        }
        let name = Name::new(reader.key())
            .map_err(|cause| reader.error(Kind::BadLabel, format!("attribute: {cause}")))?;
        let token = want_kind(reader)?;
        let Typed::Value(value) = typed(reader, token)? else {
            return Err(reader.error(Kind::BadShape, "an attribute is a scalar or a list, no bag"));
        };
        if attributes.len() == crate::ATTRIBUTES_MAX {
            let message = format!("more than {} attributes", crate::ATTRIBUTES_MAX);
            return Err(reader.error(Kind::TooLarge, message));
        }
        if attributes.insert(name, value).is_some() {
            return Err(reader.error(Kind::DuplicateLabel, "this attribute stands there twice"));
        }
    }
}

pub(crate) fn want<R: Read>(reader: &mut JsonTokens<R>) -> Result<JsonToken, FormatError> {
    match reader.next_token()? {
        Some(token) => Ok(token),
        None => Err(reader.error(Kind::BadShape, "it ends too early")),
    }
}

#[inline]
pub(crate) fn want_kind<R: Read>(reader: &mut JsonTokens<R>) -> Result<TokenKind, FormatError> {
    match reader.next_kind()? {
        Some(token) => Ok(token),
        None => Err(reader.error(Kind::BadShape, "it ends too early")),
    }
}

fn list<R: Read>(reader: &mut JsonTokens<R>) -> Result<Value, FormatError> {
    let mut items = Vec::new();
    loop {
        let token = want_kind(reader)?;
        if token == TokenKind::ListEnd {
            break;
        }
        let Typed::Value(item) = typed_item(reader, token)? else {
            return Err(reader.error(Kind::BadShape, "a list holds scalars only"));
        };
        if items.len() == crate::LIST_ITEMS_MAX {
            let message = format!("a list of more than {} items", crate::LIST_ITEMS_MAX);
            return Err(reader.error(Kind::TooLarge, message));
        }
        items.push(item);
    }
    List::new(items)
        .map(Value::List)
        .map_err(|cause| reader.error(Kind::BadShape, cause.to_string()))
}

fn typed_item<R: Read>(reader: &mut JsonTokens<R>, token: TokenKind) -> Result<Typed, FormatError> {
    if token == TokenKind::ListStart {
        return Err(reader.error(Kind::BadShape, "a list cannot hold a list"));
    }
    typed(reader, token)
}

// `{"$dt":"…"}` and its like, read up to the key.
fn tagged<R: Read>(reader: &mut JsonTokens<R>, tag: &str) -> Result<Value, FormatError> {
    let JsonToken::Text(text) = want(reader)? else {
        return Err(reader.error(Kind::BadShape, format!("`{tag}` wants a string")));
    };
    let wrong = |why: String| reader.error(Kind::BadShape, format!("`{tag}`: {why}"));
    let value = match tag {
        "$dt" => Value::Timestamp(
            text.parse()
                .map_err(|cause: ValueError| wrong(cause.to_string()))?,
        ),
        "$dec" => Value::Decimal(
            text.parse()
                .map_err(|cause: ValueError| wrong(cause.to_string()))?,
        ),
        "$b64" => Value::Bytes(bytes_of_base64(&text).map_err(|why| wrong(why.to_owned()))?),
        "$f" => Value::Float(match text.as_str() {
            "nan" => f64::NAN,
            "inf" => f64::INFINITY,
            "-inf" => f64::NEG_INFINITY,
            _ => return Err(wrong("it is nan, inf or -inf".to_owned())),
        }),
        _ => return Err(wrong("known are $bag, $dt, $dec, $b64 and $f".to_owned())),
    };
    match want(reader)? {
        JsonToken::ObjectEnd => Ok(value),
        _ => Err(reader.error(
            Kind::BadShape,
            format!("`{tag}` stands alone in its object"),
        )),
    }
}

/// Reads a typed value that is all of a text.
#[cfg(any(feature = "xml", feature = "tytx"))]
pub(crate) fn read_json_value(text: &str) -> Result<Value, FormatError> {
    let mut reader = JsonTokens::new(text.as_bytes());
    let token = want_kind(&mut reader)?;
    match typed(&mut reader, token)? {
        Typed::Value(value) => ended(&mut reader, value),
        Typed::BagStart => Err(reader.error(Kind::BadShape, "a value is no bag")),
    }
}

/// Reads attributes that are all of a text.
#[cfg(feature = "xml")]
pub(crate) fn read_json_attributes(text: &str) -> Result<Attributes, FormatError> {
    let mut reader = JsonTokens::new(text.as_bytes());
    let own = match want(&mut reader)? {
        JsonToken::ObjectStart => attributes(&mut reader)?,
        _ => return Err(reader.error(Kind::BadShape, "attributes are an object")),
    };
    ended(&mut reader, own)
}

/// Reads `{"$res":{…}}` that is all of a text.
#[cfg(feature = "xml")]
pub(crate) fn read_json_resolver(text: &str) -> Result<ResolverRef, FormatError> {
    let mut reader = JsonTokens::new(text.as_bytes());
    let own = match want(&mut reader)? {
        JsonToken::ObjectStart => resolver(&mut reader)?,
        _ => return Err(reader.error(Kind::BadShape, "a resolver is {\"$res\":{…}}")),
    };
    ended(&mut reader, own)
}

#[cfg(any(feature = "xml", feature = "tytx"))]
fn ended<R: Read, T>(reader: &mut JsonTokens<R>, value: T) -> Result<T, FormatError> {
    match reader.next_token()? {
        None => Ok(value),
        Some(_) => Err(reader.error(Kind::Syntax, "something follows")),
    }
}

/// Reads `"$res":{…}}`, whose first `{` is read.
pub(crate) fn resolver<R: Read>(reader: &mut JsonTokens<R>) -> Result<ResolverRef, FormatError> {
    let own = resolver_fields(reader)?;
    match want(reader)? {
        JsonToken::ObjectEnd => Ok(own),
        _ => Err(wrong(reader, "`$res` stands alone in its object")),
    }
}

// Reads `"$res":{…}`.
fn resolver_fields<R: Read>(reader: &mut JsonTokens<R>) -> Result<ResolverRef, FormatError> {
    let is_resolver = want(reader)? == JsonToken::Key("$res".into());
    if !is_resolver || want(reader)? != JsonToken::ObjectStart {
        return Err(wrong(reader, "a resolver is {\"$res\":{\"name\":…}}"));
    }
    let mut name = None;
    let mut rest = (0, false, Attributes::new());
    loop {
        let key = match want(reader)? {
            JsonToken::ObjectEnd => break,
            JsonToken::Key(key) => key,
            _ => return Err(wrong(reader, "a resolver is {\"$res\":{\"name\":…}}")),
        };
        match (key.as_str(), want(reader)?) {
            ("name", JsonToken::Text(text)) => {
                let checked = Name::new(&text);
                name =
                    Some(checked.map_err(|cause| {
                        reader.error(Kind::BadLabel, format!("resolver: {cause}"))
                    })?);
            }
            ("cache_time", JsonToken::Number(text)) => {
                rest.0 = milliseconds(&text)
                    .ok_or_else(|| wrong(reader, "seconds, to the millisecond"))?;
            }
            ("read_only", JsonToken::Bool(read_only)) => rest.1 = read_only,
            ("kw", JsonToken::ObjectStart) => rest.2 = attributes(reader)?,
            _ => {
                return Err(wrong(
                    reader,
                    "a resolver has name, cache_time (seconds), read_only and kw (an object)",
                ));
            }
        }
    }
    let name = name.ok_or_else(|| wrong(reader, "a resolver without a name"))?;
    let (cache_time_ms, read_only, parameters) = rest;
    Ok(ResolverRef {
        name,
        cache_time_ms,
        read_only,
        parameters,
    })
}

/// Reads `{"$res":{…}}` that is all of a text, and what the node holds: Null, with `"$value":V`
/// behind it that, with `"$bag":true` a bag, which is `None`.
#[cfg(feature = "tytx")]
pub(crate) fn read_json_held(text: &str) -> Result<(ResolverRef, Option<Value>), FormatError> {
    let mut reader = JsonTokens::new(text.as_bytes());
    if want(&mut reader)? != JsonToken::ObjectStart {
        return Err(wrong(&reader, "a resolver is {\"$res\":{…}}"));
    }
    let own = resolver_fields(&mut reader)?;
    let mut held = Some(Value::Null);
    let mut token = want(&mut reader)?;
    if let JsonToken::Key(key) = &token {
        held = match (key.as_str(), want_kind(&mut reader)?) {
            ("$bag", TokenKind::Bool(true)) => None,
            ("$value", token) => match typed(&mut reader, token)? {
                Typed::Value(value) => Some(value),
                Typed::BagStart => return Err(wrong(&reader, "a value is no bag")),
            },
            _ => return Err(wrong(&reader, "known are `$bag` and `$value`")),
        };
        token = want(&mut reader)?;
    }
    match token {
        JsonToken::ObjectEnd => ended(&mut reader, (own, held)),
        _ => Err(wrong(&reader, "something follows the resolver")),
    }
}

fn wrong<R: Read>(reader: &JsonTokens<R>, detail: &'static str) -> FormatError {
    reader.error(Kind::BadShape, detail)
}

fn milliseconds(seconds: &str) -> Option<i64> {
    let seconds: Decimal = seconds.parse().ok()?;
    let digits = 3_u32.checked_sub(u32::from(seconds.scale()))?;
    i64::try_from(seconds.mantissa().checked_mul(10_i128.pow(digits))?).ok()
}
