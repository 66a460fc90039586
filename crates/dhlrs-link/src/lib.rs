//! One hop to a peer: who it is, and every message once and in order, across lost connections.
//!
//! [`Links`] holds all links of one process. It is told what happened and says what to do; sockets and timers are
//! somebody else's.
//!
//! ```
//! use std::sync::Arc;
//! use dhlrs_clock::Time;
//! use dhlrs_identity::{Ed25519Signer, Ed25519Verifier, SecretKey};
//! use dhlrs_link::{Config, LinkId, LinkInput, LinkOutput, Links};
//!
//! let (alice, bob) = (Links::new(config("a/main")?, signer(1), Arc::new(Ed25519Verifier), [1; 32]),
//!                     Links::new(config("b/main")?, signer(2), Arc::new(Ed25519Verifier), [2; 32]));
//! let mut both = [alice, bob];
//! let (now, link) = (Time::default(), LinkId::new(1));
//! let stream = dhlrs_link::Capability {
//!     frame_bytes_max: 1 << 20, ordered: true, reliable: true,
//!     acknowledged: false, replay: false, encrypted: false, point_to_point: true,
//! };
//!
//! // A wire: what one side sends, the other hears, until both are silent.
//! let mut todo = vec![
//!     (0, LinkInput::Opened { link, capability: stream.clone(), side: dhlrs_link::Side::connected() }),
//!     (1, LinkInput::Opened { link, capability: stream, side: dhlrs_link::Side::Accepted { open: true } }),
//! ];
//! let mut story = Vec::new();
//! while !todo.is_empty() {
//!     for (at, input) in std::mem::take(&mut todo) {
//!         let mut outputs = Vec::new();
//!         both[at].handle(now, input, &mut outputs);
//!         for output in outputs {
//!             match output {
//!                 LinkOutput::Send { link, frame } => {
//!                     todo.push((1 - at, LinkInput::Frame { link, bytes: frame }));
//!                     todo.push((at, LinkInput::Sent { link, frames: 1 }));
//!                 }
//!                 LinkOutput::Up { peer, .. } => {
//!                     story.push(format!("up: {}", peer.name));
//!                     if at == 0 {
//!                         let mut more = Vec::new();
//!                         both[0].send(now, &peer, "hello".into(), &mut more)?;
//!                         for output in more {
//!                             let LinkOutput::Send { link, frame } = output else { continue };
//!                             todo.push((1, LinkInput::Frame { link, bytes: frame }));
//!                         }
//!                     }
//!                 }
//!                 LinkOutput::Message { message, .. } => story.push(format!("got {message:?}")),
//!                 _ => {}
//!             }
//!         }
//!     }
//! }
//! assert_eq!(story, ["up: b/main", "up: a/main", "got b\"hello\""]);
//!
//! fn config(name: &str) -> Result<Config, dhlrs_path::ParsePathError> {
//!     Ok(Config::new(name.parse()?))
//! }
//! fn signer(seed: u8) -> Arc<Ed25519Signer> {
//!     Arc::new(Ed25519Signer::new(SecretKey::from_bytes([seed; 32])))
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A link is one hop. What goes from store to store, over many of them, has its own sessions in `dhlrs-store`; what
//! is in a message is `dhlrs-wire`'s business. Messages are not cut into chunks and channels not shared by peers yet:
//! a transport that would need it is refused with the list of what is [`Missing`].

mod admission;
mod capability;
mod config;
mod connection;
mod counters;
mod ending;
mod error;
mod exchange;
mod frame;
mod greeting;
mod handshake;
mod io;
mod links;
mod outbox;
mod peer;
mod requirements;
mod session;

pub use admission::Admission;
pub use capability::Capability;
pub use config::{
    ACK_DELAY_MS_MAX, CREDIT_BYTES_MAX, CREDIT_FRAMES_MAX, Config, FRAME_BYTES_MAX, HANDSHAKES_MAX,
    IN_FLIGHT_FRAMES_LOSSY_MAX, LINK_BYTES_MAX, LINK_FRAMES_MAX, MESSAGE_BYTES_MAX,
    RETRANSMIT_MS_MAX, RETRANSMIT_MS_MIN, SESSION_BYTES_MAX, SESSION_MESSAGES_MAX,
    SESSION_SHARE_BYTES, SESSIONS_BYTES_MAX, VERSION,
};
pub use counters::Counters;
pub use ending::{Ending, EndingKind, Party};
pub use error::{MissingError, SendError, SendErrorKind};
pub use io::{LinkInput, LinkOutput, Side};
pub use links::Links;
pub use peer::{LinkId, Peer};
pub use requirements::{Additions, Missing, Requirements};
