//! A handle to one store, here or anywhere.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use dhlrs_bag::{
    Attributes, Branch, Content, Edit, GuardedEdit, Label, ResolverRef, Snapshot, SortKey,
    SubscriberId,
};
use dhlrs_engine::Local;
use dhlrs_path::StoreAddress;
use dhlrs_store::{DeriveError, Derived, Inputs};
use dhlrs_trigger::{Event, Flow, Place, Reactions};
use dhlrs_wire::{Reply, Request, Revision, Selection};
use futures_util::future::BoxFuture;

use crate::clock::ms;
use crate::error::{Error, ErrorKind};
use crate::into::{IntoPath, IntoSelection, IntoSubscription};
use crate::reading::{GetBuilder, ReadBuilder};
use crate::shared::Shared;
use crate::watching::WatchBuilder;
use crate::writing::{MoveBuilder, ResolverBuilder, SetBuilder, WriteBuilder};

/// How long a call waits if it is not told otherwise.
pub const DEFAULT_TIMEOUT_MS: u64 = 5_000;

/// A store, here or in another process, reached through its node. Cheap to clone.
///
/// Every operation is a builder that does nothing until it is awaited. Dropping the future of a read
/// or a watch cancels it. Dropping that of a write, once it was polled, abandons the answer, not the
/// write. Writes through one node to one store are applied in the order in which their futures were
/// first polled, each once; a write that fails on its way is sent again until its time is over.
#[derive(Clone)]
pub struct StoreHandle {
    pub(crate) shared: Arc<Shared>,
    pub(crate) address: StoreAddress,
}

impl StoreHandle {
    pub(crate) fn new(shared: Arc<Shared>, address: StoreAddress) -> Self {
        Self { shared, address }
    }

    /// The store's address.
    #[must_use]
    pub fn address(&self) -> &StoreAddress {
        &self.address
    }

