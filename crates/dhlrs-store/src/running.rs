//! One forward at work: what waits to become messages, and the messages that wait for an answer.

use std::collections::VecDeque;

use dhlrs_bag::{Change, Changes, GuardedEdit, Snapshot, SubscriberId};
use dhlrs_clock::{Stamp, Time};
use dhlrs_trigger::{change_bytes, touches_below};
use dhlrs_wire::CAUSE_MAX;

use crate::config::{Config, Forward};
use crate::forward::{ForwardCursor, ForwardId, RETRY_MS_MIN, bit};
use crate::log::Batch;
use crate::session::SessionId;
use crate::translate::messages;

/// Messages of one forward that wait for an answer: as many as a cursor has bits.
const FORWARD_MESSAGES_MAX: usize = u64::BITS as usize;
const RETRY_MS_MAX: u64 = 5_000;
const CURSOR_MS: u64 = 1_000;

#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) id: ForwardId,
    /// What it is called in the cause of what it sends: other processes may have its like.
    subscriber: SubscriberId,
    pub(crate) forward: Forward,
    /// Revisions that have not become messages yet.
    queue: VecDeque<Queued>,
    pub(crate) queue_bytes: usize,
    pub(crate) flights: VecDeque<Flight>,
    /// Messages with an answer, and when the first of them came, since the cursor was logged.
    pub(crate) unlogged: u64,
    pub(crate) log_at_ms: Option<u64>,
    pub(crate) progress: Option<ForwardCursor>,
    pub(crate) opening: bool,
    /// The session may be used when this ticket has been released.
    pub(crate) session_from_ticket: u64,
    /// The session that the counters of the flights count in.
    pub(crate) counted_in: Option<SessionId>,
    /// The cursor in the ticket that is out, and in those that are on disk.
    pub(crate) sealed: Option<ForwardCursor>,
    pub(crate) durable: Option<ForwardCursor>,
    pub(crate) retry_at_ms: Option<u64>,
    pub(crate) retry_ms: u64,
    pub(crate) stopped: Option<String>,
}

#[derive(Debug)]
struct Queued {
    revision: u64,
    changes: Changes,
    before: Snapshot,
    after: Snapshot,
    bytes: usize,
}

/// One message on its way.
#[derive(Debug)]
pub(crate) struct Flight {
    pub(crate) counter: u64,
    pub(crate) revision: u64,
    pub(crate) last_of_revision: bool,
    pub(crate) edits: Vec<GuardedEdit>,
    pub(crate) reason: Option<String>,
    pub(crate) stamp: Stamp,
    pub(crate) cause: Vec<SubscriberId>,
    pub(crate) under_way: bool,
    pub(crate) answered: bool,
}

impl Running {
    pub(crate) fn new(config: &Config, forward: &Forward) -> Self {
        let name = format!("{}\n{}\n{}", config.name, forward.pattern, forward.to);
        let named = |context, name: &str| {
            let hash = blake3::derive_key(context, name.as_bytes());
            let mut id = [0; 16];
            id.copy_from_slice(&hash[..16]);
            id
        };
        let id = named("dhlrs forward 2", &name);
        let name = format!("{}\n{name}", config.node);
        Self {
            id,
            subscriber: SubscriberId(named("dhlrs forwarding subscriber 1", &name)),
            forward: forward.clone(),
            queue: VecDeque::new(),
            queue_bytes: 0,
            flights: VecDeque::new(),
            unlogged: 0,
            log_at_ms: None,
            progress: None,
            opening: false,
            session_from_ticket: 0,
            counted_in: None,
            sealed: None,
            durable: None,
            retry_at_ms: None,
            retry_ms: RETRY_MS_MIN,
            stopped: None,
        }
    }

    /// Whether a revision may become messages.
    pub(crate) fn concerns(&self, cursor: &ForwardCursor, changes: &Changes) -> bool {
        let came_from_here = changes.meta.cause.contains(&self.subscriber);
        let is_old_news = changes.meta.revision <= cursor.revision;
        !came_from_here && !is_old_news && changes.list.iter().any(|change| self.touches(change))
    }

