//! Values as Python prints them.

use dhlrs_bag::Value;

use crate::{
    instant,
    writer::{python_decimal, python_float},
};

/// `str` of Python.
pub(crate) fn printed(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => python_float(*number),
        Value::Text(text) => text.to_string(),
        Value::Bytes(bytes) => python_bytes(bytes.as_slice()),
        Value::Timestamp(time) => instant::spell(*time).replacen('T', " ", 1),
        Value::Decimal(number) => python_decimal(number),
        Value::List(list) => {
            let items: Vec<_> = list.items().iter().map(python_repr).collect();
            format!("[{}]", items.join(", "))
        }
    }
}

fn python_repr(value: &Value) -> String {
    match value {
        Value::Text(text) => python_text(text),
        Value::Decimal(number) => format!("Decimal('{}')", python_decimal(number)),
        Value::Timestamp(time) => python_datetime(&instant::spell(*time)),
        value => printed(value),
    }
}

fn python_text(text: &str) -> String {
    let quote = match text.contains('\'') && !text.contains('"') {
        true => '"',
        false => '\'',
    };
    let mut out = String::from(quote);
    for char in text.chars() {
        match char {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            char if char == quote => {
                out.push('\\');
                out.push(char);
            }
            char if char < ' ' || char == '\u{7f}' => {
                out.push_str(&format!("\\x{:02x}", u32::from(char)));
            }
            char => out.push(char),
        }
    }
    out.push(quote);
    out
}

fn python_bytes(bytes: &[u8]) -> String {
    let quote = match bytes.contains(&b'\'') && !bytes.contains(&b'"') {
        true => '"',
        false => '\'',
    };
    let mut out = format!("b{quote}");
    for byte in bytes {
        match byte {
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            byte if char::from(*byte) == quote => {
                out.push('\\');
                out.push(quote);
            }
            b' '..=b'~' => out.push(char::from(*byte)),
            byte => out.push_str(&format!("\\x{byte:02x}")),
        }
    }
    out.push(quote);
    out
}

// Of an instant as it is spelled.
fn python_datetime(text: &str) -> String {
    let (local, _) = text.split_once('+').unwrap_or((text, ""));
    let mut numbers: Vec<u32> = local
        .split(['-', 'T', ':', '.'])
        .map(|digits| digits.parse().unwrap_or_default())
        .collect();
    numbers.resize(7, 0);
    // Microseconds are left out where there are none, seconds then, too.
    for length in [6, 5] {
        if numbers.get(length) == Some(&0) {
            numbers.truncate(length);
        } else {
            break;
        }
    }
    let numbers: Vec<_> = numbers.iter().map(u32::to_string).collect();
    let numbers = numbers.join(", ");
    format!("datetime.datetime({numbers}, tzinfo=datetime.timezone.utc)")
}
