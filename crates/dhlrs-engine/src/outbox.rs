//! Writes on their way to stores of other processes: one request session per target store.
//!
//! A write gets its counter when it is taken and stays here, under that counter, until its store has
//! answered, whoever still waits for it. What fails on the way (no route, a lost link, a store that is
//! just opening) is sent again under the same counter, so a write is applied once at most, and in order.

mod entry;

use std::collections::{BTreeMap, VecDeque};

use dhlrs_clock::Time;
use dhlrs_path::StoreAddress;
use dhlrs_wire::{Refusal, RefusalKind, Reply, Request, Written};

pub(crate) use entry::Draft;
use entry::{Entry, is_from_the_way, passes_by_itself};

use crate::CallId;

/// Writes to one store that wait for an answer. The store keeps as many answers.
pub const OUTBOX_WRITES_MAX: usize = 1_024;
/// Stores that are written to at once.
pub const OUTBOX_STORES_MAX: usize = 1_024;
/// The first pause before a failed write is sent again; it doubles up to [`RETRY_MS_MAX`].
pub const RETRY_MS_MIN: u64 = 20;
/// The longest such pause.
pub const RETRY_MS_MAX: u64 = 2_000;
/// A write that nobody waits for any more is sent again this long, then its session is given up.
pub const ORPHAN_MS_MAX: u64 = 600_000;
/// How long one attempt may take if nobody waits for it.
const ATTEMPT_TIMEOUT_MS: u64 = 5_000;

/// One request that the outbox has under way. Its answer comes back to [`Outbox::answered`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Attempt {
    target: StoreAddress,
    /// Which life of the session with that store.
    generation: u64,
    what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    Open,
    Write { counter: u64 },
    Close,
}

/// What the engine has to do for the outbox.
#[derive(Debug)]
pub(crate) enum Effect {
    Send {
        attempt: Attempt,
        target: StoreAddress,
        request: Request,
        timeout_ms: u64,
    },
    Answer {
        call: CallId,
        result: Result<Reply, Refusal>,
    },
}

#[derive(Debug, Default)]
pub(crate) struct Outbox {
    sessions: BTreeMap<StoreAddress, Session>,
    generations: u64,
}

#[derive(Debug)]
struct Session {
    generation: u64,
    state: State,
    next_counter: u64,
    entries: VecDeque<Entry>,
    retry_at_ms: Option<u64>,
    retry_ms: u64,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    /// Not open, and nothing is under way.
    Closed,
    Opening,
    Open([u8; 16]),
}

impl Outbox {
    /// Takes a write. It is answered through [`Effect::Answer`], whatever happens.
    pub(crate) fn write(
        &mut self,
        now: Time,
        target: &StoreAddress,
        call: CallId,
        draft: Draft,
        timeout_ms: u64,
        effects: &mut Vec<Effect>,
    ) {
        let full = !self.sessions.contains_key(target) && self.sessions.len() >= OUTBOX_STORES_MAX;
        if full && !self.forget_an_idle_session() {
            let message =
                format!("writing to {OUTBOX_STORES_MAX} stores already: wait for answers");
            let result = Err(Refusal::new(RefusalKind::Overloaded, message));
            effects.push(Effect::Answer { call, result });
            return;
        }
        let generations = &mut self.generations;
        let session = self
            .sessions
            .entry(target.clone())
            .or_insert_with(|| Session::new(generations));
        if session.entries.len() >= OUTBOX_WRITES_MAX {
            let message =
                format!("{OUTBOX_WRITES_MAX} writes to {target} wait for answers: wait for some");
            let result = Err(Refusal::new(RefusalKind::Overloaded, message));
            effects.push(Effect::Answer { call, result });
            return;
        }
        session.entries.push_back(Entry {
            counter: 0,
            draft,
            call: Some(call),
            deadline_ms: now.monotonic_ms.saturating_add(timeout_ms),
            since_ms: now.monotonic_ms,
            attempts: 0,
            under_way: false,
        });
        // While a pause runs, a newcomer waits with the others: order is the session's promise.
        if session.retry_at_ms.is_none() {
            session.send(now, target, effects);
        }
    }

    /// The caller has gone. Its write stays.
    pub(crate) fn abandon(&mut self, call: CallId) {
        for entry in self
            .sessions
            .values_mut()
            .flat_map(|session| &mut session.entries)
        {
            if entry.call == Some(call) {
                entry.call = None;
            }
        }
    }

