//! The bounded queue of frames between a channel and its wire.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};

use crate::{Receipt, TransportError, TransportErrorKind};

/// Frames that one direction of a channel holds at most, unless its options say otherwise.
pub const QUEUE_FRAMES_MAX: usize = 256;

/// Bytes that one direction of a channel holds at most, unless its options say otherwise.
pub const QUEUE_BYTES_MAX: usize = 4 << 20;

/// How much a [`frame_queue`] holds before a sender waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueLimits {
    /// Frames, at least one.
    pub frames_max: usize,
    /// Bytes of those frames. A frame that is larger waits until it is alone.
    pub bytes_max: usize,
}

impl Default for QueueLimits {
    fn default() -> Self {
        Self {
            frames_max: QUEUE_FRAMES_MAX,
            bytes_max: QUEUE_BYTES_MAX,
        }
    }
}

/// A queue of frames, bounded in number and in bytes, whose frames have receipts: what stands
/// between a channel's `send` and whoever writes to the wire.
pub fn frame_queue(limits: QueueLimits) -> (FrameSender, FrameReceiver) {
    let bytes_max = u32::try_from(limits.bytes_max.min(Semaphore::MAX_PERMITS))
        .unwrap_or(u32::MAX)
        .max(1);
    let (sender, receiver) = mpsc::channel(limits.frames_max.clamp(1, Semaphore::MAX_PERMITS));
    let (closing, closed) = watch::channel(false);
    let gap = Arc::new(Gap::default());
    (
        FrameSender {
            queue: sender,
            bytes: Arc::new(Semaphore::new(bytes_max as usize)),
            bytes_max,
            closing,
            gap: Arc::clone(&gap),
        },
        FrameReceiver {
            queue: receiver,
            closed,
            draining: false,
            gap,
            held_back: None,
        },
    )
}

/// The end of a [`frame_queue`] that puts frames in. Dropping it ends the queue like
/// [`close`](Self::close).
#[derive(Debug)]
pub struct FrameSender {
    queue: mpsc::Sender<Entry>,
    bytes: Arc<Semaphore>,
    bytes_max: u32,
    closing: watch::Sender<bool>,
    gap: Arc<Gap>,
}

/// The end of a [`frame_queue`] that takes frames out. Dropping it fails what is still inside.
#[derive(Debug)]
pub struct FrameReceiver {
    queue: mpsc::Receiver<Entry>,
    closed: watch::Receiver<bool>,
    draining: bool,
    gap: Arc<Gap>,
    // A frame whose gap has just been reported in its place.
    held_back: Option<Entry>,
}

/// What a [`FrameReceiver`] takes out.
#[derive(Debug)]
pub enum Queued {
    /// A frame, and the debt of saying what became of it.
    Frame(Bytes, Delivery),
    /// Frames are missing here; several losses in a row may be one gap.
    Gap,
}

/// Settles the [`Receipt`] of one queued frame, and gives its place in the queue's byte budget
/// back. Dropped unsettled, the receipt resolves as `Closed`.
#[derive(Debug)]
pub struct Delivery {
    receipt: oneshot::Sender<Result<(), TransportError>>,
    _budget: OwnedSemaphorePermit,
}

#[derive(Debug)]
struct Entry {
    frame: Bytes,
    gap_before: bool,
    delivery: Delivery,
}

#[derive(Debug, Default)]
struct Gap {
    open: AtomicBool,
    opened: Notify,
}

impl FrameSender {
    /// Waits for room and puts `frame` in. Dropping the future before it is ready puts nothing in.
    ///
    /// # Errors
    ///
    /// `Closed` once either end has closed the queue.
    pub async fn send(&self, frame: Bytes) -> Result<Receipt, TransportError> {
        let budget = Arc::clone(&self.bytes)
            .acquire_many_owned(self.budget_of(&frame))
            .await
            .map_err(|_| queue_closed())?;
        let slot = self.queue.reserve().await.map_err(|_| queue_closed())?;
        let (entry, receipt) = self.entry(frame, budget);
        slot.send(entry);
        Ok(receipt)
    }

