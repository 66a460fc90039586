//! Why connections end, in types and on the wire.

use core::fmt;

use crate::VERSION;

/// Who ended a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Party {
    /// This side; the peer was told, where that was possible.
    Us,
    /// The other side.
    Peer,
}

/// Why a connection ended. Tells code whether to connect again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndingKind {
    /// One side is done. The session ended with the connection.
    Done,
    /// The channel was lost. Connect again; the session goes on.
    Lost,
    /// Nothing was heard for too long. Connect again; the session goes on.
    Silent,
    /// The key, or the name with this key, is not admitted. Connecting again cannot help until somebody changes
    /// that.
    Denied,
    /// The sides speak different versions.
    Version {
        /// The version of this side.
        ours: u32,
        /// The version of the peer.
        theirs: u32,
    },
    /// The signature of the greeting does not verify.
    BadSignature,
    /// Another key answered than was asked for.
    WrongKey,
    /// This process reached itself.
    Myself,
    /// There is a connection with this peer already, and it stays.
    Duplicate,
    /// A newer connection with this peer took over.
    Replaced,
    /// A frame made no sense.
    Malformed,
    /// A frame broke the protocol's rules. The session ended with the connection.
    Violation,
    /// Too many connections or sessions. Connect again later.
    Busy,
    /// The channel lacks what is required.
    Missing,
    /// A reason that this version does not know.
    Other(u16),
}

impl EndingKind {
    pub(crate) const fn to_code(self) -> u16 {
        match self {
            Self::Done => 0,
            Self::Lost => 1,
            Self::Silent => 2,
            Self::Denied => 3,
            Self::Version { .. } => 4,
            Self::BadSignature => 5,
            Self::WrongKey => 6,
            Self::Myself => 7,
            Self::Duplicate => 8,
            Self::Replaced => 9,
            Self::Malformed => 10,
            Self::Violation => 11,
            Self::Busy => 12,
            Self::Missing => 13,
            Self::Other(code) => code,
        }
    }

    pub(crate) const fn from_code(code: u16, their_version: u32) -> Self {
        match code {
            0 => Self::Done,
            1 => Self::Lost,
            2 => Self::Silent,
            3 => Self::Denied,
            4 => Self::Version {
                ours: VERSION,
                theirs: their_version,
            },
            5 => Self::BadSignature,
            6 => Self::WrongKey,
            7 => Self::Myself,
            8 => Self::Duplicate,
            9 => Self::Replaced,
            10 => Self::Malformed,
            11 => Self::Violation,
            12 => Self::Busy,
            13 => Self::Missing,
            code => Self::Other(code),
        }
    }

    /// Whether the link session ends too.
    pub(crate) const fn ends_session(self) -> bool {
        matches!(self, Self::Done | Self::Violation)
    }
}

/// How a connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// Who ended it.
    pub by: Party,
    /// Why.
    pub kind: EndingKind,
    /// What to tell a person. The peer's words where the peer ended it.
    pub message: Box<str>,
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.by {
            // Nobody said that: it is what was seen here.
            _ if self.kind == EndingKind::Lost => f.write_str(&self.message),
            Party::Us => f.write_str(&self.message),
            Party::Peer => write!(f, "the peer says: {}", self.message),
        }
    }
}
