//! Values in compact typed JSON: what JSON has as it is, the rest as an object with one key that starts with `$`.

use std::io::Read;

use base64::{Engine, engine::general_purpose::STANDARD};
use dhlrs_bag::{Attributes, Bytes, List, Name, Text, Value};
use serde_json::to_string as quoted;

use super::{ImportError, ImportErrorKind as Kind, JsonReader, Token};

/// The value as compact typed JSON: `{"$dt":…}`, `{"$dec":…}`, `{"$b64":…}` and `{"$f":"nan"}` where JSON has no type.
#[must_use]
pub fn value_to_json(value: &Value) -> String {
    match value {
        Value::Null | Value::Bool(_) | Value::Int(_) => value.to_string(),
        Value::Float(number) if number.is_nan() => r#"{"$f":"nan"}"#.to_owned(),
        Value::Float(number) if number.is_infinite() => {
            format!(
                r#"{{"$f":"{}"}}"#,
                if *number > 0.0 { "inf" } else { "-inf" }
            )
        }
        // `Debug` keeps the point or the exponent that tells a float from an integer.
        Value::Float(number) => format!("{number:?}"),
        Value::Text(text) => text_to_json(text),
        Value::Bytes(_) => format!(r#"{{"$b64":"{value}"}}"#),
        Value::Timestamp(time) => format!(r#"{{"$dt":"{time}"}}"#),
        Value::Decimal(number) => format!(r#"{{"$dec":"{number}"}}"#),
        Value::List(list) => {
            let items: Vec<String> = list.items().iter().map(value_to_json).collect();
            format!("[{}]", items.join(","))
        }
    }
}

/// Attributes as one typed JSON object, sorted by name, so that equal maps print equal.
#[must_use]
pub fn attributes_to_json(attributes: &Attributes) -> String {
    let mut sorted: Vec<(&Name, &Value)> = attributes.iter().collect();
    sorted.sort_by_key(|(name, _)| *name);
    let fields: Vec<String> = sorted
        .iter()
        .map(|(name, value)| format!("{}:{}", text_to_json(name), value_to_json(value)))
        .collect();
    format!("{{{}}}", fields.join(","))
}

pub(crate) fn text_to_json(text: &str) -> String {
    // A string cannot fail to be written to a string.
    quoted(text).unwrap_or_default()
}

/// What a JSON number is: an Int where it is spelled without point and exponent, else a Float.
///
/// # Errors
///
/// `Err` holds what is wrong with a number that 64 bits do not hold.
pub fn number(text: &str) -> Result<Value, &'static str> {
    if !text.contains(['.', 'e', 'E']) {
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

pub(super) fn scalar<R: Read>(
    reader: &JsonReader<R>,
    token: &Token,
) -> Result<Option<Value>, ImportError> {
    Ok(Some(match token {
        Token::Null => Value::Null,
        Token::Bool(value) => Value::Bool(*value),
        Token::Text(text) => Value::Text(Text::new(text)),
        Token::Number(text) => {
            number(text).map_err(|why| reader.error(Kind::BadNumber, format!("`{text}` {why}")))?
        }
        Token::ObjectStart
        | Token::ObjectEnd
        | Token::ListStart
        | Token::ListEnd
        | Token::Key(_) => return Ok(None),
    }))
}

/// What stands where a typed value may stand.
pub(super) enum Typed {
    /// A scalar or a list, read to its end.
    Value(Value),
    /// `{"$bag":[`, read as far as that.
    BagStart,
}

/// Reads a typed value whose first token is `token`. Does not recurse: lists are flat.
pub(super) fn typed<R: Read>(
    reader: &mut JsonReader<R>,
    token: Token,
) -> Result<Typed, ImportError> {
    match token {
        Token::ListStart => list(reader).map(Typed::Value),
        Token::ObjectStart => match want(reader)? {
            Token::Key(key) if key == "$bag" => match want(reader)? {
                Token::ListStart => Ok(Typed::BagStart),
                _ => Err(reader.error(Kind::BadShape, "`$bag` wants a list")),
            },
            Token::Key(key) => tagged(reader, &key).map(Typed::Value),
            _ => Err(reader.error(
                Kind::BadShape,
                "an object here is {\"$bag\":…} or a typed value",
            )),
        },
        token => match scalar(reader, &token)? {
            Some(value) => Ok(Typed::Value(value)),
            None => Err(reader.error(Kind::BadShape, "a value is missing")),
        },
    }
}

/// Reads `{name:V,…}` whose `{` is read.
pub(super) fn attributes<R: Read>(reader: &mut JsonReader<R>) -> Result<Attributes, ImportError> {
    let mut attributes = Attributes::new();
    loop {
        let name = match want(reader)? {
            Token::ObjectEnd => return Ok(attributes),
            Token::Key(name) => name,
            _ => return Err(reader.error(Kind::BadShape, "attributes are an object")),
        };
        let name = Name::new(&name)
            .map_err(|cause| reader.error(Kind::BadLabel, format!("attribute: {cause}")))?;
        let token = want(reader)?;
        let Typed::Value(value) = typed(reader, token)? else {
            return Err(reader.error(Kind::BadShape, "an attribute is a scalar or a list, no bag"));
        };
        if attributes.len() == dhlrs_bag::ATTRIBUTES_MAX {
            let message = format!("more than {} attributes", dhlrs_bag::ATTRIBUTES_MAX);
            return Err(reader.error(Kind::TooLarge, message));
        }
        if attributes.insert(name, value).is_some() {
            return Err(reader.error(Kind::DuplicateLabel, "this attribute stands there twice"));
        }
    }
}

pub(super) fn want<R: Read>(reader: &mut JsonReader<R>) -> Result<Token, ImportError> {
    match reader.next_token()? {
        Some(token) => Ok(token),
        None => Err(reader.error(Kind::BadShape, "it ends too early")),
    }
}

fn list<R: Read>(reader: &mut JsonReader<R>) -> Result<Value, ImportError> {
    let mut items = Vec::new();
    loop {
        let token = want(reader)?;
        if token == Token::ListEnd {
            break;
        }
        let Typed::Value(item) = typed_item(reader, token)? else {
            return Err(reader.error(Kind::BadShape, "a list holds scalars only"));
        };
        if items.len() == dhlrs_bag::LIST_ITEMS_MAX {
            let message = format!("a list of more than {} items", dhlrs_bag::LIST_ITEMS_MAX);
            return Err(reader.error(Kind::TooLarge, message));
        }
        items.push(item);
    }
    List::new(items)
        .map(Value::List)
        .map_err(|cause| reader.error(Kind::BadShape, cause.to_string()))
}

fn typed_item<R: Read>(reader: &mut JsonReader<R>, token: Token) -> Result<Typed, ImportError> {
    if token == Token::ListStart {
        return Err(reader.error(Kind::BadShape, "a list cannot hold a list"));
    }
    typed(reader, token)
}

// `{"$dt":"…"}` and its like, read up to the key.
fn tagged<R: Read>(reader: &mut JsonReader<R>, tag: &str) -> Result<Value, ImportError> {
    let Token::Text(text) = want(reader)? else {
        return Err(reader.error(Kind::BadShape, format!("`{tag}` wants a string")));
    };
    let wrong = |why: String| reader.error(Kind::BadShape, format!("`{tag}`: {why}"));
    let value = match tag {
        "$dt" => Value::Timestamp(text.parse().map_err(|cause| wrong(format!("{cause}")))?),
        "$dec" => Value::Decimal(text.parse().map_err(|cause| wrong(format!("{cause}")))?),
        "$b64" => Value::Bytes(bytes(&text).map_err(|why| wrong(why.to_owned()))?),
        "$f" => Value::Float(match text.as_str() {
            "nan" => f64::NAN,
            "inf" => f64::INFINITY,
            "-inf" => f64::NEG_INFINITY,
            _ => return Err(wrong("it is nan, inf or -inf".to_owned())),
        }),
        _ => return Err(wrong("known are $bag, $dt, $dec, $b64 and $f".to_owned())),
    };
    match want(reader)? {
        Token::ObjectEnd => Ok(value),
        _ => Err(reader.error(
            Kind::BadShape,
            format!("`{tag}` stands alone in its object"),
        )),
    }
}

/// Standard base64 with padding.
pub(crate) fn bytes(text: &str) -> Result<Bytes, &'static str> {
    STANDARD
        .decode(text)
        .map(|bytes| Bytes::new(&bytes))
        .map_err(|_| "this is no base64 with padding")
}
