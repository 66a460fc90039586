//! The resolvers of one store, as one machine.

use std::collections::BTreeMap;
use std::sync::Arc;

use dhlrs_bag::{Content, NodeId};
use dhlrs_clock::Time;
use dhlrs_path::Path;

use crate::cache::Cache;
use crate::call::{Key, Request, Rules, Slot};
use crate::entry::content_bytes;
use crate::error::{ResolveError, ResolveErrorKind};
use crate::flight::{Flight, Reader, State};
use crate::flights::{Flights, Wake};
use crate::landing::answer;
use crate::limits::Limits;
use crate::output::{FlightId, Output, Read};
use crate::registry::Registry;

/// The resolvers of one store: what is cached, what is under way, and who waits.
///
/// It never waits and never runs code. Each call says what time it is, and leaves in `outputs` what
/// the owner has to do, in order. The same calls give the same outputs. Time is `now.monotonic_ms`;
/// deadlines are on that clock.
///
/// What is promised, for one node:
///
/// - Reads with equal parameters that wait at the same time make one call.
/// - A cached result answers exactly the parameters it was made with. A read with others resets it.
/// - A result that was under way when the node was invalidated answers those who had asked before,
///   and is not kept.
/// - Each pending read gets exactly one [`Output::Answer`], unless
///   [`reader_gone`](Self::reader_gone) came first.
/// - Whatever [`Output::Store`] put into the tree is replaced by another, or taken out by
///   [`Output::Unstore`]. Growing old alone does not take it out.
///
/// A read costs O(log n) in the nodes with something cached, and a pass over the node's attributes.
#[derive(Debug)]
pub struct Resolvers {
    registry: Registry,
    pub(crate) limits: Limits,
    pub(crate) cache: Cache,
    pub(crate) flights: Flights,
}

impl Resolvers {
    /// Resolvers with nothing cached.
    #[must_use]
    pub fn new(registry: Registry, limits: Limits) -> Self {
        Self {
            registry,
            limits,
            cache: Cache::default(),
            flights: Flights::default(),
        }
    }

    /// What can run.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// What can run, to add to it.
    pub fn registry_mut(&mut self) -> &mut Registry {
        &mut self.registry
    }

    /// Bytes kept for later reads, a round figure for each node included.
    #[must_use]
    pub fn cached_bytes(&self) -> u64 {
        self.cache.bytes()
    }

    /// Flights under way.
    #[must_use]
    pub fn flights(&self) -> usize {
        self.flights.len()
    }

    /// Readers that wait.
    #[must_use]
    pub fn readers(&self) -> usize {
        self.flights.readers()
    }

    /// Reads the value of a node that has a resolver, for a reader that is answered until
    /// `deadline_ms`.
    ///
    /// The reader's number is the owner's; one reader may wait for several nodes. Asking twice for
    /// the same while it waits moves its deadline.
    pub fn read(
        &mut self,
        now: Time,
        request: &Request<'_>,
        reader: u64,
        deadline_ms: u64,
        outputs: &mut Vec<Output>,
    ) -> Read {
        self.tick(now, outputs);
        let reader = Reader {
            reader,
            deadline_ms,
        };
        let read = self.read_or_join(now.monotonic_ms, request, reader, outputs);
        self.cache.settle(request.slot);
        self.cache.evict(self.limits.cached_bytes_max, outputs);
        read.unwrap_or_else(|error| Read::Ready(Err(error)))
    }

