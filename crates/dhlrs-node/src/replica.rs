//! What a replicated store can be asked and told besides reads, writes and watches.

use std::time::Duration;

use dhlrs_clock::Stamp;
use dhlrs_path::{ParsePathError, Path};
use dhlrs_wire::{
    Draft, Drafts, DraftsApplied, DraftsRequest, EventRow, FeedsStatus, HISTORY_ROWS_MAX,
    HistoryCursor, HistoryRequest, OtherEvent, OtherEventError, Reply, Request, Written,
};
use futures_util::future::BoxFuture;

use crate::error::{Error, ErrorKind};
use crate::handle::{DEFAULT_TIMEOUT_MS, StoreHandle};
use crate::into::IntoPath;
use crate::writing::Envelope;

impl StoreHandle {
    /// What the replica holds of each feed, how far its peers are, and a hash of all that it shows.
    ///
    /// Fails as `Unsupported` for a store that is not replicated, like all that follows here.
    pub fn feeds(&self) -> FeedsBuilder {
        FeedsBuilder {
            asking: Asking::of(self),
        }
    }

    /// What happened to a node and to what is in it, the newest first; it may be gone. The root's history is all that
    /// happened.
    pub fn history(&self, path: impl IntoPath) -> HistoryBuilder {
        HistoryBuilder {
            asking: Asking::of(self),
            path: path.into_path(),
            before: None,
            limit: usize::MAX,
        }
    }

    /// Own writes that were acknowledged and are void now, in the order in which they were written.
    pub fn drafts(&self) -> DraftsBuilder {
        DraftsBuilder {
            asking: Asking::of(self),
        }
    }

    /// Writes the drafts again, as new events. What cannot be written stays a draft.
    pub fn apply_drafts(&self) -> ApplyDraftsBuilder {
        ApplyDraftsBuilder {
            asking: Asking::of(self),
            newer: false,
        }
    }

    /// Forgets the drafts; how many there were.
    pub fn drop_drafts(&self) -> DropDraftsBuilder {
        DropDraftsBuilder {
            asking: Asking::of(self),
        }
    }

    /// Writes a checkpoint now, so that the next start reads less of the log.
    pub fn checkpoint(&self) -> CheckpointBuilder {
        CheckpointBuilder {
            asking: Asking::of(self),
        }
    }

    /// Writes an event of a kind of your own, once, and passes it on to all replicas. The tree takes no notice of it.
    pub fn emit(&self, kind: &str, payload: impl Into<Vec<u8>>) -> EmitBuilder {
        EmitBuilder {
            envelope: Envelope::new(self.clone()),
            events: vec![OtherEvent::new(kind, payload.into())],
        }
    }
}

/// Whom to ask, and for how long.
#[derive(Debug)]
struct Asking {
    handle: StoreHandle,
    timeout: Duration,
}

impl Asking {
    fn of(handle: &StoreHandle) -> Self {
        Self {
            handle: handle.clone(),
            timeout: Duration::from_millis(DEFAULT_TIMEOUT_MS),
        }
    }

    async fn read(&self, request: Request) -> Result<Reply, Error> {
        self.handle.ask(request, self.timeout).await
    }

    async fn write(&self, request: Request) -> Result<Reply, Error> {
        let local = self.handle.local_request(request, self.timeout);
        let shared = &self.handle.shared;
        shared.begin(true, local).await?.answer().await
    }
}

