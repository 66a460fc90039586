//! Reads: one node, or many row by row.

use std::time::Duration;
use std::vec;

use dhlrs_bag::{Attributes, Value};
use dhlrs_clock::Stamp;
use dhlrs_path::{DEPTH_MAX, ParsePathError, Path};
use dhlrs_wire::{
    Page, PageCursor, Read, ReadRow, RefusalKind, Reply, Request, Revision, Selection, View,
};
use futures_util::future::BoxFuture;
use tokio::time::{Instant, sleep};

use crate::error::Error;
use crate::handle::{DEFAULT_TIMEOUT_MS, StoreHandle};
use crate::shared::Call;

/// The pause before a page is asked for again that was lost on its way.
const PAGE_RETRY_MS: u64 = 50;

/// A read of one node that is about to be made.
#[derive(Debug)]
#[must_use = "nothing is read until this is awaited"]
pub struct GetBuilder {
    handle: StoreHandle,
    path: Result<Path<'static>, ParsePathError>,
    view: View,
    arguments: Attributes,
    at: Option<Stamp>,
    timeout: Duration,
}

impl GetBuilder {
    pub(crate) fn new(handle: StoreHandle, path: Result<Path<'static>, ParsePathError>) -> Self {
        Self {
            handle,
            path,
            view: View::Resolve,
            arguments: Attributes::new(),
            at: None,
            timeout: Duration::from_millis(DEFAULT_TIMEOUT_MS),
        }
    }

    /// Which value is shown: resolved (the default), what is cached, or what is stored.
    pub fn view(mut self, view: View) -> Self {
        self.view = view;
        self
    }

    /// Arguments for the node's resolver; they override its attributes for this read alone.
    pub fn arguments(mut self, arguments: Attributes) -> Self {
        self.arguments = arguments;
        self
    }

    /// Reads a replicated store as all events up to this stamp left it, of those that have come so far. Nothing is
    /// resolved.
    pub fn at(mut self, stamp: Stamp) -> Self {
        self.at = Some(stamp);
        self
    }

    /// How long to wait, resolvers included.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }
}

impl IntoFuture for GetBuilder {
    type Output = Result<Option<Reading>, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let selection = Selection::Path(self.path?);
            let read = Read {
                selection,
                depth: 0,
                view: self.view,
                arguments: self.arguments,
                at: self.at,
            };
            let reply = self
                .handle
                .ask(Request::Read(Box::new(read)), self.timeout)
                .await?;
            let Page { revision, rows, .. } = page(reply)?;
            Ok(rows.into_iter().next().map(|row| Reading { row, revision }))
        })
    }
}

/// One node as it was at one revision.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// The node.
    pub row: ReadRow,
    /// The store's revision when it was read.
    pub revision: Revision,
}

impl Reading {
    /// The value; `None` is a bag.
    #[must_use]
    pub fn value(&self) -> Option<&Value> {
        self.row.value.as_ref()
    }

    /// The attributes.
    #[must_use]
    pub fn attributes(&self) -> &Attributes {
        &self.row.attributes
    }
}

/// A read of many nodes that is about to be made.
#[derive(Debug)]
#[must_use = "nothing is read until this is awaited"]
pub struct ReadBuilder {
    handle: StoreHandle,
    selection: Result<Selection, ParsePathError>,
    depth: u16,
    view: View,
    at: Option<Stamp>,
    timeout: Duration,
}

impl ReadBuilder {
    pub(crate) fn new(handle: StoreHandle, selection: Result<Selection, ParsePathError>) -> Self {
        Self {
            handle,
            selection,
            depth: u16::try_from(DEPTH_MAX).unwrap_or(u16::MAX),
            view: View::Cached,
            at: None,
            timeout: Duration::from_millis(DEFAULT_TIMEOUT_MS),
        }
    }

    /// Levels below a path: 0 is the node alone, 1 its children too; all of them by default. Means
    /// nothing for a pattern.
    pub fn depth(mut self, levels: u16) -> Self {
        self.depth = levels;
        self
    }

    /// Which values are shown: what is cached (the default), what is stored, or cached ones below a
    /// node that is resolved.
    pub fn view(mut self, view: View) -> Self {
        self.view = view;
        self
    }

