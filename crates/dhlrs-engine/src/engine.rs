//! The engine: all links and stores of a process behind one `handle`.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use dhlrs_clock::{HybridClock, Stamp, Time};
use dhlrs_identity::PublicKey;
use dhlrs_link::{LinkInput, LinkOutput, Links, Peer};
use dhlrs_path::{NodeName, StoreName};
use dhlrs_resolver::Resolvers;
use dhlrs_store::{Keys, Output as StoreOutput, Store, StoreError};
use dhlrs_wire::{HOPS_MAX, Route};

use crate::config::Config;
use crate::gossip::Ways;
use crate::outbox::{Effect, Outbox};
use crate::owed::Owed;
use crate::pending::{Origin, PendingTable};
use crate::port::{CallId, Input, Local, Output};
use crate::requests::Ask;
use crate::resolving::Resolving;
use crate::routes::Routes;
use crate::watching::Watching;

/// One whole process as a machine without IO.
///
/// [`handle`](Self::handle) takes what happened at `now` and appends what is to be done. The same
/// inputs give the same outputs, so a whole cluster runs in one thread.
pub struct Engine {
    pub(crate) config: Config,
    pub(crate) key: PublicKey,
    pub(crate) links: Links,
    pub(crate) stores: BTreeMap<StoreName, Store>,
    pub(crate) routes: Routes,
    pub(crate) pending: PendingTable,
    pub(crate) outbox: Outbox,
    pub(crate) watching: Watching,
    pub(crate) resolving: Resolving,
    pub(crate) ways: Ways,
    /// Neighbours with a connection, by name, and what was announced to each.
    pub(crate) up: BTreeMap<NodeName, Neighbour>,
    /// What a neighbour's full session could not take yet.
    pub(crate) owed: BTreeMap<Arc<Peer>, Owed>,
    /// Stores whose outputs wait to be carried out.
    pub(crate) store_outputs: VecDeque<(StoreName, StoreOutput)>,
    pub(crate) clock: HybridClock,
    /// Frames and messages that made no sense.
    pub(crate) refused_messages: u64,
    /// Names in-process writes for the record.
    pub(crate) own_session: [u8; 16],
    pub(crate) own_counter: u64,
    /// What the driver says of itself, for the status.
    pub(crate) listen: BTreeSet<String>,
    pub(crate) transports: BTreeSet<String>,
}

#[derive(Debug)]
pub(crate) struct Neighbour {
    pub(crate) peer: Arc<Peer>,
    /// What it was told last.
    pub(crate) announced: Option<Vec<Route>>,
    /// Whether it has told anything.
    pub(crate) heard: bool,
}

impl Engine {
    /// A process without links or stores.
    #[must_use]
    pub fn new(config: Config) -> Self {
        let links_entropy = blake3::derive_key("dhlrs engine links 1", &config.entropy);
        let session = blake3::derive_key("dhlrs engine session 1", &config.entropy);
        let mut own_session = [0; 16];
        own_session.copy_from_slice(&session[..16]);
        let links = Links::new(
            config.link.clone(),
            config.signer.clone(),
            config.verifier.clone(),
            links_entropy,
        );
        Self {
            key: config.signer.public_key(),
            config,
            links,
            stores: BTreeMap::new(),
            routes: Routes::default(),
            pending: PendingTable::default(),
            outbox: Outbox::default(),
            watching: Watching::default(),
            resolving: Resolving::default(),
            ways: Ways::default(),
            up: BTreeMap::new(),
            owed: BTreeMap::new(),
            store_outputs: VecDeque::new(),
            clock: HybridClock::new(),
            refused_messages: 0,
            own_session,
            own_counter: 0,
            listen: BTreeSet::new(),
            transports: BTreeSet::new(),
        }
    }

    /// The process's name.
    #[must_use]
    pub fn node(&self) -> &NodeName {
        self.config.node()
    }

    /// 32 bytes that are as good as random and never the same, for a store's configuration.
    #[must_use]
    pub fn entropy_for(&self, store: &StoreName) -> [u8; 32] {
        let key = blake3::derive_key("dhlrs engine store 1", &self.config.entropy);
        *blake3::keyed_hash(&key, store.as_str().as_bytes()).as_bytes()
    }

    /// What its stores sign and check with, for a replicated store's configuration.
    #[must_use]
    pub fn keys(&self) -> Keys {
        Keys {
            signer: self.config.signer.clone(),
            verifier: self.config.verifier.clone(),
        }
    }

    /// Adds a store. One with a log opens when that has been recovered.
    ///
    /// # Errors
    ///
    /// What [`Store::new`] says of the configuration.
    pub fn open_store(
        &mut self,
        config: dhlrs_store::Config,
        resolvers: Resolvers,
    ) -> Result<(), StoreError> {
        let name = config.name.clone();
        let store = Store::new(config, resolvers)?;
        self.ways.added.push(name.clone());
        self.ways
            .stores
            .insert(*store.id().as_bytes(), name.clone());
        self.stores.insert(name, store);
        Ok(())
    }

    /// A store of this process.
    #[must_use]
    pub fn store(&self, name: &StoreName) -> Option<&Store> {
        self.stores.get(name)
    }

    /// A store of this process, to register subscribers and resolvers.
    pub fn store_mut(&mut self, name: &StoreName) -> Option<&mut Store> {
        self.stores.get_mut(name)
    }

    /// What the status tells of the process's listeners and transports.
    pub fn describe(&mut self, listen: impl IntoIterator<Item = String>, transports: &[&str]) {
        self.listen.extend(listen);
        self.transports
            .extend(transports.iter().map(|scheme| (*scheme).to_owned()));
    }

