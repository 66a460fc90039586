//! Events as people are shown them: in the history of a node, and among the drafts.

use dhlrs_bag::{Label, Name, Text, Value};
use dhlrs_clock::Stamp;
use dhlrs_codec::bounded_string;
use dhlrs_feed::EventDot;
use serde::{Deserialize, Serialize};

/// A path of a row is cut at this length.
pub const EVENT_PATH_BYTES_MAX: usize = 4_096;

/// One event, made ready to be read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventRow {
    /// Its name: author, epoch, number.
    pub dot: EventDot,
    /// When it was made, by its author's clock.
    pub stamp: Stamp,
    /// How many events that follow in its feed belong to the same transaction.
    pub following: u16,
    /// What it does.
    pub action: EventAction,
    /// The node that it is about, as it shows now, else as its author made it. Cut at [`EVENT_PATH_BYTES_MAX`].
    #[serde(deserialize_with = "bounded_string::<_, EVENT_PATH_BYTES_MAX>")]
    pub path: String,
    /// What it writes, or the payload of an event of another kind: a text where it is one, else bytes.
    pub value: Option<Value>,
    /// What the reduction makes of it.
    pub verdict: EventVerdict,
}

impl EventRow {
    /// About as many bytes as the row takes on the wire, a few more rather than less.
    #[must_use]
    pub fn encoded_bytes(&self) -> usize {
        let value = self.value.as_ref().map_or(1, Value::encoded_bytes);
        let action = match &self.action {
            EventAction::SetAttribute { name } => name.as_str().len(),
            EventAction::Move { to } => to.len(),
            EventAction::Rename { label } => label.as_str().len(),
            EventAction::Emit { kind } => kind.len(),
            _ => 0,
        };
        88 + self.path.len() + value + action
    }
}

/// What an event does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum EventAction {
    /// Makes a node, or says that it is there.
    Create,
    /// Writes its value.
    Set,
    /// Writes one attribute; Null takes it away.
    SetAttribute {
        /// Which.
        name: Name,
    },
    /// Puts it into another bag.
    Move {
        /// That bag, like [`EventRow::path`].
        #[serde(deserialize_with = "bounded_string::<_, EVENT_PATH_BYTES_MAX>")]
        to: String,
    },
    /// Gives it another label.
    Rename {
        /// That label.
        label: Label,
    },
    /// Gives it another place among its siblings.
    Reorder,
    /// Takes it away with what is in it.
    Remove,
    /// Takes away what is in it.
    Clear,
    /// An event of another kind.
    Emit {
        /// Which kind.
        kind: Text,
    },
    /// Ends another feed of its author.
    Close,
    /// Says what its author has seen.
    Seen,
}

impl EventAction {
    /// The action's name, as programs see it in JSON.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Set => "set",
            Self::SetAttribute { .. } => "attr",
            Self::Move { .. } => "move",
            Self::Rename { .. } => "rename",
            Self::Reorder => "reorder",
            Self::Remove => "remove",
            Self::Clear => "clear",
            Self::Emit { .. } => "emit",
            Self::Close => "close",
            Self::Seen => "seen",
        }
    }
}

/// What the reduction makes of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EventVerdict {
    /// It is in the tree, or was before something later.
    Reduced,
    /// It has no effect: its feed was closed below it, or it broke a rule.
    Void,
    /// Its stamp is in the future, or what its author had seen is not here yet.
    Waiting,
}

impl EventVerdict {
    /// The verdict's name, as programs see it in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reduced => "reduced",
            Self::Void => "void",
            Self::Waiting => "waiting",
        }
    }
}
