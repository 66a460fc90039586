//! Listeners: bound when the node starts, accepting until it stops.

use dhlrs_link::Side;
use dhlrs_transport::{Listener, Registry, TransportErrorKind, TransportUrl};
use tokio::sync::mpsc;
use tokio::time::{Duration, sleep};
use tracing::{debug, warn};

use crate::command::Command;
use crate::error::{NodeError, NodeErrorKind};

/// The pause after an attempt that failed on its way in, so that a broken listener does not spin.
const FAILED_ACCEPT_PAUSE_MS: u64 = 10;

pub(crate) struct Bound {
    listener: Box<dyn Listener>,
    /// Whether anybody may connect.
    open: bool,
}

impl Bound {
    pub(crate) async fn bind(
        registry: &Registry,
        url: &TransportUrl,
        somebody_is_allowed: bool,
    ) -> Result<Self, NodeError> {
        let listener = registry.listen(url).await.map_err(NodeError::listening)?;
        let open = listener.is_local();
        if !open && !somebody_is_allowed {
            let message = format!(
                "{url} can be reached from other machines, and nobody is listed who may connect: \
                 allow keys (`--allow KEY`), or listen at 127.0.0.1"
            );
            return Err(NodeError::new(
                NodeErrorKind::NotLoopbackWithoutAllow,
                message,
            ));
        }
        Ok(Self { listener, open })
    }

    pub(crate) fn url(&self) -> &TransportUrl {
        self.listener.url()
    }

    /// Accepts until the node stops.
    pub(crate) async fn run(self, commands: mpsc::Sender<Command>) {
        loop {
            let channel = match self.listener.accept().await {
                Ok(channel) => channel,
                Err(error) if error.kind() == TransportErrorKind::Closed => {
                    warn!(url = %self.url(), %error, "the listener has ended");
                    return;
                }
                Err(error) if error.kind() == TransportErrorKind::Unavailable => {
                    debug!(url = %self.url(), %error, "a connection failed on its way in");
                    sleep(Duration::from_millis(FAILED_ACCEPT_PAUSE_MS)).await;
                    continue;
                }
                Err(error) => {
                    if commands.send(Command::TurnedAway(error)).await.is_err() {
                        return;
                    }
                    continue;
                }
            };
            let side = Side::Accepted { open: self.open };
            if commands
                .send(Command::Opened {
                    channel,
                    side,
                    dial: None,
                })
                .await
                .is_err()
            {
                return;
            }
        }
    }
}
