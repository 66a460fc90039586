//! Connecting to one URL, for ever.

use std::sync::Arc;

use dhlrs_link::{Ending, EndingKind, Party, Peer, Side};
use dhlrs_path::NodeName;
use dhlrs_transport::{Backoff, Registry, TransportErrorKind, TransportUrl};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Duration, Instant, sleep};
use tracing::{debug, warn};

use crate::command::Command;
use crate::error::{NodeError, NodeErrorKind};
use crate::neighbours::Neighbours;

/// A connection that has lasted this long was useful: the next failure is the first one again.
const USEFUL_MS_MIN: u64 = 5_000;

/// How a connection that we opened has ended.
#[derive(Debug)]
pub(crate) struct DialEnd {
    pub(crate) ending: Ending,
    /// Who was there, and whether the connection was up.
    pub(crate) peer: Option<Arc<Peer>>,
    pub(crate) was_up: bool,
}

/// What came of one attempt.
enum Outcome {
    Ended {
        error: NodeError,
        /// It was up.
        was_up: bool,
        /// It was up, and nobody wanted it to end this way.
        was_lost: bool,
    },
    /// This neighbour has a link with us already, and that one stays.
    LinkedAlready(NodeName),
}

pub(crate) struct Dialer {
    pub(crate) place: usize,
    pub(crate) url: TransportUrl,
    pub(crate) registry: Arc<Registry>,
    pub(crate) commands: mpsc::Sender<Command>,
    pub(crate) neighbours: Arc<watch::Sender<Neighbours>>,
    pub(crate) seed: u64,
}

impl Dialer {
    /// Runs until the node stops.
    pub(crate) async fn run(self) {
        let mut backoff = Backoff::new(self.seed);
        let mut last = None;
        loop {
            let began = Instant::now();
            let outcome = match self.attempt(&mut last).await {
                Some(outcome) => outcome,
                None => return,
            };
            if let Outcome::LinkedAlready(name) = outcome {
                let mut neighbours = self.neighbours.subscribe();
                if neighbours
                    .wait_for(|state| !state.is_linked(&name))
                    .await
                    .is_err()
                {
                    return;
                }
                sleep(backoff.after(TransportErrorKind::Unavailable)).await;
                continue;
            }
            let Outcome::Ended {
                error,
                was_up,
                was_lost,
            } = outcome
            else {
                continue;
            };
            // A process that is restarted again and again is wanted back at once each time. One that
            // ends us, as a second claimant of our name does, is given time.
            if was_lost || was_up && began.elapsed() >= Duration::from_millis(USEFUL_MS_MIN) {
                backoff.reset();
            }
            let first = backoff.failures() == 0;
            let kind = if error.kind().is_transient() {
                TransportErrorKind::Unavailable
            } else {
                TransportErrorKind::Denied
            };
            let pause = backoff.after(kind);
            // The first failure is news, the hundredth is not.
            if first || !error.kind().is_transient() {
                warn!(url = %self.url.clone().without_key(), %error, "not connected");
            } else {
                debug!(url = %self.url.clone().without_key(), %error, "not connected");
            }
            self.neighbours
                .send_modify(|state| state.dial_ended(self.place, Some(error)));
            sleep(pause).await;
        }
    }

    /// One connection from its beginning to its end; `None` if the node stops.
    async fn attempt(&self, last: &mut Option<Arc<Peer>>) -> Option<Outcome> {
        let channel = match self.registry.connect(&self.url).await {
            Ok(channel) => channel,
            Err(error) => {
                let error = NodeError::connecting(error);
                return Some(Outcome::Ended {
                    error,
                    was_up: false,
                    was_lost: false,
                });
            }
        };
        let side = Side::Connected {
            key: self.url.key(),
            last: last.clone(),
        };
        let (sender, ended) = oneshot::channel();
        let command = Command::Opened {
            channel,
            side,
            dial: Some(sender),
        };
        self.commands.send(command).await.ok()?;
        let DialEnd {
            ending,
            peer,
            was_up,
        } = ended.await.ok()?;
        if let Some(peer) = peer {
            if ending.kind == EndingKind::Duplicate {
                self.neighbours
                    .send_modify(|state| state.dialed(&peer.name));
                return Some(Outcome::LinkedAlready(peer.name.clone()));
            }
            if was_up {
                *last = Some(peer);
            }
        }
        let is_loss = matches!(
            ending.kind,
            EndingKind::Lost | EndingKind::Silent | EndingKind::Done
        );
        Some(Outcome::Ended {
            error: self.refused(&ending),
            was_up,
            was_lost: was_up && is_loss,
        })
    }

    fn refused(&self, ending: &Ending) -> NodeError {
        let url = self.url.clone().without_key();
        let kind = match ending.kind {
            EndingKind::Denied => NodeErrorKind::Denied,
            EndingKind::WrongKey | EndingKind::Myself | EndingKind::BadSignature => {
                NodeErrorKind::WrongPeer
            }
            EndingKind::Version { .. } | EndingKind::Missing => NodeErrorKind::WrongProtocol,
            _ => NodeErrorKind::Unreachable,
        };
        let hint = match (ending.kind, ending.by) {
            (EndingKind::Denied, Party::Peer) => {
                ": let it list this key, as `--allow KEY` does, or if the name is taken, start under another one with `--name`"
            }
            (EndingKind::WrongKey, _) => {
                ": compare the key in the URL with what it prints as `ready`"
            }
            _ => "",
        };
        NodeError::new(kind, format!("{url}: {ending}{hint}"))
    }
}
