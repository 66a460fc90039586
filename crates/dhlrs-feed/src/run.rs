//! Runs: events of one feed that their author cut and signed together, and that travel as they are.

use dhlrs_clock::{Dot, STAMP_WALL_MS_MAX, Stamp};
use dhlrs_identity::{Domain, Signature, Signer, Verifier};
use serde::{Deserialize, Serialize};

use crate::body::Dictionary;
use crate::context::Context;
use crate::cursor::{Cursor, put_varint};
use crate::{Event, EventId, FeedEnd, FeedId, RunError, StoreId, TRANSACTION_EVENTS_MAX};

/// The most events of one run; an author cuts at [`RunLimits::events_max`](crate::RunLimits), unless a transaction is
/// longer.
pub const RUN_EVENTS_MAX: usize = TRANSACTION_EVENTS_MAX;
/// The most bytes of one run; an author cuts at [`RunLimits::bytes_max`](crate::RunLimits), unless a transaction or
/// one event is longer.
pub const RUN_BYTES_MAX: usize = 576 * 1024;

const RUN: Domain = Domain::new("dhlrs 1 run");
static OPENING: Context = Context::new("dhlrs 1 run opening");
const FORMAT: u8 = 1;
const SIGNATURE_BYTES: usize = 64;

/// What the beginning of a run says.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct RunHeader {
    /// The number of its first event.
    pub first: u64,
    /// The wall of its first event's stamp, in milliseconds.
    pub wall_ms: u64,
    /// How many events; at least one.
    pub count: u16,
    /// The newest control record that the author had reduced when it made them; 0 in a store without a root.
    pub control: u64,
}

impl RunHeader {
    /// The header at the beginning of these bytes. O(1).
    ///
    /// # Errors
    ///
    /// When there is none, or it breaks a limit.
    pub fn peek(bytes: &[u8]) -> Result<Self, RunError> {
        Self::take(&mut Cursor::new(bytes))
    }

    /// The number of its last event.
    #[must_use]
    pub fn last(&self) -> u64 {
        self.first
            .saturating_add(u64::from(self.count))
            .saturating_sub(1)
    }

    fn take(from: &mut Cursor<'_>) -> Result<Self, RunError> {
        if from.byte()? != FORMAT {
            return Err(from.malformed());
        }
        let (first, wall_ms, count) = (from.varint()?, from.varint()?, from.varint()?);
        if count > RUN_EVENTS_MAX as u64 {
            return Err(RunError::events(count));
        }
        let header = Self {
            first,
            wall_ms,
            count: u16::try_from(count).unwrap_or_default(),
            control: from.varint()?,
        };
        let has_end = first.checked_add(count).is_some();
        if first == 0 || count == 0 || wall_ms > STAMP_WALL_MS_MAX || !has_end {
            return Err(from.malformed());
        }
        Ok(header)
    }

    fn put(&self, bytes: &mut Vec<u8>) {
        bytes.push(FORMAT);
        put_varint(bytes, self.first);
        put_varint(bytes, self.wall_ms);
        put_varint(bytes, u64::from(self.count));
        put_varint(bytes, self.control);
    }

    pub(crate) fn wall(&self) -> Stamp {
        Stamp::new(self.wall_ms, 0).unwrap_or_default()
    }

    /// What the ids of its events begin with, so that they mean one feed, one place and one reading of the bodies.
    pub(crate) fn opening(&self, store: &StoreId, feed: &FeedId, prev: &EventId) -> EventId {
        let hash = OPENING
            .hasher()
            .update(store.as_bytes())
            .update(feed.author.as_bytes())
            .update(&feed.epoch.number().to_le_bytes())
            .update(&feed.epoch.random().to_le_bytes())
            .update(prev.as_bytes())
            .update(&self.first.to_le_bytes())
            .update(&self.wall_ms.to_le_bytes())
            .update(&self.control.to_le_bytes())
            .finalize();
        EventId::from_bytes(*hash.as_bytes())
    }
}

/// What the author of a run signed: that these events, and no others, follow this head of its feed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RunClaim {
    /// The header.
    pub header: RunHeader,
    /// The head before it; [`EventId::NONE`] if it is the feed's first.
    pub prev: EventId,
    /// The id of its last event.
    pub last: EventId,
    /// The author's signature.
    pub signature: Signature,
}

impl RunClaim {
    pub(crate) fn sign(
        (store, feed): (&StoreId, &FeedId),
        control_head: &EventId,
        header: RunHeader,
        (prev, last): (EventId, EventId),
        signer: &dyn Signer,
    ) -> Self {
        let mut claim = Self {
            header,
            prev,
            last,
            signature: Signature::from_bytes([0; SIGNATURE_BYTES]),
        };
        claim.signature = signer.sign(&RUN, &claim.message(store, feed, control_head));
        claim
    }

