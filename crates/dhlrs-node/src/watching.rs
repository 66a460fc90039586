//! Watches: streams of changes.

use std::sync::Arc;
use std::time::Duration;

use dhlrs_bag::ChangeKind;
use dhlrs_engine::{CallId, Local};
use dhlrs_path::ParsePathError;
use dhlrs_wire::{
    Delivery, Kinds, Refusal, RefusalKind, Reply, Revision, RevisionFrom, Selection,
    Watch as WatchRequest, WatchedChanges,
};
use futures_util::future::BoxFuture;
use tokio::sync::{mpsc, oneshot};

use crate::clock::ms;
use crate::command::{Command, Waiter};
use crate::error::Error;
use crate::handle::{DEFAULT_TIMEOUT_MS, StoreHandle};
use crate::shared::Shared;

/// Changes that a watch has room for, if it is not told otherwise.
pub const WATCH_CREDIT: u32 = 256;
/// The most that it can have room for.
pub const WATCH_CREDIT_MAX: u32 = 65_536;
/// Pieces that may come over the credit: those of one revision, which is delivered whole.
const OVER_CREDIT_PIECES: usize = 4_096 + 64;

/// A watch that is about to begin.
#[derive(Debug)]
#[must_use = "nothing is watched until this is awaited"]
pub struct WatchBuilder {
    handle: StoreHandle,
    selection: Result<Selection, ParsePathError>,
    from: Option<RevisionFrom>,
    kinds: Kinds,
    credit: u32,
    timeout: Duration,
}

impl WatchBuilder {
    pub(crate) fn new(handle: StoreHandle, selection: Result<Selection, ParsePathError>) -> Self {
        Self {
            handle,
            selection,
            from: None,
            kinds: Kinds::default(),
            credit: WATCH_CREDIT,
            timeout: Duration::from_millis(DEFAULT_TIMEOUT_MS),
        }
    }

    /// Begins at this revision, which may be past; without it, after the present one.
    pub fn from(mut self, revision: impl Into<RevisionFrom>) -> Self {
        self.from = Some(revision.into());
        self
    }

    /// Only these kinds of change.
    pub fn kinds(mut self, kinds: impl IntoIterator<Item = ChangeKind>) -> Self {
        self.kinds = Kinds(kinds.into_iter().collect());
        self
    }

    /// How many changes the watch takes ahead of its reader, 1 to [`WATCH_CREDIT_MAX`]. A reader
    /// that is slower than that falls behind, in the store's window of kept changes.
    pub fn credit(mut self, changes: u32) -> Self {
        self.credit = changes.clamp(1, WATCH_CREDIT_MAX);
        self
    }

    /// How long to wait for the watch to begin.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }
}

impl IntoFuture for WatchBuilder {
    type Output = Result<Watch, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let watch = WatchRequest {
                selection: self.selection?,
                from: self.from,
                kinds: self.kinds,
                credit: self.credit,
                node: None,
            };
            let shared = self.handle.shared.clone();
            let permit = shared
                .commands
                .reserve()
                .await
                .map_err(|_| Error::closed())?;
            let call = shared.next_call();
            let (began, begins) = oneshot::channel();
            let room = usize::try_from(self.credit).unwrap_or(usize::MAX) + OVER_CREDIT_PIECES;
            let (pieces, incoming) = mpsc::channel(room);
            let target = self.handle.address.clone();
            let timeout_ms = ms(self.timeout);
            permit.send(Command::Call {
                call,
                local: Box::new(Local::Watch {
                    call,
                    target,
                    watch,
                    timeout_ms,
                }),
                waiter: Waiter::Watch {
                    began: Some(began),
                    pieces,
                },
            });
            let mut stream = Watch {
                life: Life {
                    shared: shared.clone(),
                    call,
                },
                from: None,
                incoming,
                partial: None,
                then: None,
                over: false,
            };
            let begun = shared.while_driven(begins).await.and_then(Result::ok);
            match begun.ok_or_else(Error::closed)?? {
                Reply::Watching { from, .. } => {
                    stream.from = Some(from);
                    Ok(stream)
                }
                _ => Err(Error::unexpected()),
            }
        })
    }
}