    /// Puts `frame` in if there is room; `None` if there is none.
    ///
    /// # Errors
    ///
    /// `Closed` once either end has closed the queue.
    pub fn try_send(&self, frame: Bytes) -> Result<Option<Receipt>, TransportError> {
        use tokio::sync::TryAcquireError;
        let needed = self.budget_of(&frame);
        let budget = match Arc::clone(&self.bytes).try_acquire_many_owned(needed) {
            Ok(budget) => budget,
            Err(TryAcquireError::NoPermits) => return Ok(None),
            Err(TryAcquireError::Closed) => return Err(queue_closed()),
        };
        let slot = match self.queue.try_reserve() {
            Ok(slot) => slot,
            Err(mpsc::error::TrySendError::Full(())) => return Ok(None),
            Err(mpsc::error::TrySendError::Closed(())) => return Err(queue_closed()),
        };
        let (entry, receipt) = self.entry(frame, budget);
        slot.send(entry);
        Ok(Some(receipt))
    }

    /// Tells the receiver that frames are missing after those put in so far. Never waits.
    pub fn report_gap(&self) {
        self.gap.open.store(true, Ordering::Release);
        self.gap.opened.notify_one();
    }

    /// Refuses further frames; the receiver still gets those inside, then the end.
    pub fn close(&self) {
        self.bytes.close();
        self.closing.send_replace(true);
    }

    /// Whether the receiver takes no more: it is gone, or has closed its end.
    pub fn is_closed(&self) -> bool {
        self.queue.is_closed()
    }

    fn budget_of(&self, frame: &Bytes) -> u32 {
        // A frame costs at least one, so that a flood of empty ones is bounded by bytes too.
        u32::try_from(frame.len())
            .unwrap_or(u32::MAX)
            .clamp(1, self.bytes_max)
    }

    fn entry(&self, frame: Bytes, budget: OwnedSemaphorePermit) -> (Entry, Receipt) {
        let (sender, receipt) = Receipt::pending();
        let gap_before = self.gap.open.swap(false, Ordering::AcqRel);
        let delivery = Delivery {
            receipt: sender,
            _budget: budget,
        };
        (
            Entry {
                frame,
                gap_before,
                delivery,
            },
            receipt,
        )
    }
}

impl FrameReceiver {
    /// Takes the next frame or gap; `None` after the end. Dropping the future loses neither.
    pub async fn recv(&mut self) -> Option<Queued> {
        if let Some(entry) = self.held_back.take() {
            return Some(Queued::Frame(entry.frame, entry.delivery));
        }
        loop {
            match self.queue.try_recv() {
                Ok(entry) => return Some(self.open(entry)),
                Err(_) if self.gap.open.swap(false, Ordering::AcqRel) => return Some(Queued::Gap),
                Err(mpsc::error::TryRecvError::Disconnected) => return None,
                Err(mpsc::error::TryRecvError::Empty) => {}
            }
            tokio::select! {
                biased;
                // At the end the loop comes round once more: a gap may have been the last thing.
                Some(entry) = self.queue.recv() => return Some(self.open(entry)),
                () = self.gap.opened.notified() => {}
                _ = self.closed.changed(), if !self.draining => {
                    self.draining = true;
                    self.queue.close();
                }
            }
        }
    }

    /// Takes the next frame or gap if one is there.
    pub fn try_recv(&mut self) -> Option<Queued> {
        if let Some(entry) = self.held_back.take() {
            return Some(Queued::Frame(entry.frame, entry.delivery));
        }
        match self.queue.try_recv() {
            Ok(entry) => Some(self.open(entry)),
            Err(_) => self
                .gap
                .open
                .swap(false, Ordering::AcqRel)
                .then_some(Queued::Gap),
        }
    }

    /// Refuses further frames; those inside can still be taken out.
    pub fn close(&mut self) {
        self.queue.close();
    }

    fn open(&mut self, entry: Entry) -> Queued {
        if entry.gap_before {
            self.held_back = Some(entry);
            return Queued::Gap;
        }
        Queued::Frame(entry.frame, entry.delivery)
    }
}

impl Delivery {
    /// The frame is as safe as the transport promises.
    pub fn done(self) {
        // Nobody may be waiting for the receipt.
        let _ = self.receipt.send(Ok(()));
    }

    /// The frame will not get there.
    pub fn failed(self, error: TransportError) {
        let _ = self.receipt.send(Err(error));
    }
}

fn queue_closed() -> TransportError {
    TransportError::new(
        TransportErrorKind::Closed,
        "the channel takes no more frames",
    )
}
