//! What the type codes of Genro's typed texts say: `1.50::N`.

use super::{FormatError, FormatErrorKind as Kind, bytes_of_base64, read_json_value};
use crate::{Timestamp, Value};

/// The value of a type code; `None` for a code that is none.
pub(crate) fn decoded(text: &str, code: &str) -> Option<Result<Value, FormatError>> {
    let wrong = || {
        let detail = format!("`{text}` is not of the type {code}");
        Err(FormatError::new(Kind::BadValue, detail))
    };
    Some(match code {
        "T" => Ok(Value::from(text)),
        "NN" => Ok(Value::Null),
        "B" => match text.to_ascii_lowercase().as_str() {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            _ => wrong(),
        },
        "L" => text.parse().map(Value::Int).or_else(|_| wrong()),
        "R" => match text {
            "nan" => Ok(Value::Float(f64::NAN)),
            "inf" => Ok(Value::Float(f64::INFINITY)),
            "-inf" => Ok(Value::Float(f64::NEG_INFINITY)),
            _ => match text.parse::<f64>() {
                Ok(number) if number.is_finite() => Ok(Value::Float(number)),
                _ => wrong(),
            },
        },
        "N" => text.parse().map(Value::Decimal).or_else(|_| wrong()),
        "DH" | "DHZ" => match text.parse() {
            Ok(time) => Ok(Value::Timestamp(time)),
            // Without an offset it is UTC, as Genro takes it.
            Err(_) => (format!("{text}Z").parse())
                .map(Value::Timestamp)
                .or_else(|_| wrong()),
        },
        "RAW" => bytes_of_base64(text).map(Value::Bytes).or_else(|_| wrong()),
        "JS" => read_json_value(text)
            .map_err(|cause| FormatError::new(Kind::BadShape, format!("`{code}`: {cause}"))),
        "D" if !is_date(text) => wrong(),
        "H" if !is_time(text) => wrong(),
        "D" | "H" => {
            let what = if code == "D" { "date" } else { "time" };
            let detail = format!("`{text}` is a calendar {what}, for which there is no type");
            Err(FormatError::new(Kind::NoType, detail))
        }
        _ => return None,
    })
}

fn is_date(text: &str) -> bool {
    format!("{text}T00:00:00Z").parse::<Timestamp>().is_ok()
}

fn is_time(text: &str) -> bool {
    // Genro leaves the seconds out where there are none.
    let spelled = [
        format!("2000-01-01T{text}Z"),
        format!("2000-01-01T{text}:00Z"),
    ];
    spelled.iter().any(|text| text.parse::<Timestamp>().is_ok())
}
