//! From an intent to own events.

use dhlrs_bag::{Bag, Change, Op};
use dhlrs_clock::{DRIFT_MS_MAX, Stamp, Time};
use dhlrs_feed::{
    Dep, Epoch, Event, EventId, FeedEnd, FeedId, NewEvent, OnConcurrentWrite, Payload, Run,
    RunError, TRANSACTION_EVENTS_MAX, TreeOp,
};
use dhlrs_reducer::{Attempt, IntentError, IntentErrorKind, TRANSACTION_BYTES_MAX};
use dhlrs_wire::{OtherEvent, Refusal, RefusalKind};

use crate::lost::Lost;
use crate::order::{Ground, refusal_of};
use crate::record::OwnWritten;
use crate::replica::Replica;

/// Dependencies that one event names; more are named by one that does nothing else.
const EVENT_DEPS_MAX: usize = 8;
/// Dependencies that one event names which does nothing else; a run holds several times as many.
const SEEN_DEPS_MAX: usize = 2_048;
/// Stamps that an intent may need beside those of its events: for the name of a new feed, and for
/// events before them.
const STAMPS_BEFORE: usize = 3;

/// Own events as they were logged.
#[derive(Debug)]
pub(crate) struct Wrote {
    pub(crate) begins: Option<Epoch>,
    pub(crate) written: Vec<OwnWritten>,
    /// Runs that were signed for them: they leave when the log has them.
    pub(crate) runs: Vec<Run>,
    pub(crate) events: Vec<(Event, EventId)>,
}

/// Edits are tried on a fork of the tree: what they come to is known when their events are reduced.
#[derive(Debug)]
pub(crate) struct Trial<'a> {
    attempt: Attempt<'a>,
    /// Overlays to be forgotten, which is no event.
    pub(crate) local: Vec<Op>,
}

impl<'a> Trial<'a> {
    pub(crate) fn new(replica: &'a Replica, bag: &Bag) -> Self {
        Self {
            attempt: replica.reducer.attempt(bag, OnConcurrentWrite::Keep),
            local: Vec::new(),
        }
    }

    /// The ops of all edits, as transactions: one, or one for each edit.
    pub(crate) fn finish(self, atomic: bool) -> Result<(Vec<Vec<TreeOp>>, Vec<Op>), Refusal> {
        let transactions = match atomic {
            true => vec![self.attempt.into_transaction().map_err(not_events)?],
            false => self.attempt.into_transactions(),
        };
        let some = transactions.into_iter().filter(|ops| !ops.is_empty());
        Ok((some.collect(), self.local))
    }
}

impl Ground for Trial<'_> {
    fn bag(&self) -> &Bag {
        self.attempt.bag()
    }

    fn take(
        &mut self,
        ops: &[Op],
        may_part: bool,
        _: u64,
        _: &mut Lost,
    ) -> Result<Vec<Change>, Refusal> {
        let taken = match may_part {
            true => self.attempt.take_apart(ops),
            false => self.attempt.take(ops),
        };
        let changes = taken.map_err(not_events)?;
        let local = ops.iter().filter(|op| matches!(op, Op::Invalidate { .. }));
        self.local.extend(local.cloned());
        Ok(changes)
    }

    /// The fork is dropped with what it holds.
    fn take_back(&mut self) {}

    fn is_final(&self) -> bool {
        false
    }
}

impl Replica {
    /// Stamps for this many events of an intent and what has to precede them.
    ///
    /// # Errors
    ///
    /// When the replica may not write; then nothing has changed.
    pub(crate) fn stamps(&mut self, now: Time, events: usize) -> Result<Vec<Stamp>, Refusal> {
        if self.own.is_none() && self.feeds.set().is_full() {
            let message = "the replica keeps as many feeds as it may, and none of this process: raise its limit";
            return Err(Refusal::new(RefusalKind::StoreFull, message));
        }
        let present = self.present.time(now);
        let mut clock = self.clock.clone();
        let count = events + STAMPS_BEFORE + self.unnamed().len() / SEEN_DEPS_MAX;
        let stamps: Result<Vec<Stamp>, _> = (0..count + self.closes.len())
            .map(|_| clock.now(present))
            .collect();
        let stamps = stamps.map_err(|error| {
            let until_ms = error.until_ms();
            Refusal::new(RefusalKind::ClockAhead { until_ms }, error)
        })?;
        self.clock = clock;
        Ok(stamps)
    }

