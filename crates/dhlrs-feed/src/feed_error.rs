//! Why a replica does not take a run.

use core::fmt;

use crate::{FeedId, RunError};

/// Why a replica does not take a run or a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FeedErrorKind {
    /// It is wrong in itself; who sent it is at fault.
    Refused,
    /// The head before it is neither known nor told, so that it cannot be checked.
    Unconnected,
    /// There are as many feeds as may be, and this is another one.
    Full,
    /// It names a control record, and the store has no root.
    NoControl,
    /// It does not follow what the replica has of its own feed.
    OutOfPlace,
}

/// A replica does not take a run or a proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedError {
    kind: FeedErrorKind,
    feed: FeedId,
    source: Option<RunError>,
}

impl FeedError {
    pub(crate) const fn new(kind: FeedErrorKind, feed: &FeedId) -> Self {
        Self {
            kind,
            feed: *feed,
            source: None,
        }
    }

    pub(crate) const fn refused(feed: &FeedId, source: RunError) -> Self {
        Self {
            kind: FeedErrorKind::Refused,
            feed: *feed,
            source: Some(source),
        }
    }

    /// What was wrong.
    #[must_use]
    pub const fn kind(&self) -> FeedErrorKind {
        self.kind
    }

    /// The feed that it is about.
    #[must_use]
    pub const fn feed(&self) -> &FeedId {
        &self.feed
    }
}

impl fmt::Display for FeedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            FeedErrorKind::Refused => "refused",
            FeedErrorKind::Unconnected => "not checked: the head before it is not known",
            FeedErrorKind::Full => "not taken: as many feeds as may be",
            FeedErrorKind::NoControl => "refused: it names a control record, and there is no root",
            FeedErrorKind::OutOfPlace => "not taken: it does not follow the own feed",
        };
        write!(f, "run of {} {what}", self.feed)
    }
}

impl core::error::Error for FeedError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        self.source
            .as_ref()
            .map(|source| source as &(dyn core::error::Error + 'static))
    }
}
