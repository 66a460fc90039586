//! The writer of the own feed: events are logged one by one, and signed once in runs.

use dhlrs_clock::{Dot, Stamp, Time};
use dhlrs_identity::{Signature, Signer};
use serde::{Deserialize, Serialize};

use crate::body::{Dictionary, Watermark};
use crate::cursor::Cursor;
use crate::{
    Dep, Event, EventId, FeedEnd, FeedId, Payload, RUN_BYTES_MAX, RUN_EVENTS_MAX, Run, RunClaim,
    RunError, RunHeader, StoreId,
};

/// When an author cuts a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RunLimits {
    /// At this many events.
    pub events_max: usize,
    /// Before the bodies come to more bytes than this.
    pub bytes_max: usize,
    /// This long after the run's first event; at once if nothing was signed for as long before it.
    pub flush_ms: u64,
}

impl Default for RunLimits {
    /// 64 events, 16 KiB, 50 ms.
    fn default() -> Self {
        Self {
            events_max: 64,
            bytes_max: 16 * 1024,
            flush_ms: 50,
        }
    }
}

/// An event that has no place yet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewEvent {
    /// When it was made; above the stamp of the event before.
    pub stamp: Stamp,
    /// The heads of the other feeds that have advanced since the event before, in the order of feeds.
    pub deps: Vec<Dep>,
    /// What it does.
    pub payload: Payload,
}

/// One transaction as the log keeps it. It is durable before the transaction is acknowledged.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OwnRecord {
    first: u64,
    count: u16,
    /// Wall, control number and control head of the run that begins here.
    opens: Option<(u64, u64, EventId)>,
    last: EventId,
    #[serde(deserialize_with = "dhlrs_codec::bounded_bytes::<_, RUN_BYTES_MAX>")]
    bodies: Vec<u8>,
}

/// That the events logged so far were signed as a run. It is durable before the run leaves this replica.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SealRecord {
    header: RunHeader,
    signature: Signature,
}

/// A run that was cut, and what is to be logged before it leaves.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sealed {
    /// The run.
    pub run: Run,
    /// What the log keeps of it: the bodies are there already.
    pub record: SealRecord,
}

/// What became of a transaction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Written {
    /// The run that had to be cut before it; its record comes first in the log.
    pub sealed: Option<Sealed>,
    /// Its events, with their ids.
    pub events: Vec<(Event, EventId)>,
    /// What is to be logged.
    pub record: OwnRecord,
}

/// Gives own events their places and ids, and cuts them into signed runs.
///
/// An event costs its encoding and one hash; a run one signature. Memory: the open run.
#[derive(Clone, Debug)]
pub struct RunWriter {
    store: StoreId,
    feed: FeedId,
    limits: RunLimits,
    head: FeedEnd,
    last_stamp: Option<Stamp>,
    open: Option<OpenRun>,
    sealed_at: Option<Time>,
}

#[derive(Clone, Debug)]
struct OpenRun {
    header: RunHeader,
    prev: EventId,
    control_head: EventId,
    bodies: Vec<u8>,
    dictionary: Dictionary,
    opened_at: Time,
}

impl RunWriter {
    /// The writer of a new feed. What was logged of it comes back by [`RunWriter::replay`] and
    /// [`RunWriter::replay_seal`].
    #[must_use]
    pub fn new(store: StoreId, feed: FeedId, limits: RunLimits) -> Self {
        let none = FeedEnd {
            seq: 0,
            id: EventId::NONE,
        };
        Self::resume(store, feed, limits, none, None)
    }

    /// The writer of a feed of which all up to `head` is signed, the last at this stamp: from a checkpoint.
    #[must_use]
    pub fn resume(
        store: StoreId,
        feed: FeedId,
        limits: RunLimits,
        head: FeedEnd,
        last_stamp: Option<Stamp>,
    ) -> Self {
        Self {
            store,
            feed,
            limits: RunLimits {
                events_max: limits.events_max.clamp(1, RUN_EVENTS_MAX),
                ..limits
            },
            head,
            last_stamp,
            open: None,
            sealed_at: None,
        }
    }

    /// The feed.
    #[must_use]
    pub const fn feed(&self) -> &FeedId {
        &self.feed
    }

    /// The last event, signed or not; seq 0 if there is none.
    #[must_use]
    pub const fn head(&self) -> FeedEnd {
        self.head
    }