    fn read_or_join(
        &mut self,
        now_ms: u64,
        request: &Request<'_>,
        reader: Reader,
        outputs: &mut Vec<Output>,
    ) -> Result<Read, ResolveError> {
        let rules = Rules::of(&self.registry, request.source)?;
        let key = self.enter(request, outputs)?;
        let slot = request.slot;
        self.cache.touch(slot);
        if let Some(kept) = self.cache.get(slot).and_then(|entry| entry.kept.as_ref()) {
            let resolved_ms = kept.resolved_ms;
            if let Some(content) = kept.content.clone() {
                if rules.is_fresh(resolved_ms, now_ms) {
                    return Ok(Read::Ready(Ok(content)));
                }
                if rules.is_servable(resolved_ms, now_ms) {
                    // Where no flight can start, the reader still has its answer; the next read
                    // tries again.
                    if self.negative(slot, now_ms).is_none() {
                        let _ = self.start_behind(now_ms, request, rules, &key, outputs);
                    }
                    return Ok(Read::Ready(Ok(content)));
                }
            }
        }
        if let Some(error) = self.negative(slot, now_ms) {
            return Err(error);
        }
        if reader.deadline_ms <= now_ms {
            return Err(deadline_passed(request.path));
        }
        let joined = self.joinable(slot, &key);
        if !joined.is_some_and(|flight| self.flights.waits(flight, reader.reader)) {
            self.check_readers(slot, request.path)?;
        }
        let flight = match joined {
            Some(flight) => flight,
            None => self.start(now_ms, request, rules, key, false, outputs)?,
        };
        self.flights.join(flight, reader);
        Ok(Read::Pending)
    }

    /// Starts a flight for the cache, without a reader, if none is under way. What is cached stays
    /// until it ends.
    ///
    /// It is the answer to [`Output::Due`]; `request.arguments` are usually empty then. What
    /// prevents it is reported as [`Output::Failed`].
    pub fn revalidate(&mut self, now: Time, request: &Request<'_>, outputs: &mut Vec<Output>) {
        self.tick(now, outputs);
        let now_ms = now.monotonic_ms;
        let slot = request.slot;
        let started = Rules::of(&self.registry, request.source).and_then(|rules| {
            let started = self
                .enter(request, outputs)
                .and_then(|key| self.start_behind(now_ms, request, rules, &key, outputs));
            if started.is_err() && rules.refresh_interval_ms > 0 {
                self.cache
                    .set_due(slot, Some(now_ms.saturating_add(rules.refresh_interval_ms)));
            }
            started
        });
        if let Err(error) = started {
            outputs.push(Output::Failed {
                slot: slot.clone(),
                error,
            });
        }
        self.cache.settle(slot);
        self.cache.evict(self.limits.cached_bytes_max, outputs);
    }

    /// The end of a call. Ignored for a flight that is over, and for one whose call is not out.
    pub fn resolved(
        &mut self,
        now: Time,
        flight: FlightId,
        result: Result<Content, ResolveError>,
        outputs: &mut Vec<Output>,
    ) {
        self.tick(now, outputs);
        let now_ms = now.monotonic_ms;
        let Some(landed) = self
            .flights
            .get_mut(flight)
            .filter(|flight| flight.state == State::Calling)
        else {
            return;
        };
        let result = result.and_then(|content| {
            let bytes = content_bytes(&content);
            let limit = self.limits.result_bytes_max;
            if bytes <= limit {
                return Ok((Arc::new(content), bytes));
            }
            let message = format!(
                "result of the resolver of {:?} too large: {bytes} bytes, limit {limit}",
                landed.path.as_str()
            );
            Err(ResolveError::new(ResolveErrorKind::TooLarge, &message))
        });
        if let Err(error) = &result {
            landed.failures += 1;
            let retry_ms = now_ms.saturating_add(landed.rules.retry.backoff_ms(landed.failures));
            let again = landed.failures < landed.rules.retry.attempts;
            if error.kind().is_retryable() && again && retry_ms < landed.deadline_ms {
                self.flights.wait_for_retry(flight, retry_ms);
                return;
            }
        }
        self.finish(now_ms, flight, result, outputs);
    }

    /// A reader no longer waits, for anything. A flight that nobody else waits for ends with it.
    pub fn reader_gone(&mut self, reader: u64, outputs: &mut Vec<Output>) {
        for (flight, place) in self.flights.places_of(reader) {
            if self.flights.leave(flight, place) {
                self.abandon(flight, outputs);
            }
        }
    }

    /// Resets what is cached for a node. The next read resolves.
    pub fn invalidate(&mut self, slot: &Slot, outputs: &mut Vec<Output>) {
        self.cache.reset(slot, outputs);
        let flights = self
            .cache
            .get(slot)
            .map(|entry| entry.flights.clone())
            .unwrap_or_default();
        for id in flights {
            if let Some(flight) = self.flights.get_mut(id) {
                flight.overtaken = true;
            }
            self.needs_readers(id, outputs);
        }
        self.cache.settle(slot);
    }

