//! Carrying out what an engine wants done: frames, disks, answers.

use dhlrs_engine::{Input, Output};
use dhlrs_link::{LinkId, LinkInput};
use dhlrs_path::StoreName;

use crate::cluster::{Cluster, Happening};
use crate::disk::Task;
use crate::event::Event;
use crate::network::WireId;
use crate::node::NodeIndex;

/// The longest that a log which failed stays closed, in milliseconds.
const REOPEN_MS_MAX: u64 = 30;

impl Cluster {
    /// Hands an input to a node that runs, and carries out what comes of it.
    pub(crate) fn handle(&mut self, node: NodeIndex, input: Input) {
        let now_ms = self.now_ms;
        let Some(own) = self.nodes.get_mut(node.0) else {
            return;
        };
        if own.paused {
            own.backlog.push_back(input);
            return;
        }
        let now = own.time(now_ms);
        let Some(engine) = &mut own.engine else {
            return;
        };
        let mut outputs = Vec::new();
        let (what, detail) = describe_input(&input);
        engine.handle(now, input, &mut outputs);
        self.note(node.0, what, &detail);
        for output in outputs {
            self.carry_out(node, output);
        }
        self.rewake(node);
    }

    fn carry_out(&mut self, node: NodeIndex, output: Output) {
        match output {
            Output::Send { link, frame } => self.send(node, link, frame),
            Output::Close { link } => self.close(node, link),
            Output::LinkUp { link, peer } => {
                self.note(node.0, "up", peer.name.as_str().as_bytes());
                if let Some(connection) = self.connections.get(&link.get())
                    && connection.side_of(node) == 0
                    && let Some(wire) = self.wires.get_mut(connection.wire.0)
                {
                    wire.last = Some(peer);
                }
            }
            Output::LinkDown { ending, .. } => {
                self.note(node.0, "down", ending.message.as_bytes());
            }
            Output::Announced { .. } => {}
            Output::Persist {
                store,
                ticket,
                records,
            } => self.persist(node, store, ticket, &records),
            Output::Checkpoint {
                store,
                ticket,
                image,
            } => {
                let Some(disk) = self.disk_mut(node, &store) else {
                    return;
                };
                let Some(position) = disk.position_of(ticket) else {
                    let what = format!("a checkpoint of ticket {ticket}, which was not written");
                    return self.broken(node, what);
                };
                disk.tasks.push_back(Task::Checkpoint { position, image });
                let delay_ms = self.dice.roll(20);
                self.disk_soon(node, store, delay_ms);
            }
            Output::Prune { store } => {
                self.note(node.0, "prune", store.as_str().as_bytes());
                if let Some(disk) = self.disk_mut(node, &store)
                    && let Err(error) = disk.prune()
                {
                    self.note(node.0, "prune failed", error.to_string().as_bytes());
                }
            }
            Output::Published {
                store,
                tree,
                revision,
            } => {
                self.note(node.0, "published", &revision.number.to_le_bytes());
                self.happenings.push(Happening::Published {
                    node,
                    store,
                    tree,
                    revision,
                });
            }
            Output::Answer { call, result } => {
                let text = match &result {
                    Ok(_) => format!("{} ok", call.0),
                    Err(refusal) => format!(
                        "{} {:?}{} {refusal}",
                        call.0,
                        refusal.kind(),
                        if refusal.outcome_unknown() { "?" } else { "" }
                    ),
                };
                self.note(node.0, "answer", text.as_bytes());
                if self.calls.answered(call, result) {
                    self.happenings.push(Happening::Answered(call));
                } else {
                    self.broken(node, format!("a second answer: {text}"));
                }
            }
            Output::Deliver { call, delivery } => {
                let text = match &delivery {
                    dhlrs_wire::Delivery::Changes(piece) => {
                        format!("{} {}", call.0, piece.revision.number)
                    }
                    other => format!("{} {other:?}", call.0),
                };
                self.note(node.0, "deliver", text.as_bytes());
                self.calls.delivered(call, delivery.clone());
                let delivery = Box::new(delivery);
                self.happenings.push(Happening::Delivered(call, delivery));
            }
            Output::Warning(text) => {
                self.note(node.0, "warning", text.as_bytes());
                self.happenings.push(Happening::Warning(node, text));
            }
            // No simulated store binds a resolver whose code the driver would run.
            Output::Resolve { .. } | Output::CancelResolve { .. } => {}
        }
    }

    fn disk_mut(
        &mut self,
        node: NodeIndex,
        store: &StoreName,
    ) -> Option<&mut crate::disk::StoreDisk> {
        self.nodes.get_mut(node.0)?.disks.get_mut(store)
    }

    fn persist(&mut self, node: NodeIndex, store: StoreName, ticket: u64, records: &[Vec<u8>]) {
        let Some(disk) = self.disk_mut(node, &store) else {
            return self.broken(
                node,
                format!("store {store} has no log and wants to persist"),
            );
        };
        if disk.is_out_of_order() {
            let what = format!("store {store} persists ticket {ticket} while it is fenced");
            return self.broken(node, what);
        }
        match disk.append(ticket, records) {
            Ok(()) => {
                disk.tasks.push_back(Task::Sync { ticket });
                let delay_ms = self.dice.roll(3);
                self.disk_soon(node, store, delay_ms);
            }
            Err(error) => self.persist_failed(node, store, &error.to_string()),
        }
    }

    fn disk_soon(&mut self, node: NodeIndex, store: StoreName, delay_ms: u64) {
        let Some(own) = self.nodes.get(node.0) else {
            return;
        };
        let life = own.life;
        let at_ms = self.now_ms + delay_ms;
        self.schedule(at_ms, Event::Disk { node, life, store });
    }