    /// The last revision that a restart could not do without if it knew of nothing after `cursor`.
    pub(crate) fn needs_older(&self, cursor: &ForwardCursor, untold: &[Batch]) -> u64 {
        let batches = untold.iter().rev().filter_map(|batch| {
            let trees = batch.trees.as_ref()?;
            let before = trees.before.as_ref()?;
            let concerned = self.concerns(cursor, &batch.changes);
            concerned.then_some((&batch.changes, before, &trees.after))
        });
        let queued = self.queue.iter().rev();
        let queued = queued.map(|own| (&own.changes, &own.before, &own.after));
        // A revision may touch the pattern and become no message all the same, and then no cursor
        // ever stands at it.
        let unsent = batches.chain(queued).find(|(changes, before, after)| {
            changes.meta.cause.len() < CAUSE_MAX
                && !messages(&self.forward, changes, before, after).is_empty()
        });
        let unnoted = self.progress.filter(|own| own.place() != cursor.place());
        let unanswered = self.flights.back().map(|flight| flight.revision);
        unsent
            .map(|(changes, ..)| changes.meta.revision)
            .max(unanswered)
            .max(unnoted.map(|own| own.revision))
            .unwrap_or(0)
    }

    fn touches(&self, change: &Change) -> bool {
        let pattern = &self.forward.pattern;
        let is_touched = |path| {
            pattern.matches_path(path)
                || (touches_below(change) && pattern.intersects_subtree(path))
        };
        is_touched(&change.path) || change.old_path.as_ref().is_some_and(is_touched)
    }

    pub(crate) fn forget_answered(&mut self, revision: u64) {
        while let Some(queued) = self
            .queue
            .pop_front_if(|queued| queued.revision <= revision)
        {
            self.queue_bytes -= queued.bytes;
        }
    }

    pub(crate) fn enqueue(&mut self, changes: &Changes, before: &Snapshot, after: &Snapshot) {
        // A change costs its paths and values here, and the pages that its trees keep alive.
        let bytes = size_of::<Queued>() + changes.list.iter().map(change_bytes).sum::<usize>();
        self.queue_bytes += bytes;
        self.queue.push_back(Queued {
            revision: changes.meta.revision,
            changes: changes.clone(),
            before: before.clone(),
            after: after.clone(),
            bytes,
        });
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.flights.is_empty()
    }

    pub(crate) fn forget_queue(&mut self) {
        self.queue.clear();
        self.queue_bytes = 0;
    }

    pub(crate) fn stop(&mut self, why: String) {
        self.stopped = Some(why);
        self.forget_queue();
        self.flights.clear();
        self.retry_at_ms = None;
        self.log_at_ms = None;
    }

    /// Turns queued revisions into messages while there is room for them.
    pub(crate) fn fill(&mut self, cursor: &ForwardCursor, warnings: &mut Vec<String>) {
        while self.flights.len() < FORWARD_MESSAGES_MAX {
            let Some(queued) = self.queue.pop_front() else {
                return;
            };
            self.queue_bytes -= queued.bytes;
            let Queued {
                revision,
                changes,
                before,
                after,
                ..
            } = queued;
            if revision <= cursor.revision {
                continue;
            }
            let mut cause = changes.meta.cause.clone();
            cause.push(self.subscriber);
            if cause.len() > CAUSE_MAX {
                let chain: Vec<String> = cause.iter().map(ToString::to_string).collect();
                warnings.push(format!(
                    "a loop of subscribers was cut: {}",
                    chain.join(" -> ")
                ));
                continue;
            }
            let (wall_ms, counter) = changes.meta.stamp.unwrap_or_default();
            let stamp = Stamp::new(wall_ms, counter).unwrap_or(Stamp::ZERO);
            let reason = changes.meta.reason.as_ref().map(ToString::to_string);
            let made = messages(&self.forward, &changes, &before, &after);
            // After a restart the first messages of a revision may have been answered already.
            let answered = if self.flights.is_empty() && cursor.sent_of_next > 0 {
                usize::try_from(cursor.sent_of_next).unwrap_or(usize::MAX)
            } else {
                0
            };
            let last = made.len().saturating_sub(1);
            for (place, edits) in made.into_iter().enumerate().skip(answered) {
                let was_answered = cursor.has_answered_ahead(self.flights.len());
                let last_counter = self.flights.back().map(|flight| flight.counter);
                let counter = last_counter.unwrap_or(cursor.counter) + u64::from(!was_answered);
                self.flights.push_back(Flight {
                    counter,
                    revision,
                    last_of_revision: place == last,
                    edits,
                    reason: reason.clone(),
                    stamp,
                    cause: cause.clone(),
                    under_way: false,
                    answered: was_answered,
                });
            }
        }
    }