    /// Whether the store is one of this process.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.shared.published.contains_key(self.address.store())
            && *self.address.node() == self.shared.node
    }

    /// One node: `None` if it is missing. It is resolved, and so is every node on the way to it.
    pub fn get(&self, path: impl IntoPath) -> GetBuilder {
        GetBuilder::new(self.clone(), path.into_path())
    }

    /// A node and what is below it, row by row in document order, all at one revision.
    pub fn read(&self, path: impl IntoPath) -> ReadBuilder {
        let selection = path.into_path().map(Selection::Path);
        ReadBuilder::new(self.clone(), selection)
    }

    /// Every node that matches, row by row, all at one revision.
    pub fn query(&self, pattern: impl IntoSelection) -> ReadBuilder {
        // Where there is no wildcard, the pattern is the one node.
        let selection = pattern
            .into_selection()
            .and_then(|selection| match selection {
                Selection::Path(path) => Ok(Selection::Pattern(path.as_str().parse()?)),
                pattern => Ok(pattern),
            });
        ReadBuilder::new(self.clone(), selection)
    }

    /// Writes a node, and makes what is missing on the way. With `path?a` it writes an attribute.
    pub fn set(&self, path: impl IntoPath, content: impl Into<Content>) -> SetBuilder {
        SetBuilder::new(self.clone(), path.into_path(), Some(content.into()))
    }

    /// Makes a node that is missing, and otherwise keeps its value: for its attributes or its place.
    pub fn touch(&self, path: impl IntoPath) -> SetBuilder {
        SetBuilder::new(self.clone(), path.into_path(), None)
    }

    /// Writes some attributes; Null removes one. A missing node is made and holds Null.
    pub fn set_attributes(&self, path: impl IntoPath, attributes: Attributes) -> WriteBuilder {
        self.edit(path, |path| Edit::SetAttributes { path, attributes })
    }

    /// Puts a resolver on a node, or takes it away.
    pub fn set_resolver(
        &self,
        path: impl IntoPath,
        resolver: Option<ResolverRef>,
    ) -> ResolverBuilder {
        ResolverBuilder::new(self.clone(), path.into_path(), resolver)
    }

    /// Takes a node away with everything in it; with `path?a` an attribute. A missing one is no
    /// error.
    pub fn remove(&self, path: impl IntoPath) -> WriteBuilder {
        self.edit(path, |path| Edit::Remove { path })
    }

    /// Gives a node another label.
    pub fn rename(&self, path: impl IntoPath, label: &str) -> WriteBuilder {
        let label = Label::new(label).map_err(|error| Error::caused_by(ErrorKind::BadPath, error));
        let edit = path.into_path().map_err(Error::from).and_then(|path| {
            Ok(Edit::Rename {
                path,
                label: label?,
            })
        });
        WriteBuilder::new(self.clone(), edit.map(|edit| vec![edit.into()]), true)
    }

    /// Moves a node with everything in it; `to` is its full new path.
    pub fn move_to(&self, path: impl IntoPath, to: impl IntoPath) -> MoveBuilder {
        MoveBuilder::new(self.clone(), path.into_path(), to.into_path())
    }

    /// Sorts the children of a bag.
    pub fn sort(&self, path: impl IntoPath, by: impl Into<SortKey>) -> WriteBuilder {
        let by = by.into();
        self.edit(path, |path| Edit::Sort { path, by })
    }

    /// Takes away everything in a bag.
    pub fn clear(&self, path: impl IntoPath) -> WriteBuilder {
        self.edit(path, |path| Edit::Clear { path })
    }

    /// Puts other content in the place of everything in a bag.
    pub fn replace(&self, path: impl IntoPath, branch: Branch) -> WriteBuilder {
        self.edit(path, |path| Edit::Replace { path, branch })
    }

    /// Lays content over a bag: what exists is written, what is missing is made.
    pub fn merge(&self, path: impl IntoPath, branch: Branch) -> WriteBuilder {
        self.edit(path, |path| Edit::Merge { path, branch })
    }

    /// Forgets what a resolver gave.
    pub fn invalidate(&self, path: impl IntoPath) -> WriteBuilder {
        self.edit(path, |path| Edit::Invalidate { path })
    }

    /// Turns what a resolver gave into ordinary nodes; the resolver goes.
    pub fn materialise(&self, path: impl IntoPath) -> WriteBuilder {
        self.edit(path, |path| Edit::Materialise { path })
    }

    /// Several edits, all or nothing, each judged on the state that the previous ones left.
    pub fn transaction(&self, edits: Vec<GuardedEdit>) -> WriteBuilder {
        WriteBuilder::new(self.clone(), Ok(edits), true)
    }

    /// Several edits, as many as can be: those that are refused are skipped, and counted in the
    /// answer.
    pub fn batch(&self, edits: Vec<GuardedEdit>) -> WriteBuilder {
        WriteBuilder::new(self.clone(), Ok(edits), false)
    }

    /// Invalidates a node's resolver and runs it again, at the process that has the store.
    pub fn refresh(&self, path: impl IntoPath) -> RefreshBuilder {
        RefreshBuilder {
            handle: self.clone(),
            path: path.into_path().map_err(Error::from),
            timeout: Duration::from_millis(DEFAULT_TIMEOUT_MS),
        }
    }

    /// A stream of changes; of a node and everything below it, or of all that match a pattern. It
    /// goes on by itself after a lost link.
    pub fn watch(&self, what: impl IntoSelection) -> WatchBuilder {
        WatchBuilder::new(self.clone(), what.into_selection())
    }

    /// The tree that readers see: immutable, shared, and read without waiting. `O(1)`.
    ///
    /// # Errors
    ///
    /// [`NotLocal`](ErrorKind::NotLocal) for a store of another process.
    pub async fn snapshot(&self) -> Result<Snapshot, Error> {
        self.published().map(|(tree, _)| tree)
    }

    /// The same with its revision.
    ///
    /// # Errors
    ///
    /// [`NotLocal`](ErrorKind::NotLocal) for a store of another process.
    pub fn published(&self) -> Result<(Snapshot, Revision), Error> {
        let published = self.shared.published.get(self.address.store());
        let Some(published) = published.filter(|_| self.is_local()) else {
            return Err(self.not_local("snapshot"));
        };
        let published = published.borrow();
        Ok((published.tree.clone(), published.revision))
    }

    /// Subscribes a callback of this process. It runs inside the node, one at a time with all else,
    /// and must not block; a panic in it is reported and harms nobody. A text is a pattern; see
    /// [`place`](Self::place) for a node or a bag.
    ///
    /// # Errors
    ///
    /// [`NotLocal`](ErrorKind::NotLocal) for a store of another process (watch it instead),
    /// [`BadPath`](ErrorKind::BadPath), [`Subscribe`](ErrorKind::Subscribe) if there are too many.
    pub async fn on(
        &self,
        subscription: impl IntoSubscription,
        callback: impl FnMut(&Event<'_>, &mut Reactions) -> Flow + Send + 'static,
    ) -> Result<SubscriberId, Error> {
        let subscription = subscription.into_subscription()?;
        if !self.is_local() {
            return Err(self.not_local("callback"));
        }
        let name = self.address.store().clone();
        let subscribed = self.shared.with_engine(move |engine| {
            let store = engine.store_mut(&name)?;
            Some(store.triggers_mut().on(subscription, callback))
        });
        match subscribed.await? {
            Some(subscribed) => {
                subscribed.map_err(|error| Error::caused_by(ErrorKind::Subscribe, error))
            }
            None => Err(self.not_local("callback")),
        }
    }

    /// Unsubscribes a callback; whether it was there.
    ///
    /// # Errors
    ///
    /// [`NotLocal`](ErrorKind::NotLocal) for a store of another process.
    pub async fn off(&self, subscriber: SubscriberId) -> Result<bool, Error> {
        if !self.is_local() {
            return Err(self.not_local("callback"));
        }
        let name = self.address.store().clone();
        let unsubscribe = self.shared.with_engine(move |engine| {
            engine
                .store_mut(&name)
                .is_some_and(|store| store.triggers_mut().off(subscriber))
        });
        unsubscribe.await
    }

    /// Defines a derived value: computed here from the nodes that fit the patterns `from`, again in
    /// the same revision when one of them changes, shown at `path` and never stored. See [`Derived`]
    /// for what the function may do, and [`StoreOptions::derived`](crate::StoreOptions::derived) for
    /// values that are there from the beginning.
    ///
    /// # Errors
    ///
    /// [`Define`](ErrorKind::Define) for a cycle, which the message names, and for what is no place
    /// or is taken; [`NotLocal`](ErrorKind::NotLocal) for a store of another process.
    pub async fn derive<C: Into<Content>>(
        &self,
        path: &str,
        from: impl IntoIterator<Item = impl AsRef<str>>,
        compute: impl Fn(&Inputs<'_>) -> Result<C, DeriveError> + Send + 'static,
    ) -> Result<(), Error> {
        let refused = |error| Error::caused_by(ErrorKind::Define, error);
        let derived = Derived::new(path, from, compute).map_err(refused)?;
        if !self.is_local() {
            return Err(self.not_local("derived value"));
        }
        let name = self.address.store().clone();
        let defined = self
            .shared
            .with_engine(move |engine| Some(engine.store_mut(&name)?.define(derived)));
        match defined.await? {
            Some(defined) => defined.map_err(refused),
            None => Err(self.not_local("derived value")),
        }
    }

    /// Takes a derived value away; whether there was one.
    ///
    /// # Errors
    ///
    /// [`NotLocal`](ErrorKind::NotLocal) for a store of another process,
    /// [`BadPath`](ErrorKind::BadPath).
    pub async fn underive(&self, path: impl IntoPath) -> Result<bool, Error> {
        let path = path.into_path()?;
        if !self.is_local() {
            return Err(self.not_local("derived value"));
        }
        let name = self.address.store().clone();
        let undefined = self.shared.with_engine(move |engine| {
            let store = engine.store_mut(&name);
            store.is_some_and(|store| store.undefine(&path))
        });
        undefined.await
    }

    /// Where a node is now, to subscribe to it whatever becomes of its path: `Target::Node`,
    /// `Target::Bag` or `Target::Branch`.
    ///
    /// # Errors
    ///
    /// [`NotLocal`](ErrorKind::NotLocal), [`BadPath`](ErrorKind::BadPath).
    pub async fn place(&self, path: impl IntoPath) -> Result<Option<Place>, Error> {
        let path = path.into_path()?;
        let tree = self.snapshot().await?;
        let place = tree.node(&path).map(|node| Place {
            id: node.id(),
            ancestors: node.ancestors().map(|bag| bag.id()).collect(),
        });
        Ok(place)
    }

    fn edit(
        &self,
        path: impl IntoPath,
        edit: impl FnOnce(dhlrs_path::Path<'static>) -> Edit,
    ) -> WriteBuilder {
        let edits = path
            .into_path()
            .map(|path| vec![edit(path).into()])
            .map_err(Error::from);
        WriteBuilder::new(self.clone(), edits, true)
    }

    fn not_local(&self, what: &str) -> Error {
        let message = format!(
            "{} is a store of another process: a {what} is for stores of this one",
            self.address
        );
        Error::new(ErrorKind::NotLocal, message)
    }
}

impl fmt::Debug for StoreHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoreHandle({})", self.address)
    }
}

