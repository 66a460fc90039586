//! Events of kinds that the tree does not know.

use std::error::Error;
use std::fmt;

use dhlrs_bag::Text;
use dhlrs_codec::bounded_bytes;
use dhlrs_feed::OTHER_PAYLOAD_BYTES_MAX;
use dhlrs_path::LABEL_BYTES_MAX;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Kinds that begin so are the tree's own.
pub const RESERVED_KIND: &str = "bag.";

/// An event for a reducer of its own: kept and relayed by replicas that have none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherEvent {
    // Invariant: 1 to `LABEL_BYTES_MAX` bytes, and not the tree's own.
    kind: Text,
    // Invariant: at most `OTHER_PAYLOAD_BYTES_MAX`.
    payload: Vec<u8>,
}

impl OtherEvent {
    /// An event of this kind.
    ///
    /// # Errors
    ///
    /// [`OtherEventError`]: the kind is empty, longer than [`LABEL_BYTES_MAX`], has control characters or begins with
    /// [`RESERVED_KIND`], or the payload is over [`OTHER_PAYLOAD_BYTES_MAX`].
    pub fn new(kind: &str, payload: Vec<u8>) -> Result<Self, OtherEventError> {
        if kind.is_empty()
            || kind.len() > LABEL_BYTES_MAX
            || kind.starts_with(RESERVED_KIND)
            || kind.chars().any(char::is_control)
        {
            return Err(OtherEventError::Kind);
        }
        if payload.len() > OTHER_PAYLOAD_BYTES_MAX {
            return Err(OtherEventError::TooLarge {
                found: payload.len(),
            });
        }
        Ok(Self {
            kind: Text::from(kind),
            payload,
        })
    }

    /// Which reducer.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// What it reads.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// Both parts.
    #[must_use]
    pub fn into_parts(self) -> (Text, Vec<u8>) {
        (self.kind, self.payload)
    }
}

#[derive(Serialize)]
struct Parts<'a> {
    kind: &'a str,
    payload: &'a [u8],
}

#[derive(Deserialize)]
struct Received<'a> {
    kind: &'a str,
    #[serde(deserialize_with = "bounded_bytes::<_, OTHER_PAYLOAD_BYTES_MAX>")]
    payload: Vec<u8>,
}

impl Serialize for OtherEvent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { kind, payload } = self;
        Parts { kind, payload }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for OtherEvent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Received { kind, payload } = Received::deserialize(deserializer)?;
        Self::new(kind, payload).map_err(serde::de::Error::custom)
    }
}

/// What can be no event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OtherEventError {
    /// The kind is empty, too long, reserved, or has control characters. Choose another.
    Kind,
    /// The payload is over [`OTHER_PAYLOAD_BYTES_MAX`]. Send less.
    TooLarge {
        /// Its bytes.
        found: usize,
    },
}

impl fmt::Display for OtherEventError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kind => write!(
                f,
                "no kind of event: it has 1 to {LABEL_BYTES_MAX} bytes, no control characters, and does not begin with \
                 `{RESERVED_KIND}`"
            ),
            Self::TooLarge { found } => {
                write!(
                    f,
                    "a payload of {found} bytes, limit {OTHER_PAYLOAD_BYTES_MAX}"
                )
            }
        }
    }
}

impl Error for OtherEventError {}
