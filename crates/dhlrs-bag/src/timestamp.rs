//! Instants in UTC, and their one spelling; the calendar is computed here, without a library.

use std::{fmt, str::FromStr};

use crate::{ValueError, ValueErrorKind};

/// An instant in UTC, in nanoseconds since 1970; from the year 1677 to 2262.
///
/// Prints as RFC 3339 with `Z` and the shortest fraction, and parses RFC 3339 with any offset.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename = "dhlrs_bag::Timestamp"))]
pub struct Timestamp(i64);

const NS_PER_S: i64 = 1_000_000_000;
const S_PER_DAY: i64 = 86_400;

impl Timestamp {
    /// The instant `ns` nanoseconds after 1970-01-01T00:00:00Z.
    pub const fn from_ns(ns: i64) -> Self {
        Self(ns)
    }

    /// Nanoseconds since 1970-01-01T00:00:00Z.
    pub const fn as_ns(self) -> i64 {
        self.0
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.div_euclid(NS_PER_S);
        let (mut fraction, mut digits) = (self.0.rem_euclid(NS_PER_S), 9);
        let (year, month, day) = date_of(seconds.div_euclid(S_PER_DAY));
        let second = seconds.rem_euclid(S_PER_DAY);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"
        )?;
        if fraction > 0 {
            while fraction % 10 == 0 {
                fraction /= 10;
                digits -= 1;
            }
            write!(f, ".{fraction:0digits$}")?;
        }
        f.write_str("Z")
    }
}

impl FromStr for Timestamp {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        parse(text).ok_or_else(|| ValueError::new(ValueErrorKind::BadTimestamp))
    }
}

fn parse(text: &str) -> Option<Timestamp> {
    let (date, time) = text.split_at_checked(10)?;
    let time = time.strip_prefix(['T', 't', ' '])?;
    let (time, offset) = match time.strip_suffix(['Z', 'z']) {
        Some(time) => (time, 0),
        None => {
            let (time, offset) = time.split_at_checked(time.len().checked_sub(6)?)?;
            let sign = match offset.as_bytes().first()? {
                b'+' => 1,
                b'-' => -1,
                _ => return None,
            };
            let [hours, minutes] = fields(offset.get(1..)?, ':')?;
            let (hours, minutes) = (number(hours, 2, 23)?, number(minutes, 2, 59)?);
            (time, sign * (hours * 3600 + minutes * 60))
        }
    };
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let [year, month, day] = fields(date, '-')?;
    let [hour, minute, second] = fields(time, ':')?;
    let (year, month) = (number(year, 4, 9999)?, number(month, 2, 12)?);
    let day = number(day, 2, 31)?;
    let days = days_of(year, month, day);
    if date_of(days) != (year, month, day) {
        return None;
    }
    let second = number(hour, 2, 23)? * 3600 + number(minute, 2, 59)? * 60 + number(second, 2, 59)?;
    if fraction.is_empty() || fraction.len() > 9 {
        return None;
    }
    let scale = 10_i64.pow(9 - fraction.len() as u32);
    let fraction = number(fraction, fraction.len(), NS_PER_S)? * scale;
    let ns = i128::from(days * S_PER_DAY + second - offset) * i128::from(NS_PER_S);
    i64::try_from(ns + i128::from(fraction)).ok().map(Timestamp)
}

fn fields<const N: usize>(text: &str, separator: char) -> Option<[&str; N]> {
    let mut parts = text.split(separator);
    let mut found = [""; N];
    for slot in &mut found {
        *slot = parts.next()?;
    }
    parts.next().is_none().then_some(found)
}

fn number(text: &str, digits: usize, max: i64) -> Option<i64> {
    let plain = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = plain.then(|| text.parse::<i64>().ok())??;
    (number <= max).then_some(number)
}

// Days since 1970 of a date of the proleptic Gregorian calendar. Years are counted from March, so
// that the leap day is the last of its year, in eras of 400 years, which all have 146,097 days.
fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn date_of(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day_of_year - (153 * shifted + 2) / 5 + 1)
}
