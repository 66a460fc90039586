//! Events: one change each, with its place in its feed and what its author had seen.

use core::fmt;

use dhlrs_bag::Text;
use dhlrs_clock::{Dot, Stamp};
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::{Epoch, EventError, FeedId, TreeOp};

/// The most bytes of an encoded event.
pub const EVENT_BYTES_MAX: usize = 512 * 1024;
/// The most events of one transaction.
pub const TRANSACTION_EVENTS_MAX: usize = 4096;
/// The most dependencies of one event.
pub const DEPS_MAX: usize = 16_384;
/// The most bytes in the payload of a kind that the tree does not know.
pub const OTHER_PAYLOAD_BYTES_MAX: usize = 256 * 1024;

/// The name of an event.
pub type EventDot = Dot<FeedId>;

/// One event of a feed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Event {
    /// Its name.
    pub dot: EventDot,
    /// When it was made, by its author's clock.
    pub stamp: Stamp,
    /// The newest control record that its author had reduced; 0 in a store without a root.
    pub control: u64,
    /// The heads of the other feeds that had advanced at its author since the event before.
    #[serde(deserialize_with = "dhlrs_codec::bounded_vec::<_, _, DEPS_MAX>")]
    pub deps: Vec<Dep>,
    /// How many events that follow belong to the same transaction; below [`TRANSACTION_EVENTS_MAX`].
    pub following: u16,
    /// What it does.
    pub payload: Payload,
}

impl Event {
    /// The bytes of it.
    ///
    /// # Errors
    ///
    /// When it is too large; see [`EventErrorKind`](crate::EventErrorKind).
    pub fn encode(&self) -> Result<Vec<u8>, EventError> {
        self.check()?;
        dhlrs_codec::encode(self, EVENT_BYTES_MAX).map_err(EventError::encode)
    }

    /// The event of these bytes. Never panics; memory and time are in proportion to the input.
    ///
    /// # Errors
    ///
    /// When they are none, or it breaks a limit; see [`EventErrorKind`](crate::EventErrorKind).
    pub fn decode(bytes: &[u8]) -> Result<Self, EventError> {
        let event: Self =
            dhlrs_codec::decode(bytes, EVENT_BYTES_MAX).map_err(EventError::decode)?;
        event.check()?;
        Ok(event)
    }

    pub(crate) fn check(&self) -> Result<(), EventError> {
        if usize::from(self.following) >= TRANSACTION_EVENTS_MAX {
            return Err(EventError::transaction(self.following));
        }
        if self.deps.len() > DEPS_MAX {
            return Err(EventError::deps(self.deps.len()));
        }
        // One spelling, and one head of a feed only.
        let rises = |pair: &[Dep]| matches!(pair, [a, b] if a.dot.feed < b.dot.feed);
        let is_other = |dep: &Dep| dep.dot.feed != self.dot.feed && dep.dot.seq > 0;
        if !self.deps.windows(2).all(rises) || !self.deps.iter().all(is_other) || self.dot.seq == 0
        {
            return Err(EventError::order());
        }
        Ok(())
    }
}

/// The head of another feed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Dep {
    /// The event.
    pub dot: EventDot,
    /// Its id, which tells on which branch of a forked feed it stands.
    pub id: EventId,
}

/// An end of a feed: an event, and all before it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct FeedEnd {
    /// How many events.
    pub seq: u64,
    /// The id of the last one.
    pub id: EventId,
}

/// The hash of an event and, through the one before it, of all its feed up to there.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct EventId([u8; 32]);

static CHAIN: Context = Context::new("dhlrs 1 event id");

impl EventId {
    /// What stands before the first event of a feed.
    pub const NONE: Self = Self([0; 32]);

    /// The id of the event with these bytes that follows this one.
    #[must_use]
    pub fn followed_by(&self, event: &[u8]) -> Self {
        let hash = CHAIN.hasher().update(&self.0).update(event).finalize();
        Self(*hash.as_bytes())
    }

    /// The id of these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let &[a, b, c, d, ..] = &self.0;
        write!(f, "{a:02x}{b:02x}{c:02x}{d:02x}")
    }
}

/// What an event does.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Payload {
    /// Nothing: it says what its author has seen.
    Seen,
    /// A change of the tree.
    Tree(TreeOp),
    /// Something for a reducer of its own; kept and relayed where there is none.
    Other {
        /// Which reducer.
        #[serde(with = "kind")]
        kind: Text,
        /// What it reads.
        #[serde(deserialize_with = "dhlrs_codec::bounded_bytes::<_, OTHER_PAYLOAD_BYTES_MAX>")]
        bytes: Vec<u8>,
    },
    /// Ends another feed of the same author, in a store without a root; only a feed's first events do.
    ///
    /// An author does so when it goes on in a new epoch: after a backup was put back, or its clock was wrong.
    Close {
        /// The epoch of that feed.
        epoch: Epoch,
        /// The end of the last run that counts; `None` if none does.
        end: Option<FeedEnd>,
    },
}

mod kind {
    //! A kind is as long as a label at most.

    use dhlrs_bag::Text;
    use dhlrs_path::LABEL_BYTES_MAX;
    use serde::{Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(kind: &Text, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(kind)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Text, D::Error> {
        dhlrs_codec::bounded_string::<_, LABEL_BYTES_MAX>(deserializer).map(Text::from)
    }
}
