//! What becomes of a frame after it was accepted.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::sync::oneshot;

use crate::{TransportError, TransportErrorKind};

/// What becomes of a frame that a channel accepted.
///
/// Resolves when the frame is as safe as the transport promises (its documentation says how safe
/// that is), or with the reason why that can no longer happen. Dropping it abandons the answer, not
/// the frame.
#[must_use = "a receipt says whether the frame left; drop it only if nobody asks"]
#[derive(Debug)]
pub struct Receipt {
    state: State,
}

#[derive(Debug)]
enum State {
    Known(Result<(), TransportError>),
    Pending(oneshot::Receiver<Result<(), TransportError>>),
}

impl Receipt {
    /// A receipt that is known already, for transports that know at once.
    pub fn known(outcome: Result<(), TransportError>) -> Self {
        Self {
            state: State::Known(outcome),
        }
    }

    pub(crate) fn pending() -> (oneshot::Sender<Result<(), TransportError>>, Self) {
        let (sender, receiver) = oneshot::channel();
        (
            sender,
            Self {
                state: State::Pending(receiver),
            },
        )
    }
}

impl Future for Receipt {
    type Output = Result<(), TransportError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let outcome = match &mut self.state {
            State::Known(outcome) => return Poll::Ready(outcome.clone()),
            State::Pending(receiver) => ready!(Pin::new(receiver).poll(cx)),
        };
        let outcome = outcome.unwrap_or_else(|_| {
            Err(TransportError::new(
                TransportErrorKind::Closed,
                "the channel ended before it handed the frame over",
            ))
        });
        self.state = State::Known(outcome.clone());
        Poll::Ready(outcome)
    }
}
