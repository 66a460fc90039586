//! `500ms`, `5s`, `2m`, `1h`; a bare number is seconds.

use std::time::Duration;

use crate::{Failure, FailureKind};

/// The longest time that can be asked for, in seconds: a year.
const SECONDS_MAX: u64 = 365 * 24 * 3600;

/// Reads a time that is not zero.
///
/// # Errors
///
/// `Usage`; the hint has the forms that are read.
pub fn parse_duration(text: &str) -> Result<Duration, Failure> {
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit_ms = match unit {
        "ms" => 1,
        "" | "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => 0,
    };
    number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(unit_ms))
        .filter(|&ms| ms > 0 && ms <= SECONDS_MAX * 1_000)
        .map(Duration::from_millis)
        .ok_or_else(|| {
            Failure::new(FailureKind::Usage, "it is no time, or none that can be waited for")
                .hint("write a whole number with its unit: 500ms, 5s, 2m, 1h; more than zero, at most a year")
        })
}

/// The time as it can be read again.
pub(crate) fn duration_text(duration: Duration) -> String {
    match duration.as_millis() {
        ms if ms % 1_000 == 0 => format!("{}s", ms / 1_000),
        ms => format!("{ms}ms"),
    }
}
