//! Instants as Python's `datetime` reads and writes them.

use dhlrs_bag::Timestamp;

use crate::error::ErrorClass;

const NS_PER_MINUTE: i64 = 60_000_000_000;

/// Reads an instant as Python's `fromisoformat` does. Without an offset it is taken for UTC.
pub(crate) fn read(text: &str) -> Result<Timestamp, ErrorClass> {
    parse(text).ok_or(ErrorClass::Value)
}

/// An instant in UTC, the only spelling it has: how it came is not part of the value.
pub(crate) fn spell(time: Timestamp) -> String {
    let text = time.to_string();
    let text = text.strip_suffix('Z').unwrap_or(&text);
    // Six digits of a second or none, as Python writes them.
    match text.split_once('.') {
        Some((seconds, fraction)) => {
            let digits: String = fraction.chars().chain("000000".chars()).take(6).collect();
            format!("{seconds}.{digits}+00:00")
        }
        None => format!("{text}+00:00"),
    }
}

fn parse(text: &str) -> Option<Timestamp> {
    let (date, rest) = text.split_at_checked(10)?;
    if rest.is_empty() {
        return format!("{date}T00:00:00Z").parse().ok();
    }
    let mut chars = rest.chars();
    chars.next()?;
    let time = chars.as_str();
    let (time, offset) = match time.find(['Z', '+', '-']) {
        None => (time, 0),
        Some(at) => {
            let (time, offset) = time.split_at_checked(at)?;
            (time, minutes(offset)?)
        }
    };
    let (time, fraction) = time.split_once(['.', ',']).unwrap_or((time, ""));
    let time = match time.len() {
        5 => format!("{time}:00"),
        _ => time.to_owned(),
    };
    let fraction: String = match fraction {
        "" => String::new(),
        fraction => ".".chars().chain(fraction.chars().take(6)).collect(),
    };
    let local: Timestamp = format!("{date}T{time}{fraction}Z").parse().ok()?;
    let shift_ns = i64::from(offset) * NS_PER_MINUTE;
    Some(Timestamp::from_ns(local.as_ns().checked_sub(shift_ns)?))
}

fn minutes(offset: &str) -> Option<i16> {
    if offset == "Z" {
        return Some(0);
    }
    let (sign, digits) = offset.split_at_checked(1)?;
    let (hours, minutes) = digits.split_once(':')?;
    let number = |digits: &str, max: i16| -> Option<i16> {
        let plain = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
        plain
            .then(|| digits.parse().ok())?
            .filter(|number| *number <= max)
    };
    let minutes = number(hours, 23)? * 60 + number(minutes, 59)?;
    Some(if sign == "-" { -minutes } else { minutes })
}
