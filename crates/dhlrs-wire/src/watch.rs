//! Watches: a stream of changes with credit, across any number of processes.

use std::collections::BTreeSet;

use dhlrs_bag::{AttributeChange, Change, ChangeKind, Meta, NodeId, Shown};
use dhlrs_path::Path;
use serde::{Deserialize, Serialize};

use crate::read::Selection;
use crate::revision::{Revision, RevisionFrom};
use crate::text;

/// The kinds of change that a subscriber asked for; all of them where none is named.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kinds(pub BTreeSet<ChangeKind>);

impl Kinds {
    /// Whether changes of this kind were asked for.
    #[must_use]
    pub fn contain(&self, kind: ChangeKind) -> bool {
        self.0.is_empty() || self.0.contains(&kind)
    }
}

/// Asks for a stream of changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Watch {
    /// What to watch. A path takes everything below it too and need not exist yet; a `#` step in it
    /// binds to a node once, when the watch begins.
    pub selection: Selection,
    /// The first revision to tell of; `None` begins after the present one.
    pub from: Option<RevisionFrom>,
    /// Which changes.
    pub kinds: Kinds,
    /// How many changes the watcher has room for at once.
    pub credit: u32,
    /// The node that an earlier stream was bound to, so that one which goes on after a lost link
    /// binds to the same node. It may be gone by then: that is told too.
    pub node: Option<NodeId>,
}

/// One piece of a watch's stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Delivery {
    /// Changes of one revision, or a part of them.
    Changes(WatchedChanges),
    /// The window of kept changes has passed the watcher by this many revisions. The stream goes on
    /// at the oldest one kept.
    Lagged {
        /// How many revisions are lost to this stream.
        revisions: u64,
        /// Where the stream goes on.
        next: u64,
    },
    /// The stream is over: the store was closed, or its incarnation ended.
    Ended(Box<crate::refusal::Refusal>),
}

/// The changes of one revision that a watcher asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WatchedChanges {
    /// The revision. A resolved value carries the present one and makes none.
    pub revision: Revision,
    /// Reason, origin, message and cause of the change.
    pub meta: Meta,
    /// The changes came from one transaction.
    pub transaction: bool,
    /// In the order in which they were made.
    pub changes: Vec<WatchedChange>,
    /// More changes of the same revision follow in the next piece.
    pub more: bool,
}

/// One change as a watcher sees it: a [`Change`] without node ids.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WatchedChange {
    /// What happened.
    pub kind: ChangeKind,
    /// Where; for a move or a rename the new place.
    #[serde(with = "text")]
    pub path: Path<'static>,
    /// The place before a move or a rename.
    #[serde(with = "text::option")]
    pub old_path: Option<Path<'static>>,
    /// The value before.
    pub old: Shown,
    /// The value after.
    pub new: Shown,
    /// Attributes that changed.
    pub attributes: Vec<AttributeChange>,
    /// The place among the siblings.
    pub index: Option<u64>,
    /// A bag that came to be because something below it was set; its reason is `autocreate`.
    pub autocreated: bool,
}

impl WatchedChanges {
    /// Why a change of these was made: `autocreate` for a bag that something below it needed, else
    /// what the writer said.
    #[must_use]
    pub fn reason<'a>(&'a self, change: &'a WatchedChange) -> Option<&'a str> {
        if change.autocreated {
            return Some("autocreate");
        }
        self.meta.reason.as_deref()
    }
}

impl From<&Change> for WatchedChange {
    fn from(change: &Change) -> Self {
        Self {
            kind: change.kind,
            path: change.path.clone(),
            old_path: change.old_path.clone(),
            old: change.old.clone(),
            new: change.new.clone(),
            attributes: change.attributes.clone(),
            index: change.index,
            autocreated: change.autocreated,
        }
    }
}
