//! One end of a channel in memory.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use dhlrs_link::Capability;
use tokio::sync::{Mutex, watch};

use super::MemoryOptions;
use super::link::{LinkState, MemoryLink};
use crate::{
    Channel, FrameReceiver, FrameSender, Queued, Receipt, Received, TransportError,
    TransportErrorKind, frame_queue,
};

/// One end of a channel in memory. A receipt resolves when the other end has received the frame.
///
/// It uses neither tasks nor time, so it also runs under a paused clock.
#[derive(Debug)]
pub struct MemoryChannel {
    peer: Box<str>,
    capability: Capability,
    lossy: bool,
    outbox: FrameSender,
    link: watch::Receiver<LinkState>,
    cuts_at_birth: u64,
    core: Arc<Core>,
}

// What a cut reaches from outside.
#[derive(Debug)]
pub(super) struct Core {
    inbox: Mutex<FrameReceiver>,
    // Turns true when this side closes, so that a waiting receiver makes way.
    closing: watch::Sender<bool>,
}

impl MemoryChannel {
    /// Two ends that are connected, and the line between them.
    pub fn pair(options: MemoryOptions) -> (Self, Self, MemoryLink) {
        let link = MemoryLink::new();
        let (near, far) = Self::over(&link, 0, options, "near", "far");
        (near, far, link)
    }

    // The first end belongs to `near` and has `far` as its peer. `cuts` is what the line had when
    // it was found open: a cut since then has ended the channel before it began.
    pub(super) fn over(
        link: &MemoryLink,
        cuts: u64,
        options: MemoryOptions,
        near: &str,
        far: &str,
    ) -> (Self, Self) {
        let (to_far, from_near) = frame_queue(options.queue);
        let (to_near, from_far) = frame_queue(options.queue);
        let end = |peer: &str, outbox, inbox| {
            let core = Arc::new(Core {
                inbox: Mutex::new(inbox),
                closing: watch::channel(false).0,
            });
            link.track(&core);
            Self {
                peer: peer.into(),
                capability: capability(options),
                lossy: options.lossy,
                outbox,
                link: link.watch(),
                cuts_at_birth: cuts,
                core,
            }
        };
        (end(far, to_far, from_far), end(near, to_near, from_near))
    }

    fn is_cut(&self, state: &LinkState) -> bool {
        state.cuts != self.cuts_at_birth
    }

    fn cut_error(&self) -> TransportError {
        self.closed("the line was cut")
    }

    fn closed(&self, why: &str) -> TransportError {
        TransportError::new(TransportErrorKind::Closed, format!("{}: {why}", self.peer))
    }
}

fn capability(options: MemoryOptions) -> Capability {
    Capability {
        frame_bytes_max: options.frame_bytes_max,
        ordered: true,
        reliable: !options.lossy,
        acknowledged: false,
        replay: false,
        encrypted: false,
        point_to_point: true,
    }
}

#[async_trait]
impl Channel for MemoryChannel {
    fn capability(&self) -> &Capability {
        &self.capability
    }

    fn peer(&self) -> &str {
        &self.peer
    }

    async fn send(&self, frame: Bytes) -> Result<Receipt, TransportError> {
        if frame.len() > self.capability.frame_bytes_max {
            let limit = self.capability.frame_bytes_max;
            return Err(TransportError::frame_too_large(frame.len(), limit));
        }
        let mut link = self.link.clone();
        if self.lossy {
            if self.is_cut(&link.borrow()) {
                return Err(self.cut_error());
            }
            return Ok(self.outbox.try_send(frame)?.unwrap_or_else(|| {
                self.outbox.report_gap();
                Receipt::known(Err(TransportError::new(
                    TransportErrorKind::Unavailable,
                    format!("the queue to {} is full; the frame is lost", self.peer),
                )))
            }));
        }
        tokio::select! {
            biased;
            _ = link.wait_for(|state| self.is_cut(state)) => Err(self.cut_error()),
            receipt = self.outbox.send(frame) => receipt,
        }
    }

    async fn recv(&self) -> Result<Received, TransportError> {
        let mut inbox = self.core.inbox.lock().await;
        let mut link = self.link.clone();
        let mut closing = self.core.closing.subscribe();
        loop {
            let state = *link.borrow_and_update();
            if self.is_cut(&state) {
                lose_all(&mut inbox);
                return Err(self.cut_error());
            }
            let queued = tokio::select! {
                biased;
                _ = link.changed() => continue,
                _ = closing.wait_for(|closing| *closing) => {
                    lose_all(&mut inbox);
                    return Err(self.closed("this side has closed the channel"));
                }
                queued = inbox.recv(), if !state.stalled => queued,
            };
            return match queued {
                Some(Queued::Frame(frame, delivery)) => {
                    delivery.done();
                    Ok(Received::Frame(frame))
                }
                Some(Queued::Gap) => Ok(Received::Gap),
                None => {
                    self.outbox.close();
                    Err(self.closed("it is gone, or closed the channel"))
                }
            };
        }
    }

    // What was accepted is in the other end's hands already, so there is nothing to wait for.
    async fn close(&self, _drain: Duration) -> Result<(), TransportError> {
        let is_gone = self.outbox.is_closed();
        self.outbox.close();
        self.core.closing.send_replace(true);
        self.core.lose_queued();
        let is_cut = self.is_cut(&self.link.borrow());
        match (is_cut, is_gone) {
            (true, _) => Err(self.cut_error()),
            (false, true) => Err(self.closed("it was gone before this side closed")),
            (false, false) => Ok(()),
        }
    }
}

impl Core {
    // If a receiver holds the inbox, it sees the cut or the close itself, and loses what is left.
    pub(super) fn lose_queued(&self) {
        if let Ok(mut inbox) = self.inbox.try_lock() {
            lose_all(&mut inbox);
        }
    }
}

fn lose_all(inbox: &mut FrameReceiver) {
    inbox.close();
    while inbox.try_recv().is_some() {}
}
