//! One open WebSocket, at either end.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use dhlrs_link::Capability;
use dhlrs_transport::{
    Channel, Delivery, FrameReceiver, FrameSender, Queued, Receipt, Received, TransportError,
    TransportErrorKind, frame_queue,
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Mutex, OwnedSemaphorePermit, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::builder::Limits;
use crate::error::{channel_failed, close_frame, fault};
use crate::socket::Socket;

/// Frames written before their receipts resolve together, at most.
const BATCH_FRAMES_MAX: usize = 64;

/// How long a receiver tries to confirm that the peer has closed, or to tell it why it is turned
/// away, in milliseconds.
pub(crate) const CLOSE_REPLY_MS_MAX: u64 = 1_000;

/// What is read and thrown away meanwhile, at most: a peer that is still writing hears nothing
/// before it is done.
pub(crate) const DISCARDED_BYTES_MAX: usize = 4 << 20;

/// Up to this size a received frame is copied, because it would otherwise keep the whole read
/// buffer that it came in alive.
const COPIED_BYTES_MAX: usize = 4 << 10;

pub(crate) struct WebSocketChannel<S> {
    peer: Box<str>,
    capability: Capability,
    outbox: FrameSender,
    inbox: Mutex<Inbox<S>>,
    // Turns true when this side closes, so that a waiting receiver makes way.
    closing: watch::Sender<bool>,
    writer: Writer,
    // Gives the listener its place back.
    _place: Option<OwnedSemaphorePermit>,
}

enum Inbox<S> {
    Open(Arc<Socket<S>>),
    Ended(TransportError),
}

/// Why nothing more is received, and what to tell the peer if it is to blame.
struct End {
    why: TransportError,
    told: Option<CloseFrame>,
}

impl From<TransportError> for End {
    fn from(why: TransportError) -> Self {
        Self { why, told: None }
    }
}

impl<S> WebSocketChannel<S>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    pub(crate) fn new(
        socket: WebSocketStream<S>,
        peer: String,
        encrypted: bool,
        limits: Limits,
        place: Option<OwnedSemaphorePermit>,
    ) -> Self {
        let (outbox, queue) = frame_queue(limits.queue);
        let socket = Arc::new(Socket::new(socket));
        let writer = Writer::spawn(write_out(Arc::clone(&socket), queue, peer.clone()));
        let capability = Capability {
            frame_bytes_max: limits.frame_bytes_max,
            ordered: true,
            reliable: true,
            acknowledged: false,
            replay: false,
            encrypted,
            point_to_point: true,
        };
        Self {
            peer: peer.into(),
            capability,
            outbox,
            inbox: Mutex::new(Inbox::Open(socket)),
            closing: watch::channel(false).0,
            writer,
            _place: place,
        }
    }

    async fn next(&self, socket: &Socket<S>) -> Result<Bytes, End> {
        loop {
            return match socket.next().await {
                Some(Ok(Message::Binary(frame))) if frame.len() <= COPIED_BYTES_MAX => {
                    Ok(Bytes::copy_from_slice(&frame))
                }
                Some(Ok(Message::Binary(frame))) => Ok(frame),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                Some(Ok(Message::Close(reason))) => {
                    // The peer waits for our half of the closing handshake, and whoever holds this
                    // channel may drop it as soon as this returns.
                    let confirm = async {
                        while let Some(Ok(_)) = socket.next().await {}
                        socket.shut_down().await
                    };
                    let limit = Duration::from_millis(CLOSE_REPLY_MS_MAX);
                    let _ = timeout(limit, confirm).await;
                    Err(match reason.as_ref().map(|reason| reason.reason.as_str()) {
                        None | Some("") => self.closed("it closed the channel"),
                        Some(reason) => self.closed(&format!("it closed the channel: {reason:?}")),
                    }
                    .into())
                }
                Some(Ok(Message::Text(_) | Message::Frame(_))) => Err(End {
                    why: TransportError::new(
                        TransportErrorKind::Malformed,
                        format!("{}: it sent a text message; frames are binary", self.peer),
                    ),
                    told: Some(close_frame(CloseCode::Unsupported, "frames are binary")),
                }),
                Some(Err(err)) => Err(End {
                    told: fault(&err),
                    why: channel_failed(&self.peer, err),
                }),
                None => Err(self.closed("it is gone").into()),
            };
        }
    }

    // Says why, and reads on until the peer has heard it: a socket that is dropped with bytes
    // unread resets the connection, and the reset overtakes the reason.
    async fn turn_away(&self, socket: &Socket<S>, why: CloseFrame) {
        let refusal = async {
            socket.feed(Message::Close(Some(why))).await?;
            socket.flush().await?;
            socket.shut_down().await?;
            socket.discard(DISCARDED_BYTES_MAX).await?;
            Ok::<_, tokio_tungstenite::tungstenite::Error>(())
        };
        // A peer that does not want to hear it is none of our concern.
        let _ = timeout(Duration::from_millis(CLOSE_REPLY_MS_MAX), refusal).await;
    }

    // Reads on until the peer confirms the end. A socket that is dropped with bytes unread resets
    // the connection, and the reset may overtake what the peer has not read yet.
    async fn await_confirmation(&self) -> Result<(), TransportError> {
        let mut inbox = self.inbox.lock().await;
        let socket = match &*inbox {
            Inbox::Open(socket) => Arc::clone(socket),
            Inbox::Ended(why) => return Err(why.clone()),
        };
        let outcome = loop {
            match socket.next().await {
                Some(Ok(Message::Close(_))) => break Ok(()),
                Some(Ok(_)) => {}
                Some(Err(err)) => break Err(channel_failed(&self.peer, err)),
                None => break Err(self.closed("it is gone")),
            }
        };
        // What was to arrive has arrived; this only says goodbye.
        let _ = socket.shut_down().await;
        *inbox = Inbox::Ended(self.closed_here());
        outcome
    }

    fn closed_here(&self) -> TransportError {
        self.closed("this side has closed the channel")
    }

    fn closed(&self, why: &str) -> TransportError {
        TransportError::new(TransportErrorKind::Closed, format!("{}: {why}", self.peer))
    }
}