    /// Gives the messages new counters, from 1, and says which get none since they were answered.
    pub(crate) fn count_anew(&mut self) -> u64 {
        let (mut counter, mut answered_ahead) = (0, 0);
        for (place, flight) in self.flights.iter_mut().enumerate() {
            counter += u64::from(!flight.answered);
            flight.counter = counter;
            flight.under_way = false;
            if flight.answered {
                answered_ahead |= bit(place);
            }
        }
        answered_ahead
    }

    /// The messages that may be on their way now. The target keeps no endless line of answers, and
    /// the log none of answers that came before their turn.
    pub(crate) fn sendable(&mut self) -> impl Iterator<Item = &mut Flight> {
        let first = self.flights.iter_mut().take(FORWARD_MESSAGES_MAX);
        first.filter(|flight| !flight.under_way && !flight.answered)
    }

    /// The store has opened, and this is what its log says of the forward.
    pub(crate) fn take_up(&mut self, now: Time, cursor: &mut ForwardCursor, first_time: bool) {
        self.sealed = Some(*cursor);
        self.durable = Some(*cursor);
        self.session_from_ticket = 0;
        if first_time && !cursor.stopped && cursor.revision < cursor.needs_older {
            return self.stop(format!(
                "stopped: compacted: the log begins after changes up to revision {} that {} has not answered",
                cursor.needs_older, self.forward.to
            ));
        }
        for flight in &mut self.flights {
            flight.under_way = false;
        }
        if self.counted_in.is_none() {
            self.counted_in = cursor.session;
        } else if self.counted_in != cursor.session {
            // A failed sync took the session away that these were counted in: nothing was sent in
            // it, and in the one before it these counters mean other messages.
            cursor.session = None;
            return;
        }
        if self
            .progress
            .is_some_and(|own| own.place() != cursor.place())
        {
            // What a failed sync took away is noted again: nobody else may come and cause it.
            self.unlogged = self.unlogged.max(1);
            self.log_at_ms = Some(now.monotonic_ms);
        }
    }

    pub(crate) fn pause(&mut self, now: Time) {
        if self.retry_at_ms.is_none() {
            self.retry_at_ms = Some(now.monotonic_ms + self.retry_ms);
            self.retry_ms = (self.retry_ms * 2).min(RETRY_MS_MAX);
        }
    }

    /// Moves the cursor over the answered messages at the front.
    pub(crate) fn advance(&mut self, now: Time, cursor: &ForwardCursor) {
        let mut progress = self.progress.unwrap_or(*cursor);
        while self.flights.front().is_some_and(|flight| flight.answered) {
            let Some(flight) = self.flights.pop_front() else {
                break;
            };
            progress.counter = flight.counter;
            progress.answered_ahead >>= 1;
            if flight.last_of_revision {
                progress.revision = flight.revision;
                progress.sent_of_next = 0;
            } else {
                progress.sent_of_next += 1;
            }
            self.unlogged += 1;
            self.log_at_ms.get_or_insert(now.monotonic_ms + CURSOR_MS);
        }
        self.progress = Some(progress);
    }
}
