//! The store as one machine: requests in, five steps, answers and changes out.

use std::collections::BTreeMap;

use dhlrs_bag::Snapshot;
use dhlrs_clock::Time;
use dhlrs_feed::{LinkId, LinkOptions, StoreId};
use dhlrs_path::StoreAddress;
use dhlrs_resolver::Resolvers;
use dhlrs_trigger::Triggers;
use dhlrs_wire::{Incarnation, Intent, Refusal, RefusalKind, Reply, Request, Revision};

use crate::config::{Authority, Config};
use crate::derivations::Derivations;
use crate::emitted::Emitted;
use crate::error::{StoreError, StoreErrorKind};
use crate::forward::Forwards;
use crate::head::Head;
use crate::image::{Image, ImageReader};
use crate::intent::{Admission, admit, unknown_session};
use crate::log::{Batch, Step, Tickets};
use crate::port::{Caller, Input, Neighbour, Output, RequestId};
use crate::reads::Reads;
use crate::record::Record;
use crate::resolve::Waiting;
use crate::session::Opener;
use crate::watches::Watches;

/// One store as a machine without IO: [`handle`](Self::handle) takes what happened and says
/// what to do.
///
/// Every change takes the same way: intent, order, log, apply, notify; one module each.
#[derive(Debug)]
pub struct Store {
    pub(crate) config: Config,
    pub(crate) address: StoreAddress,
    pub(crate) state: State,
    pub(crate) head: Head,
    pub(crate) published: Published,
    pub(crate) tickets: Tickets,
    pub(crate) emitted: Emitted,
    pub(crate) reads: Reads,
    pub(crate) watches: Watches,
    pub(crate) triggers: Triggers,
    pub(crate) resolvers: Resolvers,
    pub(crate) waiting: Waiting,
    pub(crate) forwards: Forwards,
    pub(crate) derivations: Derivations,
    /// Whether the head that is being read shows the derived values.
    pub(crate) derives: bool,
    pub(crate) checkpoint: Checkpointing,
    /// What must not have happened: the store takes no more writes.
    pub(crate) defect: Option<String>,
    /// The incarnation that this life of the process begins, once there is cause for one.
    pub(crate) begins: Option<Incarnation>,
    /// Whether the log has been read to its end before.
    pub(crate) was_open: bool,
    /// The neighbours that may hold a replica too.
    pub(crate) links: BTreeMap<LinkId, (LinkOptions, Neighbour)>,
    pub(crate) next_beacon_ms: Option<u64>,
    /// When an event whose stamp lies in the future is due, by the monotonic clock.
    pub(crate) held_wake_ms: Option<u64>,
    /// Messages of neighbours that were wrong in themselves.
    pub(crate) refused_gossip: u64,
    names: Names,
}

/// What readers see: always on disk already.
#[derive(Debug)]
pub(crate) struct Published {
    pub(crate) tree: Snapshot,
    pub(crate) revision: u64,
}

#[derive(Debug)]
pub(crate) enum State {
    /// The log is being read for the first time.
    Opening(Box<ImageReader>),
    Open,
    /// A sync failed. Published stays readable while the log is read again.
    Fenced {
        why: String,
        reader: Box<ImageReader>,
    },
}

/// When the next checkpoint is due.
#[derive(Debug, Default)]
pub(crate) struct Checkpointing {
    pub(crate) bytes_since: usize,
    pub(crate) changes_since: usize,
    pub(crate) under_way: bool,
    /// The revision of the newest checkpoint while an older one is still kept for the window.
    pub(crate) newest: Option<u64>,
    /// Those who wait for the next one.
    pub(crate) asked: Vec<RequestId>,
}

/// Where random names come from: the store's entropy and a counter.
#[derive(Debug)]
struct Names {
    entropy: [u8; 32],
    count: u64,
}

impl Names {
    /// Tells the subscribers of this store, in this life of the process, from all others.
    fn space(&self) -> u64 {
        let hash = blake3::keyed_hash(&self.entropy, b"subscribers");
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&hash.as_bytes()[..8]);
        u64::from_le_bytes(bytes)
    }

    fn next(&mut self) -> [u8; 16] {
        self.count += 1;
        let hash = blake3::keyed_hash(&self.entropy, &self.count.to_le_bytes());
        let mut name = [0; 16];
        name.copy_from_slice(&hash.as_bytes()[..16]);
        name
    }
}

