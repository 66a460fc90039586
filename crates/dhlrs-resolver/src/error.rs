//! Why a read is not resolved, and why a configuration is refused.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// The longest message of a [`ResolveError`]; more is cut off.
pub const MESSAGE_BYTES_MAX: usize = 512;

/// Why a read could not be resolved.
///
/// Cloning is cheap: all readers of a flight get the same error. Two errors are equal if kind and
/// message are; the source is not compared.
#[derive(Clone)]
pub struct ResolveError {
    kind: ResolveErrorKind,
    // Invariant: at most `MESSAGE_BYTES_MAX` bytes.
    message: Arc<str>,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

/// What a caller can do about a [`ResolveError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ResolveErrorKind {
    /// The resolver ran and failed. Retried if its options say so.
    Failed,
    /// What the resolver asks could not be reached. Retried if its options say so.
    Unavailable,
    /// The flight's own timeout or the reader's deadline passed. Whether the resolver had an effect
    /// is unknown.
    Timeout,
    /// No resolver of that name is registered here. Configuration has to change.
    NotRegistered,
    /// The resolver is registered for bindings only, and a node of the tree named it.
    Denied,
    /// The address of the binding names an attribute that the node does not have.
    MissingAttribute,
    /// An attribute cannot stand in the address of the binding: a list, or no valid label.
    BadAttribute,
    /// A limit on readers or flights is reached. Nothing was called; try again later.
    Overloaded,
    /// The result, or the parameters, are over a limit. Retrying cannot help.
    TooLarge,
    /// The node was removed, or its resolver changed, while it was resolved. Read again.
    Gone,
}

impl ResolveErrorKind {
    /// Whether the retry option applies. An error that only configuration or another write can mend
    /// is final.
    #[must_use]
    pub fn is_retryable(self) -> bool {
        matches!(self, Self::Failed | Self::Unavailable | Self::Timeout)
    }
}

impl ResolveError {
    /// An error of that kind. A message above [`MESSAGE_BYTES_MAX`] bytes is cut off, and ends in
    /// `…`.
    #[must_use]
    pub fn new(kind: ResolveErrorKind, message: &str) -> Self {
        Self {
            kind,
            message: bounded(message).as_ref().into(),
            source: None,
        }
    }

    /// The same error with its cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Error + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// What a caller can do about it.
    #[must_use]
    pub fn kind(&self) -> ResolveErrorKind {
        self.kind
    }

    /// What went wrong, where, and the limit if there was one.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

fn bounded(message: &str) -> Cow<'_, str> {
    const MARK: &str = "…";
    if message.len() <= MESSAGE_BYTES_MAX {
        return Cow::Borrowed(message);
    }
    let end = message.floor_char_boundary(MESSAGE_BYTES_MAX - MARK.len());
    let (head, _) = message.split_at(end);
    Cow::Owned(format!("{head}{MARK}"))
}

impl fmt::Display for ResolveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for ResolveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResolveError")
            .field("kind", &self.kind)
            .field("message", &self.message)
            .finish_non_exhaustive()
    }
}

impl PartialEq for ResolveError {
    fn eq(&self, other: &Self) -> bool {
        (self.kind, &self.message) == (other.kind, &other.message)
    }
}

impl Eq for ResolveError {}

impl Error for ResolveError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn Error + 'static))
    }
}

/// Why a registration or a binding was refused. It is a mistake in local configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    kind: ConfigErrorKind,
    // The name or the option it is about.
    what: String,
    is: u64,
    limit: u64,
}

/// What is wrong with the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigErrorKind {
    /// A resolver's name is empty, too long, or holds a control character.
    BadName,
    /// A resolver of that name is registered already.
    Exists,
    /// There are as many resolvers or bindings as there may be.
    TooMany,
    /// An option is below its least value.
    TooSmall,
    /// An option is above its greatest value.
    TooLarge,
    /// The pattern of a binding asks for attributes; a resolver stands in for a value.
    AttributeQuery,
}

impl ConfigError {
    pub(crate) fn new(kind: ConfigErrorKind, what: &str, is: u64, limit: u64) -> Self {
        Self {
            kind,
            what: bounded(what).into_owned(),
            is,
            limit,
        }
    }

    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> ConfigErrorKind {
        self.kind
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            kind,
            what,
            is,
            limit,
        } = self;
        match kind {
            ConfigErrorKind::BadName => write!(
                f,
                "bad resolver name {what:?}: {is} bytes, allowed 1 to {limit}, no control character"
            ),
            ConfigErrorKind::Exists => write!(f, "resolver {what:?} is registered already"),
            ConfigErrorKind::TooMany => write!(f, "too many {what}: {is}, limit {limit}"),
            ConfigErrorKind::TooSmall => {
                write!(f, "option {what} is too small: {is}, least {limit}")
            }
            ConfigErrorKind::TooLarge => {
                write!(f, "option {what} is too large: {is}, limit {limit}")
            }
            ConfigErrorKind::AttributeQuery => {
                write!(
                    f,
                    "pattern {what:?} of a binding asks for attributes: leave out the query"
                )
            }
        }
    }
}

impl Error for ConfigError {}
