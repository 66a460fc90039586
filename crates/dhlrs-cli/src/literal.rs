//! VALUE on the command line: strict JSON where it is JSON, else text as typed.

use std::str::FromStr;

use dhlrs_bag::formats::{JsonToken, JsonTokens, bytes_of_base64, number_from_json};
use dhlrs_bag::{Decimal, LIST_ITEMS_MAX, List, Timestamp, Value};

use crate::{Failure, FailureKind};

/// What `--type` can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum ValueType {
    /// `null`
    Null,
    /// `true` or `false`
    Bool,
    /// A whole number of 64 bits
    Int,
    /// A number with a fraction, `nan`, `inf` or `-inf`
    Float,
    /// The text as it stands
    Text,
    /// Base64
    Bytes,
    /// RFC 3339
    Timestamp,
    /// Up to 28 decimal places, which are kept
    Decimal,
    /// A flat JSON list
    List,
}

/// The value that `text` means.
///
/// Without a type, JSON null, true, false, numbers, strings and flat lists are what they say, and everything that is
/// no JSON is Text: `007`, `abc`, `[1,`.
///
/// # Errors
///
/// `BadValue` for JSON that is no value (an object, a nested list, a number beyond 64 bits) and for a text that is
/// not of the wanted type; the hint names the remedy.
pub fn parse(text: &str, wanted: Option<ValueType>) -> Result<Value, Failure> {
    match wanted {
        None => untyped(text),
        Some(ValueType::Null) => exactly(text, "null", "null", Value::Null),
        Some(ValueType::Bool) => match text {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            _ => Err(not_a(text, "bool", "write true or false")),
        },
        Some(ValueType::Int) => parsed(
            text,
            "int",
            Value::Int,
            "write a whole number of 64 bits, or use --type decimal",
        ),
        Some(ValueType::Float) => match text {
            "nan" => Ok(Value::Float(f64::NAN)),
            "inf" => Ok(Value::Float(f64::INFINITY)),
            "-inf" => Ok(Value::Float(f64::NEG_INFINITY)),
            _ => text
                .parse()
                .ok()
                .filter(|number: &f64| number.is_finite())
                .map(Value::Float)
                .ok_or_else(|| not_a(text, "float", "write a number, nan, inf or -inf")),
        },
        Some(ValueType::Text) => Ok(text.into()),
        Some(ValueType::Bytes) => bytes_of_base64(text).map(Value::Bytes).map_err(|_| {
            not_a(
                text,
                "bytes",
                "write base64 with padding; `base64 -w0 FILE` makes it",
            )
        }),
        Some(ValueType::Timestamp) => parsed::<Timestamp>(
            text,
            "timestamp",
            Value::Timestamp,
            "write RFC 3339: 2026-01-31T12:00:00Z",
        ),
        Some(ValueType::Decimal) => parsed::<Decimal>(
            text,
            "decimal",
            Value::Decimal,
            "write digits with at most 28 behind the point, 96 bits in all; without an exponent",
        ),
        Some(ValueType::List) => match untyped(text)? {
            list @ Value::List(_) => Ok(list),
            _ => Err(not_a(
                text,
                "list",
                "write a JSON list of scalars: '[1,\"two\",null]'",
            )),
        },
    }
}

fn untyped(text: &str) -> Result<Value, Failure> {
    let mut reader = JsonTokens::new(text.as_bytes());
    let mut tokens = Vec::new();
    loop {
        match reader.next_token() {
            Ok(Some(token)) => tokens.push(token),
            Ok(None) => break,
            // No JSON, so it is text; a limit of the reader is far above what a value may be.
            Err(_) => return Ok(text.into()),
        }
    }
    match tokens.as_slice() {
        [JsonToken::ListStart, items @ .., JsonToken::ListEnd] => {
            if items.len() > LIST_ITEMS_MAX {
                return Err(bad(
                    text,
                    format!("is a list of more than {LIST_ITEMS_MAX} items"),
                )
                .hint("put the items below a bag: `dhlrs import` does so with larger lists"));
            }
            let items: Vec<Value> = items
                .iter()
                .map(|item| scalar(text, item))
                .collect::<Result<_, _>>()?;
            List::new(items)
                .map(Value::List)
                .map_err(|cause| bad(text, cause.to_string()))
        }
        [token] => scalar(text, token),
        _ => Err(no_scalar(text)),
    }
}

fn scalar(whole: &str, token: &JsonToken) -> Result<Value, Failure> {
    match token {
        JsonToken::Null => Ok(Value::Null),
        JsonToken::Bool(value) => Ok(Value::Bool(*value)),
        JsonToken::Text(text) => Ok(text.clone().into()),
        JsonToken::Number(number) => number_from_json(number).map_err(|why| {
            bad(number, why.to_owned()).hint(
                "use --type decimal for up to 28 digits, or --type text to keep it as it stands",
            )
        }),
        _ => Err(no_scalar(whole)),
    }
}

fn no_scalar(text: &str) -> Failure {
    let what = if text.trim_start().starts_with('{') {
        "is a JSON object"
    } else {
        "is a list that holds a list or an object"
    };
    bad(text, what.to_owned())
        .hint("a value is a scalar or a flat list: `dhlrs import ADDRESS -` makes bag nodes of it, --type text stores it as it stands")
}

fn exactly(text: &str, wanted: &str, name: &str, value: Value) -> Result<Value, Failure> {
    if text == wanted {
        Ok(value)
    } else {
        Err(not_a(text, name, &format!("write {wanted}")))
    }
}

fn parsed<T: FromStr>(
    text: &str,
    name: &str,
    make: fn(T) -> Value,
    hint: &str,
) -> Result<Value, Failure> {
    text.parse().map(make).map_err(|_| not_a(text, name, hint))
}

fn not_a(text: &str, name: &str, hint: &str) -> Failure {
    bad(text, format!("is no {name}")).hint(hint)
}

// Shows the beginning of a long text only.
fn bad(text: &str, why: String) -> Failure {
    const SHOWN_CHARS_MAX: usize = 60;
    let mut shown: String = text.chars().take(SHOWN_CHARS_MAX).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    Failure::new(FailureKind::BadValue, format!("`{shown}` {why}"))
}