    pub(crate) fn disk_task(&mut self, node: NodeIndex, store: &StoreName) {
        let Some(disk) = self.disk_mut(node, store) else {
            return;
        };
        match disk.tasks.pop_front() {
            None => {}
            Some(Task::Sync { ticket }) => match disk.sync() {
                Ok(()) => {
                    self.note(node.0, "synced", &ticket.to_le_bytes());
                    let at_ms = self.now_ms + self.dice.roll(2);
                    let store = store.clone();
                    self.input_at(at_ms, node, Input::Durable { store, ticket });
                }
                Err(error) => self.persist_failed(node, store.clone(), &error.to_string()),
            },
            Some(Task::Checkpoint { position, image }) => {
                if let Err(error) = disk.checkpoint(position, &image) {
                    self.note(node.0, "checkpoint failed", error.0.as_bytes());
                } else {
                    self.note(node.0, "checkpoint", &position.get().to_le_bytes());
                }
                // Written or not: if not, the one before it stays, and pruning keeps that.
                let store = store.clone();
                self.input_at(self.now_ms, node, Input::Checkpointed { store });
            }
        }
    }

    fn persist_failed(&mut self, node: NodeIndex, store: StoreName, message: &str) {
        self.note(node.0, "persist failed", message.as_bytes());
        let at_ms = self.now_ms + self.dice.roll(2);
        let input = Input::PersistFailed {
            store: store.clone(),
            message: message.to_owned(),
        };
        self.input_at(at_ms, node, input);
        self.open_log_later(node, store);
    }

    fn open_log_later(&mut self, node: NodeIndex, store: StoreName) {
        let Some(own) = self.nodes.get(node.0) else {
            return;
        };
        let life = own.life;
        let at_ms = self.now_ms + 2 + self.dice.roll(REOPEN_MS_MAX);
        self.schedule(at_ms, Event::OpenLog { node, life, store });
    }

    pub(crate) fn open_log(&mut self, node: NodeIndex, store: &StoreName) {
        let Some(disk) = self.disk_mut(node, store) else {
            return;
        };
        match disk.open() {
            Ok(chunks) => {
                self.note(node.0, "log opened", store.as_str().as_bytes());
                let count = chunks.len();
                for (place, chunk) in chunks.into_iter().enumerate() {
                    let (store, last) = (store.clone(), place + 1 == count);
                    self.handle(node, Input::Recovered { store, chunk, last });
                }
            }
            Err(error) => {
                self.note(node.0, "log not opened", error.to_string().as_bytes());
                self.open_log_later(node, store.clone());
            }
        }
    }

    fn send(&mut self, node: NodeIndex, link: LinkId, frame: bytes::Bytes) {
        if let Some(frames) = self.strangers.get_mut(&link.get()) {
            frames.push(frame);
            let input = Input::Link(LinkInput::Sent { link, frames: 1 });
            return self.input_at(self.now_ms, node, input);
        }
        let Some(connection) = self.connections.get_mut(&link.get()) else {
            return;
        };
        let side = connection.side_of(node);
        let (to, wire_id, calm) = (connection.ends[1 - side], connection.wire, connection.calm);
        let is_open = connection.open[side];
        let Some(wire) = self.wires.get_mut(wire_id.0) else {
            return;
        };
        if is_open && !wire.cut {
            wire.traffic[side].frames += 1;
            wire.traffic[side].bytes += frame.len() as u64;
        }
        let (weather, is_dead) = (wire.weather, wire.dead_from[side] || wire.cut);
        let leaves_ms = self.now_ms + self.dice.roll(2);
        self.input_at(
            leaves_ms,
            node,
            Input::Link(LinkInput::Sent { link, frames: 1 }),
        );
        if !is_open || is_dead || (!calm && self.dice.chance(weather.drop_percent)) {
            return;
        }
        let copies = 1 + u64::from(!calm && self.dice.chance(weather.double_percent));
        for _ in 0..copies {
            let way_ms = self
                .dice
                .between(weather.delay_ms_min, weather.delay_ms_max);
            let mut at_ms = leaves_ms + way_ms;
            if let Some(connection) = self.connections.get_mut(&link.get())
                && !weather.reorder
            {
                at_ms = at_ms.max(connection.arrives_ms[1 - side]);
                connection.arrives_ms[1 - side] = at_ms;
            }
            let bytes = frame.clone();
            self.input_at(at_ms, to, Input::Link(LinkInput::Frame { link, bytes }));
        }
    }

    /// The wire of a link, for tests that look at one.
    #[must_use]
    pub fn wire_of(&self, link: LinkId) -> Option<WireId> {
        self.connections
            .get(&link.get())
            .map(|connection| connection.wire)
    }
}

fn describe_input(input: &Input) -> (&'static str, Vec<u8>) {
    match input {
        Input::Link(LinkInput::Opened { link, .. }) => ("opened", link.to_string().into_bytes()),
        Input::Link(LinkInput::Frame { bytes, .. }) => ("frame", bytes.to_vec()),
        Input::Link(LinkInput::Sent { .. }) => ("sent", Vec::new()),
        Input::Link(LinkInput::Closed { link }) => ("closed", link.to_string().into_bytes()),
        Input::Link(LinkInput::Tick) | Input::Tick => ("tick", Vec::new()),
        Input::Local(_) => ("call", Vec::new()),
        Input::Recovered { .. } => ("recovered", Vec::new()),
        Input::Durable { ticket, .. } => ("durable", ticket.to_le_bytes().to_vec()),
        Input::PersistFailed { message, .. } => ("persist failed", message.clone().into_bytes()),
        Input::Checkpointed { .. } => ("checkpointed", Vec::new()),
        Input::Resolved { .. } => ("resolved", Vec::new()),
    }
}