macro_rules! asking_builder {
    ($(#[$docs:meta])* $name:ident { $($field:ident: $type:ty),* $(,)? } -> $output:ty) => {
        $(#[$docs])*
        #[derive(Debug)]
        #[must_use = "nothing is asked until this is awaited"]
        pub struct $name {
            asking: Asking,
            $($field: $type),*
        }

        impl $name {
            /// How long to wait for each answer.
            pub fn timeout(mut self, timeout: Duration) -> Self {
                self.asking.timeout = timeout;
                self
            }
        }

        impl IntoFuture for $name {
            type Output = Result<$output, Error>;
            type IntoFuture = BoxFuture<'static, Self::Output>;

            fn into_future(self) -> Self::IntoFuture {
                Box::pin(self.ask())
            }
        }
    };
}

asking_builder! {
    /// A look at a replica's feeds that is about to be taken: all of them on one page.
    FeedsBuilder {} -> FeedsStatus
}

impl FeedsBuilder {
    async fn ask(self) -> Result<FeedsStatus, Error> {
        let mut whole: Option<FeedsStatus> = None;
        loop {
            let after = whole.as_ref().and_then(|status| status.next);
            let page = match self.asking.read(Request::Feeds { after }).await? {
                Reply::Feeds(page) => *page,
                _ => return Err(Error::unexpected()),
            };
            // A page that does not get any further would be asked for without end.
            let is_last = page.next.is_none() || page.next == after;
            match &mut whole {
                None => whole = Some(page),
                Some(status) => {
                    let mut rows = std::mem::take(&mut status.rows);
                    rows.extend(page.rows.iter().copied());
                    *status = FeedsStatus { rows, ..page };
                }
            }
            if is_last && let Some(mut status) = whole {
                status.next = None;
                return Ok(status);
            }
        }
    }
}

asking_builder! {
    /// A history that is about to be read.
    HistoryBuilder {
        path: Result<Path<'static>, ParsePathError>,
        before: Option<Stamp>,
        limit: usize,
    } -> Vec<EventRow>
}

impl HistoryBuilder {
    /// Only so many events; all of them by default.
    pub fn limit(mut self, events: usize) -> Self {
        self.limit = events;
        self
    }

    /// Only events with smaller stamps.
    pub fn before(mut self, stamp: Stamp) -> Self {
        self.before = Some(stamp);
        self
    }

    async fn ask(self) -> Result<Vec<EventRow>, Error> {
        let path = self.path?;
        let mut rows: Vec<EventRow> = Vec::new();
        let mut before = self.before.map(|stamp| HistoryCursor {
            stamp,
            dot: FIRST_OF_ALL,
        });
        while rows.len() < self.limit {
            let limit = (self.limit - rows.len()).min(HISTORY_ROWS_MAX);
            let request = Request::History(Box::new(HistoryRequest {
                path: path.clone(),
                before,
                limit: u16::try_from(limit).unwrap_or(u16::MAX),
            }));
            let page = match self.asking.read(request).await? {
                Reply::History(page) => *page,
                _ => return Err(Error::unexpected()),
            };
            rows.extend(page.rows);
            match page.next {
                Some(next) if before.is_none_or(|before| next < before) => before = Some(next),
                _ => break,
            }
        }
        rows.truncate(self.limit);
        Ok(rows)
    }
}

/// The name that stands before all others.
const FIRST_OF_ALL: dhlrs_feed::EventDot = dhlrs_feed::EventDot {
    feed: dhlrs_feed::FeedId {
        author: dhlrs_identity::PublicKey::from_bytes([0; 32]),
        epoch: dhlrs_feed::Epoch::numbered(0),
    },
    seq: 0,
};

asking_builder! {
    /// A list of drafts that is about to be asked for.
    DraftsBuilder {} -> Vec<Draft>
}

impl DraftsBuilder {
    async fn ask(self) -> Result<Vec<Draft>, Error> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let request = Request::Drafts(DraftsRequest::List { after });
            let (rows, next) = match self.asking.read(request).await? {
                Reply::Drafts(drafts) => match *drafts {
                    Drafts::List { rows, next } => (rows, next),
                    _ => return Err(Error::unexpected()),
                },
                _ => return Err(Error::unexpected()),
            };
            all.extend(rows);
            if next.is_none() || next <= after {
                return Ok(all);
            }
            after = next;
        }
    }
}

asking_builder! {
    /// Drafts that are about to be written again.
    ApplyDraftsBuilder { newer: bool } -> DraftsApplied
}

impl ApplyDraftsBuilder {
    /// Only what nobody has written over since: a set, move, rename or reorder that is newer than what there is, a
    /// remove or clear of nothing that its author had not seen, a transaction whole or not at all.
    pub fn newer(mut self) -> Self {
        self.newer = true;
        self
    }

    async fn ask(self) -> Result<DraftsApplied, Error> {
        let newer = self.newer;
        let request = Request::Drafts(DraftsRequest::Apply { newer });
        match self.asking.write(request).await? {
            Reply::Drafts(drafts) => match *drafts {
                Drafts::Applied(applied) => Ok(applied),
                _ => Err(Error::unexpected()),
            },
            _ => Err(Error::unexpected()),
        }
    }
}

asking_builder! {
    /// Drafts that are about to be forgotten.
    DropDraftsBuilder {} -> u64
}

impl DropDraftsBuilder {
    async fn ask(self) -> Result<u64, Error> {
        let request = Request::Drafts(DraftsRequest::Drop);
        match self.asking.write(request).await? {
            Reply::Drafts(drafts) => match *drafts {
                Drafts::Dropped { drafts } => Ok(drafts),
                _ => Err(Error::unexpected()),
            },
            _ => Err(Error::unexpected()),
        }
    }
}

asking_builder! {
    /// A checkpoint that is about to be asked for.
    CheckpointBuilder {} -> ()
}

impl CheckpointBuilder {
    async fn ask(self) -> Result<(), Error> {
        match self.asking.read(Request::Checkpoint).await? {
            Reply::Done => Ok(()),
            _ => Err(Error::unexpected()),
        }
    }
}

/// Events of kinds of your own that are about to be written, all or none.
#[derive(Debug)]
#[must_use = "nothing is written until this is awaited"]
pub struct EmitBuilder {
    envelope: Envelope,
    events: Vec<Result<OtherEvent, OtherEventError>>,
}

impl EmitBuilder {
    /// One more event of the same transaction.
    pub fn and(mut self, kind: &str, payload: impl Into<Vec<u8>>) -> Self {
        self.events.push(OtherEvent::new(kind, payload.into()));
        self
    }

    /// How long to wait for the answer. The events may still be written later.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.envelope.timeout = timeout;
        self
    }

    async fn write(mut self) -> Result<Written, Error> {
        let events: Result<Vec<OtherEvent>, _> = self.events.into_iter().collect();
        self.envelope.emitted =
            events.map_err(|error| Error::caused_by(ErrorKind::BadEvent, error))?;
        self.envelope.send(Vec::new(), true).await
    }
}

impl IntoFuture for EmitBuilder {
    type Output = Result<Written, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.write())
    }
}
