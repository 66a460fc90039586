//! Watches of our own code: streams that go on after a lost link, at the revision after the last.

use std::collections::BTreeMap;

use dhlrs_clock::Time;
use dhlrs_path::StoreAddress;
use dhlrs_wire::{
    Delivery, Refusal, RefusalKind, Reply, Request, Revision, RevisionFrom, Watch, WatchedChanges,
};

use crate::engine::Engine;
use crate::pending::Origin;
use crate::port::{CallId, Output};

const RETRY_MS_MIN: u64 = 50;
const RETRY_MS_MAX: u64 = 5_000;
/// How long an attempt to go on may wait for its answer.
const RESUME_TIMEOUT_MS: u64 = 5_000;

#[derive(Debug, Default)]
pub(crate) struct Watching {
    streams: BTreeMap<CallId, Stream>,
}

#[derive(Debug)]
struct Stream {
    target: StoreAddress,
    watch: Watch,
    /// The first revision that has not been delivered whole; known once the stream has begun.
    next: Option<Revision>,
    /// Changes of that revision that have been delivered already.
    delivered_of_next: usize,
    /// Changes of a repeated revision that must not be delivered a second time.
    skip: usize,
    /// It ended because its pieces came faster than they could be sent. What the store no longer keeps
    /// by then was passed by, as for a reader of the store itself; no link was lost.
    was_too_slow: bool,
    retry_at_ms: Option<u64>,
    retry_ms: u64,
}

impl Watching {
    pub(crate) fn end(&mut self, call: CallId) {
        self.streams.remove(&call);
    }

    pub(crate) fn next_wake_ms(&self) -> Option<u64> {
        self.streams
            .values()
            .filter_map(|stream| stream.retry_at_ms)
            .min()
    }
}

impl Stream {
    /// What to ask for when the stream begins again.
    fn resumed(&self) -> Watch {
        let mut watch = self.watch.clone();
        if let Some(next) = self.next {
            watch.from = Some(RevisionFrom::from(next));
        }
        // The store counts what is told again; the watcher does not see it.
        let skipped = u32::try_from(self.skip).unwrap_or(u32::MAX);
        watch.credit = watch.credit.saturating_add(skipped);
        watch
    }

    /// Goes on at the oldest revision that is kept, if it may, and says what it missed.
    fn lag(&mut self, refused: RefusalKind) -> Option<Delivery> {
        let RefusalKind::Compacted { oldest } = refused else {
            return None;
        };
        let next = self.next.as_mut()?;
        let is_passed = oldest.incarnation == next.incarnation && oldest.number > next.number;
        if !self.was_too_slow || !is_passed {
            return None;
        }
        let revisions = oldest.number - next.number;
        *next = oldest;
        self.delivered_of_next = 0;
        Some(Delivery::Lagged {
            revisions,
            next: oldest.number,
        })
    }

    /// Leaves out what was delivered before the stream broke; notes how far it has come.
    fn advance(&mut self, mut piece: WatchedChanges) -> Option<WatchedChanges> {
        let here = self.next.is_some_and(|next| next == piece.revision);
        if here && self.skip > 0 {
            let skipped = self.skip.min(piece.changes.len());
            piece.changes.drain(..skipped);
            self.skip -= skipped;
        }
        let delivered = piece.changes.len();
        self.watch.credit = self
            .watch
            .credit
            .saturating_sub(u32::try_from(delivered).unwrap_or(u32::MAX));
        let Revision {
            incarnation,
            number,
        } = piece.revision;
        if self.next.is_none_or(|next| next.number <= number) {
            if piece.more {
                let before = if here { self.delivered_of_next } else { 0 };
                self.next = Some(piece.revision);
                self.delivered_of_next = before + delivered;
            } else if piece
                .changes
                .iter()
                .any(|change| change.kind != dhlrs_bag::ChangeKind::Resolve)
            {
                self.next = Some(Revision {
                    incarnation,
                    number: number + 1,
                });
                self.delivered_of_next = 0;
            }
        }
        (delivered > 0).then_some(piece)
    }
}

impl Engine {
    pub(crate) fn begin_watching(
        &mut self,
        now: Time,
        call: CallId,
        target: StoreAddress,
        watch: Watch,
        timeout_ms: u64,
        out: &mut Vec<Output>,
    ) {
        let request = Request::Watch(Box::new(watch.clone()));
        let ask = self.ask(Origin::Watch(call), &target, request, timeout_ms);
        let stream = Stream {
            target,
            watch,
            next: None,
            delivered_of_next: 0,
            skip: 0,
            was_too_slow: false,
            retry_at_ms: None,
            retry_ms: RETRY_MS_MIN,
        };
        self.watching.streams.insert(call, stream);
        self.start(now, ask, out);
    }