    /// An attempt was answered, by its store or by somebody on the way.
    pub(crate) fn answered(
        &mut self,
        now: Time,
        attempt: &Attempt,
        result: Result<Reply, Refusal>,
        effects: &mut Vec<Effect>,
    ) {
        let Some(session) = self.sessions.get_mut(&attempt.target) else {
            return;
        };
        if session.generation != attempt.generation {
            return;
        }
        match attempt.what {
            What::Open => session.opened(now, &attempt.target, result, effects),
            What::Write { counter } => {
                session.written(
                    now,
                    &attempt.target,
                    counter,
                    result,
                    &mut self.generations,
                    effects,
                );
            }
            What::Close => {}
        }
        if session.entries.is_empty() && session.state == State::Closed {
            self.sessions.remove(&attempt.target);
        }
    }

    /// A way to somewhere has opened: what waits for its next attempt need not wait longer.
    pub(crate) fn hurry(&mut self, now: Time, effects: &mut Vec<Effect>) {
        for (target, session) in &mut self.sessions {
            if session.retry_at_ms.take().is_some() {
                session.retry_ms = RETRY_MS_MIN;
                session.send(now, target, effects);
            }
        }
    }

    /// Sends again what is due and answers whoever has waited long enough.
    pub(crate) fn tick(&mut self, now: Time, effects: &mut Vec<Effect>) {
        let mut gone = Vec::new();
        for (target, session) in &mut self.sessions {
            session.expire(now, target, effects);
            if session.retry_at_ms.is_some_and(|at| at <= now.monotonic_ms) {
                session.retry_at_ms = None;
                session.send(now, target, effects);
            }
            let orphaned = session.entries.front().is_some_and(|entry| {
                entry.call.is_none() && now.monotonic_ms >= entry.since_ms + ORPHAN_MS_MAX
            });
            if orphaned || (session.entries.is_empty() && session.state == State::Closed) {
                gone.push(target.clone());
            }
        }
        for target in gone {
            if let Some(session) = self.sessions.remove(&target) {
                session.fail_all(
                    &Refusal::new(
                        RefusalKind::Timeout,
                        format!("{target} has not answered for {} s", ORPHAN_MS_MAX / 1_000),
                    ),
                    effects,
                );
            }
        }
    }

    /// When [`tick`](Self::tick) has something to do next, in monotonic milliseconds.
    pub(crate) fn next_wake_ms(&self) -> Option<u64> {
        self.sessions
            .values()
            .flat_map(|session| {
                // An orphan is given up at the front only: behind a write that somebody waits for it
                // waits too, and waking for it would do nothing.
                let deadlines = session
                    .entries
                    .iter()
                    .enumerate()
                    .filter_map(|(place, entry)| match entry.call {
                        Some(_) => Some(entry.deadline_ms),
                        None => (place == 0).then(|| entry.since_ms + ORPHAN_MS_MAX),
                    });
                session.retry_at_ms.into_iter().chain(deadlines)
            })
            .min()
    }

    /// Closes the sessions in which nothing waits, so that their stores can forget them.
    pub(crate) fn close_idle(&mut self, effects: &mut Vec<Effect>) {
        for (target, session) in &mut self.sessions {
            let State::Open(id) = session.state else {
                continue;
            };
            if !session.entries.is_empty() {
                continue;
            }
            session.state = State::Closed;
            effects.push(Effect::Send {
                attempt: session.attempt(target, What::Close),
                target: target.clone(),
                request: Request::CloseSession { session: id },
                timeout_ms: ATTEMPT_TIMEOUT_MS,
            });
        }
    }

    fn forget_an_idle_session(&mut self) -> bool {
        let idle = self
            .sessions
            .iter()
            .find(|(_, session)| session.entries.is_empty());
        let Some(target) = idle.map(|(target, _)| target.clone()) else {
            return false;
        };
        self.sessions.remove(&target).is_some()
    }
}

impl Session {
    fn new(generations: &mut u64) -> Self {
        *generations += 1;
        Self {
            generation: *generations,
            state: State::Closed,
            next_counter: 1,
            entries: VecDeque::new(),
            retry_at_ms: None,
            retry_ms: RETRY_MS_MIN,
        }
    }

    fn attempt(&self, target: &StoreAddress, what: What) -> Attempt {
        Attempt {
            target: target.clone(),
            generation: self.generation,
            what,
        }
    }

