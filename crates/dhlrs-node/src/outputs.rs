//! Carrying out what the engine wants done: each output goes to whoever does it, and nothing waits.

use std::sync::Arc;

use bytes::Bytes;
use dhlrs_engine::{CallId, Input, Local, Output};
use dhlrs_link::{Ending, LinkId, LinkInput, Peer};
use dhlrs_path::StoreName;
use dhlrs_wire::{Delivery, Refusal, Reply};

use crate::command::Waiter;
use crate::dialer::DialEnd;
use crate::disk::Job;
use crate::driver::{Connection, Driver};
use crate::shared::Published;

impl Driver {
    pub(crate) fn carry_out(&mut self) {
        let mut outputs = std::mem::take(&mut self.state.outputs);
        for output in outputs.drain(..) {
            self.output(output);
        }
        // The buffer is kept, what was in it is gone.
        self.state.outputs = outputs;
    }

    fn output(&mut self, output: Output) {
        match output {
            Output::Send { link, frame } => self.send(link, frame),
            Output::Close { link } => {
                if let Some(connection) = self.state.connections.get_mut(&link) {
                    connection.outbox = None;
                }
            }
            Output::LinkUp { link, peer } => self.link_up(link, &peer),
            Output::Announced { peer } => {
                self.neighbours
                    .send_modify(|state| state.announced(&peer.name));
            }
            Output::LinkDown { link, peer, ending } => {
                let Some(connection) = self.state.connections.remove(&link) else {
                    return;
                };
                self.link_down(connection, peer, ending);
            }
            Output::Persist {
                store,
                ticket,
                records,
            } => {
                self.job(store, Job::Persist { ticket, records });
            }
            Output::Checkpoint {
                store,
                ticket,
                image,
            } => {
                self.job(store, Job::Checkpoint { ticket, image });
            }
            Output::Prune { store } => self.job(store, Job::Prune),
            Output::Published {
                store,
                tree,
                revision,
            } => {
                if let Some(published) = self.published.get(&store) {
                    published.send_replace(Published { tree, revision });
                }
            }
            Output::Resolve {
                store,
                flight,
                call,
            } => {
                let refused = self.resolvers.start(self.clock, store, flight, call);
                self.state.echo.extend(refused);
            }
            Output::CancelResolve { store, flight } => self.resolvers.cancel(store, flight),
            Output::Answer { call, result } => self.answer(call, result),
            Output::Deliver { call, delivery } => self.deliver(call, delivery),
            Output::Warning(text) => self.state.journal.warn(&text),
        }
    }

    fn send(&mut self, link: LinkId, frame: Bytes) {
        let Some(connection) = self.state.connections.get_mut(&link) else {
            return;
        };
        let Some(outbox) = &connection.outbox else {
            return;
        };
        // If its task has ended, it has said so: what it received before comes first.
        if !outbox.takes(frame) {
            // The link never hands out more than fits, so this is a defect of ours.
            connection.outbox = None;
            self.state
                .echo
                .push_back(Input::Link(LinkInput::Closed { link }));
        }
    }

    fn link_up(&mut self, link: LinkId, peer: &Arc<Peer>) {
        let Some(connection) = self.state.connections.get_mut(&link) else {
            return;
        };
        connection.is_up = true;
        let news = format!("connected with {peer} at {}", connection.address);
        let is_dialed = connection.dial.is_some();
        self.neighbours.send_modify(|state| {
            state.up(&peer.name);
            if is_dialed {
                state.dialed(&peer.name);
            }
        });
        self.state.journal.info(&news);
    }

    fn link_down(&mut self, connection: Connection, peer: Option<Arc<Peer>>, ending: Ending) {
        let Connection {
            dial,
            is_up,
            is_explained,
            address,
            ..
        } = connection;
        if !is_up && !is_explained && dial.is_none() {
            let who = peer
                .as_ref()
                .map_or_else(|| address.clone(), |peer| format!("{peer} at {address}"));
            self.state
                .journal
                .warn(&format!("refused a connection of {who}: {ending}"));
        }
        if let Some(peer) = peer.as_ref().filter(|_| is_up) {
            let news = format!("disconnected from {peer}: {ending}");
            self.state.journal.info(&news);
            self.neighbours.send_modify(|state| state.down(&peer.name));
        }
        if let Some(dial) = dial {
            let _ = dial.send(DialEnd {
                ending,
                peer,
                was_up: is_up,
            });
        }
    }

    fn job(&mut self, store: StoreName, job: Job) {
        let refused = match self.disks.get(&store) {
            Some(disk) => disk.take(job),
            None => Err(job),
        };
        match refused {
            Ok(()) => {}
            Err(Job::Persist { .. }) => {
                let message = "the thread that writes the log has ended".to_owned();
                self.state
                    .echo
                    .push_back(Input::PersistFailed { store, message });
            }
            Err(Job::Checkpoint { .. }) => {
                self.state.echo.push_back(Input::Checkpointed { store });
            }
            Err(Job::Prune | Job::Remove { .. }) => {}
        }
    }

    fn answer(&mut self, call: CallId, result: Result<Reply, Refusal>) {
        let began = matches!(result, Ok(Reply::Watching { .. }));
        if let Some(Waiter::Watch { began: waiter, .. }) = self.state.waiters.get_mut(&call)
            && began
        {
            let told = waiter
                .take()
                .is_some_and(|waiter| waiter.send(result).is_ok());
            if !told {
                self.give_up(call);
            }
            return;
        }
        match self.state.waiters.remove(&call) {
            Some(Waiter::Read(sender) | Waiter::Write(sender)) => {
                let _ = sender.send(result);
            }
            Some(Waiter::Watch {
                began: Some(sender),
                ..
            }) => {
                let _ = sender.send(result);
            }
            Some(Waiter::Watch { began: None, .. }) | None => {}
        }
    }

    fn deliver(&mut self, call: CallId, delivery: Delivery) {
        let Some(Waiter::Watch { pieces, .. }) = self.state.waiters.get(&call) else {
            return;
        };
        let is_last = matches!(delivery, Delivery::Ended(_));
        let full = pieces.try_send(delivery).is_err();
        if full {
            // Gone, or sent far more than it gave credit for: the stream ends, and says so.
            self.give_up(call);
        } else if is_last {
            self.state.waiters.remove(&call);
        }
    }

    fn give_up(&mut self, call: CallId) {
        self.state.waiters.remove(&call);
        self.state
            .echo
            .push_back(Input::Local(Local::Cancel { call }));
    }
}