    /// Whether events wait for their signature.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Gives a transaction its place; one event is a transaction too. A run that has no room is cut before it.
    ///
    /// `control` is the newest control record that was reduced, with its id; 0 and [`EventId::NONE`] without a root.
    ///
    /// # Errors
    ///
    /// [`TooLarge`](crate::RunErrorKind::TooLarge), [`StampNotRising`](crate::RunErrorKind::StampNotRising) or
    /// [`Malformed`](crate::RunErrorKind::Malformed) (dependencies out of order); then nothing has changed.
    pub fn append(
        &mut self,
        now: Time,
        control: (u64, EventId),
        transaction: Vec<NewEvent>,
        signer: &dyn Signer,
    ) -> Result<Written, RunError> {
        let events = self.number(control.0, transaction)?;
        if let Some(open) = &mut self.open {
            let fits = open.header.control == control.0
                && usize::from(open.header.count) + events.len() <= self.limits.events_max;
            if fits {
                let before = (open.dictionary.watermark(), open.bodies.len());
                let written = open.put(self.head.id, &events);
                if let Ok((ids, record)) = written
                    && open.bodies.len() <= self.limits.bytes_max
                {
                    return Ok(self.advance(None, events, ids, record));
                }
                open.go_back(before, self.head.seq);
            }
        }
        let wall_ms = events.first().map_or(0, |event| event.stamp.wall_ms());
        let mut opened = OpenRun::new(self.head, wall_ms, control, now);
        let opening = (opened.header).opening(&self.store, &self.feed, &self.head.id);
        let (ids, mut record) = opened.put(opening, &events)?;
        record.opens = Some((wall_ms, control.0, control.1));
        let sealed = self.seal(now, signer);
        self.open = Some(opened);
        Ok(self.advance(sealed, events, ids, record))
    }

    /// When the open run is to be cut; `None` if there is none.
    #[must_use]
    pub fn due(&self) -> Option<Time> {
        let open = self.open.as_ref()?;
        let is_full = usize::from(open.header.count) >= self.limits.events_max
            || open.bodies.len() >= self.limits.bytes_max;
        let is_quiet = self
            .sealed_at
            .is_none_or(|sealed_at| open.opened_at.since_ms(sealed_at) >= self.limits.flush_ms);
        Some(match is_full || is_quiet {
            true => open.opened_at,
            false => open.opened_at.plus_ms(self.limits.flush_ms),
        })
    }

    /// Cuts the open run.
    pub fn seal(&mut self, now: Time, signer: &dyn Signer) -> Option<Sealed> {
        let open = self.open.take()?;
        self.sealed_at = Some(now);
        let ids = (open.prev, self.head.id);
        let names = (&self.store, &self.feed);
        let claim = RunClaim::sign(names, &open.control_head, open.header, ids, signer);
        Some(Sealed {
            run: Run::seal(self.feed, claim, &open.bodies),
            record: SealRecord {
                header: open.header,
                signature: claim.signature,
            },
        })
    }

    /// Takes in a transaction that was logged, the next of the feed, and gives its events.
    ///
    /// # Errors
    ///
    /// When it is not the next, or not what was logged: the log has lost something.
    pub fn replay(&mut self, record: &OwnRecord) -> Result<Vec<(Event, EventId)>, RunError> {
        let out_of_place = RunError::out_of_place(record.first);
        if record.first != self.head.seq + 1 || record.opens.is_some() == self.open.is_some() {
            return Err(out_of_place);
        }
        let (mut open, mut id) = match (self.open.take(), record.opens) {
            (None, Some((wall_ms, control, control_head))) => {
                let control = (control, control_head);
                let open = OpenRun::new(self.head, wall_ms, control, Time::default());
                let id = open.header.opening(&self.store, &self.feed, &self.head.id);
                (open, id)
            }
            (Some(open), None) => (open, self.head.id),
            _ => return Err(out_of_place),
        };
        let mut from = Cursor::new(&record.bodies);
        let mut events = Vec::new();
        for seq in (record.first..).take(usize::from(record.count)) {
            let at = from.at();
            let dot = Dot::new(self.feed, seq);
            let event = open
                .dictionary
                .decode(&mut from, dot, open.header.control)?;
            id = id.followed_by(from.since(at));
            events.push((event, id));
        }
        if !from.is_at_end() || id != record.last || events.is_empty() {
            return Err(out_of_place);
        }
        open.header.count = open.header.count.saturating_add(record.count);
        open.bodies.extend_from_slice(&record.bodies);
        self.open = Some(open);
        self.head_at(&events);
        Ok(events)
    }

