//! Transports by URL scheme.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::url::check_scheme;
use crate::{Channel, Listener, Transport, TransportError, TransportErrorKind, TransportUrl};

/// The transports of a process, by URL scheme.
#[derive(Clone, Default)]
pub struct Registry {
    transports: BTreeMap<Box<str>, Arc<dyn Transport>>,
}

impl Registry {
    /// A registry that knows no scheme.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes `transport` serve the URLs of `scheme`. One transport may serve several.
    ///
    /// # Errors
    ///
    /// `BadUrl` if no URL can have that scheme, `BadOptions` if it is served already.
    pub fn register(
        &mut self,
        scheme: &str,
        transport: Arc<dyn Transport>,
    ) -> Result<(), TransportError> {
        check_scheme(scheme)?;
        if self.transports.contains_key(scheme) {
            return Err(TransportError::new(
                TransportErrorKind::BadOptions,
                format!("{scheme}:// has a transport already"),
            ));
        }
        self.transports.insert(scheme.into(), transport);
        Ok(())
    }

    /// The schemes that are served, in order.
    pub fn schemes(&self) -> impl Iterator<Item = &str> {
        self.transports.keys().map(AsRef::as_ref)
    }

    /// The transport that serves `url`.
    ///
    /// # Errors
    ///
    /// `UnknownScheme`, with the list of those that are known.
    pub fn transport(&self, url: &TransportUrl) -> Result<&Arc<dyn Transport>, TransportError> {
        self.transports.get(url.scheme()).ok_or_else(|| {
            let known = match self.schemes().collect::<Vec<_>>().join("://, ") {
                known if known.is_empty() => "no transport is registered".to_owned(),
                known => format!("registered are {known}://"),
            };
            TransportError::new(
                TransportErrorKind::UnknownScheme,
                format!(
                    "{url}: {known}; others come with a feature of `dhlrs`, or are registered by \
                     the program"
                ),
            )
        })
    }

    /// [`Transport::connect`] of the transport that serves `url`.
    ///
    /// # Errors
    ///
    /// `UnknownScheme`, or what the transport answers.
    pub async fn connect(&self, url: &TransportUrl) -> Result<Box<dyn Channel>, TransportError> {
        self.transport(url)?.connect(url).await
    }

    /// [`Transport::listen`] of the transport that serves `url`.
    ///
    /// # Errors
    ///
    /// `UnknownScheme`, or what the transport answers.
    pub async fn listen(&self, url: &TransportUrl) -> Result<Box<dyn Listener>, TransportError> {
        self.transport(url)?.listen(url).await
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.transports.keys()).finish()
    }
}
