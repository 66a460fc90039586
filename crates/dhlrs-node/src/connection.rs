//! One open channel: frames in, frames out, both bounded.

use std::future::pending;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use dhlrs_link::{FRAME_BYTES_MAX, LINK_FRAMES_MAX, LinkId};
use dhlrs_transport::{Channel, Received, TransportError, TransportErrorKind};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::timeout;
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

/// Carries frames until either side ends the channel, or the queue is closed and empty.
pub(crate) async fn carry(
    channel: Box<dyn Channel>,
    link: LinkId,
    mut frames: mpsc::Receiver<Bytes>,
    commands: mpsc::Sender<Command>,
    inbound: Arc<Semaphore>,
) {
    let channel = channel.as_ref();
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
        }
    };
    let ended = match ended {
        // Not beside the reader: that ends as soon as the channel closes, and would cut off what is
        // still on its way out, our goodbye above all.
        Ok(()) => channel.close(Duration::from_millis(DRAIN_MS_MAX)).await,
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
