//! Durable forwards: each change below a pattern is sent to another store once, whatever dies.
//!
//! A forward is a cursor into the store's own log. Which messages a revision becomes follows from
//! that revision alone, so after a restart the same messages get the same counters in the same
//! session, and the target's session drops what it has had. The cursor is logged now and then; it
//! saves repeating, it does not decide.

use std::collections::{BTreeMap, VecDeque};

use dhlrs_bag::{Changes, GuardedEdit, Snapshot, SubscriberId};
use dhlrs_clock::{Stamp, Time};
use dhlrs_trigger::touches_below;
use dhlrs_wire::{CAUSE_MAX, ForwardStatus};
use serde::{Deserialize, Serialize};

use crate::config::{Config, Forward};
use crate::log::Trees;
use crate::port::ErrandId;
use crate::session::SessionId;
use crate::translate::messages;

/// Messages of one forward that wait for an answer.
const FORWARD_MESSAGES_MAX: usize = 64;
/// How long one message waits for its answer before it is sent again.
pub(crate) const FORWARD_TIMEOUT_MS: u64 = 10_000;
pub(crate) const RETRY_MS_MIN: u64 = 50;
const RETRY_MS_MAX: u64 = 5_000;
/// Answered messages, and the time since the first of them, after which the cursor is logged.
pub(crate) const CURSOR_MESSAGES: u64 = 64;
const CURSOR_MS: u64 = 1_000;

/// Names a forward: a hash of its pattern and its target, so a restart finds its cursor again. As a
/// subscriber it stands in the cause of what it sends.
pub(crate) type ForwardId = [u8; 16];

/// How far a forward has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ForwardCursor {
    /// The session at the target, once there is one.
    pub(crate) session: Option<SessionId>,
    /// The counter of the last message that was answered.
    pub(crate) counter: u64,
    /// Every message of this revision and those before has been answered.
    pub(crate) revision: u64,
    /// So many messages of the next one that makes any have been answered too.
    pub(crate) sent_of_next: u64,
    /// Messages and edits that were refused and passed over.
    pub(crate) refused: u64,
    /// More waited than may be kept: the target has missed changes and gets no more.
    pub(crate) stopped: bool,
}

impl ForwardCursor {
    pub(crate) fn new(revision: u64) -> Self {
        Self {
            session: None,
            counter: 0,
            revision,
            sent_of_next: 0,
            refused: 0,
            stopped: false,
        }
    }
}

