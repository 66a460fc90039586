//! All resolutions under way, who waits for them, and when they are due.

use std::collections::{BTreeMap, BTreeSet};

use crate::flight::{Flight, Reader, State};
use crate::output::FlightId;

/// What becomes due for a flight. At one moment the flights that end come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Wake {
    End(FlightId),
    Retry(FlightId),
    // The reader of that place in the queue.
    Reader(FlightId, u64),
}

/// The flights of a store, who waits for them, and when they want to be looked at.
#[derive(Debug, Default)]
pub(crate) struct Flights {
    // Invariant: `places` holds the readers of all flights; `wakes` their deadlines, those of the
    // flights, and one retry for each flight that waits.
    map: BTreeMap<FlightId, Flight>,
    places: BTreeMap<(u64, FlightId), u64>,
    wakes: BTreeSet<(u64, Wake)>,
    last_flight: u64,
    last_place: u64,
}

impl Flights {
    pub(crate) fn len(&self) -> usize {
        self.map.len()
    }

    pub(crate) fn readers(&self) -> usize {
        self.places.len()
    }

    pub(crate) fn get(&self, id: FlightId) -> Option<&Flight> {
        self.map.get(&id)
    }

    pub(crate) fn get_mut(&mut self, id: FlightId) -> Option<&mut Flight> {
        self.map.get_mut(&id)
    }

    pub(crate) fn next_wake_ms(&self) -> Option<u64> {
        self.wakes.first().map(|(at_ms, _)| *at_ms)
    }

    pub(crate) fn pop_wake(&mut self, now_ms: u64) -> Option<Wake> {
        if self.next_wake_ms()? > now_ms {
            return None;
        }
        self.wakes.pop_first().map(|(_, wake)| wake)
    }

    pub(crate) fn add(&mut self, flight: Flight) -> FlightId {
        self.last_flight += 1;
        let id = FlightId(self.last_flight);
        self.wakes.insert((flight.deadline_ms, Wake::End(id)));
        self.map.insert(id, flight);
        id
    }

    /// Takes a flight out with all that belongs to it.
    pub(crate) fn remove(&mut self, id: FlightId) -> Option<Flight> {
        let flight = self.map.remove(&id)?;
        self.wakes.remove(&(flight.deadline_ms, Wake::End(id)));
        if let State::Waiting { retry_ms } = flight.state {
            self.wakes.remove(&(retry_ms, Wake::Retry(id)));
        }
        for (place, reader) in &flight.readers {
            self.places.remove(&(reader.reader, id));
            self.wakes
                .remove(&(reader.deadline_ms, Wake::Reader(id, *place)));
        }
        Some(flight)
    }

    pub(crate) fn wait_for_retry(&mut self, id: FlightId, retry_ms: u64) {
        if let Some(flight) = self.map.get_mut(&id) {
            flight.state = State::Waiting { retry_ms };
            self.wakes.insert((retry_ms, Wake::Retry(id)));
        }
    }

    pub(crate) fn waits(&self, id: FlightId, reader: u64) -> bool {
        self.places.contains_key(&(reader, id))
    }

    /// Adds a reader, or gives it another deadline.
    pub(crate) fn join(&mut self, id: FlightId, reader: Reader) {
        let Some(flight) = self.map.get_mut(&id) else {
            return;
        };
        let place = *self.places.entry((reader.reader, id)).or_insert_with(|| {
            self.last_place += 1;
            self.last_place
        });
        if let Some(before) = flight.readers.insert(place, reader) {
            self.wakes
                .remove(&(before.deadline_ms, Wake::Reader(id, place)));
        }
        self.wakes
            .insert((reader.deadline_ms, Wake::Reader(id, place)));
    }

    /// Takes a reader off a flight. Returns whether nobody needs the flight any more.
    pub(crate) fn leave(&mut self, id: FlightId, place: u64) -> bool {
        let Some(flight) = self.map.get_mut(&id) else {
            return false;
        };
        if let Some(reader) = flight.readers.remove(&place) {
            self.places.remove(&(reader.reader, id));
            self.wakes
                .remove(&(reader.deadline_ms, Wake::Reader(id, place)));
        }
        flight.readers.is_empty() && !flight.background
    }

    /// Where a reader waits.
    pub(crate) fn places_of(&self, reader: u64) -> Vec<(FlightId, u64)> {
        let all = (reader, FlightId(0))..=(reader, FlightId(u64::MAX));
        self.places
            .range(all)
            .map(|((_, id), place)| (*id, *place))
            .collect()
    }
}
