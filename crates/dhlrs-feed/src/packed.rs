//! Events as a replica keeps them for itself: whatever was named once is a number from then on.

use dhlrs_clock::{Dot, Stamp};

use crate::body::{Dictionary, kind};
use crate::cursor::{Cursor, put_varint};
use crate::event::DEPS_MAX;
use crate::{Event, EventId, RunError};

// A packed event of a small value; an estimate.
const EVENT_BYTES: usize = 45;

/// Writes events of any feeds, in any order, for an [`EventUnpacker`] to read in the same.
///
/// Memory: every path, name and feed that was named. An event takes some 45 bytes, 32 of which are its id.
#[derive(Debug)]
pub struct EventPacker(Dictionary);

impl Default for EventPacker {
    fn default() -> Self {
        let mut dictionary = Dictionary::new(Stamp::ZERO);
        dictionary.catch_up();
        Self(dictionary)
    }
}

impl EventPacker {
    /// Appends an event and its id.
    ///
    /// # Errors
    ///
    /// When its value is too large, which no event of a run is.
    pub fn pack(
        &mut self,
        event: &Event,
        id: &EventId,
        bytes: &mut Vec<u8>,
    ) -> Result<(), RunError> {
        self.0.put_feed(&event.dot.feed, bytes);
        put_varint(bytes, event.dot.seq);
        bytes.extend_from_slice(&event.stamp.to_bits().to_le_bytes());
        put_varint(bytes, event.control);
        put_varint(bytes, event.deps.len() as u64);
        event.deps.iter().for_each(|dep| self.0.put_dep(dep, bytes));
        put_varint(bytes, u64::from(event.following));
        bytes.extend_from_slice(id.as_bytes());
        bytes.push(kind(&event.payload));
        self.0.put_payload(&event.payload, bytes)
    }
}

/// Reads what an [`EventPacker`] wrote.
#[derive(Debug)]
pub struct EventUnpacker(Dictionary);

impl Default for EventUnpacker {
    fn default() -> Self {
        Self(Dictionary::new(Stamp::ZERO))
    }
}

impl EventUnpacker {
    /// The events of these bytes, with their ids. Never panics; memory is in proportion to all bytes so far.
    ///
    /// # Errors
    ///
    /// When they are none; it can read no more then.
    pub fn unpack(&mut self, bytes: &[u8]) -> Result<Vec<(Event, EventId)>, RunError> {
        let mut from = Cursor::new(bytes);
        let mut events = Vec::with_capacity(bytes.len() / EVENT_BYTES);
        while !from.is_at_end() {
            events.push(self.next(&mut from)?);
        }
        Ok(events)
    }

    fn next(&mut self, from: &mut Cursor<'_>) -> Result<(Event, EventId), RunError> {
        let dot = Dot::new(self.0.take_feed(from)?, from.varint()?);
        let stamp = Stamp::from_bits(u64::from_le_bytes(from.array()?));
        let control = from.varint()?;
        let count = from.length()?;
        if count > DEPS_MAX {
            return Err(from.malformed());
        }
        let mut deps = Vec::new();
        for _ in 0..count {
            deps.push(self.0.take_dep(from)?);
        }
        let following = u16::try_from(from.varint()?).map_err(|_| from.malformed())?;
        let id = EventId::from_bytes(from.array()?);
        let kind = from.byte()?;
        let event = Event {
            dot,
            stamp,
            control,
            deps,
            following,
            payload: self.0.take_payload(kind, from)?,
        };
        event.check().map_err(RunError::event)?;
        Ok((event, id))
    }
}