    /// Takes in that the events replayed so far were signed, and gives the run.
    ///
    /// # Errors
    ///
    /// When it is about other events: the log has lost something.
    pub fn replay_seal(&mut self, record: &SealRecord) -> Result<Run, RunError> {
        let open = self.open.take_if(|open| open.header == record.header);
        let open = open.ok_or(RunError::out_of_place(record.header.first))?;
        let claim = RunClaim {
            header: open.header,
            prev: open.prev,
            last: self.head.id,
            signature: record.signature,
        };
        Ok(Run::seal(self.feed, claim, &open.bodies))
    }

    fn number(&self, control: u64, transaction: Vec<NewEvent>) -> Result<Vec<Event>, RunError> {
        let count = transaction.len();
        if count == 0 || count > RUN_EVENTS_MAX {
            return Err(RunError::events(count as u64));
        }
        let mut last = self.last_stamp;
        let mut events = Vec::with_capacity(count);
        for (seq, (event, following)) in
            (self.head.seq + 1..).zip(transaction.into_iter().zip((0..count).rev()))
        {
            if last.is_some_and(|last| event.stamp <= last) {
                return Err(RunError::stamp_not_rising());
            }
            last = Some(event.stamp);
            let event = Event {
                dot: Dot::new(self.feed, seq),
                stamp: event.stamp,
                control,
                deps: event.deps,
                following: u16::try_from(following).unwrap_or(u16::MAX),
                payload: event.payload,
            };
            event.check().map_err(RunError::event)?;
            events.push(event);
        }
        Ok(events)
    }

    fn advance(
        &mut self,
        sealed: Option<Sealed>,
        events: Vec<Event>,
        ids: Vec<EventId>,
        record: OwnRecord,
    ) -> Written {
        let events: Vec<_> = events.into_iter().zip(ids).collect();
        self.head_at(&events);
        Written {
            sealed,
            events,
            record,
        }
    }

    fn head_at(&mut self, events: &[(Event, EventId)]) {
        if let Some((event, id)) = events.last() {
            self.last_stamp = Some(event.stamp);
            self.head = FeedEnd {
                seq: event.dot.seq,
                id: *id,
            };
        }
    }
}

impl OpenRun {
    fn new(head: FeedEnd, wall_ms: u64, control: (u64, EventId), now: Time) -> Self {
        let header = RunHeader {
            first: head.seq + 1,
            wall_ms,
            count: 0,
            control: control.0,
        };
        Self {
            header,
            prev: head.id,
            control_head: control.1,
            bodies: Vec::new(),
            dictionary: Dictionary::new(header.wall()),
            opened_at: now,
        }
    }

    /// Appends events; what precedes them in the chain is `id`.
    fn put(
        &mut self,
        mut id: EventId,
        events: &[Event],
    ) -> Result<(Vec<EventId>, OwnRecord), RunError> {
        let from = self.bodies.len();
        let mut ids = Vec::with_capacity(events.len());
        for event in events {
            let at = self.bodies.len();
            self.dictionary.encode(event, &mut self.bodies)?;
            id = id.followed_by(self.bodies.get(at..).unwrap_or_default());
            ids.push(id);
        }
        // Room for the header and the signature.
        if self.bodies.len() > RUN_BYTES_MAX - 128 {
            return Err(RunError::bytes(self.bodies.len()));
        }
        let count = u16::try_from(events.len()).unwrap_or(u16::MAX);
        self.header.count = self.header.count.saturating_add(count);
        let record = OwnRecord {
            first: events.first().map_or(0, |event| event.dot.seq),
            count,
            opens: None,
            last: id,
            bodies: self.bodies.get(from..).unwrap_or_default().to_vec(),
        };
        Ok((ids, record))
    }

    fn go_back(&mut self, (dictionary, bytes): (Watermark, usize), last: u64) {
        self.dictionary.go_back(dictionary);
        self.bodies.truncate(bytes);
        let count = (last + 1).saturating_sub(self.header.first);
        self.header.count = u16::try_from(count).unwrap_or(u16::MAX);
    }
}
