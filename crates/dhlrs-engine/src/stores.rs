//! The stores of this process: what goes in, and what comes out of them.

use dhlrs_clock::Time;
use dhlrs_path::StoreName;
use dhlrs_store::{Input as StoreInput, Output as StoreOutput};

use crate::engine::{Engine, NOBODY};
use crate::pending::Origin;
use crate::port::{Output, Write};

/// How long what a trigger writes to another store may wait for an answer.
const EMIT_TIMEOUT_MS: u64 = 30_000;
/// The registered name of the resolver that reads a node of another process.
pub const REMOTE_RESOLVER: &str = "remote";

impl Engine {
    /// Hands an input to a store. What comes out waits until the present input is dealt with, so
    /// that stores which answer one another need no recursion.
    pub(crate) fn store_input(&mut self, now: Time, name: &StoreName, input: StoreInput) {
        let Some(store) = self.stores.get_mut(name) else {
            return;
        };
        let mut outputs = Vec::new();
        store.handle(now, input, &mut outputs);
        self.store_outputs
            .extend(outputs.into_iter().map(|output| (name.clone(), output)));
    }

    pub(crate) fn carry_out_stores(&mut self, now: Time, out: &mut Vec<Output>) {
        while let Some((store, output)) = self.store_outputs.pop_front() {
            self.store_output(now, store, output, out);
        }
    }

    fn store_output(
        &mut self,
        now: Time,
        store: StoreName,
        output: StoreOutput,
        out: &mut Vec<Output>,
    ) {
        match output {
            StoreOutput::Persist { ticket, records } => {
                out.push(Output::Persist {
                    store,
                    ticket,
                    records,
                });
            }
            StoreOutput::Checkpoint { ticket, image } => {
                out.push(Output::Checkpoint {
                    store,
                    ticket,
                    image,
                });
            }
            StoreOutput::Prune => out.push(Output::Prune { store }),
            StoreOutput::Published { tree, revision } => {
                out.push(Output::Published {
                    store,
                    tree,
                    revision,
                });
            }
            StoreOutput::Answer { id, result } => self.answered(now, id.0, result, out),
            StoreOutput::Deliver { id, delivery } => self.delivered(now, id.0, delivery, out),
            StoreOutput::Resolve { flight, call } => {
                if call.resolver == REMOTE_RESOLVER {
                    self.resolve_remotely(now, store, flight, call, out);
                } else {
                    out.push(Output::Resolve {
                        store,
                        flight,
                        call,
                    });
                }
            }
            StoreOutput::CancelResolve(flight) => {
                if !self.cancel_remote(now, &store, flight, out) {
                    out.push(Output::CancelResolve { store, flight });
                }
            }
            StoreOutput::Errand {
                errand,
                target,
                request,
                timeout_ms,
            } => {
                let origin = Origin::Errand { store, errand };
                let ask = self.ask(origin, &target, request, timeout_ms);
                self.start(now, ask, out);
            }
            StoreOutput::Emit {
                target,
                edit,
                reason,
                cause,
            } => {
                let write = Write {
                    edits: vec![edit],
                    atomic: true,
                    incarnation: None,
                    reason,
                    emitted: Vec::new(),
                };
                self.local_write(now, NOBODY, &target, write, cause, EMIT_TIMEOUT_MS, out);
            }
            StoreOutput::Gossip { link, bytes } => {
                self.gossip_out(now, &store, link, bytes, out);
            }
            StoreOutput::Warning(text) => {
                out.push(Output::Warning(format!("store {store}: {text}")))
            }
        }
    }
}
