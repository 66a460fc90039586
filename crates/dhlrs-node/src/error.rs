//! Why a call, a node or a connection did not work.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use dhlrs_path::ParsePathError;
use dhlrs_storage::{StorageError, StorageErrorKind};
use dhlrs_transport::{TransportError, TransportErrorKind};
use dhlrs_wire::{Refusal, RefusalKind};

type Cause = Arc<dyn StdError + Send + Sync>;

/// Why a read, a write or a watch did not work: a [kind](Self::kind) for code, a message for people.
#[derive(Clone, Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    outcome_unknown: bool,
    source: Option<Cause>,
}

/// What a caller can do about an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A store or a process on the way refused; its kind says what helps.
    Refused(RefusalKind),
    /// The text is no path, pattern or label. Nothing was asked.
    BadPath,
    /// The node was shut down or dropped.
    Closed,
    /// Only a store of this process can do this.
    NotLocal,
    /// The peer answered with something else than was asked for.
    Unexpected,
    /// The subscription was not taken: there are too many.
    Subscribe,
    /// The derived value cannot be defined; the source is a `DefinitionError`.
    Define,
    /// It can be no event: its kind or its payload. Nothing was asked.
    BadEvent,
}

impl ErrorKind {
    /// The kind's name, as programs see it in JSON: `no_route`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Refused(kind) => kind.name(),
            Self::BadPath => "bad_path",
            Self::Closed => "closed",
            Self::NotLocal => "not_local",
            Self::Unexpected => "unexpected",
            Self::Subscribe => "subscribe",
            Self::Define => "define",
            Self::BadEvent => "bad_event",
        }
    }
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            outcome_unknown: false,
            source: None,
        }
    }

    pub(crate) fn caused_by(
        kind: ErrorKind,
        source: impl StdError + Send + Sync + 'static,
    ) -> Self {
        Self {
            kind,
            message: source.to_string(),
            outcome_unknown: false,
            source: Some(Arc::new(source)),
        }
    }

    pub(crate) fn closed() -> Self {
        Self::new(ErrorKind::Closed, "the node was shut down")
    }

    pub(crate) fn unexpected() -> Self {
        let message = "the store answered with something else than was asked for";
        Self::new(ErrorKind::Unexpected, message)
    }

    pub(crate) fn with_unknown_outcome(mut self) -> Self {
        self.outcome_unknown = true;
        self
    }

    /// What the caller can do.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The refusal's kind, if it is one.
    #[must_use]
    pub fn refusal(&self) -> Option<RefusalKind> {
        match self.kind {
            ErrorKind::Refused(kind) => Some(kind),
            _ => None,
        }
    }

    /// What went wrong and where, without the kind.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Whether a write was sent that may have been applied all the same.
    #[must_use]
    pub fn outcome_unknown(&self) -> bool {
        self.outcome_unknown
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self {
            kind: ErrorKind::Refused(refusal.kind()),
            message: refusal.message().to_owned(),
            outcome_unknown: refusal.outcome_unknown(),
            source: None,
        }
    }
}

