//! Request sessions: each write applied once, in the order in which its source counted them.
//!
//! A session is opened and closed by a log record, and a write's counter and answer are in the
//! record of the write itself, so after a restart the table is what it was. Which session is dropped
//! when there are too many follows from those records alone, never from a clock.

use std::collections::{BTreeMap, VecDeque};

use dhlrs_path::NodeName;
use serde::{Deserialize, Serialize};

use crate::config::FORWARDS_MAX;

/// Answers kept for one session.
pub const SESSION_ANSWERS_MAX: usize = 1_024;
/// One kept answer. A longer one is kept without its details.
pub const ANSWER_BYTES_MAX: usize = 1_024;
/// Sessions of one source: its own, and one for each of its forwards to this store, whose unanswered
/// messages are sent twice if the session is dropped.
pub const SOURCE_SESSIONS_MAX: usize = 4 + 2 * FORWARDS_MAX;
/// Sessions opened through one neighbour.
pub const NEIGHBOUR_SESSIONS_MAX: usize = 1_024;
/// Sessions of one store.
pub const STORE_SESSIONS_MAX: usize = 10_000;
/// Kept answers of all sessions together; the answers of the longest idle go first.
pub const STORE_ANSWER_BYTES_MAX: usize = 64 << 20;

/// Names a session: 16 random bytes, chosen by the store.
pub(crate) type SessionId = [u8; 16];

/// Who opened a session: nobody else may use it, and the limits count by it.
///
/// The name of a session is no secret, since watchers see it with each change. The source that has
/// to be the same is the one that the neighbour vouches for, as with every request: whoever lets a
/// neighbour in believes it in this too. The neighbour itself may be another one by now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Opener {
    /// The process that asked.
    pub(crate) source: String,
    /// The key of the neighbour that vouched for it; `None` within the process.
    pub(crate) neighbour: Option<[u8; 32]>,
}

impl Opener {
    pub(crate) fn new(source: &NodeName, neighbour: Option<[u8; 32]>) -> Self {
        Self {
            source: source.to_string(),
            neighbour,
        }
    }
}

/// What a counter means to a session.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The next one: judge it.
    Next,
    /// Applied before; this was the answer, given in that ticket.
    Kept { answer: Vec<u8>, ticket: u64 },
    /// Applied before; the answer is gone.
    Forgotten,
    /// Not its turn.
    OutOfOrder { expected: u64 },
    /// No such session.
    Unknown,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Session {
    opener: Opener,
    last_counter: u64,
    /// Answers of the counters up to `last_counter`, without a gap; the ticket is not part of what
    /// is kept on disk, since what comes from there is durable.
    answers: VecDeque<(u64, Vec<u8>)>,
    /// When it was used last, in uses of the table.
    used: u64,
}

/// All sessions of a store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sessions {
    by_id: BTreeMap<SessionId, Session>,
    by_use: BTreeMap<u64, SessionId>,
    by_source: BTreeMap<String, usize>,
    by_neighbour: BTreeMap<[u8; 32], usize>,
    uses: u64,
    answer_bytes: usize,
}

/// One session in a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SessionImage {
    id: SessionId,
    session: Session,
}

impl Sessions {
    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// What `counter` means to a session of `source`. `O(log n)`.
    pub(crate) fn judge(&self, session: &SessionId, source: &NodeName, counter: u64) -> Verdict {
        let Some(session) = self.of(session, source) else {
            return Verdict::Unknown;
        };
        let expected = session.last_counter + 1;
        if counter == expected {
            return Verdict::Next;
        }
        if counter > expected || counter == 0 {
            return Verdict::OutOfOrder { expected };
        }
        let back = usize::try_from(session.last_counter - counter).unwrap_or(usize::MAX);
        match session.answers.iter().nth_back(back) {
            Some((ticket, answer)) => Verdict::Kept {
                answer: answer.clone(),
                ticket: *ticket,
            },
            None => Verdict::Forgotten,
        }
    }

    /// Whether `source` has opened this session.
    pub(crate) fn knows(&self, session: &SessionId, source: &NodeName) -> bool {
        self.of(session, source).is_some()
    }

