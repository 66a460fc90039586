//! The one error of this crate and of every transport.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// Why a transport could not do something: a [kind](Self::kind) for code, a message for people.
///
/// Cheap to clone, so that one cause can end every operation of a channel.
#[derive(Clone)]
pub struct TransportError {
    inner: Arc<Inner>,
}

struct Inner {
    kind: TransportErrorKind,
    detail: Cow<'static, str>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// What a caller can do about a [`TransportError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TransportErrorKind {
    /// Try again later; nothing was sent.
    Unavailable,
    /// The channel or the listener has ended. Open a new one.
    Closed,
    /// The frame is over `frame_bytes_max`. Retrying cannot help.
    FrameTooLarge,
    /// One side does not trust or does not admit the other. Retrying unchanged cannot help.
    Denied,
    /// Something answers there, but not this transport. Look at the URL.
    WrongProtocol,
    /// The peer broke the framing of an open channel, which has ended.
    Malformed,
    /// Somebody else listens at this address.
    AddressInUse,
    /// The URL is misspelled, or not one for this transport.
    BadUrl,
    /// No transport is registered under the URL's scheme.
    UnknownScheme,
    /// The transport's own options are missing, unreadable or contradict each other.
    BadOptions,
}

impl TransportErrorKind {
    /// Whether the same attempt may succeed later without anybody changing anything.
    pub fn is_transient(self) -> bool {
        matches!(self, Self::Unavailable | Self::Closed)
    }
}

impl TransportError {
    /// An error of `kind`; `detail` says what, where, the limit, and what to do about it.
    pub fn new(kind: TransportErrorKind, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            inner: Arc::new(Inner {
                kind,
                detail: detail.into(),
                source: None,
            }),
        }
    }

    /// An error of `kind` that `source` caused.
    pub fn caused_by(
        kind: TransportErrorKind,
        detail: impl Into<Cow<'static, str>>,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        let source = Some(source.into());
        Self {
            inner: Arc::new(Inner {
                kind,
                detail: detail.into(),
                source,
            }),
        }
    }

    /// The error of a frame of `bytes` bytes where `limit` are allowed.
    pub fn frame_too_large(bytes: usize, limit: usize) -> Self {
        Self::new(
            TransportErrorKind::FrameTooLarge,
            format!("{bytes} bytes, limit {limit}"),
        )
    }

    /// What a caller can do about it.
    pub fn kind(&self) -> TransportErrorKind {
        self.inner.kind
    }
}

impl fmt::Display for TransportErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unavailable => "unavailable",
            Self::Closed => "closed",
            Self::FrameTooLarge => "frame too large",
            Self::Denied => "denied",
            Self::WrongProtocol => "wrong protocol",
            Self::Malformed => "malformed",
            Self::AddressInUse => "address in use",
            Self::BadUrl => "bad url",
            Self::UnknownScheme => "unknown scheme",
            Self::BadOptions => "bad options",
        })
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.inner.kind, self.inner.detail)
    }
}

impl fmt::Debug for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransportError")
            .field("kind", &self.inner.kind)
            .field("detail", &self.inner.detail)
            .field("source", &self.inner.source)
            .finish()
    }
}

impl Error for TransportError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.inner
            .source
            .as_deref()
            .map(|source| source as &(dyn Error + 'static))
    }
}
