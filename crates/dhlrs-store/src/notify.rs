//! Notify: the fifth step. A ticket is on disk; what it holds is let go, in one order: the tree that
//! readers see, the answers, what is sent, and the changes to the subscribers.

use dhlrs_bag::{Meta, MsgId};
use dhlrs_clock::{Stamp, Time};
use dhlrs_trigger::{Destination, Emission};
use dhlrs_wire::{CAUSE_MAX, Intent, Refusal, RefusalKind, Reply};

use crate::image::ImageReader;
use crate::log::{Batch, Sealed};
use crate::machine::{State, Store};
use crate::port::{Caller, Output, RequestId};
use crate::record::Record;

impl Store {
    pub(crate) fn release(&mut self, now: Time, sealed: Sealed, out: &mut Vec<Output>) {
        let Sealed {
            ticket,
            tree,
            revision,
            image,
        } = sealed;
        self.tickets.note_released(ticket.number);
        self.forwards.note_released();
        self.published.tree = tree.clone();
        self.published.revision = revision;
        self.emitted.note_durable(revision);
        let revision_now = self.revision();
        out.push(Output::Published {
            tree,
            revision: revision_now,
        });
        for (id, result) in ticket.answers {
            out.push(Output::Answer { id, result });
        }
        for batch in ticket.batches {
            self.notify(now, batch, out);
        }
        self.reads
            .keep_within(self.config.limits.snapshot_bytes_max);
        self.pump_forwards(out);
        for (link, bytes) in ticket.sends {
            out.push(Output::Gossip { link, bytes });
        }
        self.own_runs_durable(now, ticket.signed, out);
        if let Some(image) = image {
            self.checkpoint.newest = Some(revision);
            out.push(Output::Checkpoint {
                ticket: ticket.number,
                image,
            });
        }
        self.prune_if_possible(out);
    }

    /// Tells triggers, watches, forwards and resolvers of the changes of one revision.
    fn notify(&mut self, now: Time, batch: Batch, out: &mut Vec<Output>) {
        let Batch {
            changes,
            trees,
            lost,
        } = batch;
        self.checkpoint.changes_since += changes.list.len();
        self.reads.note(&changes, &lost, &self.published.tree);
        let tree = trees.as_ref().map(|trees| &trees.after);
        let dispatched = self.triggers.dispatch(&changes, tree);
        for failure in dispatched.failures {
            out.push(Output::Warning(failure.to_string()));
        }
        for emission in dispatched.emissions {
            if self.is_answered_elsewhere(&changes.meta, &emission) {
                continue;
            }
            self.emit(now, changes.meta.revision, emission, out);
        }
        self.resolvers_see(now, &changes, out);
        self.forwards
            .take(&self.head.forwards, &changes, trees.as_ref());
        self.watches
            .take(self.head.incarnation(), changes, lost.departed, out);
    }

    /// Whether the replica that made the change answers it: what it wrote has an origin there, and
    /// none here.
    fn is_answered_elsewhere(&self, meta: &Meta, emission: &Emission) -> bool {
        let is_here = match &emission.to {
            Destination::Here => true,
            Destination::Store(target) => *target == self.address,
            Destination::HereForAll => false,
        };
        is_here && self.head.replica.is_some() && meta.origin.is_none()
    }

    /// Carries out what a trigger answered: here as the next intent, elsewhere as a message.
    fn emit(&mut self, now: Time, revision: u64, emission: Emission, out: &mut Vec<Output>) {
        let Emission {
            to,
            edit,
            reason,
            cause,
        } = emission;
        let reason = reason.map(|reason| reason.to_string());
        if cause.len() > CAUSE_MAX {
            let chain: Vec<String> = cause.iter().map(ToString::to_string).collect();
            let chain = chain.join(" -> ");
            out.push(Output::Warning(format!(
                "a loop of subscribers was cut: {chain}"
            )));
            return;
        }
        if let Destination::Store(target) = to
            && target != self.address
        {
            out.push(Output::Emit {
                target,
                edit,
                reason,
                cause,
            });
            return;
        }
        let intent = Intent {
            msg_id: MsgId {
                session: cause.last().map_or([0; 16], |subscriber| subscriber.0),
                counter: revision,
            },
            edits: vec![edit],
            atomic: true,
            incarnation: None,
            reason,
            stamp: Stamp::new(now.wall_ms, 0).unwrap_or(Stamp::ZERO),
            cause,
            emitted: Vec::new(),
        };
        self.emitted.push(intent, out);
        if self.is_open() {
            self.carry_out_emitted(now, out);
        }
    }