    fn of(&self, session: &SessionId, source: &NodeName) -> Option<&Session> {
        let session = self.by_id.get(session)?;
        (session.opener.source == source.to_string()).then_some(session)
    }

    /// Opens a session. Over a limit the longest idle of those that share it is dropped.
    pub(crate) fn open(&mut self, id: SessionId, opener: Opener) {
        if self.by_id.contains_key(&id) {
            return;
        }
        if self.by_source.get(&opener.source).copied().unwrap_or(0) >= SOURCE_SESSIONS_MAX {
            self.drop_longest_idle(|session| session.opener.source == opener.source);
        }
        if let Some(key) = &opener.neighbour
            && self.by_neighbour.get(key).copied().unwrap_or(0) >= NEIGHBOUR_SESSIONS_MAX
        {
            self.drop_longest_idle(|session| session.opener.neighbour == opener.neighbour);
        }
        if self.by_id.len() >= STORE_SESSIONS_MAX {
            self.drop_longest_idle(|_| true);
        }
        *self.by_source.entry(opener.source.clone()).or_default() += 1;
        if let Some(key) = opener.neighbour {
            *self.by_neighbour.entry(key).or_default() += 1;
        }
        let used = self.next_use();
        self.by_use.insert(used, id);
        let answers = VecDeque::new();
        self.by_id.insert(
            id,
            Session {
                opener,
                last_counter: 0,
                answers,
                used,
            },
        );
    }

    /// Closes a session; an unknown one is closed already.
    pub(crate) fn close(&mut self, id: &SessionId) {
        let Some(session) = self.by_id.remove(id) else {
            return;
        };
        self.by_use.remove(&session.used);
        self.answer_bytes -= session
            .answers
            .iter()
            .map(|(_, answer)| answer.len())
            .sum::<usize>();
        let source = &session.opener.source;
        if let Some(count) = self.by_source.get_mut(source) {
            *count -= 1;
            if *count == 0 {
                self.by_source.remove(source);
            }
        }
        if let Some(key) = &session.opener.neighbour
            && let Some(count) = self.by_neighbour.get_mut(key)
        {
            *count -= 1;
            if *count == 0 {
                self.by_neighbour.remove(key);
            }
        }
    }

    /// Notes that `counter` was judged in `ticket`, and how.
    pub(crate) fn answered(&mut self, id: &SessionId, counter: u64, answer: Vec<u8>, ticket: u64) {
        let used = self.next_use();
        let Some(session) = self.by_id.get_mut(id) else {
            return;
        };
        if counter != session.last_counter + 1 {
            return;
        }
        self.by_use.remove(&session.used);
        self.by_use.insert(used, *id);
        session.used = used;
        session.last_counter = counter;
        self.answer_bytes += answer.len();
        session.answers.push_back((ticket, answer));
        if session.answers.len() > SESSION_ANSWERS_MAX
            && let Some((_, dropped)) = session.answers.pop_front()
        {
            self.answer_bytes -= dropped.len();
        }
        self.forget_answers_over_the_limit(id);
    }

    /// The answers of the longest idle sessions go first; the one in use keeps its own.
    fn forget_answers_over_the_limit(&mut self, in_use: &SessionId) {
        if self.answer_bytes <= STORE_ANSWER_BYTES_MAX {
            return;
        }
        for id in self.by_use.values() {
            if self.answer_bytes <= STORE_ANSWER_BYTES_MAX {
                return;
            }
            if id == in_use {
                continue;
            }
            if let Some(session) = self.by_id.get_mut(id) {
                let bytes: usize = session.answers.iter().map(|(_, answer)| answer.len()).sum();
                self.answer_bytes -= bytes;
                session.answers.clear();
            }
        }
    }

    fn drop_longest_idle(&mut self, among: impl Fn(&Session) -> bool) {
        let found = self
            .by_use
            .values()
            .find(|id| self.by_id.get(*id).is_some_and(&among));
        if let Some(id) = found.copied() {
            self.close(&id);
        }
    }

    fn next_use(&mut self) -> u64 {
        self.uses += 1;
        self.uses
    }

