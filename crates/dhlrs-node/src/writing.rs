//! Writes that are about to be made.

use std::time::Duration;

use dhlrs_bag::{Attributes, Content, Edit, GuardedEdit, Position, Precondition, ResolverRef};
use dhlrs_engine::{Local, Write};
use dhlrs_path::{ParsePathError, Path};
use dhlrs_wire::{Incarnation, OtherEvent, Reply, RevisionFrom, Written};
use futures_util::future::BoxFuture;

use crate::clock::ms;
use crate::error::Error;
use crate::handle::{DEFAULT_TIMEOUT_MS, StoreHandle};

/// What every write has beside its edits.
#[derive(Debug)]
pub(crate) struct Envelope {
    handle: StoreHandle,
    precondition: Option<Precondition>,
    incarnation: Option<Incarnation>,
    reason: Option<String>,
    pub(crate) emitted: Vec<OtherEvent>,
    pub(crate) timeout: Duration,
}

impl Envelope {
    pub(crate) fn new(handle: StoreHandle) -> Self {
        Self {
            handle,
            precondition: None,
            incarnation: None,
            reason: None,
            emitted: Vec::new(),
            timeout: Duration::from_millis(DEFAULT_TIMEOUT_MS),
        }
    }

    pub(crate) async fn send(
        self,
        mut edits: Vec<GuardedEdit>,
        atomic: bool,
    ) -> Result<Written, Error> {
        if let Some(precondition) = self.precondition {
            for edit in &mut edits {
                edit.precondition = Some(precondition);
            }
        }
        let write = Write {
            edits,
            atomic,
            incarnation: self.incarnation,
            reason: self.reason,
            emitted: self.emitted,
        };
        let target = self.handle.address.clone();
        let timeout_ms = ms(self.timeout);
        let local = |call| Local::Write {
            call,
            target,
            write,
            timeout_ms,
        };
        match self
            .handle
            .shared
            .begin(true, local)
            .await?
            .answer()
            .await?
        {
            Reply::Written(written) => Ok(written),
            // Its session has kept the answer without its details.
            _ => Err(Error::unexpected()),
        }
    }
}