/// The forwards of a store, as far as they are not in the log.
#[derive(Debug)]
pub(crate) struct Forwards {
    pub(crate) list: Vec<Running>,
    pub(crate) errands: BTreeMap<ErrandId, (ForwardId, Errand)>,
    pub(crate) next_errand: u64,
    pub(crate) log_bytes_max: usize,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Errand {
    Open,
    Message { session: SessionId, counter: u64 },
}

#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) id: ForwardId,
    pub(crate) forward: Forward,
    /// Revisions that have not become messages yet.
    pub(crate) queue: VecDeque<Queued>,
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
    /// The revision of the cursor in the ticket that is out, and in those that are on disk.
    pub(crate) sealed_revision: u64,
    pub(crate) durable_revision: u64,
    pub(crate) retry_at_ms: Option<u64>,
    pub(crate) retry_ms: u64,
    pub(crate) stopped: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Queued {
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

impl Forwards {
    pub(crate) fn new(config: &Config) -> Self {
        let list = config
            .forwards
            .iter()
            .map(|forward| Running::new(config, forward))
            .collect();
        Self {
            list,
            errands: BTreeMap::new(),
            next_errand: 0,
            log_bytes_max: config.limits.forward_log_bytes_max,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Queues a revision for each forward that has begun and whose pattern it touches.
    pub(crate) fn take(
        &mut self,
        cursors: &BTreeMap<ForwardId, ForwardCursor>,
        changes: &Changes,
        trees: Option<&Trees>,
    ) {
        let Some(Trees {
            before: Some(before),
            after,
        }) = trees
        else {
            return;
        };
        for running in &mut self.list {
            let Some(cursor) = cursors.get(&running.id) else {
                continue;
            };
            // While the log is read back, most of what it tells was answered long ago.
            running.forget_answered(cursor.revision);
            let came_from_here = changes.meta.cause.contains(&SubscriberId(running.id));
            let old_news = changes.meta.revision <= cursor.revision;
            if running.stopped.is_some() || cursor.stopped || came_from_here || old_news {
                continue;
            }
            if !changes.list.iter().any(|change| running.touches(change)) {
                continue;
            }
            // A change costs its paths and values here, and the pages that its trees keep alive.
            let bytes = 512 + changes.list.iter().map(change_bytes).sum::<usize>();
            running.queue_bytes += bytes;
            running.queue.push_back(Queued {
                revision: changes.meta.revision,
                changes: changes.clone(),
                before: before.clone(),
                after: after.clone(),
                bytes,
            });
            if running.queue_bytes > self.log_bytes_max {
                running.stop(format!(
                    "stopped: more than {} bytes of changes waited for {}",
                    self.log_bytes_max, running.forward.to
                ));
            }
        }
    }

    /// The revision up to which the log may go without a forward missing anything; `None` if all of
    /// it may. A cursor that is not on disk yet holds the log too: counters follow from it.
    pub(crate) fn slowest(&self, cursors: &BTreeMap<ForwardId, ForwardCursor>) -> Option<u64> {
        let waits = |running: &&Running| {
            let idle = running.queue.is_empty() && running.flights.is_empty();
            let logged = cursors.get(&running.id).map_or(0, |cursor| cursor.revision);
            let is_on_disk = running.unlogged == 0 && logged == running.durable_revision;
            running.stopped.is_none() && !(idle && is_on_disk)
        };
        let waiting = self.list.iter().filter(waits);
        waiting.map(|running| running.durable_revision).min()
    }

    /// The log made no sense, and is read from its beginning again some time.
    pub(crate) fn forget_queues(&mut self) {
        for running in &mut self.list {
            running.queue.clear();
            running.queue_bytes = 0;
        }
    }

    /// A ticket with records is on its way to the disk, with whatever cursors it holds.
    pub(crate) fn note_sealed(&mut self, cursors: &BTreeMap<ForwardId, ForwardCursor>) {
        for running in &mut self.list {
            if let Some(cursor) = cursors.get(&running.id) {
                running.sealed_revision = cursor.revision;
            }
        }
    }

    /// The ticket that was out is on disk.
    pub(crate) fn note_released(&mut self) {
        for running in &mut self.list {
            running.durable_revision = running.sealed_revision;
        }
    }

    pub(crate) fn next_wake_ms(&self) -> Option<u64> {
        self.list
            .iter()
            .flat_map(|running| [running.retry_at_ms, running.log_at_ms])
            .flatten()
            .min()
    }

    pub(crate) fn errand(&mut self, forward: ForwardId, errand: Errand) -> ErrandId {
        self.next_errand += 1;
        let id = ErrandId(self.next_errand);
        self.errands.insert(id, (forward, errand));
        id
    }

    pub(crate) fn status(
        &self,
        cursors: &BTreeMap<ForwardId, ForwardCursor>,
    ) -> Vec<ForwardStatus> {
        let status = |running: &Running| {
            let cursor = running
                .progress
                .as_ref()
                .or_else(|| cursors.get(&running.id));
            ForwardStatus {
                pattern: running.forward.pattern.to_string(),
                store: running.forward.to.store().clone(),
                revision: cursor.map_or(0, |cursor| cursor.revision),
                refused: cursor.map_or(0, |cursor| cursor.refused),
                state: match &running.stopped {
                    Some(why) => why.clone(),
                    None if cursor.is_some_and(|cursor| cursor.stopped) => "stopped".to_owned(),
                    None if running.retry_at_ms.is_some() => "waiting for the target".to_owned(),
                    None => "running".to_owned(),
                },
            }
        };
        self.list.iter().map(status).collect()
    }
}

fn change_bytes(change: &dhlrs_bag::Change) -> usize {
    let shown = |shown: &dhlrs_bag::Shown| match shown {
        dhlrs_bag::Shown::Scalar(value) => value.encoded_bytes(),
        _ => 0,
    };
    let attributes = change.attributes.iter().map(|attribute| {
        let sides = [&attribute.old, &attribute.new];
        let values = sides
            .into_iter()
            .flatten()
            .map(dhlrs_bag::Value::encoded_bytes);
        attribute.name.len() + values.sum::<usize>()
    });
    256 + change.path.as_str().len() * 2
        + shown(&change.old)
        + shown(&change.new)
        + attributes.sum::<usize>()
}

impl Running {
    fn new(config: &Config, forward: &Forward) -> Self {
        let name = format!("{}\n{}\n{}", config.address(), forward.pattern, forward.to);
        let hash = blake3::derive_key("dhlrs forward 1", name.as_bytes());
        let mut id = [0; 16];
        id.copy_from_slice(&hash[..16]);
        Self {
            id,
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
            sealed_revision: 0,
            durable_revision: 0,
            retry_at_ms: None,
            retry_ms: RETRY_MS_MIN,
            stopped: None,
        }
    }

    fn touches(&self, change: &dhlrs_bag::Change) -> bool {
        let pattern = &self.forward.pattern;
        let is_touched = |path| {
            pattern.matches_path(path)
                || (touches_below(change) && pattern.intersects_subtree(path))
        };
        is_touched(&change.path) || change.old_path.as_ref().is_some_and(is_touched)
    }

    fn forget_answered(&mut self, revision: u64) {
        while let Some(queued) = self
            .queue
            .pop_front_if(|queued| queued.revision <= revision)
        {
            self.queue_bytes -= queued.bytes;
        }
    }

    pub(crate) fn stop(&mut self, why: String) {
        self.stopped = Some(why);
        self.queue.clear();
        self.queue_bytes = 0;
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
            cause.push(SubscriberId(self.id));
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
                let counter = self
                    .flights
                    .back()
                    .map_or(cursor.counter, |flight| flight.counter)
                    + 1;
                self.flights.push_back(Flight {
                    counter,
                    revision,
                    last_of_revision: place == last,
                    edits,
                    reason: reason.clone(),
                    stamp,
                    cause: cause.clone(),
                    under_way: false,
                    answered: false,
                });
            }
        }
    }

    /// The store has opened, and this is what its log says of the forward.
    pub(crate) fn take_up(&mut self, cursor: Option<&mut ForwardCursor>) {
        let Some(cursor) = cursor else { return };
        self.sealed_revision = cursor.revision;
        self.durable_revision = cursor.revision;
        for flight in &mut self.flights {
            flight.under_way = false;
        }
        if self.counted_in.is_none() {
            self.counted_in = cursor.session;
        } else if self.counted_in != cursor.session {
            // A failed sync took the session away that these were counted in: nothing was sent in
            // it, and in the one before it these counters mean other messages.
            cursor.session = None;
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
        let mut progress = self.progress.take().unwrap_or_else(|| cursor.clone());
        while self.flights.front().is_some_and(|flight| flight.answered) {
            let Some(flight) = self.flights.pop_front() else {
                break;
            };
            progress.counter = flight.counter;
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
