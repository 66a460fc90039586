//! Why a path, a key or an event was refused.

use core::fmt;

use dhlrs_codec::{DecodeError, EncodeError};
use dhlrs_path::DEPTH_MAX;

use crate::{DEPS_MAX, ORDER_KEY_BYTES_MAX, TRANSACTION_EVENTS_MAX};

/// A home path would have more than [`DEPTH_MAX`] steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HomePathError(());

impl HomePathError {
    pub(crate) const fn too_deep() -> Self {
        Self(())
    }
}

impl fmt::Display for HomePathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "home path too deep: limit {DEPTH_MAX} steps")
    }
}

impl core::error::Error for HomePathError {}

/// Why there is no such [`OrderKey`](crate::OrderKey).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OrderKeyError {
    /// The lower bound is not below the upper one.
    NotBetween,
    /// It would be longer than [`ORDER_KEY_BYTES_MAX`]; give the siblings new keys.
    TooLong,
    /// The last digit is 0.
    LastDigit,
}

impl OrderKeyError {
    pub(crate) const fn not_between() -> Self {
        Self::NotBetween
    }

    pub(crate) const fn too_long() -> Self {
        Self::TooLong
    }

    pub(crate) const fn last_digit() -> Self {
        Self::LastDigit
    }
}

impl fmt::Display for OrderKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotBetween => {
                f.write_str("no order key: the lower bound is not below the upper one")
            }
            Self::TooLong => write!(f, "order key too long: limit {ORDER_KEY_BYTES_MAX} bytes"),
            Self::LastDigit => f.write_str("no order key: its last digit is 0"),
        }
    }
}

impl core::error::Error for OrderKeyError {}

/// Why an event or a control record was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventErrorKind {
    /// It is longer than the limit, as bytes, in its dependencies or as a transaction.
    TooLarge,
    /// The bytes are none, or there is another spelling of the same.
    Malformed,
}

/// An event or a control record was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventError {
    reason: Reason,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Reason {
    Encode(EncodeError),
    Decode(DecodeError),
    Transaction(u16),
    Deps(usize),
    Order,
}

impl EventError {
    pub(crate) const fn encode(source: EncodeError) -> Self {
        Self {
            reason: Reason::Encode(source),
        }
    }

    pub(crate) const fn decode(source: DecodeError) -> Self {
        Self {
            reason: Reason::Decode(source),
        }
    }

    pub(crate) const fn transaction(following: u16) -> Self {
        Self {
            reason: Reason::Transaction(following),
        }
    }

    pub(crate) const fn deps(deps: usize) -> Self {
        Self {
            reason: Reason::Deps(deps),
        }
    }

    pub(crate) const fn order() -> Self {
        Self {
            reason: Reason::Order,
        }
    }

    /// What was wrong.
    #[must_use]
    pub fn kind(&self) -> EventErrorKind {
        use dhlrs_codec::DecodeErrorKind::{TooLarge, TooManyElements};
        match &self.reason {
            Reason::Encode(_) | Reason::Transaction(_) | Reason::Deps(_) => {
                EventErrorKind::TooLarge
            }
            Reason::Decode(source) if matches!(source.kind(), TooLarge | TooManyElements) => {
                EventErrorKind::TooLarge
            }
            Reason::Decode(_) | Reason::Order => EventErrorKind::Malformed,
        }
    }
}

impl fmt::Display for EventError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reason {
            Reason::Encode(_) => f.write_str("event not encoded"),
            Reason::Decode(_) => f.write_str("no event in these bytes"),
            Reason::Transaction(following) => write!(
                f,
                "transaction too large: {following} more events follow, limit {TRANSACTION_EVENTS_MAX} in all"
            ),
            Reason::Deps(deps) => write!(f, "too many dependencies: {deps}, limit {DEPS_MAX}"),
            Reason::Order => f.write_str(
                "malformed event: dependencies name other feeds, in their order, and events count from 1",
            ),
        }
    }
}

impl core::error::Error for EventError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match &self.reason {
            Reason::Encode(source) => Some(source),
            Reason::Decode(source) => Some(source),
            _ => None,
        }
    }
}
