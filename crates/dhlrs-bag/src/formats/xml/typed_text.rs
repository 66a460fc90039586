//! Values as text with a type code, `1.50::N`, as Genro has them in XML.

use super::characters::is_xml_text;
use crate::{
    Value,
    formats::{
        JsonToken, JsonTokens, number_from_json, read_json_value, type_code::decoded, value_to_json,
    },
};

/// The code of a value's type and how it is spelled; `None` for a Text, which needs neither.
pub(super) fn coded(value: &Value) -> Option<(&'static str, String)> {
    Some(match value {
        Value::Text(text) if is_xml_text(text) => return None,
        Value::Null => ("NN", String::new()),
        Value::Bool(_) => ("B", value.to_string()),
        Value::Int(_) => ("L", value.to_string()),
        Value::Float(number) if number.is_nan() => ("R", "nan".to_owned()),
        Value::Float(_) => ("R", value.to_string()),
        Value::Bytes(_) => ("RAW", value.to_string()),
        Value::Timestamp(_) => ("DHZ", value.to_string()),
        Value::Decimal(_) => ("N", value.to_string()),
        // What XML cannot spell, JSON can.
        Value::Text(_) | Value::List(_) => ("JS", escaped(value_to_json(value))),
    })
}

// JSON leaves the two characters alone that are neither controls nor XML.
fn escaped(json: String) -> String {
    match is_xml_text(&json) {
        true => json,
        false => json
            .replace('\u{fffe}', "\\ufffe")
            .replace('\u{ffff}', "\\uffff"),
    }
}

/// An attribute in the typed form: Text as it is where that reads as Text again.
pub(super) fn attribute(value: &Value) -> String {
    match (coded(value), value.as_text()) {
        (None, Some(text)) => match attribute_value(text) {
            Ok(Value::Text(same)) if same == text => text.to_owned(),
            _ => format!("{text}::T"),
        },
        (Some((code, text)), _) => format!("{text}::{code}"),
        (None, None) => value.to_string(),
    }
}

/// What an attribute means. `Err` says what is wrong with a typed one.
pub(super) fn attribute_value(text: &str) -> Result<Value, String> {
    if let Some((text, code)) = text.rsplit_once("::")
        && let Some(value) = decoded(text, code)
    {
        return value.map_err(|error| error.to_string());
    }
    Ok(match spelled_in_json(text) {
        // JSON's null is no attribute at all; Genro leaves it out too.
        Some(value) => value,
        None => Value::from(text),
    })
}

// A number, a truth value, a string in quotes or a flat list of such, as JSON spells it.
fn spelled_in_json(text: &str) -> Option<Value> {
    let first = text.trim_start().bytes().next()?;
    match first {
        b'[' => read_json_value(text).ok(),
        b'-' | b'0'..=b'9' | b't' | b'f' | b'n' | b'"' => {
            let mut tokens = JsonTokens::new(text.as_bytes());
            let token = tokens.next_token().ok()??;
            let None = tokens.next_token().ok()? else {
                return None;
            };
            match token {
                JsonToken::Bool(value) => Some(Value::Bool(value)),
                JsonToken::Null => Some(Value::Null),
                JsonToken::Text(text) => Some(Value::Text(text)),
                JsonToken::Number(number) => number_from_json(&number).ok(),
                _ => None,
            }
        }
        _ => None,
    }
}
