//! One open channel: frames in, frames out, both bounded.

use std::future::pending;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use dhlrs_link::{FRAME_BYTES_MAX, LINK_FRAMES_MAX, LinkId};
use dhlrs_transport::{Channel, Received, TransportError, TransportErrorKind};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::{sleep, timeout};
use tracing::debug;

use crate::command::Command;

/// The queue of one connection: what the link hands out at most, and room for its last words.
pub(crate) const CONNECTION_FRAMES_MAX: usize = LINK_FRAMES_MAX + 16;
/// Received frames, of all connections together, that wait for the driver.
pub(crate) const INBOUND_BYTES_MAX: usize = 8 * FRAME_BYTES_MAX;
/// Frames after which a writer says so, though there is more to write.
const REPORT_FRAMES: usize = 16;
/// How long a connection that is being closed may take to hand over its last frames.
pub(crate) const DRAIN_MS_MAX: u64 = 2_000;

/// What a connection is given to send. Dropping it is the wish to end: what was given still leaves,
/// if it does so within [`DRAIN_MS_MAX`].
#[derive(Debug)]
pub(crate) struct Outbox {
    frames: mpsc::Sender<Bytes>,
    // Seen by who is stuck in the middle of a frame, and so does not look at the queue.
    _is_wanted: oneshot::Sender<()>,
}

/// The connection's end of an [`Outbox`].
#[derive(Debug)]
pub(crate) struct Outgoing {
    frames: mpsc::Receiver<Bytes>,
    is_wanted: oneshot::Receiver<()>,
}

pub(crate) fn outbox() -> (Outbox, Outgoing) {
    let (frames, queue) = mpsc::channel(CONNECTION_FRAMES_MAX);
    let (wants, is_wanted) = oneshot::channel();
    let outbox = Outbox {
        frames,
        _is_wanted: wants,
    };
    let outgoing = Outgoing {
        frames: queue,
        is_wanted,
    };
    (outbox, outgoing)
}

impl Outbox {
    /// Gives a frame, unless the connection has ended. `false` if the queue is full.
    pub(crate) fn takes(&self, frame: Bytes) -> bool {
        let taken = self.frames.try_send(frame);
        !matches!(taken, Err(mpsc::error::TrySendError::Full(_)))
    }
}

/// Carries frames until either side ends the channel, or the outbox is gone and what was in it has
/// left or has had its time.
pub(crate) async fn carry(
    channel: Box<dyn Channel>,
    link: LinkId,
    outgoing: Outgoing,
    commands: mpsc::Sender<Command>,
    inbound: Arc<Semaphore>,
) {
    let channel = channel.as_ref();
    let Outgoing {
        mut frames,
        is_wanted,
    } = outgoing;
    let mut overdue = pin!(async {
        // Only ever dropped.
        let _ = is_wanted.await;
        sleep(Duration::from_millis(DRAIN_MS_MAX)).await;
        let detail = format!(
            "{}: did not take everything within {DRAIN_MS_MAX} ms",
            channel.peer()
        );
        TransportError::new(TransportErrorKind::Unavailable, detail)
    });
    let ended = {
        let mut reading = pin!(read(channel, link, &commands, &inbound));
        tokio::select! {
            ended = &mut reading => ended,
            written = write(channel, link, &mut frames, &commands) => match written {
                Ok(()) => Ok(()),
                // The peer takes nothing more; what it sent before it went may still be here.
                Err(error) => {
                    let drain = Duration::from_millis(DRAIN_MS_MAX);
                    timeout(drain, &mut reading).await.unwrap_or(Err(error))
                }
            },
            // A peer that reads nothing would otherwise keep us in the middle of a frame.
            error = &mut overdue => Err(error),
        }
    };
    let ended = match ended {
        // Not beside the reader: that ends as soon as the channel closes, and would cut off what is
        // still on its way out, our goodbye above all.
        Ok(()) => tokio::select! {
            closed = channel.close(Duration::from_millis(DRAIN_MS_MAX)) => closed,
            error = &mut overdue => Err(error),
        },
        ended => ended,
    };
    match &ended {
        Ok(()) => debug!(%link, peer = channel.peer(), "connection closed"),
        Err(error) => debug!(%link, peer = channel.peer(), %error, "connection ended"),
    }
    let fault = ended
        .err()
        .filter(|error| error.kind() == TransportErrorKind::Malformed);
    let _ = commands.send(Command::Gone { link, fault }).await;
}