    /// Writes transactions to the own feed, and begins it if there is none. `random` is for its name.
    ///
    /// # Errors
    ///
    /// None that a limit of transactions lets happen; the state is of no use after one.
    pub(crate) fn write(
        &mut self,
        now: Time,
        stamps: Vec<Stamp>,
        transactions: Vec<Vec<Payload>>,
        random: u64,
    ) -> Result<Wrote, RunError> {
        let mut stamps = stamps.into_iter();
        let mut wrote = Wrote {
            begins: None,
            written: Vec::new(),
            runs: Vec::new(),
            events: Vec::new(),
        };
        let opening = stamps.next().unwrap_or_default();
        if self.own.is_none() {
            let epoch = Epoch::stamped(opening, random);
            self.begin_feed(epoch);
            wrote.begins = Some(epoch);
        }
        let unnamed = self.unnamed();
        self.has_unnamed = false;
        // Only the first events of a feed may close others.
        let closes = std::mem::take(&mut self.closes).into_iter();
        let closes: Vec<Payload> = closes
            .map(|(epoch, end)| Payload::Close { epoch, end })
            .collect();
        let (named_apart, mut deps) = match unnamed.len() > EVENT_DEPS_MAX {
            true => (unnamed, Vec::new()),
            false => (Vec::new(), unnamed),
        };
        let mut apart = named_apart.chunks(SEEN_DEPS_MAX).map(<[Dep]>::to_vec);
        if !closes.is_empty() {
            let deps = apart.next().unwrap_or_else(|| std::mem::take(&mut deps));
            self.append(now, stamped(&mut stamps, deps, closes), &mut wrote)?;
        }
        for deps in apart {
            let seen = stamped(&mut stamps, deps, vec![Payload::Seen]);
            self.append(now, seen, &mut wrote)?;
        }
        for transaction in transactions {
            let events = stamped(&mut stamps, std::mem::take(&mut deps), transaction);
            self.append(now, events, &mut wrote)?;
        }
        Ok(wrote)
    }

    fn append(
        &mut self,
        now: Time,
        events: Vec<NewEvent>,
        wrote: &mut Wrote,
    ) -> Result<(), RunError> {
        let Some(own) = &mut self.own else {
            return Ok(());
        };
        let signer = &*self.replication.keys.signer;
        let written = own.writer.append(now, (0, EventId::NONE), events, signer)?;
        if let Some(sealed) = &written.sealed {
            own.sign(sealed.run.claim().end());
            wrote.runs.push(sealed.run.clone());
            self.store_run(&sealed.run);
        }
        self.note_own(written.record.clone(), &written.events);
        wrote.written.push(OwnWritten {
            sealed: written.sealed.map(|sealed| sealed.record),
            record: written.record,
        });
        wrote.events.extend(written.events);
        Ok(())
    }

    /// Where the own feed has to end because its last stamps lie in the future: its clock was wrong,
    /// and is right now.
    pub(crate) fn clock_was_wrong(&self, now: Time) -> Option<Option<FeedEnd>> {
        let own = self.own.as_ref()?;
        let latest = self.present.now_ms(now).saturating_add(DRIFT_MS_MAX);
        own.last.filter(|last| last.wall_ms() > latest)?;
        let feed = own.writer.feed();
        let ends = self.feeds.set().ends(feed);
        let is_right = |end: &&FeedEnd| self.run_ends_by(feed, end, latest);
        // Stamps rise along a feed.
        let right = ends.partition_point(|end| is_right(&end));
        Some(right.checked_sub(1).and_then(|at| ends.get(at)).copied())
    }