    /// Reads a replicated store as all events up to this stamp left it, of those that have come so far. Nothing is
    /// resolved.
    pub fn at(mut self, stamp: Stamp) -> Self {
        self.at = Some(stamp);
        self
    }

    /// How long to wait for each page.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }
}

impl IntoFuture for ReadBuilder {
    type Output = Result<RowStream, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let read = Read {
                selection: self.selection?,
                depth: self.depth,
                view: self.view,
                arguments: Attributes::new(),
                at: self.at,
            };
            let reply = self
                .handle
                .ask(Request::Read(Box::new(read)), self.timeout)
                .await?;
            let page = page(reply)?;
            let mut stream = RowStream {
                handle: self.handle,
                timeout: self.timeout,
                revision: page.revision,
                rows: Vec::new().into_iter(),
                next: None,
                call: None,
            };
            stream.take(page);
            Ok(stream)
        })
    }
}

/// Rows of one read, all at one revision. The next page is fetched while this one is used. Dropping
/// it ends the read.
#[derive(Debug)]
pub struct RowStream {
    handle: StoreHandle,
    timeout: Duration,
    revision: Revision,
    rows: vec::IntoIter<ReadRow>,
    /// The next page, and the call that fetches it if there is one.
    next: Option<PageCursor>,
    call: Option<Call>,
}

impl RowStream {
    /// The revision that every row shows.
    #[must_use]
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// The next row; `None` after the last one. Dropping the future loses nothing.
    ///
    /// # Errors
    ///
    /// `SnapshotExpired` if the store gave the read up; `Timeout` or `NoRoute` if the next page did
    /// not come in time.
    pub async fn next(&mut self) -> Result<Option<ReadRow>, Error> {
        loop {
            if let Some(row) = self.rows.next() {
                return Ok(Some(row));
            }
            let Some(cursor) = self.next else {
                return Ok(None);
            };
            let page = self.fetch(cursor).await?;
            self.take(page);
        }
    }

    /// The rows that are left.
    ///
    /// # Errors
    ///
    /// As [`next`](Self::next).
    pub async fn collect(mut self) -> Result<Vec<ReadRow>, Error> {
        let mut rows = Vec::new();
        while let Some(row) = self.next().await? {
            rows.push(row);
        }
        Ok(rows)
    }

    async fn fetch(&mut self, cursor: PageCursor) -> Result<Page, Error> {
        let deadline = Instant::now() + self.timeout;
        loop {
            let call = match &mut self.call {
                Some(call) => call,
                None => {
                    let request = self
                        .handle
                        .local_request(Request::NextPage(cursor), self.timeout);
                    let call = self.handle.shared.begin(false, request).await?;
                    self.call.insert(call)
                }
            };
            let answer = call.answer().await;
            self.call = None;
            match answer {
                Ok(reply) => return page(reply),
                Err(error) if is_lost(&error) && Instant::now() < deadline => {
                    // A page may be asked for twice.
                    sleep(Duration::from_millis(PAGE_RETRY_MS)).await;
                }
                Err(error) => {
                    self.next = None;
                    return Err(error);
                }
            }
        }
    }

    fn take(&mut self, page: Page) {
        self.rows = page.rows.into_iter();
        self.next = page.next;
        if let Some(cursor) = self.next {
            let request = self
                .handle
                .local_request(Request::NextPage(cursor), self.timeout);
            self.call = self.handle.shared.try_begin(request);
        }
    }
}

impl Drop for RowStream {
    fn drop(&mut self) {
        let shared = &self.handle.shared;
        if let Some(cursor) = self.next
            && !shared.commands.is_closed()
        {
            self.call = None;
            shared
                .signals
                .end_read(self.handle.address.clone(), cursor.read);
        }
    }
}

fn is_lost(error: &Error) -> bool {
    matches!(
        error.refusal(),
        Some(RefusalKind::NoRoute | RefusalKind::Unavailable | RefusalKind::Overloaded)
    )
}

fn page(reply: Reply) -> Result<Page, Error> {
    match reply {
        Reply::Page(page) => Ok(*page),
        _ => Err(Error::unexpected()),
    }
}
