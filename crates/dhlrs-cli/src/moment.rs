//! STAMP on the command line: a time of day, or what `log` prints.

use dhlrs_bag::Timestamp;
use dhlrs_clock::Stamp;

use crate::{Failure, FailureKind};

const NS_PER_MS: i64 = 1_000_000;

/// Reads RFC 3339, which means all of that millisecond, or `WALL_MS.COUNTER`.
///
/// # Errors
///
/// `Usage`; the hint has the forms that are read.
pub fn parse_moment(text: &str) -> Result<Stamp, Failure> {
    if let Ok(stamp) = text.parse() {
        return Ok(stamp);
    }
    let time: Option<Timestamp> = text.parse().ok();
    time.and_then(|time| u64::try_from(time.as_ns().div_euclid(NS_PER_MS)).ok())
        .and_then(|wall_ms| Stamp::new(wall_ms, u16::MAX))
        .ok_or_else(|| {
            Failure::new(FailureKind::Usage, "it is no moment since 1970").hint(
                "write RFC 3339, as in 2026-01-31T12:00:00Z, or a stamp that `dhlrs log` prints",
            )
        })
}

/// The time of day of a stamp, in RFC 3339.
pub(crate) fn time_text(wall_ms: u64) -> String {
    let ns = i64::try_from(wall_ms)
        .unwrap_or(i64::MAX)
        .saturating_mul(NS_PER_MS);
    Timestamp::from_ns(ns).to_string()
}
