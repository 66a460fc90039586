//! The store's one door: what goes in and what comes out.

use dhlrs_bag::{Content, GuardedEdit, Snapshot, SubscriberId};
use dhlrs_feed::{LinkId, LinkOptions};
use dhlrs_identity::PublicKey;
use dhlrs_path::{NodeName, StoreAddress};
use dhlrs_resolver::{Call, FlightId, ResolveError};
use dhlrs_wire::{Delivery, Refusal, Reply, Request, Revision};

use crate::image::Image;

/// Names a request within the process. Chosen by whoever hands it over, never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// Names a request that the store itself made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ErrandId(pub u64);

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The process that asks.
    pub source: NodeName,
    /// The neighbour that vouches for it; `None` within the process, where no session is needed.
    pub neighbour: Option<PublicKey>,
}

/// What happens to a store.
#[derive(Debug)]
pub enum Input {
    /// A part of what the log holds, at opening and after a failed sync. The last part opens the
    /// store.
    Recovered {
        /// The part.
        chunk: Recovered,
        /// Nothing follows.
        last: bool,
    },
    /// A request, answered by exactly one [`Output::Answer`] unless it is cancelled first.
    Request {
        /// Its name.
        id: RequestId,
        /// Who asks.
        caller: Caller,
        /// How long the caller waits.
        timeout_ms: u64,
        /// What is asked.
        request: Request,
    },
    /// Nobody waits for the request any more; it ends a watch.
    Cancel(RequestId),
    /// The watcher has room for more changes.
    Credit {
        /// The watch.
        id: RequestId,
        /// How many.
        changes: u32,
    },
    /// The ticket is on disk.
    Durable {
        /// Its number.
        ticket: u64,
    },
    /// The ticket may or may not be on disk: the store is fenced until its log is recovered.
    PersistFailed {
        /// Why, for a person.
        message: String,
    },
    /// The checkpoint is on disk.
    Checkpointed,
    /// A resolver's result.
    Resolved {
        /// The flight that asked for it.
        flight: FlightId,
        /// The value or branch, or why there is none.
        result: Result<Content, ResolveError>,
    },
    /// The answer to a request that the store made.
    ErrandDone {
        /// The request.
        errand: ErrandId,
        /// What came of it.
        result: Result<Reply, Refusal>,
    },
    /// Something about a neighbour that may hold a replica of the same store.
    Gossip(Gossip),
    /// Time has passed.
    Tick,
}

/// What a replica learns of a neighbour. An owned store takes no notice.
#[derive(Debug)]
pub enum Gossip {
    /// It can be reached.
    Opened {
        /// Names the way to it, chosen by whoever hands this over, never used twice.
        link: LinkId,
        /// What that way can do.
        options: LinkOptions,
        /// Who is at its end.
        neighbour: Neighbour,
    },
    /// It cannot be reached any more, and what was on its way is lost.
    Closed {
        /// The way.
        link: LinkId,
    },
    /// It has said something.
    Received {
        /// Over this way.
        link: LinkId,
        /// What its replica has handed over as [`Output::Gossip`].
        bytes: Vec<u8>,
    },
}

/// A process that may hold a replica too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Neighbour {
    /// Its name.
    pub node: NodeName,
    /// Its key.
    pub key: PublicKey,
}

/// A part of a log, in the order in which it was written.
#[derive(Debug)]
pub enum Recovered {
    /// The next chunk of the checkpoint, before all records.
    Image(Vec<u8>),
    /// Records after the checkpoint.
    Records(Vec<Vec<u8>>),
}

/// What a store wants done.
#[derive(Debug)]
pub enum Output {
    /// Append these records as one, sync, then say [`Input::Durable`]. One is out at a time.
    Persist {
        /// The ticket's number.
        ticket: u64,
        /// Its records.
        records: Vec<Vec<u8>>,
    },
    /// Write this checkpoint, which covers every ticket up to and including the one that is named,
    /// then say [`Input::Checkpointed`].
    Checkpoint {
        /// The last ticket that it covers.
        ticket: u64,
        /// Its content, encoded where it is written.
        image: Box<Image>,
    },
    /// Every checkpoint but the newest, and the log below that, may go.
    Prune,
    /// What readers see from now on.
    Published {
        /// The tree.
        tree: Snapshot,
        /// Its revision.
        revision: Revision,
    },
    /// The answer to a request.
    Answer {
        /// The request.
        id: RequestId,
        /// What came of it.
        result: Result<Reply, Refusal>,
    },
    /// The next piece of a watch's stream.
    Deliver {
        /// The watch.
        id: RequestId,
        /// The piece.
        delivery: Delivery,
    },
    /// Run a resolver.
    Resolve {
        /// Its result comes back under this name.
        flight: FlightId,
        /// What to call, and with what.
        call: Call,
    },
    /// Nobody waits for the flight any more.
    CancelResolve(FlightId),
    /// Ask this of another store; the store counts and repeats by itself.
    Errand {
        /// The answer comes back under this name.
        errand: ErrandId,
        /// Whom to ask.
        target: StoreAddress,
        /// What to ask.
        request: Request,
        /// How long to wait.
        timeout_ms: u64,
    },
    /// A trigger writes to another store; the process's own session with it is used.
    Emit {
        /// The store.
        target: StoreAddress,
        /// What to write.
        edit: GuardedEdit,
        /// A note that travels along.
        reason: Option<String>,
        /// The subscribers that led to it.
        cause: Vec<SubscriberId>,
    },
    /// Tell this to a neighbour, as far as the way to it has room: what is lost is sent again.
    Gossip {
        /// The way.
        link: LinkId,
        /// What its replica is to be handed as [`Gossip::Received`].
        bytes: Vec<u8>,
    },
    /// Something that a person should know.
    Warning(String),
}
