//! The engine's one door: what happens to a process and what it wants done.

use dhlrs_bag::{Content, GuardedEdit, Snapshot};
use dhlrs_link::{Ending, LinkId, LinkInput, Peer};
use dhlrs_path::{NodeName, StoreAddress, StoreName};
use dhlrs_resolver::{Call, FlightId, ResolveError};
use dhlrs_store::{Image, Recovered};
use dhlrs_wire::{Delivery, Incarnation, OtherEvent, Refusal, Reply, Request, Revision, Watch};
use std::sync::Arc;

/// Names a call of the process's own code. Chosen by the driver from 1 on, never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub u64);

/// What happens.
#[derive(Debug)]
pub enum Input {
    /// Something about a connection.
    Link(LinkInput),
    /// A call of the process's own code.
    Local(Local),
    /// A part of what a store's log holds.
    Recovered {
        /// The store.
        store: StoreName,
        /// The part.
        chunk: Recovered,
        /// Nothing follows: the store opens.
        last: bool,
    },
    /// A store's ticket is on disk.
    Durable {
        /// The store.
        store: StoreName,
        /// The ticket.
        ticket: u64,
    },
    /// A store's ticket may or may not be on disk. The store is fenced until its log is recovered
    /// again.
    PersistFailed {
        /// The store.
        store: StoreName,
        /// Why, for a person.
        message: String,
    },
    /// A store's checkpoint is on disk.
    Checkpointed {
        /// The store.
        store: StoreName,
    },
    /// A resolver's result.
    Resolved {
        /// The store that asked.
        store: StoreName,
        /// Its name for the call.
        flight: FlightId,
        /// The value or branch, or why there is none.
        result: Result<Content, ResolveError>,
    },
    /// Time has passed.
    Tick,
}

/// A call of the process's own code. Each is answered by exactly one [`Output::Answer`] unless it is
/// cancelled first.
#[derive(Debug)]
pub enum Local {
    /// Asks a process, or a store of it.
    Request {
        /// The call.
        call: CallId,
        /// The process.
        node: NodeName,
        /// The store; `None` asks the process itself.
        store: Option<StoreName>,
        /// What is asked. Writes go through [`Local::Write`], watches through [`Local::Watch`].
        request: Request,
        /// How long the caller waits.
        timeout_ms: u64,
    },
    /// Writes to a store, here or elsewhere, once and in the order of the calls.
    Write {
        /// The call.
        call: CallId,
        /// The store.
        target: StoreAddress,
        /// What to write.
        write: Write,
        /// How long the caller waits. The write itself may still be applied later.
        timeout_ms: u64,
    },
    /// Opens a stream of changes that survives lost links.
    Watch {
        /// The call; pieces come as [`Output::Deliver`].
        call: CallId,
        /// The store.
        target: StoreAddress,
        /// What to watch.
        watch: Watch,
        /// How long the caller waits for the stream to begin.
        timeout_ms: u64,
    },
    /// A watch's caller has room for more changes.
    Credit {
        /// The watch.
        call: CallId,
        /// How many.
        changes: u32,
    },
    /// Nobody waits for the call any more. A write is carried out all the same.
    Cancel {
        /// The call.
        call: CallId,
    },
    /// The process is about to stop: idle request sessions are closed.
    Close,
}

/// Edits and what travels with them.
#[derive(Clone, Debug, PartialEq)]
pub struct Write {
    /// The edits.
    pub edits: Vec<GuardedEdit>,
    /// All or nothing, or as many as can be.
    pub atomic: bool,
    /// The incarnation that `if_revision` counts in.
    pub incarnation: Option<Incarnation>,
    /// A note for people and filters.
    pub reason: Option<String>,
    /// Events of kinds that the tree does not know, after the edits; only replicated stores take them.
    pub emitted: Vec<OtherEvent>,
}

/// What the engine wants done, in the order in which it is to be done.
#[derive(Debug)]
pub enum Output {
    /// Put a frame into the queue of a connection.
    Send {
        /// The connection.
        link: LinkId,
        /// The frame.
        frame: bytes::Bytes,
    },
    /// Close a connection once its queue is empty.
    Close {
        /// The connection.
        link: LinkId,
    },
    /// A connection is established.
    LinkUp {
        /// The connection.
        link: LinkId,
        /// Who is there.
        peer: Arc<Peer>,
    },
    /// A neighbour has said for the first time which names it reaches.
    Announced {
        /// The neighbour.
        peer: Arc<Peer>,
    },
    /// A connection has ended.
    LinkDown {
        /// The connection.
        link: LinkId,
        /// Who was there, if it was proven.
        peer: Option<Arc<Peer>>,
        /// How.
        ending: Ending,
    },
    /// Append records to a store's log as one, sync, then say [`Input::Durable`].
    Persist {
        /// The store.
        store: StoreName,
        /// The ticket.
        ticket: u64,
        /// Its records.
        records: Vec<Vec<u8>>,
    },
    /// Write a checkpoint of a store that covers a ticket, then say [`Input::Checkpointed`].
    Checkpoint {
        /// The store.
        store: StoreName,
        /// The last ticket that it covers.
        ticket: u64,
        /// Its content.
        image: Box<Image>,
    },
    /// Every checkpoint of a store but the newest, and the log below that, may go.
    Prune {
        /// The store.
        store: StoreName,
    },
    /// What readers of a store see from now on.
    Published {
        /// The store.
        store: StoreName,
        /// The tree.
        tree: Snapshot,
        /// Its revision.
        revision: Revision,
    },
    /// Run a resolver of this process.
    Resolve {
        /// The store that asks.
        store: StoreName,
        /// Its name for the call.
        flight: FlightId,
        /// What to call, and with what.
        call: Call,
    },
    /// Nobody waits for the resolver any more.
    CancelResolve {
        /// The store that asked.
        store: StoreName,
        /// Its name for the call.
        flight: FlightId,
    },
    /// The answer to a call.
    Answer {
        /// The call.
        call: CallId,
        /// What came of it.
        result: Result<Reply, Refusal>,
    },
    /// The next piece of a watch's stream.
    Deliver {
        /// The watch.
        call: CallId,
        /// The piece.
        delivery: Delivery,
    },
    /// Something that a person should know.
    Warning(String),
}
