//! Head: the newest tree and all else that the log decides. It judges intents; nobody reads it.

use std::collections::{BTreeMap, BTreeSet};

use dhlrs_bag::{Bag, Change, Changes, Meta, NodeId};
use dhlrs_feed::StoreId;
use dhlrs_wire::Incarnation;

use crate::config::Replication;
use crate::error::{StoreError, StoreErrorKind};
use crate::forward::{ForwardCursor, ForwardId};
use crate::lost::Lost;
use crate::record::{OwnChange, Record};
use crate::replica::Replica;
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
    /// The copy of a replicated store; `None` in an owned one.
    pub(crate) replica: Option<Box<Replica>>,
    /// What a replica is made with when the log says that there is one.
    pub(crate) replication: Option<Replication>,
}

impl Head {
    pub(crate) fn new(replication: Option<Replication>) -> Self {
        Self {
            bag: Bag::new(),
            revision: 0,
            incarnation: None,
            sessions: Sessions::default(),
            forwards: BTreeMap::new(),
            materialised: BTreeSet::new(),
            replica: None,
            replication,
        }
    }

    pub(crate) fn incarnation(&self) -> Incarnation {
        self.incarnation.unwrap_or(Incarnation(0))
    }

    /// Takes one record of the log. `ticket` is the one that the record is part of; 0 where it comes
    /// back from disk. Returns the changes that it made, and what was lost by them.
    ///
    /// # Errors
    ///
    /// When the record cannot follow those before it.
    pub(crate) fn replay(&mut self, record: Record) -> Result<Option<(Changes, Lost)>, StoreError> {
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
                return Ok(Some((changes, lost)));
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
            Record::Replica(id) => self.become_replica(id)?,
            Record::Own(change) => {
                let (replica, bag) = (self.replica.as_mut(), &mut self.bag);
                let replica = replica.ok_or_else(no_replica)?;
                let (list, lost) = replica.replay_own(&change, bag)?;
                let OwnChange {
                    meta,
                    transaction,
                    materialised,
                    answer,
                    ..
                } = *change;
                self.materialised.extend(materialised);
                self.revision = meta.revision;
                if let Some(answer) = answer {
                    self.sessions
                        .answered(&answer.session, answer.counter, answer.answer, 0);
                }
                return Ok(told(meta, list, transaction, lost));
            }
            Record::Sealed(record) => {
                let replica = self.replica.as_mut().ok_or_else(no_replica)?;
                replica.replay_seal(&record)?;
            }
            Record::DraftsDropped => {
                let replica = self.replica.as_mut().ok_or_else(no_replica)?;
                replica.drafts.clear();
            }
            Record::Merged {
                revision,
                now_ms,
                parts,
            } => {
                let (replica, bag) = (self.replica.as_mut(), &mut self.bag);
                let replica = replica.ok_or_else(no_replica)?;
                let (list, lost) = replica.replay_merged(parts, now_ms, bag, revision)?;
                self.revision = revision;
                let meta = Meta {
                    revision,
                    ..Meta::default()
                };
                return Ok(told(meta, list, false, lost));
            }
        }
        Ok(None)
    }

    fn become_replica(&mut self, id: StoreId) -> Result<(), StoreError> {
        let Some(replication) = &self.replication else {
            let what = "the store is replicated, and this process has no keys for that";
            return Err(StoreError::new(StoreErrorKind::Config, what));
        };
        self.replica = Some(Box::new(Replica::new(id, replication.clone())));
        Ok(())
    }

    /// The next revision's meta.
    pub(crate) fn next_revision(&self) -> u64 {
        self.revision + 1
    }
}

/// What is told of a record; nothing where nothing shows otherwise.
fn told(meta: Meta, list: Vec<Change>, transaction: bool, lost: Lost) -> Option<(Changes, Lost)> {
    let changes = Changes {
        meta,
        list,
        transaction,
    };
    (!changes.list.is_empty()).then_some((changes, lost))
}

fn no_replica() -> StoreError {
    StoreError::new(
        StoreErrorKind::Corrupt,
        "events in the log of an owned store",
    )
}