    /// Every session, longest idle first, for a checkpoint.
    pub(crate) fn images(&self) -> impl Iterator<Item = SessionImage> + '_ {
        self.by_use.values().filter_map(|id| {
            let mut session = self.by_id.get(id)?.clone();
            for (ticket, _) in &mut session.answers {
                *ticket = 0;
            }
            Some(SessionImage { id: *id, session })
        })
    }

    /// Puts a session back. The order of the calls is the order of idleness.
    pub(crate) fn restore(&mut self, image: SessionImage) {
        let SessionImage { id, session } = image;
        self.open(id, session.opener.clone());
        if let Some(opened) = self.by_id.get_mut(&id) {
            self.answer_bytes += session
                .answers
                .iter()
                .map(|(_, answer)| answer.len())
                .sum::<usize>();
            opened.last_counter = session.last_counter;
            opened.answers = session.answers;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opener(source: usize) -> Opener {
        Opener {
            source: format!("m/{source}"),
            neighbour: Some([7; 32]),
        }
    }

    fn id(n: u8) -> SessionId {
        [n; 16]
    }

    impl Sessions {
        fn judged(&self, session: &SessionId, counter: u64) -> Verdict {
            self.judge(session, &"m/1".parse().unwrap(), counter)
        }
    }

    const MAX: u8 = SOURCE_SESSIONS_MAX as u8;

    #[test]
    fn counts_in_order_and_keeps_the_answers() {
        let mut sessions = Sessions::default();
        assert_eq!(sessions.judged(&id(1), 1), Verdict::Unknown);
        sessions.open(id(1), opener(1));
        assert_eq!(sessions.judged(&id(1), 1), Verdict::Next);
        assert_eq!(
            sessions.judged(&id(1), 2),
            Verdict::OutOfOrder { expected: 1 }
        );
        sessions.answered(&id(1), 1, vec![9], 4);
        assert_eq!(
            sessions.judged(&id(1), 1),
            Verdict::Kept {
                answer: vec![9],
                ticket: 4
            }
        );
        assert_eq!(
            sessions.judged(&id(1), 0),
            Verdict::OutOfOrder { expected: 2 }
        );
    }

    #[test]
    fn forgets_the_oldest_answer_but_not_that_it_was_given() {
        let mut sessions = Sessions::default();
        sessions.open(id(1), opener(1));
        let last = SESSION_ANSWERS_MAX as u64 + 1;
        for counter in 1..=last {
            sessions.answered(&id(1), counter, vec![1], counter);
        }
        assert_eq!(sessions.judged(&id(1), 1), Verdict::Forgotten);
        assert_eq!(
            sessions.judged(&id(1), 2),
            Verdict::Kept {
                answer: vec![1],
                ticket: 2
            }
        );
    }

    #[test]
    fn one_session_of_a_source_too_many_drops_its_longest_idle() {
        let mut sessions = Sessions::default();
        for n in 1..=MAX {
            sessions.open(id(n), opener(1));
        }
        sessions.answered(&id(1), 1, vec![], 1);
        sessions.open(id(MAX + 1), opener(1));
        assert_eq!(sessions.judged(&id(2), 1), Verdict::Unknown);
        assert_eq!(sessions.judged(&id(1), 2), Verdict::Next);
        assert_eq!(sessions.len(), SOURCE_SESSIONS_MAX);
    }

    #[test]
    fn a_checkpoint_restores_the_table_and_its_order_of_idleness() {
        let mut sessions = Sessions::default();
        for n in 1..=MAX {
            sessions.open(id(n), opener(1));
        }
        sessions.answered(&id(1), 1, vec![3], 1);
        let mut restored = Sessions::default();
        for image in sessions.images() {
            restored.restore(image);
        }
        assert_eq!(
            restored.judged(&id(1), 1),
            Verdict::Kept {
                answer: vec![3],
                ticket: 0
            }
        );
        for sessions in [&mut sessions, &mut restored] {
            sessions.open(id(MAX + 1), opener(1));
            assert_eq!(sessions.judged(&id(2), 1), Verdict::Unknown);
            assert_eq!(sessions.judged(&id(1), 2), Verdict::Next);
        }
    }
}