/// A refresh that is about to be asked for.
#[derive(Debug)]
#[must_use = "nothing is asked until this is awaited"]
pub struct RefreshBuilder {
    handle: StoreHandle,
    path: Result<dhlrs_path::Path<'static>, Error>,
    timeout: Duration,
}

impl RefreshBuilder {
    /// How long to wait for the resolver.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }
}

impl IntoFuture for RefreshBuilder {
    type Output = Result<(), Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let request = Request::Refresh { path: self.path? };
            match self.handle.ask(request, self.timeout).await? {
                Reply::Done => Ok(()),
                _ => Err(Error::unexpected()),
            }
        })
    }
}

impl StoreHandle {
    pub(crate) async fn ask(&self, request: Request, timeout: Duration) -> Result<Reply, Error> {
        let local = self.local_request(request, timeout);
        self.shared.begin(false, local).await?.answer().await
    }

    pub(crate) fn local_request(
        &self,
        request: Request,
        timeout: Duration,
    ) -> impl FnOnce(dhlrs_engine::CallId) -> Local + use<> {
        let node = self.address.node().clone();
        let store = Some(self.address.store().clone());
        let timeout_ms = ms(timeout);
        move |call| Local::Request {
            call,
            node,
            store,
            request,
            timeout_ms,
        }
    }
}
