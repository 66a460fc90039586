//! What a transport has to do.

use async_trait::async_trait;

use crate::{Channel, TransportError, TransportUrl};

/// A way to reach other processes, registered under one or more URL schemes.
///
/// Options such as certificates are given to the implementation when it is built. Implementations
/// are judged by the suite in `dhlrs-transport-testkit`.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Makes one attempt to open a channel to `url`, within a time limit of the transport's own.
    /// Whoever wants to stay connected calls it again, after as long as a
    /// [`Backoff`](crate::Backoff) says. Dropping the future ends the attempt.
    ///
    /// # Errors
    ///
    /// `Unavailable` if nobody answers or there is no way there, `Denied`, `WrongProtocol`,
    /// `BadUrl` or `BadOptions` if a person has to change something.
    async fn connect(&self, url: &TransportUrl) -> Result<Box<dyn Channel>, TransportError>;

    /// Begins to listen at `url`.
    ///
    /// # Errors
    ///
    /// `AddressInUse`, `Denied`, `BadUrl` or `BadOptions`.
    async fn listen(&self, url: &TransportUrl) -> Result<Box<dyn Listener>, TransportError>;
}

/// A place where peers connect. Dropping it stops listening; channels it gave live on.
#[async_trait]
pub trait Listener: Send + Sync {
    /// Where it listens, with the port it really has: what a peer gives to `connect`.
    fn url(&self) -> &TransportUrl;

    /// Whether only this process or this machine can connect.
    fn is_local(&self) -> bool;

    /// Waits for the next channel. Dropping the future loses none. One caller is served at a time.
    ///
    /// # Errors
    ///
    /// `Closed` means that the listener has ended. Any other error is one attempt that failed on
    /// its way in, for logs and counts; the listener goes on.
    async fn accept(&self) -> Result<Box<dyn Channel>, TransportError>;
}