    /// Counts what the driver refused before any link saw it, for the status.
    pub const fn count_refused(&mut self) {
        self.refused_messages += 1;
    }

    /// Takes one input and appends what is to be done, in the order in which it is to be done.
    pub fn handle(&mut self, now: Time, input: Input, out: &mut Vec<Output>) {
        self.gossip_begins(now);
        match input {
            Input::Link(input) => self.link(now, input, out),
            Input::Local(local) => self.local(now, local, out),
            Input::Recovered { store, chunk, last } => {
                self.store_input(now, &store, dhlrs_store::Input::Recovered { chunk, last });
            }
            Input::Durable { store, ticket } => {
                self.store_input(now, &store, dhlrs_store::Input::Durable { ticket });
            }
            Input::PersistFailed { store, message } => {
                self.store_input(now, &store, dhlrs_store::Input::PersistFailed { message });
            }
            Input::Checkpointed { store } => {
                self.store_input(now, &store, dhlrs_store::Input::Checkpointed);
            }
            Input::Resolved {
                store,
                flight,
                result,
            } => {
                self.store_input(now, &store, dhlrs_store::Input::Resolved { flight, result });
            }
            Input::Tick => self.tick(now, out),
        }
        self.carry_out_stores(now, out);
    }

    /// When [`Input::Tick`] is due, in monotonic milliseconds. Early or needless ones do no harm.
    #[must_use]
    pub fn next_wake_ms(&self) -> Option<u64> {
        let stores = self.stores.values().filter_map(Store::next_wake_ms);
        [
            self.links.deadline(),
            self.pending.next_deadline_ms(),
            self.outbox.next_wake_ms(),
            self.watching.next_wake_ms(),
        ]
        .into_iter()
        .flatten()
        .chain(stores)
        .min()
    }

    /// Ends every link and every link session: the process stops. [`Local::Close`] comes before.
    pub fn shut_down(&mut self, now: Time, out: &mut Vec<Output>) {
        let mut outputs = Vec::new();
        self.links.shut_down(now, &mut outputs);
        self.link_outputs(now, outputs, out);
        self.carry_out_stores(now, out);
    }

    fn link(&mut self, now: Time, input: LinkInput, out: &mut Vec<Output>) {
        let mut outputs = Vec::new();
        self.links.handle(now, input, &mut outputs);
        self.link_outputs(now, outputs, out);
    }

    fn local(&mut self, now: Time, local: Local, out: &mut Vec<Output>) {
        match local {
            Local::Request {
                call,
                node,
                store,
                request,
                timeout_ms,
            } => {
                let ask = Ask {
                    origin: Origin::Call(call),
                    source: self.node().clone(),
                    target: node,
                    store,
                    hops: HOPS_MAX,
                    request,
                    timeout_ms,
                };
                self.start(now, ask, out);
            }
            Local::Write {
                call,
                target,
                write,
                timeout_ms,
            } => {
                self.local_write(now, call, &target, write, Vec::new(), timeout_ms, out);
            }
            Local::Watch {
                call,
                target,
                watch,
                timeout_ms,
            } => {
                self.begin_watching(now, call, target, watch, timeout_ms, out);
            }
            Local::Credit { call, changes } => self.local_credit(now, call, changes, out),
            Local::Cancel { call } => self.cancel_call(now, call, out),
            Local::Close => {
                let mut effects = Vec::new();
                self.outbox.close_idle(&mut effects);
                self.outbox_effects(now, effects, out);
            }
        }
    }

    fn tick(&mut self, now: Time, out: &mut Vec<Output>) {
        let mut outputs = Vec::new();
        self.links.handle(now, LinkInput::Tick, &mut outputs);
        self.link_outputs(now, outputs, out);
        while let Some(id) = self.pending.expired(now) {
            self.expire(now, id, out);
        }
        let mut effects = Vec::new();
        self.outbox.tick(now, &mut effects);
        self.outbox_effects(now, effects, out);
        self.watching_tick(now, out);
        let names: Vec<StoreName> = self.stores.keys().cloned().collect();
        for name in names {
            let due = self.stores.get(&name).and_then(Store::next_wake_ms);
            if due.is_some_and(|at| at <= now.monotonic_ms) {
                self.store_input(now, &name, dhlrs_store::Input::Tick);
            }
        }
    }

    /// A stamp for what this process writes now.
    pub(crate) fn stamp(&mut self, now: Time) -> Stamp {
        // A clock that was set back must not stop an owned store, whose order is that of arrival.
        self.clock.now(now).unwrap_or_else(|_| self.clock.last())
    }

    pub(crate) fn outbox_effects(
        &mut self,
        now: Time,
        effects: Vec<Effect>,
        out: &mut Vec<Output>,
    ) {
        for effect in effects {
            match effect {
                Effect::Send {
                    attempt,
                    target,
                    request,
                    timeout_ms,
                } => {
                    let ask = self.ask(Origin::Outbox(attempt), &target, request, timeout_ms);
                    self.start(now, ask, out);
                }
                Effect::Answer { call, result } => match result {
                    Err(refusal) if call == NOBODY => {
                        out.push(Output::Warning(format!(
                            "a trigger's message was refused: {refusal}"
                        )));
                    }
                    _ if call == NOBODY => {}
                    result => out.push(Output::Answer { call, result }),
                },
            }
        }
    }

    pub(crate) fn link_outputs(
        &mut self,
        now: Time,
        outputs: Vec<LinkOutput>,
        out: &mut Vec<Output>,
    ) {
        for output in outputs {
            self.link_output(now, output, out);
        }
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

/// The caller of what a trigger writes.
pub(crate) const NOBODY: CallId = CallId(0);
