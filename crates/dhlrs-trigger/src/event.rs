//! What a subscriber is told.

use std::ops::Deref;

use dhlrs_bag::{
    AttributeChange, Change, ChangeKind, Meta, MsgId, Shown, Snapshot, SubscriberId, Text,
};
use dhlrs_path::{NodeName, Path};

/// What happened, seen from one subscriber.
///
/// One change, or the changes of one transaction that the subscriber matches, in order, none
/// merged. What is asked about "the change" is about the first of them.
#[derive(Debug)]
pub struct Event<'a> {
    pub(crate) meta: &'a Meta,
    // Invariant: never empty.
    pub(crate) first: &'a EventChange<'a>,
    pub(crate) changes: &'a [EventChange<'a>],
    pub(crate) is_transaction: bool,
    pub(crate) subscriber: SubscriberId,
    pub(crate) tree: Option<&'a Snapshot>,
}

/// What kind of event it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// One change.
    Change(ChangeKind),
    /// Changes that were made all or none.
    Transaction,
}

/// Where the subscriber stands to a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// It listens to the node, or to one below a node that is gone, moved, renamed or set anew.
    Node,
    /// It listens to a bag: 0 is the one that holds the node, −1 the one around it, and so on to
    /// the root. 1 is the node itself, when its children were sorted or replaced.
    Bag(i32),
    /// It listens to a pattern or a branch.
    Pattern,
}

/// One change with what the subscriber has to do with it.
#[derive(Debug)]
pub struct EventChange<'a> {
    pub(crate) change: &'a Change,
    pub(crate) level: Level,
    pub(crate) is_left: bool,
    pub(crate) is_above: bool,
}

impl<'a> Event<'a> {
    /// One change, or a transaction.
    pub fn kind(&self) -> EventKind {
        match self.is_transaction {
            true => EventKind::Transaction,
            false => EventKind::Change(self.first.kind),
        }
    }

    /// The matching changes, in order; at least one.
    pub fn changes(&self) -> &'a [EventChange<'a>] {
        self.changes
    }

    /// The change, or the first one of a transaction.
    pub fn first(&self) -> &'a EventChange<'a> {
        self.first
    }

    /// Where the subscriber stands to the change.
    pub fn level(&self) -> Level {
        self.first.level
    }

    /// The path of the changed node, from the root on.
    pub fn path(&self) -> &'a Path<'static> {
        &self.first.change.path
    }

    /// The path of the changed node from the subscriber's bag on; see
    /// [`EventChange::relative_path`].
    pub fn relative_path(&self) -> Option<Path<'a>> {
        self.first.relative_path()
    }

    /// What the node showed before.
    pub fn old(&self) -> &'a Shown {
        &self.first.change.old
    }

    /// What it shows now.
    #[expect(clippy::new_ret_no_self, reason = "it answers to `old`")]
    pub fn new(&self) -> &'a Shown {
        &self.first.change.new
    }

    /// The attributes that changed.
    pub fn attributes(&self) -> &'a [AttributeChange] {
        &self.first.change.attributes
    }

    /// The place of the node in its bag, where it matters.
    pub fn index(&self) -> Option<u64> {
        self.first.change.index
    }

    /// Why; `autocreate` for a bag that came to be because something below it was set.
    pub fn reason(&self) -> Option<&'a str> {
        match self.first.change.autocreated {
            true => Some(AUTOCREATE),
            false => self.meta.reason.as_ref().map(Text::as_str),
        }
    }

    /// The process that wanted it.
    pub fn origin(&self) -> Option<&'a NodeName> {
        self.meta.origin.as_ref()
    }

    /// The message that brought it.
    pub fn msg_id(&self) -> Option<MsgId> {
        self.meta.msg_id
    }

    /// The store's revision.
    pub fn revision(&self) -> u64 {
        self.meta.revision
    }

    /// All that is known of where it came from.
    pub fn meta(&self) -> &'a Meta {
        self.meta
    }

    /// The subscriber that is told, so that it can unsubscribe itself.
    pub fn subscriber(&self) -> SubscriberId {
        self.subscriber
    }

    /// The tree of the event's revision, if the subscriber asked for it. None if it subscribed when
    /// the revision was made already, but not yet told.
    pub fn tree(&self) -> Option<&'a Snapshot> {
        self.tree
    }
}

const AUTOCREATE: &str = "autocreate";

impl<'a> EventChange<'a> {
    /// The change itself.
    pub fn change(&self) -> &'a Change {
        self.change
    }

    /// Where the subscriber stands to it.
    pub fn level(&self) -> Level {
        self.level
    }

    /// Whether the change is of a node above what was subscribed to: it took that along, or set it
    /// anew.
    pub fn is_above(&self) -> bool {
        self.is_above
    }

    /// The path of the changed node from the subscriber on: of a bag at level 0 the label, of the
    /// next one two labels; of the node itself nothing; of a pattern the whole path. A bag that the
    /// node has left is told the former path. None when the change is above the subscriber.
    pub fn relative_path(&self) -> Option<Path<'a>> {
        if self.is_above {
            return None;
        }
        let path = match (&self.change.old_path, self.is_left) {
            (Some(old_path), true) => old_path,
            _ => &self.change.path,
        };
        Some(match self.level {
            Level::Node => Path::ROOT,
            Level::Bag(level) => path.tail(usize::try_from(1 - level).unwrap_or_default()),
            Level::Pattern => path.borrowed(),
        })
    }
}

impl Deref for EventChange<'_> {
    type Target = Change;

    fn deref(&self) -> &Change {
        self.change
    }
}