impl Store {
    /// A store that opens when its log has been recovered; one without a log is open at once.
    ///
    /// # Errors
    ///
    /// [`Config`](StoreErrorKind::Config) if there are more forwards than
    /// [`FORWARDS_MAX`](crate::FORWARDS_MAX), or a derived value cannot be defined; the source is
    /// the [`DefinitionError`](crate::DefinitionError) then.
    pub fn new(mut config: Config, resolvers: Resolvers) -> Result<Self, StoreError> {
        if config.forwards.len() > crate::config::FORWARDS_MAX {
            let found = config.forwards.len();
            let limit = crate::config::FORWARDS_MAX;
            let what = format!("too many forwards of one store: {found}, limit {limit}");
            return Err(StoreError::new(StoreErrorKind::Config, what));
        }
        let mut derivations = Derivations::default();
        for derived in std::mem::take(&mut config.derived) {
            derivations.define(derived).map_err(|error| {
                StoreError::with_source(StoreErrorKind::Config, "derived value", error)
            })?;
        }
        let names = Names {
            entropy: config.entropy,
            count: 0,
        };
        let head = Head::new(config.replication.clone());
        let published = Published {
            tree: head.bag.snapshot(),
            revision: 0,
        };
        let address = config.address();
        let space = names.space();
        let mut store = Self {
            state: State::Opening(ImageReader::new(config.replication.clone())),
            tickets: Tickets::new(config.logged),
            emitted: Emitted::default(),
            reads: Reads::default(),
            watches: Watches::new(&config.limits, space),
            triggers: Triggers::new(space),
            resolvers,
            waiting: Waiting::default(),
            forwards: Forwards::new(&config),
            derivations,
            derives: false,
            checkpoint: Checkpointing::default(),
            defect: None,
            begins: None,
            was_open: false,
            links: BTreeMap::new(),
            next_beacon_ms: None,
            held_wake_ms: None,
            refused_gossip: 0,
            names,
            head,
            published,
            address,
            config,
        };
        if !store.config.logged {
            store.opened_for_the_first_time();
            store.derivations.show_all(&mut store.head.bag);
            store.published.tree = store.head.bag.snapshot();
            // Nothing waits yet, so there is nothing to send.
            store.begin_gossip(Time::default(), &mut Vec::new());
            store.begin_forwards(Time::default(), true, &mut Vec::new());
        }
        Ok(store)
    }

    /// The callbacks, to subscribe and unsubscribe.
    pub fn triggers_mut(&mut self) -> &mut Triggers {
        &mut self.triggers
    }

    /// The resolvers, to register more.
    pub fn resolvers_mut(&mut self) -> &mut Resolvers {
        &mut self.resolvers
    }

    /// What readers see. `O(1)`.
    #[must_use]
    pub fn published(&self) -> &Snapshot {
        &self.published.tree
    }

    /// The revision of [`published`](Self::published).
    #[must_use]
    pub fn revision(&self) -> Revision {
        Revision {
            incarnation: self.head.incarnation(),
            number: self.published.revision,
        }
    }

    /// The store's address.
    #[must_use]
    pub fn address(&self) -> &StoreAddress {
        &self.address
    }

    /// The name under which other processes open the same store, if it is replicated.
    #[must_use]
    pub fn id(&self) -> StoreId {
        self.config.store_id()
    }

