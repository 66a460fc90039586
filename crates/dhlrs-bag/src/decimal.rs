//! Decimals that keep their scale, with one spelling each.

use std::{fmt, hash, str::FromStr};

use crate::{ValueError, ValueErrorKind};

/// A decimal number of 96 bits with a scale of 0 to 28, which is kept: 1.5 and 1.50 differ.
#[derive(Clone, Copy, Debug)]
pub struct Decimal(
    // Invariant: zero has no sign, so that each number has one spelling.
    rust_decimal::Decimal,
);

impl Decimal {
    /// `mantissa` with its last `scale` digits behind the point.
    ///
    /// # Errors
    /// When the mantissa needs more than 96 bits or the scale is above 28.
    pub fn new(mantissa: i128, scale: u8) -> Result<Self, ValueError> {
        rust_decimal::Decimal::try_from_i128_with_scale(mantissa, u32::from(scale))
            .map(Self)
            .map_err(|_| ValueError::new(ValueErrorKind::BadDecimal))
    }

    /// All digits as one integer.
    pub const fn mantissa(&self) -> i128 {
        self.0.mantissa()
    }

    /// How many of the digits are behind the point.
    pub const fn scale(&self) -> u8 {
        self.0.scale() as u8
    }

    pub(crate) fn number_cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0
            .cmp(&other.0)
            .then_with(|| self.scale().cmp(&other.scale()))
    }

    pub(crate) fn checked_add(self, other: Self) -> Option<Self> {
        let mut sum = self.0.checked_add(other.0)?;
        if sum.is_zero() {
            sum.set_sign_positive(true);
        }
        Some(Self(sum))
    }

    pub(crate) fn to_f64(self) -> f64 {
        self.mantissa() as f64 / 10_f64.powi(i32::from(self.scale()))
    }
}

impl From<i64> for Decimal {
    fn from(number: i64) -> Self {
        Self(rust_decimal::Decimal::from(number))
    }
}

impl FromStr for Decimal {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        // The library also takes "+1", "1_000" and ".5"; a decimal has one spelling only.
        let plain =
            |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        if !plain(whole) || !plain(fraction) {
            return Err(ValueError::new(ValueErrorKind::BadDecimal));
        }
        let mut number = rust_decimal::Decimal::from_str_exact(text)
            .map_err(|_| ValueError::new(ValueErrorKind::BadDecimal))?;
        if number.is_zero() {
            number.set_sign_positive(true);
        }
        Ok(Self(number))
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        (self.mantissa(), self.scale()) == (other.mantissa(), other.scale())
    }
}

impl Eq for Decimal {}

impl hash::Hash for Decimal {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        (self.mantissa(), self.scale()).hash(state);
    }
}