    /// [`invalidate`](Self::invalidate) for all nodes that are meant, which the owner's tree can
    /// tell: all below a bag are those that have it among their ancestors. Costs a pass over the
    /// nodes with something cached or under way.
    pub fn invalidate_where(
        &mut self,
        mut is_meant: impl FnMut(&Slot) -> bool,
        outputs: &mut Vec<Output>,
    ) {
        for slot in self.slots_where(&mut is_meant) {
            self.invalidate(&slot, outputs);
        }
    }

    /// Ends all that concerns a node: it was removed, or its resolver changed. Who waits is
    /// answered [`Gone`](ResolveErrorKind::Gone).
    pub fn forget(&mut self, slot: &Slot, outputs: &mut Vec<Output>) {
        self.cache.reset(slot, outputs);
        self.cache.set_due(slot, None);
        let flights = self
            .cache
            .get(slot)
            .map(|entry| entry.flights.clone())
            .unwrap_or_default();
        for id in flights {
            let Some(flight) = self.flights.remove(id) else {
                continue;
            };
            let message = format!(
                "{:?} was removed, or its resolver changed, while it was resolved: read it again",
                flight.path.as_str()
            );
            let error = ResolveError::new(ResolveErrorKind::Gone, &message);
            if flight.state == State::Calling {
                outputs.push(Output::Cancel { flight: id });
            }
            answer(flight.readers, &Err(error), outputs);
            self.cache.remove_flight(slot, id);
        }
        self.cache.settle(slot);
    }

    /// [`forget`](Self::forget) for all nodes that are meant. Costs what
    /// [`invalidate_where`](Self::invalidate_where) does.
    pub fn forget_where(
        &mut self,
        mut is_meant: impl FnMut(&Slot) -> bool,
        outputs: &mut Vec<Output>,
    ) {
        for slot in self.slots_where(&mut is_meant) {
            self.forget(&slot, outputs);
        }
    }

    fn slots_where(&self, is_meant: &mut impl FnMut(&Slot) -> bool) -> Vec<Slot> {
        self.cache
            .slots()
            .filter(|slot| is_meant(slot))
            .cloned()
            .collect()
    }

    /// A node that was missing exists now, with that id: what was cached and who waits are its own.
    pub fn adopt(&mut self, path: &Path<'_>, node: NodeId, outputs: &mut Vec<Output>) {
        let from = Slot::Missing(path.clone().into_owned());
        let to = Slot::Node(node);
        let Some(entry) = self.cache.get(&from) else {
            return;
        };
        let flights = entry.flights.clone();
        self.forget(&to, outputs);
        self.cache.rename(&from, &to);
        for id in flights {
            if let Some(flight) = self.flights.get_mut(id) {
                flight.slot = to.clone();
            }
        }
    }

    /// Does what is due by now: timeouts of flights and readers, retries, refreshes. Calling it
    /// early does nothing.
    pub fn tick(&mut self, now: Time, outputs: &mut Vec<Output>) {
        let now_ms = now.monotonic_ms;
        while let Some(wake) = self.flights.pop_wake(now_ms) {
            match wake {
                Wake::End(flight) => self.time_out(now_ms, flight, outputs),
                Wake::Retry(flight) => self.retry(now_ms, flight, outputs),
                Wake::Reader(flight, place) => self.reader_late(flight, place, outputs),
            }
        }
        while let Some(slot) = self.cache.pop_due(now_ms) {
            outputs.push(Output::Due { slot });
        }
    }

    /// When [`tick`](Self::tick) has something to do next, on the monotonic clock.
    #[must_use]
    pub fn next_wake(&self) -> Option<u64> {
        [self.flights.next_wake_ms(), self.cache.next_due_ms()]
            .into_iter()
            .flatten()
            .min()
    }

