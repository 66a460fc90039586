//! Apply: the fourth step. Head takes the ops, and the record of them joins the ticket.
//!
//! It cannot fail: everything was decided before. It runs ahead of the disk, on head, which nobody
//! reads.

use dhlrs_bag::{Change, ChangeKind, Changes, Meta, NodeId};
use dhlrs_wire::{Intent, Refusal, RefusalKind, Reply, Revision, Written};

use crate::head::Head;
use crate::intent::{check_envelope, encode_answer};
use crate::log::{Batch, Trees};
use crate::machine::Store;
use crate::order::{Ordered, order};
use crate::port::Caller;
use crate::record::{Record, SessionAnswer};

/// Whether a change is none of the store's history.
fn is_of_overlays(change: &Change) -> bool {
    change.kind == ChangeKind::Resolve || change.invalidated
}

impl Store {
    /// Takes an intent through order, log and apply. The answer is released with the ticket.
    pub(crate) fn carry_out(
        &mut self,
        caller: &Caller,
        intent: &Intent,
        session: Option<dhlrs_bag::MsgId>,
    ) -> Result<Reply, Refusal> {
        let before = (!self.forwards.is_empty()).then(|| self.head.bag.snapshot());
        let mut revision = self.head.next_revision();
        let mut ordered = check_envelope(intent)
            .and_then(|()| self.check_incarnation(intent))
            .and_then(|()| {
                let Head {
                    bag, materialised, ..
                } = &mut self.head;
                let bindings = &self.config.bindings;
                let (edits, atomic) = (&intent.edits, intent.atomic);
                order(bag, materialised, bindings, edits, atomic, revision)
            });
        let mut materialised = Vec::new();
        if let Ok(ordered) = &mut ordered {
            materialised = std::mem::take(&mut ordered.materialised);
            self.waiting.resets.append(&mut ordered.resets);
        }
        let (result, ordered) = match ordered {
            Err(refusal) => (Err(refusal), None),
            Ok(ordered) if ordered.changes.is_empty() => (Ok(self.written(&ordered)), None),
            Ok(ordered) => {
                if ordered.changes.iter().all(is_of_overlays) {
                    revision = self.head.revision;
                }
                self.head.revision = revision;
                (Ok(self.written(&ordered)), Some(ordered))
            }
        };
        let answer = session.map(|msg_id| SessionAnswer {
            session: msg_id.session,
            counter: msg_id.counter,
            answer: encode_answer(&result),
        });
        if let Some(SessionAnswer {
            session,
            counter,
            answer,
        }) = &answer
        {
            let ticket = self.tickets.number();
            self.head
                .sessions
                .answered(session, *counter, answer.clone(), ticket);
        }
        let Some(Ordered {
            ops, changes, lost, ..
        }) = ordered
        else {
            self.log_without_change(materialised, answer);
            return result;
        };
        let meta = Meta {
            revision,
            reason: intent.reason.as_deref().map(Into::into),
            origin: Some(caller.source.clone()),
            msg_id: Some(intent.msg_id),
            cause: intent.cause.clone(),
            stamp: Some((intent.stamp.wall_ms(), intent.stamp.counter())),
        };
        let transaction = intent.atomic && intent.edits.len() > 1;
        let mut changes = Changes {
            meta: meta.clone(),
            list: changes,
            transaction,
        };
        let followed = self.derivations.follow(&mut self.head.bag, &changes);
        changes.list.extend(followed);
        // Overlays are this process's own: an invalidation takes no revision and leaves no record.
        if !changes.list.iter().all(is_of_overlays) {
            self.log(&Record::Change {
                meta,
                transaction,
                ops,
                materialised,
                answer,
            });
        } else {
            self.log_without_change(materialised, answer);
        }
        let wants_tree = before.is_some() || self.triggers.wants_tree(&changes);
        let trees = wants_tree.then(|| Trees {
            before,
            after: self.head.bag.snapshot(),
        });
        self.tickets.tell(Batch {
            changes,
            trees,
            lost,
        });
        result
    }

    /// What an intent leaves in the log that changed nothing stored: a resolved value that became
    /// its node's own may be what was stored there.
    fn log_without_change(&mut self, materialised: Vec<NodeId>, answer: Option<SessionAnswer>) {
        if !materialised.is_empty() {
            self.log(&Record::Materialised(materialised));
        }
        if let Some(answer) = answer {
            self.log(&Record::Answer(answer));
        }
    }

    fn check_incarnation(&self, intent: &Intent) -> Result<(), Refusal> {
        let Some(asked) = intent.incarnation else {
            return Ok(());
        };
        let own = self.head.incarnation();
        if asked == own {
            return Ok(());
        }
        Err(Refusal::new(
            RefusalKind::PreconditionFailed,
            format!(
                "the revision is one of incarnation {asked}, the store is in {own}: read again"
            ),
        ))
    }

    /// A request that is refused without a counter being used. It still waits for the tickets
    /// before it, so that answers come in the order of the requests.
    pub(crate) fn unavailable(&self) -> Refusal {
        Refusal::new(RefusalKind::Unavailable, self.why_unavailable())
    }

    fn written(&self, ordered: &Ordered) -> Reply {
        Reply::Written(Written {
            revision: self.head_revision(),
            skipped: ordered.skipped,
            first_skipped: ordered.first_skipped.clone(),
        })
    }

    pub(crate) fn head_revision(&self) -> Revision {
        Revision {
            incarnation: self.head.incarnation(),
            number: self.head.revision,
        }
    }

    pub(crate) fn log(&mut self, record: &Record) {
        match record.encode() {
            Ok(bytes) => self.tickets.log(bytes),
            // `order` leaves room in the record, so this is a defect of ours; but what cannot be
            // logged must not be acknowledged.
            Err(error) => self.defect = Some(error.to_string()),
        }
    }
}
