//! Revisions: how often a store has changed, and in which life of its log.

use std::error::Error;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One life of a store's log. A memory store opens a new one at each start, and so does a store
/// whose history cannot be replayed. Revisions of two incarnations do not compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Incarnation(pub u64);

impl fmt::Display for Incarnation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// The n-th batch of changes of one incarnation; 0 is the empty store. Prints `INCARNATION/n`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Revision {
    /// The life of the log that counts.
    pub incarnation: Incarnation,
    /// How many batches of changes that life has seen.
    pub number: u64,
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.incarnation, self.number)
    }
}

/// A revision as a caller names it: `n`, of whatever incarnation is there, or `INCARNATION/n`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RevisionFrom {
    /// The incarnation that is meant; `None` takes the store's present one.
    pub incarnation: Option<Incarnation>,
    /// The revision's number.
    pub number: u64,
}

impl From<Revision> for RevisionFrom {
    fn from(revision: Revision) -> Self {
        Self {
            incarnation: Some(revision.incarnation),
            number: revision.number,
        }
    }
}

impl From<u64> for RevisionFrom {
    fn from(number: u64) -> Self {
        Self {
            incarnation: None,
            number,
        }
    }
}

impl FromStr for RevisionFrom {
    type Err = ParseRevisionError;

    fn from_str(text: &str) -> Result<Self, ParseRevisionError> {
        let (incarnation, number) = match text.split_once('/') {
            Some((incarnation, number)) => (Some(parse_incarnation(incarnation)?), number),
            None => (None, text),
        };
        // `u64::from_str` takes "+3"; a revision has one spelling.
        if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(ParseRevisionError);
        }
        let number = number.parse().map_err(|_| ParseRevisionError)?;
        Ok(Self {
            incarnation,
            number,
        })
    }
}

fn parse_incarnation(text: &str) -> Result<Incarnation, ParseRevisionError> {
    let lower_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if text.len() != 16 || !text.bytes().all(lower_hex) {
        return Err(ParseRevisionError);
    }
    u64::from_str_radix(text, 16)
        .map(Incarnation)
        .map_err(|_| ParseRevisionError)
}

/// The text is no revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseRevisionError;

impl fmt::Display for ParseRevisionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a revision: expected a number, or 16 hex digits, a slash and a number")
    }
}

impl Error for ParseRevisionError {}