    pub(crate) fn watch_answered(
        &mut self,
        now: Time,
        call: CallId,
        result: Result<Reply, Refusal>,
        out: &mut Vec<Output>,
    ) {
        let Some(stream) = self.watching.streams.get_mut(&call) else {
            return;
        };
        let begins = stream.next.is_none();
        match result {
            Ok(Reply::Watching { from, node }) => {
                stream.retry_ms = RETRY_MS_MIN;
                stream.was_too_slow = false;
                stream.watch.node = node;
                if begins {
                    stream.next = Some(from);
                    let result = Ok(Reply::Watching { from, node });
                    out.push(Output::Answer { call, result });
                }
            }
            Ok(_) | Err(_) if begins => {
                self.watching.streams.remove(&call);
                let result = result.and_then(|_| {
                    Err(Refusal::new(
                        RefusalKind::Unsupported,
                        "the peer did not begin the watch",
                    ))
                });
                out.push(Output::Answer { call, result });
            }
            Err(refusal) if comes_back(refusal.kind()) => stream.pause(now),
            Err(refusal) => {
                let delivery = match stream.lag(refusal.kind()) {
                    Some(lagged) => {
                        stream.pause(now);
                        lagged
                    }
                    None => {
                        self.watching.streams.remove(&call);
                        Delivery::Ended(Box::new(refusal))
                    }
                };
                out.push(Output::Deliver { call, delivery });
            }
            Ok(_) => stream.pause(now),
        }
    }

    pub(crate) fn watch_delivered(
        &mut self,
        now: Time,
        call: CallId,
        delivery: Delivery,
        out: &mut Vec<Output>,
    ) {
        let Some(stream) = self.watching.streams.get_mut(&call) else {
            return;
        };
        match delivery {
            Delivery::Changes(piece) => {
                if let Some(piece) = stream.advance(piece) {
                    out.push(Output::Deliver {
                        call,
                        delivery: Delivery::Changes(piece),
                    });
                }
            }
            Delivery::Lagged { revisions, next } => {
                if let Some(own) = &mut stream.next {
                    own.number = next;
                    stream.delivered_of_next = 0;
                }
                out.push(Output::Deliver {
                    call,
                    delivery: Delivery::Lagged { revisions, next },
                });
            }
            Delivery::Ended(refusal) if comes_back(refusal.kind()) => {
                stream.was_too_slow |= refusal.kind() == RefusalKind::Overloaded;
                stream.pause(now);
            }
            Delivery::Ended(refusal) => {
                self.watching.streams.remove(&call);
                out.push(Output::Deliver {
                    call,
                    delivery: Delivery::Ended(refusal),
                });
            }
        }
    }

    pub(crate) fn local_credit(
        &mut self,
        now: Time,
        call: CallId,
        changes: u32,
        out: &mut Vec<Output>,
    ) {
        if let Some(stream) = self.watching.streams.get_mut(&call) {
            stream.watch.credit = stream.watch.credit.saturating_add(changes);
        }
        if let Some(id) = self.pending.of_call(call) {
            self.pass_credit(now, id, changes, out);
        }
    }

    /// A way has opened: broken streams need not wait for their pause to end.
    pub(crate) fn hurry_watching(&mut self, now: Time, out: &mut Vec<Output>) {
        for stream in self.watching.streams.values_mut() {
            if let Some(at_ms) = &mut stream.retry_at_ms {
                *at_ms = now.monotonic_ms;
            }
        }
        self.watching_tick(now, out);
    }

    pub(crate) fn watching_tick(&mut self, now: Time, out: &mut Vec<Output>) {
        let due = |stream: &Stream| stream.retry_at_ms.is_some_and(|at| at <= now.monotonic_ms);
        let streams = self.watching.streams.iter();
        let calls: Vec<CallId> = streams
            .filter(|(_, s)| due(s))
            .map(|(call, _)| *call)
            .collect();
        for call in calls {
            let Some(stream) = self.watching.streams.get_mut(&call) else {
                continue;
            };
            stream.retry_at_ms = None;
            stream.skip = stream.delivered_of_next;
            let target = stream.target.clone();
            let request = Request::Watch(Box::new(stream.resumed()));
            let ask = self.ask(Origin::Watch(call), &target, request, RESUME_TIMEOUT_MS);
            self.start(now, ask, out);
        }
    }
}

impl Stream {
    fn pause(&mut self, now: Time) {
        self.retry_at_ms = Some(now.monotonic_ms + self.retry_ms);
        self.retry_ms = (self.retry_ms * 2).min(RETRY_MS_MAX);
    }
}

/// Refusals that end a stream only for now.
fn comes_back(kind: RefusalKind) -> bool {
    matches!(
        kind,
        RefusalKind::NoRoute
            | RefusalKind::Unavailable
            | RefusalKind::Timeout
            | RefusalKind::Overloaded
            | RefusalKind::HopLimit
    )
}
