//! How instants were written: a bag keeps the instant, the protocol gives back the offset too.

use std::collections::BTreeMap;

use dhlrs_bag::{Timestamp, Value};

use crate::{error::ErrorClass, limits::SPELLINGS_MAX};

/// The offset with which each instant of a session came last, in minutes; `None` without one.
#[derive(Debug, Default)]
pub(crate) struct Spellings {
    offsets: BTreeMap<Timestamp, Option<i16>>,
}

const NS_PER_MINUTE: i64 = 60_000_000_000;

impl Spellings {
    /// Reads an instant as Python's `fromisoformat` does, and remembers its offset. Without one it
    /// is taken for UTC.
    pub(crate) fn read(&mut self, text: &str) -> Result<Value, ErrorClass> {
        let (time, offset) = parse(text).ok_or(ErrorClass::Value)?;
        if self.offsets.len() < SPELLINGS_MAX || self.offsets.contains_key(&time) {
            self.offsets.insert(time, offset);
        }
        Ok(Value::Timestamp(time))
    }

    pub(crate) fn spell(&self, time: Timestamp) -> String {
        let offset = self.offsets.get(&time).copied().unwrap_or(Some(0));
        let shift_ns = i64::from(offset.unwrap_or_default()) * NS_PER_MINUTE;
        let local = Timestamp::from_ns(time.as_ns().saturating_add(shift_ns)).to_string();
        let local = local.strip_suffix('Z').unwrap_or(&local);
        // Six digits of a second or none, as Python writes them.
        let local = match local.split_once('.') {
            Some((seconds, fraction)) => {
                let digits: String = fraction.chars().chain("000000".chars()).take(6).collect();
                format!("{seconds}.{digits}")
            }
            None => local.to_owned(),
        };
        match offset {
            None => local,
            Some(minutes) => {
                let sign = if minutes < 0 { '-' } else { '+' };
                let minutes = minutes.unsigned_abs();
                format!("{local}{sign}{:02}:{:02}", minutes / 60, minutes % 60)
            }
        }
    }
}

fn parse(text: &str) -> Option<(Timestamp, Option<i16>)> {
    let (date, rest) = text.split_at_checked(10)?;
    if rest.is_empty() {
        return Some((format!("{date}T00:00:00Z").parse().ok()?, None));
    }
    let mut chars = rest.chars();
    chars.next()?;
    let time = chars.as_str();
    let (time, offset) = match time.find(['Z', '+', '-']) {
        None => (time, None),
        Some(at) => {
            let (time, offset) = time.split_at_checked(at)?;
            (time, Some(minutes(offset)?))
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
    let shift_ns = i64::from(offset.unwrap_or_default()) * NS_PER_MINUTE;
    let instant = Timestamp::from_ns(local.as_ns().checked_sub(shift_ns)?);
    Some((instant, offset))
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