async fn read(
    channel: &dyn Channel,
    link: LinkId,
    commands: &mpsc::Sender<Command>,
    inbound: &Arc<Semaphore>,
) -> Result<(), TransportError> {
    loop {
        let Received::Frame(bytes) = channel.recv().await? else {
            // The link notices by itself what is missing.
            continue;
        };
        let room = bytes.len().clamp(1, INBOUND_BYTES_MAX);
        let room = u32::try_from(room).unwrap_or(u32::MAX);
        let Ok(permit) = inbound.clone().acquire_many_owned(room).await else {
            return pending().await;
        };
        if commands
            .send(Command::Frame {
                link,
                bytes,
                permit,
            })
            .await
            .is_err()
        {
            // The node stops: nobody listens any more, but last words still have to leave.
            return pending().await;
        }
    }
}

async fn write(
    channel: &dyn Channel,
    link: LinkId,
    frames: &mut mpsc::Receiver<Bytes>,
    commands: &mpsc::Sender<Command>,
) -> Result<(), TransportError> {
    while let Some(frame) = frames.recv().await {
        let mut next = Some(frame);
        let mut sent = 0;
        while let Some(frame) = next.take() {
            // Nobody asks what became of one frame: the link acknowledges what arrived.
            drop(channel.send(frame).await?);
            sent += 1;
            if sent < REPORT_FRAMES {
                next = frames.try_recv().ok();
            }
        }
        // If the node stops, the frames that are left still leave.
        let _ = commands.send(Command::Sent { link, frames: sent }).await;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use async_trait::async_trait;
    use dhlrs_link::Capability;
    use dhlrs_transport::Receipt;
    use tokio::time::Instant;

    use super::*;

    /// Its peer neither reads nor writes nor goes away.
    struct Stuck {
        capability: Capability,
        takes_frames: bool,
        is_dropped: Arc<AtomicBool>,
    }

    impl Drop for Stuck {
        fn drop(&mut self) {
            self.is_dropped.store(true, Ordering::SeqCst);
        }
    }

    #[async_trait]
    impl Channel for Stuck {
        fn capability(&self) -> &Capability {
            &self.capability
        }

        fn peer(&self) -> &str {
            "stuck"
        }

        async fn send(&self, _frame: Bytes) -> Result<Receipt, TransportError> {
            if self.takes_frames {
                return Ok(Receipt::known(Ok(())));
            }
            pending().await
        }

        async fn recv(&self) -> Result<Received, TransportError> {
            pending().await
        }

        async fn close(&self, _drain: Duration) -> Result<(), TransportError> {
            pending().await
        }
    }

    async fn is_let_go(takes_frames: bool) {
        let is_dropped = Arc::new(AtomicBool::new(false));
        let channel = Stuck {
            capability: Capability {
                frame_bytes_max: 500,
                ordered: true,
                reliable: true,
                acknowledged: false,
                replay: false,
                encrypted: false,
                point_to_point: true,
            },
            takes_frames,
            is_dropped: is_dropped.clone(),
        };
        let (commands, mut told) = mpsc::channel(8);
        let (outbox, outgoing) = outbox();
        let link = LinkId::new(1);
        let inbound = Arc::new(Semaphore::new(1));
        let carried = tokio::spawn(carry(Box::new(channel), link, outgoing, commands, inbound));
        assert!(outbox.takes(Bytes::from_static(b"never read")));
        // For as long as the link wants it, it waits.
        sleep(Duration::from_secs(600)).await;
        assert!(!carried.is_finished());
        drop(outbox);
        let wished = Instant::now();
        assert!(carried.await.is_ok());
        assert_eq!(wished.elapsed().as_millis(), u128::from(DRAIN_MS_MAX));
        assert!(is_dropped.load(Ordering::SeqCst));
        let mut last = None;
        while let Some(command) = told.recv().await {
            last = Some(command);
        }
        assert!(matches!(last, Some(Command::Gone { fault: None, .. })));
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_takes_no_frame_is_let_go() {
        is_let_go(false).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_does_not_confirm_the_end_is_let_go() {
        is_let_go(true).await;
    }
}
