//! A WebSocket that one task reads while another writes.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Poll, ready};

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Error, Message};

const DISCARD_BUFFER_BYTES: usize = 16 << 10;

/// One reader and one writer at a time; the lock is held for single polls, never across an await.
///
/// The halves of `futures_util`'s `split` would do, but they hide the stream below, whose own
/// shutdown has to be called: a server's last message is otherwise left in the buffers of TLS.
pub(crate) struct Socket<S> {
    stream: Mutex<WebSocketStream<S>>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Socket<S> {
    pub(crate) fn new(stream: WebSocketStream<S>) -> Self {
        Self {
            stream: Mutex::new(stream),
        }
    }

    /// The next message; dropping the future loses none. Sends the answers that the protocol asks
    /// for on the way.
    pub(crate) async fn next(&self) -> Option<Result<Message, Error>> {
        poll_fn(|cx| self.lock().poll_next_unpin(cx)).await
    }

    /// Puts `message` into the write buffer, and writes when that is full.
    pub(crate) async fn feed(&self, message: Message) -> Result<(), Error> {
        let mut message = Some(message);
        poll_fn(|cx| {
            let mut stream = self.lock();
            ready!(stream.poll_ready_unpin(cx))?;
            Poll::Ready(
                message
                    .take()
                    .map_or(Ok(()), |message| stream.start_send_unpin(message)),
            )
        })
        .await
    }

    pub(crate) async fn flush(&self) -> Result<(), Error> {
        poll_fn(|cx| self.lock().poll_flush_unpin(cx)).await
    }

    /// Writes everything and the closing message.
    pub(crate) async fn close(&self) -> Result<(), Error> {
        poll_fn(|cx| self.lock().poll_close_unpin(cx)).await
    }

    /// Writes out what the layers below hold, and ends this direction of the connection.
    pub(crate) async fn shut_down(&self) -> io::Result<()> {
        poll_fn(|cx| Pin::new(self.lock().get_mut()).poll_shutdown(cx)).await
    }

    /// Reads bytes and forgets them, until the peer ends its direction or there were too many.
    pub(crate) async fn discard(&self, bytes_max: usize) -> io::Result<()> {
        let mut buffer = vec![0; DISCARD_BUFFER_BYTES];
        let mut left = bytes_max;
        while left > 0 {
            let mut room = ReadBuf::new(&mut buffer);
            poll_fn(|cx| Pin::new(self.lock().get_mut()).poll_read(cx, &mut room)).await?;
            if room.filled().is_empty() {
                return Ok(());
            }
            left = left.saturating_sub(room.filled().len());
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, WebSocketStream<S>> {
        self.stream.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
