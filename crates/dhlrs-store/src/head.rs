//! Head: the newest tree and all else that the log decides. It judges intents; nobody reads it.

use std::collections::{BTreeMap, BTreeSet};

use dhlrs_bag::{Bag, Changes, NodeId};
use dhlrs_wire::Incarnation;

use crate::forward::{ForwardCursor, ForwardId};
use crate::lost::Lost;
use crate::record::Record;
use crate::session::Sessions;

/// The state that replaying the log gives back, bit for bit.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) bag: Bag,
    pub(crate) revision: u64,
    /// `None` until the log's first record is there.
    pub(crate) incarnation: Option<Incarnation>,
    pub(crate) sessions: Sessions,
    pub(crate) forwards: BTreeMap<ForwardId, ForwardCursor>,
    /// Nodes that no binding reaches any more, with all that is in them. Those that are gone leave
    /// with the next image.
    pub(crate) materialised: BTreeSet<NodeId>,
}

impl Head {
    pub(crate) fn new() -> Self {
        Self {
            bag: Bag::new(),
            revision: 0,
            incarnation: None,
            sessions: Sessions::default(),
            forwards: BTreeMap::new(),
            materialised: BTreeSet::new(),
        }
    }

    pub(crate) fn incarnation(&self) -> Incarnation {
        self.incarnation.unwrap_or(Incarnation(0))
    }

    /// Takes one record of the log. `ticket` is the one that the record is part of; 0 where it comes
    /// back from disk. Returns the changes that it made, and what was lost by them.
    pub(crate) fn replay(&mut self, record: Record) -> Option<(Changes, Lost)> {
        match record {
            Record::Incarnation(incarnation) => {
                self.incarnation = Some(incarnation);
                self.sessions = Sessions::default();
                // What was sent after the backup was made used these counters already.
                for cursor in self.forwards.values_mut() {
                    cursor.session = None;
                    cursor.counter = 0;
                }
            }
            Record::Change {
                meta,
                transaction,
                ops,
                materialised,
                answer,
            } => {
                self.materialised.extend(materialised);
                let mut lost = Lost::default();
                let list = lost.apply(&mut self.bag, &ops, meta.revision);
                self.revision = meta.revision;
                if let Some(answer) = answer {
                    self.sessions
                        .answered(&answer.session, answer.counter, answer.answer, 0);
                }
                let changes = Changes {
                    meta,
                    list,
                    transaction,
                };
                return Some((changes, lost));
            }
            Record::Materialised(nodes) => self.materialised.extend(nodes),
            Record::Answer(answer) => {
                self.sessions
                    .answered(&answer.session, answer.counter, answer.answer, 0);
            }
            Record::SessionOpened { session, opener } => self.sessions.open(session, opener),
            Record::SessionClosed { session } => self.sessions.close(&session),
            Record::ForwardBegan { forward, revision } => {
                self.forwards
                    .entry(forward)
                    .or_insert_with(|| ForwardCursor::new(revision));
            }
            Record::ForwardSession { forward, session } => {
                if let Some(cursor) = self.forwards.get_mut(&forward) {
                    cursor.session = Some(session);
                    cursor.counter = 0;
                }
            }
            Record::ForwardAnswered {
                forward,
                counter,
                revision,
                sent_of_next,
                answered_ahead,
                refused,
            } => {
                if let Some(cursor) = self.forwards.get_mut(&forward) {
                    cursor.counter = counter;
                    cursor.revision = revision;
                    cursor.sent_of_next = sent_of_next;
                    cursor.answered_ahead = answered_ahead;
                    cursor.refused = refused;
                }
            }
            Record::ForwardStopped { forward } => {
                if let Some(cursor) = self.forwards.get_mut(&forward) {
                    cursor.stopped = true;
                }
            }
            Record::ForwardEnded { forward } => {
                self.forwards.remove(&forward);
            }
        }
        None
    }

    /// The next revision's meta.
    pub(crate) fn next_revision(&self) -> u64 {
        self.revision + 1
    }
}