macro_rules! write_builder {
    ($(#[$docs:meta])* $name:ident { $($field:ident: $type:ty),* $(,)? }) => {
        $(#[$docs])*
        #[derive(Debug)]
        #[must_use = "nothing is written until this is awaited"]
        pub struct $name {
            envelope: Envelope,
            $($field: $type),*
        }

        impl $name {
            /// Only if the node is missing.
            pub fn if_missing(mut self) -> Self {
                self.envelope.precondition = Some(Precondition::Missing);
                self
            }

            /// Only if the node exists.
            pub fn if_present(mut self) -> Self {
                self.envelope.precondition = Some(Precondition::Present);
                self
            }

            /// Only if the node exists and has not changed since this revision; the one that a read
            /// gave serves.
            pub fn if_revision(mut self, revision: impl Into<RevisionFrom>) -> Self {
                let RevisionFrom { incarnation, number } = revision.into();
                self.envelope.precondition = Some(Precondition::Revision(number));
                self.envelope.incarnation = incarnation;
                self
            }

            /// A note that travels with the change, for people and filters; at most 256 bytes.
            pub fn reason(mut self, reason: impl Into<String>) -> Self {
                self.envelope.reason = Some(reason.into());
                self
            }

            /// How long to wait for the answer. The write itself may still be applied later.
            pub fn timeout(mut self, timeout: Duration) -> Self {
                self.envelope.timeout = timeout;
                self
            }
        }

        impl IntoFuture for $name {
            type Output = Result<Written, Error>;
            type IntoFuture = BoxFuture<'static, Self::Output>;

            fn into_future(self) -> Self::IntoFuture {
                Box::pin(self.write())
            }
        }
    };
}

write_builder! {
    /// A write of one node.
    SetBuilder {
        path: Result<Path<'static>, ParsePathError>,
        content: Option<Content>,
        attributes: Option<Attributes>,
        position: Option<Position>,
        overwrite: bool,
    }
}

impl SetBuilder {
    pub(crate) fn new(
        handle: StoreHandle,
        path: Result<Path<'static>, ParsePathError>,
        content: Option<Content>,
    ) -> Self {
        Self {
            envelope: Envelope::new(handle),
            path,
            content,
            attributes: None,
            position: None,
            overwrite: false,
        }
    }

    /// All its attributes from now on.
    pub fn attributes(mut self, attributes: Attributes) -> Self {
        self.attributes = Some(attributes);
        self
    }

    /// Where a new node goes; one that exists stays where it is.
    pub fn position(mut self, position: Position) -> Self {
        self.position = Some(position);
        self
    }

    /// Writes through scalars on the way: they become bags.
    pub fn overwrite(mut self) -> Self {
        self.overwrite = true;
        self
    }

    async fn write(self) -> Result<Written, Error> {
        let Self {
            envelope,
            path,
            content,
            attributes,
            position,
            overwrite,
        } = self;
        let edit = Edit::Set {
            path: path?,
            content,
            attributes,
            position,
            overwrite,
        };
        envelope.send(vec![edit.into()], true).await
    }
}

write_builder! {
    /// A move of one node.
    MoveBuilder {
        path: Result<Path<'static>, ParsePathError>,
        to: Result<Path<'static>, ParsePathError>,
        position: Option<Position>,
    }
}

impl MoveBuilder {
    pub(crate) fn new(
        handle: StoreHandle,
        path: Result<Path<'static>, ParsePathError>,
        to: Result<Path<'static>, ParsePathError>,
    ) -> Self {
        Self {
            envelope: Envelope::new(handle),
            path,
            to,
            position: None,
        }
    }

    /// Where it goes among its new siblings.
    pub fn position(mut self, position: Position) -> Self {
        self.position = Some(position);
        self
    }

    async fn write(self) -> Result<Written, Error> {
        let Self {
            envelope,
            path,
            to,
            position,
        } = self;
        let edit = Edit::Move {
            path: path?,
            to: to?,
            position,
        };
        envelope.send(vec![edit.into()], true).await
    }
}

write_builder! {
    /// A resolver that is put on a node, or taken away.
    ResolverBuilder {
        path: Result<Path<'static>, ParsePathError>,
        resolver: Option<ResolverRef>,
        content: Option<Content>,
        attributes: Option<Attributes>,
        position: Option<Position>,
    }
}

impl ResolverBuilder {
    pub(crate) fn new(
        handle: StoreHandle,
        path: Result<Path<'static>, ParsePathError>,
        resolver: Option<ResolverRef>,
    ) -> Self {
        Self {
            envelope: Envelope::new(handle),
            path,
            resolver,
            content: None,
            attributes: None,
            position: None,
        }
    }

    /// What the node is to hold beneath the resolver.
    pub fn content(mut self, content: impl Into<Content>) -> Self {
        self.content = Some(content.into());
        self
    }

    /// All its attributes from now on.
    pub fn attributes(mut self, attributes: Attributes) -> Self {
        self.attributes = Some(attributes);
        self
    }

    /// Where a new node goes.
    pub fn position(mut self, position: Position) -> Self {
        self.position = Some(position);
        self
    }

    async fn write(self) -> Result<Written, Error> {
        let Self {
            envelope,
            path,
            resolver,
            content,
            attributes,
            position,
        } = self;
        let edit = Edit::SetResolver {
            path: path?,
            resolver,
            content,
            attributes,
            position,
        };
        envelope.send(vec![edit.into()], true).await
    }
}

write_builder! {
    /// Any other write. A precondition holds for each of its edits.
    WriteBuilder {
        edits: Result<Vec<GuardedEdit>, Error>,
        atomic: bool,
    }
}

impl WriteBuilder {
    pub(crate) fn new(
        handle: StoreHandle,
        edits: Result<Vec<GuardedEdit>, Error>,
        atomic: bool,
    ) -> Self {
        Self {
            envelope: Envelope::new(handle),
            edits,
            atomic,
        }
    }

    async fn write(self) -> Result<Written, Error> {
        self.envelope.send(self.edits?, self.atomic).await
    }
}
