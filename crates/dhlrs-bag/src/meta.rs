//! Where a revision came from: why, from whom, by which message, past which subscribers.

use std::{fmt, str::FromStr};

use dhlrs_path::NodeName;

use crate::{MsgIdError, Text};

/// The most subscribers a [`Meta::cause`] may list.
pub const CAUSE_SUBSCRIBERS_MAX: usize = 64;

/// The most bytes a [`Meta::reason`] may have.
pub const REASON_BYTES_MAX: usize = 1024;

/// Where a revision came from.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Meta {
    /// The store's revision.
    pub revision: u64,
    /// Why, in the words of whoever wanted it; proves nothing.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "crate::coding::reason"))]
    pub reason: Option<Text>,
    /// The process it came from.
    #[cfg_attr(feature = "serde", serde(with = "crate::coding::optional_text"))]
    pub origin: Option<NodeName>,
    /// The message it came with.
    pub msg_id: Option<MsgId>,
    /// The subscribers it passed on its way; one that is listed does not emit again.
    #[cfg_attr(
        feature = "serde",
        serde(deserialize_with = "crate::coding::bounded::<_, _, CAUSE_SUBSCRIBERS_MAX>")
    )]
    pub cause: Vec<SubscriberId>,
    /// The origin's hybrid clock: milliseconds, and a counter within one.
    pub stamp: Option<(u64, u16)>,
}

/// Names one message of a request session; prints as `SESSION-COUNTER`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct MsgId {
    /// 16 random bytes, chosen by the receiver of the session.
    pub session: [u8; 16],
    /// Counts the messages of the session.
    pub counter: u64,
}

/// Names one subscriber on one node.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SubscriberId(pub [u8; 16]);

impl fmt::Display for MsgId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt_hex(&self.session, f)?;
        write!(f, "-{}", self.counter)
    }
}

impl FromStr for MsgId {
    type Err = MsgIdError;

    fn from_str(text: &str) -> Result<Self, MsgIdError> {
        let (hex, counter) = text.split_once('-').ok_or(MsgIdError)?;
        let plain = |text: &str, digits: &str| text.chars().all(|char| digits.contains(char));
        let leading_zero = counter.len() > 1 && counter.starts_with('0');
        if hex.len() != 32 || !plain(hex, "0123456789abcdef") {
            return Err(MsgIdError);
        }
        if leading_zero || !plain(counter, "0123456789") {
            return Err(MsgIdError);
        }
        let session = u128::from_str_radix(hex, 16).map_err(|_| MsgIdError)?;
        Ok(Self {
            session: session.to_be_bytes(),
            counter: counter.parse().map_err(|_| MsgIdError)?,
        })
    }
}

impl fmt::Display for SubscriberId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt_hex(&self.0, f)
    }
}

fn fmt_hex(bytes: &[u8; 16], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "{:032x}", u128::from_be_bytes(*bytes))
}