    fn run_ends_by(&self, feed: &FeedId, end: &FeedEnd, latest_ms: u64) -> bool {
        let runs = self.runs.get(feed);
        let run = runs.and_then(|runs| runs.range(..end.seq).next_back());
        let read =
            run.and_then(|(_, run)| Run::read_own(&self.id, feed, &run.prev, &run.bytes).ok());
        let last = read.and_then(|(_, events)| events.last().map(|(event, _)| event.stamp));
        last.is_some_and(|last| last.wall_ms() <= latest_ms)
    }

    /// Signs the events that wait for it, if it is time.
    pub(crate) fn seal_due(&mut self, now: Time) -> Option<dhlrs_feed::Sealed> {
        let own = self.own.as_mut()?;
        own.writer.due().filter(|due| now.has_reached(*due))?;
        let sealed = own.writer.seal(now, &*self.replication.keys.signer)?;
        own.sign(sealed.run.claim().end());
        self.store_run(&sealed.run);
        Some(sealed)
    }
}

/// The events of an intent: those of its edits, then those of other kinds. With `atomic` they are one
/// transaction.
///
/// # Errors
///
/// `TooLarge` when one transaction cannot hold them.
pub(crate) fn with_emitted(
    transactions: Vec<Vec<TreeOp>>,
    emitted: &[OtherEvent],
    atomic: bool,
) -> Result<Vec<Vec<Payload>>, Refusal> {
    let mut transactions: Vec<Vec<Payload>> = transactions
        .into_iter()
        .map(|ops| ops.into_iter().map(Payload::Tree).collect())
        .collect();
    let others = emitted.iter().map(|event| {
        let (kind, bytes) = event.clone().into_parts();
        Payload::Other { kind, bytes }
    });
    if !atomic {
        transactions.extend(others.map(|event| vec![event]));
        return Ok(transactions);
    }
    let mut transaction = transactions.pop().unwrap_or_default();
    transaction.extend(others);
    let payload_bytes: usize = emitted.iter().map(|event| event.payload().len()).sum();
    let too_large = |found: usize, what: &str, limit: usize| {
        let message = format!("{found} {what} in one transaction, limit {limit}");
        Err(Refusal::new(RefusalKind::TooLarge, message))
    };
    if transaction.len() > TRANSACTION_EVENTS_MAX {
        return too_large(transaction.len(), "events", TRANSACTION_EVENTS_MAX);
    }
    if payload_bytes > TRANSACTION_BYTES_MAX {
        let what = "bytes of emitted events";
        return too_large(payload_bytes, what, TRANSACTION_BYTES_MAX);
    }
    Ok(match transaction.is_empty() {
        true => Vec::new(),
        false => vec![transaction],
    })
}

/// Events of one transaction; the first one has the dependencies.
fn stamped(
    stamps: &mut impl Iterator<Item = Stamp>,
    deps: Vec<Dep>,
    transaction: Vec<Payload>,
) -> Vec<NewEvent> {
    let mut deps = Some(deps);
    let events = transaction.into_iter().map(|payload| NewEvent {
        stamp: stamps.next().unwrap_or_default(),
        deps: deps.take().unwrap_or_default(),
        payload,
    });
    events.collect()
}

fn not_events(error: IntentError) -> Refusal {
    if let Some(edit) = error.as_edit() {
        return refusal_of(edit);
    }
    let kind = match error.kind() {
        IntentErrorKind::TooLarge | IntentErrorKind::TooDeep => RefusalKind::TooLarge,
        IntentErrorKind::Resolver => RefusalKind::ResolverGuard,
        _ => RefusalKind::Invalid,
    };
    Refusal::new(kind, error)
}