    /// Whether writes are taken.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self.state, State::Open)
    }

    /// Takes one input and appends what is to be done, in the order in which it is to be done.
    pub fn handle(&mut self, now: Time, input: Input, out: &mut Vec<Output>) {
        match input {
            Input::Recovered { chunk, last } => self.recovered(now, chunk, last, out),
            Input::Request {
                id,
                caller,
                timeout_ms,
                request,
            } => {
                self.request(now, id, &caller, timeout_ms, request, out);
            }
            Input::Cancel(id) => self.cancel(now, id, out),
            Input::Credit { id, changes } => self.credit(id, changes, out),
            Input::Durable { ticket } => {
                if let Some(sealed) = self.tickets.durable(ticket) {
                    self.release(now, sealed, out);
                }
            }
            Input::PersistFailed { message } => self.fence(message, out),
            Input::Checkpointed => self.checkpointed(out),
            Input::Resolved { flight, result } => self.resolved(now, flight, result, out),
            Input::ErrandDone { errand, result } => self.errand_done(now, errand, result, out),
            Input::Gossip(gossip) => self.gossip(now, gossip, out),
            Input::Tick => self.tick(now, out),
        }
        self.go_on(now, out);
        self.held_wake_ms = self.held_until_ms(now);
        self.complain(out);
    }

    /// When [`Input::Tick`] has something to do next, in monotonic milliseconds.
    #[must_use]
    pub fn next_wake_ms(&self) -> Option<u64> {
        // A derived value was defined, and nothing has come since that would show it.
        let now = (self.is_open() && self.tickets.is_due()).then_some(0);
        [
            now,
            self.resolvers.next_wake(),
            self.waiting.next_deadline_ms(),
            self.reads.next_deadline_ms(),
            self.replica_wake_ms(),
            // While the log is read again no cursor can be logged, however due it is.
            self.forwards.next_wake_ms().filter(|_| self.is_open()),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    fn request(
        &mut self,
        now: Time,
        id: RequestId,
        caller: &Caller,
        timeout_ms: u64,
        request: Request,
        out: &mut Vec<Output>,
    ) {
        let answer = |result| Output::Answer { id, result };
        match request {
            Request::OpenSession => self.open_session(id, caller, out),
            Request::CloseSession { session } => self.close_session(id, caller, session, out),
            Request::Write(intent) => self.write(now, id, caller, &intent, out),
            Request::Read(read) => self.read(now, id, caller, timeout_ms, *read, out),
            Request::NextPage(cursor) => out.push(answer(self.next_page(now, caller, cursor))),
            Request::EndRead { read } => {
                self.reads.end(caller, read);
                out.push(answer(Ok(Reply::Done)));
            }
            Request::Refresh { path } => self.refresh(now, id, caller, timeout_ms, &path, out),
            Request::Watch(watch) => self.watch(id, &watch, out),
            Request::Status => {
                let message = "a status request goes to a process, not to a store";
                out.push(answer(Err(Refusal::new(RefusalKind::Unsupported, message))));
            }
            Request::Feeds { after } => self.feeds(now, id, after, out),
            Request::Drafts(request) => self.drafts(now, id, caller, request, out),
            Request::History(history) => self.history(id, &history, out),
            Request::Checkpoint => self.checkpoint_now(id, out),
        }
    }

    fn write(
        &mut self,
        now: Time,
        id: RequestId,
        caller: &Caller,
        intent: &Intent,
        out: &mut Vec<Output>,
    ) {
        if !self.takes_more(id, out) {
            return;
        }
        match admit(&self.head, caller, intent) {
            Admission::Judge { session } => {
                let result = self.carry_out(now, caller, intent, session);
                self.reset_missing(out);
                self.tickets.answer(id, result);
            }
            Admission::Answered { ticket, result } => self.tickets.answer_with(ticket, id, result),
            Admission::Refused(refusal) => self.tickets.answer(id, Err(refusal)),
        }
    }

    /// Whether one more request can be gathered for the disk; if not, it is answered at once, and
    /// out of turn.
    pub(crate) fn takes_more(&self, id: RequestId, out: &mut Vec<Output>) -> bool {
        let refusal = if !self.is_open() {
            self.unavailable()
        } else if self.tickets.is_full() || !self.emitted.is_empty() {
            Refusal::new(RefusalKind::Overloaded, "too much waits for the disk")
        } else {
            return true;
        };
        let result = Err(refusal);
        out.push(Output::Answer { id, result });
        false
    }

    fn open_session(&mut self, id: RequestId, caller: &Caller, out: &mut Vec<Output>) {
        if !self.takes_more(id, out) {
            return;
        }
        let session = self.names.next();
        let neighbour = caller.neighbour.map(|key| *key.as_bytes());
        let opener = Opener::new(&caller.source, neighbour);
        let record = Record::SessionOpened { session, opener };
        self.log_and_replay(record);
        self.tickets.answer(id, Ok(Reply::Session { session }));
    }

    fn close_session(
        &mut self,
        id: RequestId,
        caller: &Caller,
        session: [u8; 16],
        out: &mut Vec<Output>,
    ) {
        if !self.takes_more(id, out) {
            return;
        }
        if !self.head.sessions.knows(&session, &caller.source) {
            self.tickets.answer(id, Err(unknown_session()));
            return;
        }
        let record = Record::SessionClosed { session };
        self.log_and_replay(record);
        self.tickets.answer(id, Ok(Reply::Done));
    }

    fn cancel(&mut self, now: Time, id: RequestId, out: &mut Vec<Output>) {
        self.watches.end(id);
        self.stop_waiting(now, id, out);
    }

    fn tick(&mut self, now: Time, out: &mut Vec<Output>) {
        self.reads.expire(now);
        self.resolver_tick(now, out);
        self.waiting_tick(now, out);
        self.forwards_tick(now, out);
        self.replica_tick(now, out);
    }

    /// Seals and releases tickets until one is out on its way to the disk, or nothing is left.
    pub(crate) fn go_on(&mut self, now: Time, out: &mut Vec<Output>) {
        // Until the log has been read, head is not what is on disk: nothing of it may be shown.
        while self.is_open() {
            self.carry_out_emitted(now, out);
            self.seal_due(now);
            if let Some(why) = self.defect.take() {
                return self.fence(why, out);
            }
            let (head, due) = (&self.head, self.checkpoint_is_due());
            let image = |untold: &[Batch]| {
                due.then(|| {
                    let forwards = self.forwards.cursors_for_image(&head.forwards, untold);
                    Box::new(Image::new(head, forwards))
                })
            };
            match self
                .tickets
                .seal(|| (head.bag.snapshot(), head.revision), image)
            {
                None => return,
                Some(Step::Persist { ticket, records }) => {
                    if due {
                        self.checkpoint.under_way = true;
                        self.checkpoint.bytes_since = 0;
                        self.checkpoint.changes_since = 0;
                    }
                    self.checkpoint.bytes_since += records.iter().map(Vec::len).sum::<usize>();
                    self.forwards.note_sealed(&self.head.forwards);
                    out.push(Output::Persist { ticket, records });
                    // Those that waited come before whatever is asked meanwhile.
                    self.carry_out_emitted(now, out);
                    return;
                }
                Some(Step::Release(sealed)) => self.release(now, *sealed, out),
            }
        }
    }

    /// The log is new, or there is none.
    pub(crate) fn opened_for_the_first_time(&mut self) {
        let incarnation = self.new_incarnation();
        self.log_and_replay(Record::Incarnation(incarnation));
        if self.config.authority == Some(Authority::Replicated) {
            self.log_and_replay(Record::Replica(self.config.store_id()));
        }
        self.state = State::Open;
    }

    /// Adds a record of what changes no tree.
    pub(crate) fn log_and_replay(&mut self, record: Record) {
        self.log(&record);
        if let Err(error) = self.head.replay(record) {
            self.defect = Some(error.to_string());
        }
    }

    /// 64 bits that nobody can guess and that are never the same.
    pub(crate) fn random(&mut self) -> u64 {
        let name = self.names.next();
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&name[..8]);
        u64::from_le_bytes(bytes)
    }

    /// Always the same: when its record did not reach the disk, somebody may have seen it.
    pub(crate) fn new_incarnation(&mut self) -> Incarnation {
        if let Some(incarnation) = self.begins {
            return incarnation;
        }
        let incarnation = Incarnation(self.random());
        self.begins = Some(incarnation);
        incarnation
    }

    pub(crate) fn why_unavailable(&self) -> String {
        let store = &self.address;
        match &self.state {
            State::Opening(_) => format!("{store} is still reading its log: try again soon"),
            State::Open => format!("{store} is open"),
            State::Fenced { why, .. } => {
                format!("{store} takes no writes until its log is open again: {why}")
            }
        }
    }
}
