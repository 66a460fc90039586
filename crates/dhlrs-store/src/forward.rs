//! Durable forwards: each change below a pattern is sent to another store once, whatever dies.
//!
//! A forward is a cursor into the store's own log. Which messages a revision becomes follows from
//! that revision alone, so after a restart the same messages get the same counters in the same
//! session, and the target's session drops what it has had. The cursor is logged now and then; it
//! saves repeating, it does not decide.

use std::collections::BTreeMap;

use dhlrs_bag::Changes;
use dhlrs_wire::ForwardStatus;
use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::log::{Batch, Trees};
use crate::port::ErrandId;
use crate::running::Running;
use crate::session::SessionId;

/// How long one message waits for its answer before it is sent again.
pub(crate) const FORWARD_TIMEOUT_MS: u64 = 10_000;
pub(crate) const RETRY_MS_MIN: u64 = 50;
/// Answered messages, and the time since the first of them, after which the cursor is logged.
pub(crate) const CURSOR_MESSAGES: u64 = 64;

/// Names a forward in its store's log: a hash of its pattern and its target. So a restart finds its
/// cursor again, under whatever name the process starts.
pub(crate) type ForwardId = [u8; 16];

/// How far a forward has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ForwardCursor {
    /// The session at the target, once there is one.
    pub(crate) session: Option<SessionId>,
    /// The counter of the last message that was answered.
    pub(crate) counter: u64,
    /// Every message of this revision and those before has been answered.
    pub(crate) revision: u64,
    /// So many messages of the next one that makes any have been answered too.
    pub(crate) sent_of_next: u64,
    /// Which of the messages after these were answered in a session before this one, as bits, the
    /// next one the lowest: they have no counter in this one, and are not sent again.
    pub(crate) answered_ahead: u64,
    /// Messages and edits that were refused and passed over.
    pub(crate) refused: u64,
    /// More waited than may be kept: the target has missed changes and gets no more.
    pub(crate) stopped: bool,
    /// Of the checkpoint that this was read from: up to here the history before it is needed.
    pub(crate) needs_older: u64,
}

impl ForwardCursor {
    pub(crate) fn new(revision: u64) -> Self {
        Self {
            session: None,
            counter: 0,
            revision,
            sent_of_next: 0,
            answered_ahead: 0,
            refused: 0,
            stopped: false,
            needs_older: 0,
        }
    }

    pub(crate) fn has_answered_ahead(&self, place: usize) -> bool {
        self.answered_ahead & bit(place) != 0
    }

    /// What the next message and its counter follow from.
    pub(crate) fn place(&self) -> (u64, u64, u64) {
        (self.revision, self.sent_of_next, self.counter)
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
            if running.stopped.is_some() || cursor.stopped || !running.concerns(cursor, changes) {
                continue;
            }
            running.enqueue(changes, before, after);
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
            let idle = running.is_idle();
            let cursor = cursors.get(&running.id);
            let is_on_disk = match (running.progress.as_ref().or(cursor), &running.durable) {
                (Some(own), Some(durable)) => own.place() == durable.place(),
                _ => false,
            };
            running.stopped.is_none() && !(idle && is_on_disk)
        };
        let durable = |running: &Running| running.durable.map_or(0, |cursor| cursor.revision);
        self.list.iter().filter(waits).map(durable).min()
    }

    /// The cursors as a checkpoint keeps them, which holds everything up to these changes: each with
    /// the last revision that is still to be sent or noted, and so to be read from older history.
    pub(crate) fn cursors_for_image(
        &self,
        cursors: &BTreeMap<ForwardId, ForwardCursor>,
        untold: &[Batch],
    ) -> BTreeMap<ForwardId, ForwardCursor> {
        let mut kept = cursors.clone();
        for running in &self.list {
            if let Some(cursor) = kept.get_mut(&running.id) {
                cursor.needs_older = running.needs_older(cursor, untold);
            }
        }
        kept
    }

    /// The log made no sense, and is read from its beginning again some time.
    pub(crate) fn forget_queues(&mut self) {
        for running in &mut self.list {
            running.forget_queue();
        }
    }

    /// A ticket with records is on its way to the disk, with whatever cursors it holds.
    pub(crate) fn note_sealed(&mut self, cursors: &BTreeMap<ForwardId, ForwardCursor>) {
        for running in &mut self.list {
            if let Some(cursor) = cursors.get(&running.id) {
                running.sealed = Some(*cursor);
            }
        }
    }

    /// The ticket that was out is on disk.
    pub(crate) fn note_released(&mut self) {
        for running in &mut self.list {
            running.durable = running.sealed;
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

/// The bit of the message that so many wait before; none beyond those that are sent at once.
pub(crate) fn bit(place: usize) -> u64 {
    u32::try_from(place)
        .ok()
        .and_then(|place| 1_u64.checked_shl(place))
        .unwrap_or(0)
}
