//! Named endpoints and the lines between them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio::sync::mpsc;

use super::MemoryOptions;
use super::channel::MemoryChannel;
use super::link::MemoryLink;
use crate::{Channel, Listener, Transport, TransportError, TransportErrorKind, TransportUrl};

/// Channels that wait at a listener to be accepted, at most; who connects then waits.
pub const MEMORY_BACKLOG_MAX: usize = 64;

const SCHEME: &str = "memory";

/// A network in memory: named endpoints, each one a [`Transport`] for `memory://NAME`, and between
/// any two of them a [`MemoryLink`] that a test can cut, stall and heal. Clones are the same bus.
#[derive(Clone, Debug)]
pub struct MemoryBus {
    state: Arc<Mutex<State>>,
    options: MemoryOptions,
}

#[derive(Debug, Default)]
struct State {
    listeners: BTreeMap<Box<str>, mpsc::Sender<MemoryChannel>>,
    // Keyed by the two names in order: a line has no direction.
    links: BTreeMap<(Box<str>, Box<str>), MemoryLink>,
}

/// One name on a [`MemoryBus`]. It connects as that name, and listens there only.
#[derive(Clone, Debug)]
pub struct MemoryEndpoint {
    bus: MemoryBus,
    url: TransportUrl,
}

impl MemoryBus {
    /// A bus with the default options.
    pub fn new() -> Self {
        Self::with_options(MemoryOptions::default())
    }

    /// A bus whose channels behave as `options` say.
    pub fn with_options(options: MemoryOptions) -> Self {
        Self {
            state: Arc::default(),
            options,
        }
    }

    /// The endpoint called `name`.
    ///
    /// # Errors
    ///
    /// `BadUrl` if `name` cannot be the host of a [`TransportUrl`].
    pub fn endpoint(&self, name: &str) -> Result<MemoryEndpoint, TransportError> {
        let url: TransportUrl = format!("{SCHEME}://{name}").parse()?;
        if url.host() != name {
            return Err(bad_url(&url, "an endpoint is a bare name"));
        }
        Ok(MemoryEndpoint {
            bus: self.clone(),
            url,
        })
    }

    /// The line between two endpoints, also before either exists.
    pub fn link(&self, one: &str, other: &str) -> MemoryLink {
        let (low, high) = if one <= other {
            (one, other)
        } else {
            (other, one)
        };
        let mut state = self.state();
        let link = state
            .links
            .entry((low.into(), high.into()))
            .or_insert_with(MemoryLink::new);
        link.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemoryBus {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Transport for MemoryEndpoint {
    async fn connect(&self, url: &TransportUrl) -> Result<Box<dyn Channel>, TransportError> {
        check(url)?;
        let link = self.bus.link(self.url.host(), url.host());
        let mut watch = link.watch();
        let unavailable = |why: &str| {
            TransportError::new(TransportErrorKind::Unavailable, format!("{url}: {why}"))
        };
        let cuts = loop {
            let state = *watch.borrow_and_update();
            if state.cut {
                return Err(unavailable("the line is cut"));
            }
            if !state.stalled {
                break state.cuts;
            }
            // The sender lives in `link`, so this cannot fail.
            let _ = watch.changed().await;
        };
        let listener = self.bus.state().listeners.get(url.host()).cloned();
        let Some(listener) = listener else {
            return Err(unavailable("nobody listens there"));
        };
        let slot = listener
            .reserve()
            .await
            .map_err(|_| unavailable("nobody listens there"))?;
        let (near, far) =
            MemoryChannel::over(&link, cuts, self.bus.options, self.url.host(), url.host());
        slot.send(far);
        Ok(Box::new(near))
    }

    async fn listen(&self, url: &TransportUrl) -> Result<Box<dyn Listener>, TransportError> {
        check(url)?;
        if url.host() != self.url.host() {
            return Err(bad_url(
                url,
                &format!("this endpoint listens at {} only", self.url),
            ));
        }
        let mut state = self.bus.state();
        if state
            .listeners
            .get(url.host())
            .is_some_and(|known| !known.is_closed())
        {
            return Err(TransportError::new(
                TransportErrorKind::AddressInUse,
                format!("{url}: this endpoint listens already"),
            ));
        }
        let (sender, incoming) = mpsc::channel(MEMORY_BACKLOG_MAX);
        state.listeners.insert(url.host().into(), sender);
        let incoming = tokio::sync::Mutex::new(incoming);
        Ok(Box::new(MemoryListener {
            url: self.url.clone(),
            incoming,
        }))
    }
}

struct MemoryListener {
    url: TransportUrl,
    incoming: tokio::sync::Mutex<mpsc::Receiver<MemoryChannel>>,
}

#[async_trait]
impl Listener for MemoryListener {
    fn url(&self) -> &TransportUrl {
        &self.url
    }

    fn is_local(&self) -> bool {
        true
    }

    async fn accept(&self) -> Result<Box<dyn Channel>, TransportError> {
        match self.incoming.lock().await.recv().await {
            Some(channel) => Ok(Box::new(channel)),
            // Only if another listener took the name, which it cannot while this one lives.
            None => Err(TransportError::new(
                TransportErrorKind::Closed,
                "the listener has ended",
            )),
        }
    }
}

fn check(url: &TransportUrl) -> Result<(), TransportError> {
    if url.scheme() != SCHEME {
        return Err(bad_url(url, "this transport serves memory:// only"));
    }
    if url.port().is_some() || !url.path().is_empty() {
        return Err(bad_url(url, "write memory://NAME"));
    }
    Ok(())
}

fn bad_url(url: &TransportUrl, why: &str) -> TransportError {
    TransportError::new(TransportErrorKind::BadUrl, format!("{url}: {why}"))
}