    /// Sends whatever is not under way, in order; opens the session first where need be.
    fn send(&mut self, now: Time, target: &StoreAddress, effects: &mut Vec<Effect>) {
        match self.state {
            State::Opening => {}
            State::Closed => {
                let Some(latest) = self.entries.iter().map(|entry| entry.deadline_ms).max() else {
                    return;
                };
                self.state = State::Opening;
                effects.push(Effect::Send {
                    attempt: self.attempt(target, What::Open),
                    target: target.clone(),
                    request: Request::OpenSession,
                    timeout_ms: latest.saturating_sub(now.monotonic_ms).max(1),
                });
            }
            State::Open(id) => {
                for entry in &mut self.entries {
                    if entry.under_way {
                        continue;
                    }
                    if entry.counter == 0 {
                        entry.counter = self.next_counter;
                        self.next_counter += 1;
                    }
                    entry.under_way = true;
                    entry.attempts += 1;
                    let timeout_ms = match entry.call {
                        Some(_) => entry.deadline_ms.saturating_sub(now.monotonic_ms).max(1),
                        None => ATTEMPT_TIMEOUT_MS,
                    };
                    effects.push(Effect::Send {
                        attempt: Attempt {
                            target: target.clone(),
                            generation: self.generation,
                            what: What::Write {
                                counter: entry.counter,
                            },
                        },
                        target: target.clone(),
                        request: Request::Write(Box::new(entry.intent(id))),
                        timeout_ms,
                    });
                }
            }
        }
    }

    fn opened(
        &mut self,
        now: Time,
        target: &StoreAddress,
        result: Result<Reply, Refusal>,
        effects: &mut Vec<Effect>,
    ) {
        match result {
            Ok(Reply::Session { session }) => {
                self.state = State::Open(session);
                self.retry_ms = RETRY_MS_MIN;
                self.send(now, target, effects);
            }
            Err(refusal) if passes_by_itself(refusal.kind()) => {
                self.state = State::Closed;
                self.pause(now);
            }
            // Nothing was sent under this session yet, so this is the writes' own fate.
            Err(refusal) => {
                self.state = State::Closed;
                for entry in self.entries.drain(..) {
                    entry.answer(Err(refusal.clone()), effects);
                }
            }
            Ok(_) => {
                self.state = State::Closed;
                let refusal = Refusal::new(
                    RefusalKind::Unsupported,
                    format!("{target} did not open a session"),
                );
                for entry in self.entries.drain(..) {
                    entry.answer(Err(refusal.clone()), effects);
                }
            }
        }
    }

    fn written(
        &mut self,
        now: Time,
        target: &StoreAddress,
        counter: u64,
        result: Result<Reply, Refusal>,
        generations: &mut u64,
        effects: &mut Vec<Effect>,
    ) {
        let found = self
            .entries
            .iter()
            .position(|entry| entry.counter == counter);
        let Some(place) = found else { return };
        let result = match result {
            Err(refusal) => match refusal.kind() {
                RefusalKind::AlreadyApplied { revision } => Ok(Reply::Written(Written {
                    revision,
                    skipped: 0,
                    first_skipped: Vec::new(),
                })),
                _ => Err(refusal),
            },
            reply => reply,
        };
        match result {
            Err(refusal) if is_from_the_way(refusal.kind()) => {
                if let Some(entry) = self.entries.get_mut(place) {
                    entry.under_way = false;
                    // Whoever says this has not let the write through.
                    if !refusal.outcome_unknown() {
                        entry.attempts = entry.attempts.saturating_sub(1);
                    }
                }
                match refusal.kind() {
                    RefusalKind::UnknownSession => {
                        self.begin_again(generations, target, effects);
                        self.send(now, target, effects);
                    }
                    RefusalKind::Denied
                    | RefusalKind::NoStore
                    | RefusalKind::HopLimit
                    | RefusalKind::Unsupported => {
                        self.renumber(generations);
                        for entry in self.entries.drain(..) {
                            entry.answer(Err(refusal.clone()), effects);
                        }
                    }
                    _ => self.pause(now),
                }
            }
            answer => {
                self.retry_ms = RETRY_MS_MIN;
                let too_large =
                    matches!(&answer, Err(refusal) if refusal.kind() == RefusalKind::TooLarge);
                match self.entries.get_mut(place) {
                    // Perhaps it fitted no message, and the store has not seen its counter. Without
                    // its edits it is refused there, and the ones after it are not held up.
                    Some(entry) if too_large && !entry.draft.is_empty() => {
                        entry.draft.clear();
                        entry.under_way = false;
                        if let Some(call) = entry.call.take() {
                            let result = answer;
                            effects.push(Effect::Answer { call, result });
                        }
                        self.send(now, target, effects);
                    }
                    _ => {
                        if let Some(entry) = self.entries.remove(place) {
                            entry.answer(answer, effects);
                        }
                    }
                }
            }
        }
    }