    /// Orders what triggers answered, as far as the gathering ticket has room.
    pub(crate) fn carry_out_emitted(&mut self, now: Time, out: &mut Vec<Output>) {
        let caller = Caller {
            source: self.config.node.clone(),
            neighbour: None,
        };
        while !self.tickets.is_full()
            && let Some(emitted) = self.emitted.pop()
        {
            if let Err(refusal) = self.carry_out(now, &caller, &emitted.intent, None) {
                out.push(Output::Warning(format!(
                    "a trigger's write was refused: {refusal}"
                )));
            }
            self.reset_missing(out);
            self.emitted.note_ordered(self.head.revision, emitted);
        }
        self.emitted.note_durable(self.published.revision);
    }

    /// A sync failed: nobody knows what is on disk. What was out has an unknown outcome, what was
    /// gathering has certainly not happened, and head is rebuilt from the log.
    pub(crate) fn fence(&mut self, why: String, out: &mut Vec<Output>) {
        self.state = State::Fenced {
            why,
            reader: ImageReader::new(self.config.replication.clone()),
        };
        let (out_ticket, gathering) = self.tickets.fail();
        let unavailable = Refusal::new(RefusalKind::Unavailable, self.why_unavailable());
        for (id, _) in out_ticket.into_iter().flat_map(|ticket| ticket.answers) {
            let result = Err(unavailable.clone().with_unknown_outcome());
            out.push(Output::Answer { id, result });
        }
        for (id, _) in gathering.answers {
            out.push(Output::Answer {
                id,
                result: Err(unavailable.clone()),
            });
        }
        for id in std::mem::take(&mut self.checkpoint.asked) {
            let result = Err(unavailable.clone());
            out.push(Output::Answer { id, result });
        }
        self.checkpoint.under_way = false;
        self.derives = false;
        out.push(Output::Warning(self.why_unavailable()));
    }

    /// A checkpoint is due when as much has happened as the window holds. It is taken while the
    /// ticket is sealed, since head is then just what the ticket leaves, and written once the ticket
    /// is on disk.
    pub(crate) fn checkpoint_is_due(&self) -> bool {
        let limits = &self.config.limits;
        let much = self.checkpoint.bytes_since >= limits.window_bytes_max
            || self.checkpoint.changes_since >= limits.window_changes_max;
        // A replica's checkpoint holds its whole history: one each time that has doubled costs little.
        let stored = self.head.replica.as_ref();
        let is_worth_it = stored.is_none_or(|own| self.checkpoint.bytes_since >= own.run_bytes);
        // Two checkpoints at most: the window needs the older one until it has left it.
        self.config.logged
            && (much && is_worth_it || !self.checkpoint.asked.is_empty())
            && self.checkpoint.newest.is_none()
            && !self.checkpoint.under_way
    }

    /// Somebody wants a checkpoint now. The answer comes when one is on disk.
    pub(crate) fn checkpoint_now(&mut self, id: RequestId, out: &mut Vec<Output>) {
        if !self.takes_more(id, out) {
            return;
        }
        if !self.config.logged {
            let message = "the store is kept in memory: start its node with --data DIR";
            let refusal = Refusal::new(RefusalKind::Invalid, message);
            return self.tickets.answer(id, Err(refusal));
        }
        match self
            .checkpoint
            .newest
            .filter(|_| !self.checkpoint.under_way)
        {
            Some(newest) if newest == self.head.revision => {
                self.tickets.answer(id, Ok(Reply::Done));
            }
            Some(newest) => {
                let message = format!(
                    "the checkpoint of revision {newest} stands beside one that watches which resume still need: \
                     the next one can be written when their window has passed it"
                );
                let refusal = Refusal::new(RefusalKind::Overloaded, message);
                self.tickets.answer(id, Err(refusal));
            }
            None => {
                // One is taken of a ticket that goes to disk, so there has to be something in it.
                self.log(&Record::Materialised(Vec::new()));
                self.checkpoint.asked.push(id);
            }
        }
    }

    pub(crate) fn checkpointed(&mut self, out: &mut Vec<Output>) {
        self.checkpoint.under_way = false;
        for id in std::mem::take(&mut self.checkpoint.asked) {
            self.tickets.answer(id, Ok(Reply::Done));
        }
        self.prune_if_possible(out);
    }

    /// The older checkpoint stays until the window has moved past the newer one, so that a restart
    /// can refill it, and while a forward still has to send what lies between.
    fn prune_if_possible(&mut self, out: &mut Vec<Output>) {
        if self.checkpoint.under_way {
            return;
        }
        if let Some(revision) = self.checkpoint.newest
            && self.watches.oldest() > revision
            && self
                .forwards
                .slowest(&self.head.forwards)
                .is_none_or(|slowest| slowest >= revision)
        {
            self.checkpoint.newest = None;
            out.push(Output::Prune);
        }
    }
}