    /// Checks the signature.
    ///
    /// `control_head` is the id of the control record with the header's number; [`EventId::NONE`] without a root.
    ///
    /// # Errors
    ///
    /// [`BadSignature`](crate::RunErrorKind::BadSignature).
    pub fn verify(
        &self,
        store: &StoreId,
        feed: &FeedId,
        control_head: &EventId,
        verifier: &dyn Verifier,
    ) -> Result<(), RunError> {
        let message = self.message(store, feed, control_head);
        verifier
            .verify(&feed.author, &RUN, &message, &self.signature)
            .map_err(RunError::signature)
    }

    /// The end that the run gives to its feed.
    #[must_use]
    pub fn end(&self) -> FeedEnd {
        FeedEnd {
            seq: self.header.last(),
            id: self.last,
        }
    }

    /// Whether no feed has both: one author signs each event once, in one run.
    #[must_use]
    pub fn contradicts(&self, other: &Self) -> bool {
        let (low, high) = match self.header.first <= other.header.first {
            true => (self, other),
            false => (other, self),
        };
        let (low_last, high_first) = (low.header.last(), high.header.first);
        if low_last >= high_first {
            return (low.header, low.prev, low.last) != (high.header, high.prev, high.last);
        }
        low_last + 1 == high_first && low.last != high.prev
    }

    fn message(&self, store: &StoreId, feed: &FeedId, control_head: &EventId) -> Vec<u8> {
        let mut message = Vec::with_capacity(256);
        message.extend_from_slice(store.as_bytes());
        message.extend_from_slice(feed.author.as_bytes());
        message.extend_from_slice(&feed.epoch.number().to_le_bytes());
        message.extend_from_slice(&feed.epoch.random().to_le_bytes());
        message.extend_from_slice(control_head.as_bytes());
        message.extend_from_slice(self.prev.as_bytes());
        message.extend_from_slice(self.last.as_bytes());
        self.header.put(&mut message);
        message
    }
}

/// A run whose signature was checked, or that was written here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Run {
    feed: FeedId,
    claim: RunClaim,
    // Invariant: the bytes that the claim is about.
    bytes: Vec<u8>,
}

impl Run {
    /// Reads and checks a run that follows `prev` in the feed, and gives its events with their ids.
    ///
    /// Never panics; memory is at most 32 times the input and 1 MiB, time is in proportion to it.
    ///
    /// # Errors
    ///
    /// [`RunError`]; nothing of a run is good if something is wrong.
    pub fn read(
        store: &StoreId,
        feed: &FeedId,
        prev: &EventId,
        control_head: &EventId,
        bytes: &[u8],
        verifier: &dyn Verifier,
    ) -> Result<(Self, Vec<(Event, EventId)>), RunError> {
        let (run, events) = Self::read_own(store, feed, prev, bytes)?;
        (run.claim).verify(store, feed, control_head, verifier)?;
        Ok((run, events))
    }

    /// The same for a run that this replica checked before it stored it.
    ///
    /// # Errors
    ///
    /// As [`Run::read`]; the signature is not looked at.
    pub fn read_own(
        store: &StoreId,
        feed: &FeedId,
        prev: &EventId,
        bytes: &[u8],
    ) -> Result<(Self, Vec<(Event, EventId)>), RunError> {
        if bytes.len() > RUN_BYTES_MAX {
            return Err(RunError::bytes(bytes.len()));
        }
        let mut from = Cursor::new(bytes);
        let header = RunHeader::take(&mut from)?;
        let signature = Signature::from_bytes(from.array()?);
        let mut dictionary = Dictionary::new(header.wall());
        let mut id = header.opening(store, feed, prev);
        let mut events = Vec::with_capacity(usize::from(header.count).min(bytes.len()));
        for seq in header.first..=header.last() {
            let at = from.at();
            let dot = Dot::new(*feed, seq);
            let event = dictionary.decode(&mut from, dot, header.control)?;
            id = id.followed_by(from.since(at));
            events.push((event, id));
        }
        let is_whole = (events.iter().rev())
            .zip(0..)
            .all(|((event, _), after)| event.following <= after);
        if !from.is_at_end() || !is_whole {
            return Err(from.malformed());
        }
        let claim = RunClaim {
            header,
            prev: *prev,
            last: id,
            signature,
        };
        let run = Self {
            feed: *feed,
            claim,
            bytes: bytes.to_vec(),
        };
        Ok((run, events))
    }

    pub(crate) fn seal(feed: FeedId, claim: RunClaim, bodies: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(bodies.len() + 96);
        claim.header.put(&mut bytes);
        bytes.extend_from_slice(claim.signature.as_bytes());
        bytes.extend_from_slice(bodies);
        Self { feed, claim, bytes }
    }

    /// Whose it is.
    #[must_use]
    pub const fn feed(&self) -> &FeedId {
        &self.feed
    }

    /// What its author signed.
    #[must_use]
    pub const fn claim(&self) -> &RunClaim {
        &self.claim
    }

    /// The bytes that travel and are stored.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes that travel and are stored.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}