    /// The store has forgotten the session. What it certainly never saw goes into a new one; of the
    /// rest nobody can tell.
    fn begin_again(
        &mut self,
        generations: &mut u64,
        target: &StoreAddress,
        effects: &mut Vec<Effect>,
    ) {
        self.renumber(generations);
        let mut kept = VecDeque::new();
        for mut entry in self.entries.drain(..) {
            // The attempt that brought this news was refused; earlier or later ones may not have been.
            if entry.attempts == 0 {
                entry.counter = 0;
                entry.under_way = false;
                kept.push_back(entry);
            } else {
                let message = format!("{target} no longer knows the session of this write");
                entry.answer(Err(Refusal::new(RefusalKind::Timeout, message)), effects);
            }
        }
        self.entries = kept;
    }

    fn renumber(&mut self, generations: &mut u64) {
        *generations += 1;
        self.generation = *generations;
        self.state = State::Closed;
        self.next_counter = 1;
        self.retry_at_ms = None;
    }

    fn pause(&mut self, now: Time) {
        if self.retry_at_ms.is_none() {
            self.retry_at_ms = Some(now.monotonic_ms + self.retry_ms);
            self.retry_ms = (self.retry_ms * 2).min(RETRY_MS_MAX);
        }
    }

    fn expire(&mut self, now: Time, target: &StoreAddress, effects: &mut Vec<Effect>) {
        for entry in &mut self.entries {
            if entry.deadline_ms > now.monotonic_ms {
                continue;
            }
            if let Some(call) = entry.call.take() {
                let refusal = Refusal::new(
                    RefusalKind::Timeout,
                    format!(
                        "no answer from {target} in {} ms",
                        entry.deadline_ms - entry.since_ms
                    ),
                );
                let result = Err(entry.mark(refusal));
                effects.push(Effect::Answer { call, result });
                if entry.never_left() {
                    // It was said to be undone, so it is: only its counter may still be sent.
                    entry.draft.clear();
                }
            }
        }
        self.entries
            .retain(|entry| entry.counter != 0 || !entry.is_undone());
        // It needs no counter if no other has a later one.
        while self.entries.back().is_some_and(Entry::is_undone) {
            if let Some(entry) = self.entries.pop_back()
                && entry.counter != 0
            {
                self.next_counter = entry.counter;
            }
        }
    }

    fn fail_all(self, refusal: &Refusal, effects: &mut Vec<Effect>) {
        for entry in self.entries {
            entry.answer(Err(refusal.clone()), effects);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_orphan_behind_a_patient_write_does_not_wake_the_process_without_end() {
        let mut outbox = Outbox::default();
        let at = |ms| Time {
            wall_ms: ms,
            monotonic_ms: ms,
        };
        let draft = || Draft {
            edits: Vec::new(),
            atomic: true,
            incarnation: None,
            reason: None,
            stamp: dhlrs_clock::Stamp::ZERO,
            cause: Vec::new(),
            emitted: Vec::new(),
        };
        let target: StoreAddress = "c/main/orders".parse().unwrap();
        let mut effects = Vec::new();
        outbox.write(at(0), &target, CallId(1), draft(), 3_600_000, &mut effects);
        outbox.write(at(0), &target, CallId(2), draft(), 1_000, &mut effects);
        let Some(Effect::Send { attempt, .. }) = effects.pop() else {
            panic!("a session is opened first");
        };
        let opened = Ok(Reply::Session { session: [1; 16] });
        outbox.answered(at(10), &attempt, opened, &mut effects);
        outbox.tick(at(1_000), &mut effects);
        let now = at(ORPHAN_MS_MAX + 1);
        outbox.tick(now, &mut effects);
        assert!(outbox.next_wake_ms().unwrap() > now.monotonic_ms);
    }
}
