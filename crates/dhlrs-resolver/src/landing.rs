//! How a flight ends, or goes on after a failure.

use std::collections::BTreeMap;
use std::sync::Arc;

use dhlrs_bag::Content;

use crate::call::{Rules, Slot};
use crate::entry::{Kept, Negative};
use crate::error::{ResolveError, ResolveErrorKind};
use crate::flight::{Reader, State};
use crate::output::{FlightId, Output, Resolution};
use crate::resolvers::{Resolvers, deadline_passed};

impl Resolvers {
    /// Answers the readers of a flight, and keeps the result if it is still what the node asks for.
    pub(crate) fn finish(
        &mut self,
        now_ms: u64,
        id: FlightId,
        result: Result<(Arc<Content>, u64), ResolveError>,
        outputs: &mut Vec<Output>,
    ) {
        let Some(flight) = self.flights.remove(id) else {
            return;
        };
        let slot = flight.slot;
        let resolution = result
            .as_ref()
            .map(|(content, _)| Arc::clone(content))
            .map_err(Clone::clone);
        answer(flight.readers, &resolution, outputs);
        self.cache.remove_flight(&slot, id);
        let rules = flight.rules;
        let is_wanted = !flight.overtaken
            && self
                .cache
                .get(&slot)
                .is_some_and(|entry| entry.key == flight.key);
        if is_wanted && rules.refresh_interval_ms > 0 {
            self.cache.set_due(
                &slot,
                Some(now_ms.saturating_add(rules.refresh_interval_ms)),
            );
        }
        match result {
            Ok((content, bytes)) if is_wanted => {
                self.keep(now_ms, &slot, rules, content, bytes, outputs)
            }
            Ok(_) => {}
            Err(error) => {
                if let Some(entry) = self
                    .cache
                    .get_mut(&slot)
                    .filter(|_| is_wanted && rules.negative_cache_ms > 0)
                {
                    let until_ms = now_ms.saturating_add(rules.negative_cache_ms);
                    entry.negative = Some(Negative {
                        until_ms,
                        error: error.clone(),
                    });
                }
                outputs.push(Output::Failed {
                    slot: slot.clone(),
                    error,
                });
            }
        }
        self.cache.settle(&slot);
        self.cache.touch(&slot);
        self.cache.evict(self.limits.cached_bytes_max, outputs);
    }

    fn keep(
        &mut self,
        resolved_ms: u64,
        slot: &Slot,
        rules: Rules,
        content: Arc<Content>,
        bytes: u64,
        outputs: &mut Vec<Output>,
    ) {
        if rules.read_only {
            // An overlay from before the resolver became read_only is taken out.
            self.cache.reset(slot, outputs);
        } else {
            outputs.push(Output::Store {
                slot: slot.clone(),
                content: Arc::clone(&content),
            });
        }
        let Some(entry) = self.cache.get_mut(slot) else {
            return;
        };
        entry.negative = None;
        let stored = !rules.read_only;
        let content = rules.keeps_content().then_some(content);
        entry.kept = (stored || content.is_some()).then_some(Kept {
            resolved_ms,
            bytes,
            content,
            stored,
        });
    }

    pub(crate) fn time_out(&mut self, now_ms: u64, id: FlightId, outputs: &mut Vec<Output>) {
        let Some(flight) = self.flights.get(id) else {
            return;
        };
        let message = format!(
            "resolver {:?} of {:?} timed out after {} ms",
            flight.key.resolver,
            flight.path.as_str(),
            flight.rules.timeout_ms
        );
        if flight.state == State::Calling {
            outputs.push(Output::Cancel { flight: id });
        }
        self.finish(
            now_ms,
            id,
            Err(ResolveError::new(ResolveErrorKind::Timeout, &message)),
            outputs,
        );
    }

    pub(crate) fn retry(&mut self, now_ms: u64, id: FlightId, outputs: &mut Vec<Output>) {
        let Some(flight) = self.flights.get_mut(id) else {
            return;
        };
        // After a long sleep the end is due too, and comes next: no call is made for it.
        if now_ms < flight.deadline_ms {
            flight.state = State::Calling;
            outputs.push(Output::Start {
                flight: id,
                call: flight.key.call(flight.path.clone(), flight.deadline_ms),
            });
        }
    }

    pub(crate) fn reader_late(&mut self, id: FlightId, place: u64, outputs: &mut Vec<Output>) {
        let Some(flight) = self.flights.get(id) else {
            return;
        };
        let Some(reader) = flight.readers.get(&place) else {
            return;
        };
        outputs.push(Output::Answer {
            reader: reader.reader,
            result: Err(deadline_passed(&flight.path)),
        });
        if self.flights.leave(id, place) {
            self.abandon(id, outputs);
        }
    }

    /// The flight no longer serves the cache, only those who wait.
    pub(crate) fn needs_readers(&mut self, id: FlightId, outputs: &mut Vec<Output>) {
        let Some(flight) = self.flights.get_mut(id) else {
            return;
        };
        flight.background = false;
        if flight.readers.is_empty() {
            self.abandon(id, outputs);
        }
    }

    /// Ends a flight that nobody waits for.
    pub(crate) fn abandon(&mut self, id: FlightId, outputs: &mut Vec<Output>) {
        let Some(flight) = self.flights.remove(id) else {
            return;
        };
        if flight.state == State::Calling {
            outputs.push(Output::Cancel { flight: id });
        }
        self.cache.remove_flight(&flight.slot, id);
        self.cache.settle(&flight.slot);
    }
}

pub(crate) fn answer(
    readers: BTreeMap<u64, Reader>,
    result: &Resolution,
    outputs: &mut Vec<Output>,
) {
    for reader in readers.into_values() {
        outputs.push(Output::Answer {
            reader: reader.reader,
            result: result.clone(),
        });
    }
}