/// A stream of changes that survives lost links. Dropping it ends it.
#[derive(Debug)]
pub struct Watch {
    life: Life,
    /// Known once it has begun, before anybody sees it.
    from: Option<Revision>,
    incoming: mpsc::Receiver<Delivery>,
    /// The beginning of a revision of which more is to come.
    partial: Option<WatchedChanges>,
    /// What came behind a revision that was cut short.
    then: Option<WatchEvent>,
    over: bool,
}

/// What a [`Watch`] tells.
#[derive(Clone, Debug, PartialEq)]
pub enum WatchEvent {
    /// The changes of one revision that concern it, all of them.
    Changes(WatchedChanges),
    /// The store no longer keeps so many revisions, which this stream has missed; it goes on at
    /// `next`.
    Lagged {
        /// How many revisions.
        revisions: u64,
        /// Where it goes on.
        next: u64,
    },
    /// The stream is over, and why. Nothing follows.
    Ended(Refusal),
}

impl Watch {
    /// The first revision that the stream tells of: everything from it on is delivered.
    #[must_use]
    pub fn from(&self) -> Option<Revision> {
        self.from
    }

    /// Waits for what comes next; `None` after [`Ended`](WatchEvent::Ended). Dropping the future
    /// loses nothing.
    pub async fn next(&mut self) -> Option<WatchEvent> {
        loop {
            if let Some(event) = self.then.take() {
                return Some(event);
            }
            if self.over {
                return None;
            }
            let delivery = self.incoming.recv().await;
            if let Some(event) = self.take(delivery) {
                return Some(event);
            }
        }
    }

    /// Joins the pieces of a revision. A piece that is taken makes room for as much again.
    fn take(&mut self, delivery: Option<Delivery>) -> Option<WatchEvent> {
        let event = match delivery {
            Some(Delivery::Changes(piece)) => {
                let taken = u32::try_from(piece.changes.len()).unwrap_or(u32::MAX);
                self.life.shared.signals.credit(self.life.call, taken);
                return self.join(piece);
            }
            Some(Delivery::Lagged { revisions, next }) => WatchEvent::Lagged { revisions, next },
            Some(Delivery::Ended(refusal)) => {
                self.over = true;
                WatchEvent::Ended(*refusal)
            }
            None => {
                self.over = true;
                let refusal = if self.life.shared.commands.is_closed() {
                    Refusal::new(RefusalKind::Unavailable, "the node was shut down")
                } else {
                    let message = "the stream brought more than there was room for";
                    Refusal::new(RefusalKind::Overloaded, message)
                };
                WatchEvent::Ended(refusal)
            }
        };
        self.cut_short_by(event)
    }

    fn join(&mut self, mut piece: WatchedChanges) -> Option<WatchEvent> {
        if let Some(mut begun) = self.partial.take() {
            if begun.revision == piece.revision {
                begun.changes.append(&mut piece.changes);
                begun.more = piece.more;
                piece = begun;
            } else {
                self.partial = Some(begun);
                // The revision before is told as far as it came.
                if piece.more {
                    let begun = self.partial.replace(piece)?;
                    return Some(whole(begun));
                }
                return self.cut_short_by(WatchEvent::Changes(piece));
            }
        }
        if piece.more {
            self.partial = Some(piece);
            return None;
        }
        Some(WatchEvent::Changes(piece))
    }

    fn cut_short_by(&mut self, event: WatchEvent) -> Option<WatchEvent> {
        match self.partial.take() {
            Some(begun) => {
                self.then = Some(event);
                Some(whole(begun))
            }
            None => Some(event),
        }
    }
}

fn whole(mut changes: WatchedChanges) -> WatchEvent {
    changes.more = false;
    WatchEvent::Changes(changes)
}

/// Ends the stream at its source when nobody reads it any more.
#[derive(Debug)]
struct Life {
    shared: Arc<Shared>,
    call: CallId,
}

impl Drop for Life {
    fn drop(&mut self) {
        if !self.shared.commands.is_closed() {
            self.shared.signals.cancel(self.call);
        }
    }
}