    /// The entry of the request, reset if its parameters are others than before.
    fn enter(
        &mut self,
        request: &Request<'_>,
        outputs: &mut Vec<Output>,
    ) -> Result<Arc<Key>, ResolveError> {
        let slot = request.slot;
        let key = request.key(&self.registry)?;
        if let Some(entry) = self.cache.get(slot)
            && *entry.key == key
        {
            return Ok(Arc::clone(&entry.key));
        }
        let key = Arc::new(key);
        self.cache.reset(slot, outputs);
        let entry = self.cache.enter(slot, &key);
        entry.key = Arc::clone(&key);
        for id in entry.flights.clone() {
            if self.flights.get(id).is_some_and(|flight| flight.key != key) {
                self.needs_readers(id, outputs);
            }
        }
        Ok(key)
    }

    /// The flight whose result answers a read with that key.
    fn joinable(&self, slot: &Slot, key: &Arc<Key>) -> Option<FlightId> {
        let flights = &self.cache.get(slot)?.flights;
        flights.iter().copied().find(|id| {
            let flight = self.flights.get(*id);
            flight.is_some_and(|flight| !flight.overtaken && flight.key == *key)
        })
    }

    fn negative(&self, slot: &Slot, now_ms: u64) -> Option<ResolveError> {
        let negative = self.cache.get(slot)?.negative.as_ref()?;
        (now_ms < negative.until_ms).then(|| negative.error.clone())
    }

    fn start_behind(
        &mut self,
        now_ms: u64,
        request: &Request<'_>,
        rules: Rules,
        key: &Arc<Key>,
        outputs: &mut Vec<Output>,
    ) -> Result<(), ResolveError> {
        let Some(id) = self.joinable(request.slot, key) else {
            return self
                .start(now_ms, request, rules, Arc::clone(key), true, outputs)
                .map(|_| ());
        };
        if let Some(flight) = self.flights.get_mut(id) {
            flight.background = true;
        }
        Ok(())
    }

    fn start(
        &mut self,
        now_ms: u64,
        request: &Request<'_>,
        rules: Rules,
        key: Arc<Key>,
        background: bool,
        outputs: &mut Vec<Output>,
    ) -> Result<FlightId, ResolveError> {
        let path = request.path.clone().without_query().into_owned();
        check(
            self.flights.len(),
            self.limits.flights_max,
            "flights of the store",
            &path,
        )?;
        let entry = self.cache.enter(request.slot, &key);
        check(
            entry.flights.len(),
            self.limits.flights_per_node_max,
            "flights of the node",
            &path,
        )?;
        let deadline_ms = now_ms.saturating_add(rules.timeout_ms);
        let call = key.call(path.clone(), deadline_ms);
        let flight = self.flights.add(Flight {
            slot: request.slot.clone(),
            key,
            path,
            rules,
            deadline_ms,
            state: State::Calling,
            failures: 0,
            overtaken: false,
            background,
            readers: BTreeMap::new(),
        });
        entry.flights.push(flight);
        outputs.push(Output::Start { flight, call });
        Ok(flight)
    }

    fn check_readers(&self, slot: &Slot, path: &Path<'_>) -> Result<(), ResolveError> {
        check(
            self.flights.readers(),
            self.limits.readers_max,
            "readers of the store",
            path,
        )?;
        let Some(entry) = self.cache.get(slot) else {
            return Ok(());
        };
        let readers = entry
            .flights
            .iter()
            .filter_map(|id| self.flights.get(*id))
            .map(|flight| flight.readers.len());
        check(
            readers.sum(),
            self.limits.readers_per_node_max,
            "readers of the node",
            path,
        )
    }
}

pub(crate) fn deadline_passed(path: &Path<'_>) -> ResolveError {
    let message = format!(
        "the deadline of the read of {:?} passed before it was resolved",
        path.as_str()
    );
    ResolveError::new(ResolveErrorKind::Timeout, &message)
}

fn check(is: usize, limit: usize, what: &str, path: &Path<'_>) -> Result<(), ResolveError> {
    if is < limit {
        return Ok(());
    }
    let message = format!(
        "cannot resolve {:?} now: {is} {what}, limit {limit}",
        path.as_str()
    );
    Err(ResolveError::new(ResolveErrorKind::Overloaded, &message))
}
