//! What a subscriber may answer.

use std::fmt;

use dhlrs_bag::{GuardedEdit, SubscriberId, Text};
use dhlrs_path::StoreAddress;

use crate::error::{SubscribeError, SubscribeErrorKind};
use crate::event::Event;
use crate::target::Subscription;
use crate::triggers::SUBSCRIPTIONS_MAX;

/// The most edits that one call of a subscriber may emit. One beyond, and the call counts as
/// failed: nothing of it is carried out.
pub const EMISSIONS_MAX: usize = 1024;

/// Whether an event goes on up the chain of levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Flow {
    /// It goes on.
    Continue,
    /// It ends here: those who subscribed to the same bag later and those who listen to the bags
    /// around are not told. Patterns and branches always are. From any but a bag it means nothing.
    Stop,
}

/// Where an edit goes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Destination {
    /// To the store that the event is of. In a replicated store only in answer to what this process
    /// has written: where each replica has the same subscriber, one answers.
    Here,
    /// To the store that the event is of, whichever replica has made the change: for the one process
    /// that is to answer for all.
    HereForAll,
    /// To any store of any process.
    Store(StoreAddress),
}

impl From<StoreAddress> for Destination {
    fn from(store: StoreAddress) -> Self {
        Self::Store(store)
    }
}

/// An edit that a subscriber wants done.
#[derive(Debug, Clone, PartialEq)]
pub struct Emission {
    /// Where it goes.
    pub to: Destination,
    /// What is wanted.
    pub edit: GuardedEdit,
    /// Why, for whoever sees the change that comes of it.
    pub reason: Option<Text>,
    /// The subscribers that led to it: those of the event, then the one that emits.
    pub cause: Vec<SubscriberId>,
}

pub(crate) type Callback = Box<dyn FnMut(&Event<'_>, &mut Reactions) -> Flow + Send>;

/// What a subscriber answers to one event. It is carried out after the dispatch, only
/// unsubscribing at once; nothing of it if the subscriber panics or says that it failed.
pub struct Reactions {
    pub(crate) emissions: Vec<(Destination, GuardedEdit, Option<Text>)>,
    pub(crate) subscribed: Vec<(SubscriberId, Subscription, Callback)>,
    pub(crate) unsubscribed: Vec<SubscriberId>,
    pub(crate) failure: Option<Box<str>>,
    pub(crate) ids: Ids,
    // How many subscriptions there are besides those made here.
    pub(crate) subscriptions: usize,
}

impl Reactions {
    pub(crate) fn new(ids: Ids, subscriptions: usize) -> Self {
        Self {
            emissions: Vec::new(),
            subscribed: Vec::new(),
            unsubscribed: Vec::new(),
            failure: None,
            ids,
            subscriptions,
        }
    }

    /// Wants an edit done, there.
    pub fn emit(&mut self, to: impl Into<Destination>, edit: impl Into<GuardedEdit>) {
        self.emissions.push((to.into(), edit.into(), None));
    }

    /// Wants an edit done in the store that the event is of.
    pub fn emit_here(&mut self, edit: impl Into<GuardedEdit>) {
        self.emit(Destination::Here, edit);
    }

    /// Wants an edit done in the store that the event is of, in a replicated one also in answer to what
    /// other replicas have written. Only one process should do so: N of them make N edits.
    pub fn emit_here_for_all(&mut self, edit: impl Into<GuardedEdit>) {
        self.emit(Destination::HereForAll, edit);
    }

    /// Wants an edit done, and says why.
    pub fn emit_because(
        &mut self,
        to: impl Into<Destination>,
        edit: impl Into<GuardedEdit>,
        reason: impl Into<Text>,
    ) {
        self.emissions
            .push((to.into(), edit.into(), Some(reason.into())));
    }

    /// Subscribes a callback. It is told of the revisions after this one.
    ///
    /// # Errors
    ///
    /// `TooMany` beyond [`SUBSCRIPTIONS_MAX`].
    pub fn on(
        &mut self,
        subscription: impl Into<Subscription>,
        callback: impl FnMut(&Event<'_>, &mut Reactions) -> Flow + Send + 'static,
    ) -> Result<SubscriberId, SubscribeError> {
        if self.subscriptions + self.subscribed.len() >= SUBSCRIPTIONS_MAX {
            return Err(SubscribeError::new(SubscribeErrorKind::TooMany));
        }
        let (id, _) = self.ids.next();
        self.subscribed
            .push((id, subscription.into(), Box::new(callback)));
        Ok(id)
    }

    /// Unsubscribes anybody, maybe the subscriber itself, at once: also one whose turn would have
    /// come in this dispatch.
    pub fn off(&mut self, subscriber: SubscriberId) {
        self.subscribed.retain(|(id, ..)| *id != subscriber);
        self.unsubscribed.push(subscriber);
    }

    /// Says that the subscriber failed, and why. That is reported; whoever wrote and the other
    /// subscribers do not notice.
    pub fn fail(&mut self, why: impl fmt::Display) {
        self.failure.get_or_insert_with(|| why.to_string().into());
    }
}

impl fmt::Debug for Reactions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reactions")
            .field("emissions", &self.emissions)
            .field("subscribed", &self.subscribed.len())
            .field("unsubscribed", &self.unsubscribed)
            .field("failure", &self.failure)
            .finish_non_exhaustive()
    }
}

/// Makes the names of subscribers: 8 bytes of their store's own, 8 that count.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ids {
    pub(crate) space: u64,
    pub(crate) count: u64,
}

impl Ids {
    pub(crate) fn next(&mut self) -> (SubscriberId, u64) {
        self.count += 1;
        (self.name(self.count), self.count)
    }

    pub(crate) fn name(&self, key: u64) -> SubscriberId {
        let number = u128::from(self.space) << 64 | u128::from(key);
        SubscriberId(number.to_be_bytes())
    }

    /// The key of a subscriber of this store.
    pub(crate) fn key(&self, id: SubscriberId) -> Option<u64> {
        let number = u128::from_be_bytes(id.0);
        let is_ours = (number >> 64) as u64 == self.space;
        is_ours.then_some(number as u64)
    }
}
