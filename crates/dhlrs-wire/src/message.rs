//! What one link carries to the next process.

use dhlrs_codec::{self as codec, bounded_bytes, bounded_vec};
use dhlrs_path::{NodeName, StoreName};
use serde::{Deserialize, Serialize};

use crate::error::WireError;
use crate::history::HISTORY_ROWS_MAX;
use crate::intent::REASON_BYTES_MAX;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::request::Request;
use crate::text;
use crate::watch::Delivery;

/// The version of every message here. A link agrees on it in its handshake.
pub const WIRE_VERSION: u8 = 1;
/// An encoded message. A frame of 1 MiB holds it with the link's header.
pub const MESSAGE_BYTES_MAX: usize = (1 << 20) - 1_024;
/// Processes that a message may pass.
pub const HOPS_MAX: u8 = 16;
/// Names in one announcement.
pub const ROUTES_MAX: usize = 4_096;
/// What replicas of one store tell each other at once: a message without its header.
pub const GOSSIP_BYTES_MAX: usize = MESSAGE_BYTES_MAX - 64;

/// A message between neighbours.
///
/// `id` is chosen by the sender of the request and counts per link direction; each process on the
/// way gives a forwarded request an id of its own and sends the answers back the same way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Message {
    /// The names that the sender reaches. Replaces what it announced before.
    Announce(#[serde(deserialize_with = "bounded_vec::<_, _, ROUTES_MAX>")] Vec<Route>),
    /// Asks something of a process or of a store.
    Request(Box<RequestMessage>),
    /// The one answer to a request.
    Reply {
        /// The request's id.
        id: u64,
        /// What came of it.
        result: Result<Box<Reply>, Box<Refusal>>,
    },
    /// One more piece of the stream that a watch opened.
    Deliver {
        /// The watch request's id.
        id: u64,
        /// The piece.
        delivery: Box<Delivery>,
    },
    /// The watcher has room for this many changes more.
    Credit {
        /// The watch request's id.
        id: u64,
        /// How many.
        changes: u32,
    },
    /// Nobody waits for this request any more; it ends a watch.
    Cancel {
        /// The request's id.
        id: u64,
    },
    /// What a replica of a store tells the neighbour's replica of it. Never passed on as it is.
    Gossip {
        /// The store's id, the same for all who open it.
        store: [u8; 32],
        /// A message of the anti-entropy of `dhlrs-feed`, at most [`GOSSIP_BYTES_MAX`].
        #[serde(deserialize_with = "bounded_bytes::<_, GOSSIP_BYTES_MAX>")]
        bytes: Vec<u8>,
    },
}

/// One name that a neighbour reaches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// The process.
    #[serde(with = "text")]
    pub node: NodeName,
    /// Processes between the announcing one and it; 0 is the announcing one itself.
    pub hops: u8,
}

/// A request on its way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RequestMessage {
    /// Names the request on this link.
    pub id: u64,
    /// Who asks. The neighbour vouches for it.
    #[serde(with = "text")]
    pub source: NodeName,
    /// Who is asked.
    #[serde(with = "text")]
    pub target: NodeName,
    /// The store there; `None` asks the process itself.
    #[serde(with = "text::option")]
    pub store: Option<StoreName>,
    /// Processes that it may still pass, at most [`HOPS_MAX`].
    pub hops: u8,
    /// What is left of the caller's patience. Each process subtracts its holding time.
    pub timeout_ms: u32,
    /// What is asked.
    pub request: Request,
}

impl Message {
    /// The bytes that travel. `O(size)`.
    ///
    /// # Errors
    ///
    /// [`TooLarge`](crate::WireErrorKind::TooLarge) over [`MESSAGE_BYTES_MAX`].
    pub fn encode(&self) -> Result<Vec<u8>, WireError> {
        codec::encode(self, MESSAGE_BYTES_MAX)
            .map_err(|error| WireError::encode(error, MESSAGE_BYTES_MAX))
    }

    /// Reads what [`encode`](Self::encode) wrote. Memory stays within a fixed multiple of the input.
    ///
    /// # Errors
    ///
    /// Anything that is no message, is too large, or holds more of something than its limit.
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        let message: Self = codec::decode(bytes, MESSAGE_BYTES_MAX)
            .map_err(|error| WireError::decode(error, bytes.len(), MESSAGE_BYTES_MAX))?;
        message.check_limits()?;
        Ok(message)
    }

    // What has no type of its own; lists and texts are held to their limits while they are read.
    fn check_limits(&self) -> Result<(), WireError> {
        let Self::Request(request) = self else {
            return Ok(());
        };
        if request.hops > HOPS_MAX {
            let (found, limit) = (request.hops.into(), HOPS_MAX.into());
            return Err(WireError::over("hops", found, limit));
        }
        if let Request::History(history) = &request.request {
            let (found, limit) = (history.limit.into(), HISTORY_ROWS_MAX);
            return match found > limit {
                true => Err(WireError::over("rows of a history", found, limit)),
                false => Ok(()),
            };
        }
        let Request::Write(intent) = &request.request else {
            return Ok(());
        };
        let reason_bytes = intent.reason.as_ref().map_or(0, String::len);
        if reason_bytes > REASON_BYTES_MAX {
            return Err(WireError::over(
                "bytes of reason",
                reason_bytes,
                REASON_BYTES_MAX,
            ));
        }
        Ok(())
    }
}
