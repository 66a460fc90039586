//! Apply: the fourth step. Head takes the ops, and the record of them joins the ticket.
//!
//! It cannot fail: everything was decided before. It runs ahead of the disk, on head, which nobody
//! reads.

use dhlrs_bag::{Change, ChangeKind, Changes, Edit, Meta, NodeId, Op, Snapshot};
use dhlrs_clock::Time;
use dhlrs_feed::Run;
use dhlrs_wire::{Intent, Refusal, RefusalKind, Reply, Revision, Written};

use crate::bound::Bound;
use crate::head::Head;
use crate::intent::{check_envelope, encode_answer};
use crate::log::{Batch, Trees};
use crate::lost::Lost;
use crate::machine::Store;
use crate::order::{Ordered, OwnedTree, order};
use crate::owned::check_no_events;
use crate::port::Caller;
use crate::record::{OwnChange, Record, SessionAnswer};
use crate::replica::writing::{Trial, Wrote, with_emitted};

/// Whether a change is none of the store's history.
fn is_of_overlays(change: &Change) -> bool {
    change.kind == ChangeKind::Resolve || change.invalidated
}

/// What is to be logged of an intent that changed something stored.
#[derive(Debug)]
enum Decided {
    Ops(Vec<Op>),
    Events { now_ms: u64, wrote: Wrote },
}

impl Store {
    /// Takes an intent through order, log and apply. The answer is released with the ticket.
    pub(crate) fn carry_out(
        &mut self,
        now: Time,
        caller: &Caller,
        intent: &Intent,
        session: Option<dhlrs_bag::MsgId>,
    ) -> Result<Reply, Refusal> {
        // What that takes away is a change of its own.
        self.leave_wrong_clock(now);
        let before = (!self.forwards.is_empty()).then(|| self.head.bag.snapshot());
        let mut revision = self.head.next_revision();
        let mut decided = check_envelope(intent)
            .and_then(|()| self.check_incarnation(intent))
            .and_then(|()| match self.head.replica.is_some() {
                true => self.decide_events(now, intent, revision),
                false => self.decide_ops(intent, revision),
            });
        let mut materialised = Vec::new();
        if let Ok((ordered, _)) = &mut decided {
            materialised = std::mem::take(&mut ordered.materialised);
            self.waiting.resets.append(&mut ordered.resets);
        }
        let (result, decided) = match decided {
            Err(refusal) => (Err(refusal), None),
            Ok((ordered, decided)) => {
                let stored = !ordered.changes.iter().all(is_of_overlays);
                let is_logged = stored || matches!(decided, Decided::Events { .. });
                if !stored {
                    revision = self.head.revision;
                }
                self.head.revision = revision;
                let result = Ok(self.written(&ordered));
                let has_effect = !ordered.changes.is_empty() || is_logged;
                (result, has_effect.then_some((ordered, decided, is_logged)))
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
        let Some((ordered, decided, is_logged)) = decided else {
            self.log_without_change(materialised, answer);
            return result;
        };
        let Ordered { changes, lost, .. } = ordered;
        let meta = Meta {
            revision,
            reason: intent.reason.as_deref().map(Into::into),
            origin: Some(caller.source.clone()),
            msg_id: Some(intent.msg_id),
            cause: intent.cause.clone(),
            stamp: Some((intent.stamp.wall_ms(), intent.stamp.counter())),
        };
        let transaction = intent.atomic && intent.edits.len() > 1;
        let changes = Changes {
            meta: meta.clone(),
            list: changes,
            transaction,
        };
        // Overlays are this process's own: an invalidation takes no revision and leaves no record.
        match decided {
            _ if !is_logged => self.log_without_change(materialised, answer),
            Decided::Ops(ops) => self.log(&Record::Change {
                meta,
                transaction,
                ops,
                materialised,
                answer,
            }),
            Decided::Events { now_ms, wrote } => {
                let change = OwnChange {
                    meta,
                    transaction,
                    now_ms,
                    begins: wrote.begins,
                    written: wrote.written,
                    materialised,
                    answer,
                    applies: Vec::new(),
                };
                self.log_own(change, wrote.runs);
            }
        }
        self.tell_of(changes, lost, before);
        result
    }

    /// Tells what was applied, with what is derived from it, as soon as the ticket is on disk.
    pub(crate) fn tell_of(&mut self, mut changes: Changes, lost: Lost, before: Option<Snapshot>) {
        if changes.list.is_empty() {
            return;
        }
        let followed = self.derivations.follow(&mut self.head.bag, &changes);
        changes.list.extend(followed);
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
    }

    /// Logs own events. The runs that were signed for them leave when they are on disk.
    pub(crate) fn log_own(&mut self, change: OwnChange, runs: Vec<Run>) {
        self.log(&Record::Own(Box::new(change)));
        for run in runs {
            self.tickets.signed(run);
        }
    }

    /// Order in an owned store: the tree itself is the ground.
    fn decide_ops(
        &mut self,
        intent: &Intent,
        revision: u64,
    ) -> Result<(Ordered, Decided), Refusal> {
        check_no_events(intent)?;
        let Head {
            bag, materialised, ..
        } = &mut self.head;
        let bindings = &self.config.bindings;
        let (edits, atomic) = (&intent.edits, intent.atomic);
        let mut tree = OwnedTree::new(bag, edits, atomic);
        let mut ordered = order(&mut tree, materialised, bindings, edits, atomic, revision)?;
        let ops = std::mem::take(&mut ordered.ops);
        Ok((ordered, Decided::Ops(ops)))
    }

    /// Order in a replicated store: what the edits come to on a fork becomes events, and what those
    /// change is known when they are reduced.
    fn decide_events(
        &mut self,
        now: Time,
        intent: &Intent,
        revision: u64,
    ) -> Result<(Ordered, Decided), Refusal> {
        let random = self.random();
        let Head {
            bag,
            materialised,
            replica,
            ..
        } = &mut self.head;
        let Some(replica) = replica else {
            return Ok((Ordered::default(), Decided::Ops(Vec::new())));
        };
        let bindings = &self.config.bindings;
        let (edits, atomic) = (&intent.edits, intent.atomic);
        let mut trial = Trial::new(replica, bag);
        let mut ordered = order(&mut trial, materialised, bindings, edits, atomic, revision)?;
        let (transactions, local) = trial.finish(atomic)?;
        let transactions = with_emitted(transactions, &intent.emitted, atomic)?;
        ordered.changes = bag.apply(&local, revision);
        if transactions.is_empty() {
            return Ok((ordered, Decided::Ops(Vec::new())));
        }
        let count = transactions.iter().map(Vec::len).sum();
        let stamps = replica.stamps(now, count)?;
        let now_ms = replica.present.now_ms(now);
        let mut wrote = match replica.write(now, stamps, transactions, random) {
            Ok(wrote) => wrote,
            Err(error) => {
                self.defect = Some(format!("own events cannot be written: {error}"));
                return Err(self.unavailable());
            }
        };
        let events = std::mem::take(&mut wrote.events);
        let (changes, lost) = replica.reduce_own(events, now_ms, bag, revision);
        ordered.changes.extend(changes);
        ordered.lost = lost;
        let bound = Bound {
            bindings,
            own: materialised,
        };
        let materialised_now: Vec<_> = edits
            .iter()
            .filter_map(|edit| match &edit.edit {
                Edit::Materialise { path } => Some(bound.materialised_at(bag, path)),
                _ => None,
            })
            .flatten()
            .collect();
        materialised.extend(&materialised_now);
        ordered.materialised = materialised_now;
        Ok((ordered, Decided::Events { now_ms, wrote }))
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