impl From<ParsePathError> for Error {
    fn from(error: ParsePathError) -> Self {
        Self::caused_by(ErrorKind::BadPath, error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// Why a node does not start, or reaches no neighbour.
#[derive(Clone, Debug)]
pub struct NodeError {
    kind: NodeErrorKind,
    message: String,
    source: Option<Cause>,
}

/// What a person can do about a [`NodeError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NodeErrorKind {
    /// Another process listens at this address. Choose another port; 0 takes any free one.
    PortTaken,
    /// The transport cannot listen there.
    Listen,
    /// The URL is misspelled, or not one for its transport.
    BadUrl,
    /// No transport is registered for the URL's scheme.
    UnknownScheme,
    /// A listener beyond this machine needs a list of keys that may connect.
    NotLoopbackWithoutAllow,
    /// The options of a transport are missing, unreadable or contradict each other.
    Transport,
    /// Another process has the data directory.
    Locked,
    /// The data directory, or a file in it, cannot be written or read.
    NotWritable,
    /// The disk is full.
    DiskFull,
    /// A newer program wrote the data directory.
    VersionTooNew,
    /// The data directory is damaged, or holds what no store wrote.
    Corrupt,
    /// Any other failure of the file system.
    Storage,
    /// The identity file cannot be read, written, or holds no key.
    Identity,
    /// A store's options, a resolver or a binding cannot work.
    Config,
    /// The operating system has no random bytes to give.
    Entropy,
    /// Nobody answers, or not in time. It is tried again and again.
    Unreachable,
    /// The peer does not admit this key or name, or one side does not trust the other.
    Denied,
    /// Another key or process answered than was asked for.
    WrongPeer,
    /// Something answers there, but no node, or one of another version.
    WrongProtocol,
    /// The node was shut down or dropped.
    Closed,
}

impl NodeErrorKind {
    /// Whether waiting may help without anybody changing anything.
    #[must_use]
    pub fn is_transient(self) -> bool {
        matches!(self, Self::Unreachable)
    }

    /// The kind's name, as programs see it in JSON: `port_taken`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PortTaken => "port_taken",
            Self::Listen => "listen",
            Self::BadUrl => "bad_url",
            Self::UnknownScheme => "unknown_scheme",
            Self::NotLoopbackWithoutAllow => "not_loopback_without_allow",
            Self::Transport => "transport",
            Self::Locked => "locked",
            Self::NotWritable => "not_writable",
            Self::DiskFull => "disk_full",
            Self::VersionTooNew => "version_too_new",
            Self::Corrupt => "corrupt",
            Self::Storage => "storage",
            Self::Identity => "identity",
            Self::Config => "config",
            Self::Entropy => "entropy",
            Self::Unreachable => "unreachable",
            Self::Denied => "denied",
            Self::WrongPeer => "wrong_peer",
            Self::WrongProtocol => "wrong_protocol",
            Self::Closed => "closed",
        }
    }
}

impl NodeError {
    pub(crate) fn new(kind: NodeErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            source: None,
        }
    }

    pub(crate) fn caused_by(
        kind: NodeErrorKind,
        message: impl Into<String>,
        source: impl StdError + Send + Sync + 'static,
    ) -> Self {
        Self {
            kind,
            message: message.into(),
            source: Some(Arc::new(source)),
        }
    }

    pub(crate) fn closed() -> Self {
        Self::new(NodeErrorKind::Closed, "the node was shut down")
    }

    pub(crate) fn listening(error: TransportError) -> Self {
        let kind = match error.kind() {
            TransportErrorKind::AddressInUse => NodeErrorKind::PortTaken,
            TransportErrorKind::BadUrl => NodeErrorKind::BadUrl,
            TransportErrorKind::UnknownScheme => NodeErrorKind::UnknownScheme,
            TransportErrorKind::BadOptions => NodeErrorKind::Transport,
            _ => NodeErrorKind::Listen,
        };
        Self::caused_by(kind, format!("cannot listen: {error}"), error)
    }

    pub(crate) fn connecting(error: TransportError) -> Self {
        let kind = match error.kind() {
            TransportErrorKind::Denied => NodeErrorKind::Denied,
            TransportErrorKind::WrongProtocol | TransportErrorKind::Malformed => {
                NodeErrorKind::WrongProtocol
            }
            TransportErrorKind::BadUrl => NodeErrorKind::BadUrl,
            TransportErrorKind::UnknownScheme => NodeErrorKind::UnknownScheme,
            TransportErrorKind::BadOptions => NodeErrorKind::Transport,
            _ => NodeErrorKind::Unreachable,
        };
        Self::caused_by(kind, error.to_string(), error)
    }

    /// What the person can do.
    #[must_use]
    pub fn kind(&self) -> NodeErrorKind {
        self.kind
    }

    /// What went wrong and where.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl From<StorageError> for NodeError {
    fn from(error: StorageError) -> Self {
        let kind = match error.kind() {
            StorageErrorKind::Locked { .. } => NodeErrorKind::Locked,
            StorageErrorKind::Denied => NodeErrorKind::NotWritable,
            StorageErrorKind::Full => NodeErrorKind::DiskFull,
            StorageErrorKind::VersionTooNew { .. } => NodeErrorKind::VersionTooNew,
            StorageErrorKind::Corrupt { .. } => NodeErrorKind::Corrupt,
            // Not what the disk says, but what the directory lacks.
            StorageErrorKind::Missing if std::error::Error::source(&error).is_none() => {
                NodeErrorKind::Corrupt
            }
            StorageErrorKind::BadName => NodeErrorKind::Config,
            _ => NodeErrorKind::Storage,
        };
        let message = match std::error::Error::source(&error) {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        };
        Self::caused_by(kind, message, error)
    }
}

impl fmt::Display for NodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for NodeError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