#[async_trait]
impl<S> Channel for WebSocketChannel<S>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    fn capability(&self) -> &Capability {
        &self.capability
    }

    fn peer(&self) -> &str {
        &self.peer
    }

    async fn send(&self, frame: Bytes) -> Result<Receipt, TransportError> {
        let limit = self.capability.frame_bytes_max;
        if frame.len() > limit {
            return Err(TransportError::frame_too_large(frame.len(), limit));
        }
        self.outbox.send(frame).await
    }

    async fn recv(&self) -> Result<Received, TransportError> {
        let mut closing = self.closing.subscribe();
        let receive = async {
            let mut inbox = self.inbox.lock().await;
            let socket = match &*inbox {
                Inbox::Open(socket) => Arc::clone(socket),
                Inbox::Ended(why) => return Err(why.clone()),
            };
            let End { why, told } = match self.next(&socket).await {
                Ok(frame) => return Ok(frame),
                Err(end) => end,
            };
            *inbox = Inbox::Ended(why.clone());
            if let Some(told) = told {
                self.turn_away(&socket, told).await;
            }
            self.outbox.close();
            Err(why)
        };
        tokio::select! {
            biased;
            _ = closing.wait_for(|closing| *closing) => Err(self.closed_here()),
            received = receive => received.map(Received::Frame),
        }
    }

    async fn close(&self, drain: Duration) -> Result<(), TransportError> {
        self.outbox.close();
        self.closing.send_replace(true);
        let both = async {
            let (written, confirmed) =
                tokio::join!(self.writer.finish(), self.await_confirmation());
            // What the peer did wrong says more than what could not be written because of it.
            confirmed.and(written)
        };
        let outcome = timeout(drain, both).await.unwrap_or_else(|_| {
            let ms = drain.as_millis();
            Err(TransportError::new(
                TransportErrorKind::Unavailable,
                format!("{}: did not take everything within {ms} ms", self.peer),
            ))
        });
        self.writer.abort();
        // Held only by a receiver that is not polled, which cannot be waited for.
        if let Ok(mut inbox) = self.inbox.try_lock() {
            *inbox = Inbox::Ended(self.closed_here());
        }
        outcome
    }
}

/// The task that writes the queue out. Ends with the channel that owns it.
struct Writer {
    task: Mutex<Option<JoinHandle<Result<(), TransportError>>>>,
    abort: tokio::task::AbortHandle,
}

impl Writer {
    fn spawn(work: impl Future<Output = Result<(), TransportError>> + Send + 'static) -> Self {
        let task = tokio::spawn(work);
        Self {
            abort: task.abort_handle(),
            task: Mutex::new(Some(task)),
        }
    }

    async fn finish(&self) -> Result<(), TransportError> {
        let mut task = self.task.lock().await;
        let Some(running) = task.as_mut() else {
            return Ok(());
        };
        let outcome = running.await;
        *task = None;
        outcome.unwrap_or_else(|err| {
            let detail = format!("the writer ended early: {err}");
            Err(TransportError::caused_by(
                TransportErrorKind::Closed,
                detail,
                err,
            ))
        })
    }

    fn abort(&self) {
        self.abort.abort();
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.abort();
    }
}

async fn write_out<S>(
    socket: Arc<Socket<S>>,
    mut queue: FrameReceiver,
    peer: String,
) -> Result<(), TransportError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut written: Vec<Delivery> = Vec::with_capacity(BATCH_FRAMES_MAX);
    while let Some(first) = queue.recv().await {
        let mut next = Some(first);
        let mut outcome = Ok(());
        while let Some(Queued::Frame(frame, delivery)) = next.take() {
            written.push(delivery);
            outcome = socket.feed(Message::Binary(frame)).await;
            if outcome.is_err() || written.len() == BATCH_FRAMES_MAX {
                break;
            }
            next = queue.try_recv();
        }
        if outcome.is_ok() {
            outcome = socket.flush().await;
        }
        if let Err(err) = outcome {
            let err = channel_failed(&peer, err);
            for delivery in written.drain(..) {
                delivery.failed(err.clone());
            }
            return Err(err);
        }
        written.drain(..).for_each(Delivery::done);
    }
    socket
        .close()
        .await
        .map_err(|err| channel_failed(&peer, err))
}
