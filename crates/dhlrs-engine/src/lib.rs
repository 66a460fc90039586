//! One whole process as a machine: stores, links, names, routes, requests and streams.
//!
//! An [`Engine`] is told what happened and says what to do. Sockets, files, timers and resolvers'
//! code are the driver's: `dhlrs-node` drives it with tokio, a test with a loop.
//!
//! ```
//! use std::sync::Arc;
//!
//! use dhlrs_bag::Edit;
//! use dhlrs_clock::Time;
//! use dhlrs_engine::{CallId, Config, Engine, Input, Local, Output, Write};
//! use dhlrs_identity::{Ed25519Signer, Ed25519Verifier, SecretKey};
//! use dhlrs_resolver::{Limits, Registry, Resolvers};
//!
//! let mut engine = Engine::new(Config {
//!     link: dhlrs_link::Config::new("base/main".parse()?),
//!     signer: Arc::new(Ed25519Signer::new(SecretKey::from_bytes([1; 32]))),
//!     verifier: Arc::new(Ed25519Verifier),
//!     announced: true,
//!     entropy: [2; 32],
//! });
//! let store = dhlrs_store::Config::new("base/main".parse()?, "orders".parse()?, [3; 32]);
//! engine.open_store(store, Resolvers::new(Registry::new(), Limits::default()))?;
//!
//! let write = Write {
//!     edits: vec![Edit::set("o1.status".parse()?, "paid").into()],
//!     atomic: true,
//!     incarnation: None,
//!     reason: None,
//!     emitted: Vec::new(),
//! };
//! let target = "base/main/orders".parse()?;
//! let input = Input::Local(Local::Write { call: CallId(1), target, write, timeout_ms: 1_000 });
//! let mut outputs = Vec::new();
//! engine.handle(Time::default(), input, &mut outputs);
//! assert!(outputs.iter().any(|output| matches!(output, Output::Answer { result: Ok(_), .. })));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! No IO, no clock, no random source: the same inputs give the same outputs.

mod config;
mod engine;
mod gossip;
mod outbox;
mod owed;
mod peers;
mod pending;
mod port;
mod requests;
mod resolving;
mod routes;
mod status;
mod stores;
mod watching;

pub use config::Config;
pub use engine::Engine;
pub use outbox::{ORPHAN_MS_MAX, OUTBOX_STORES_MAX, OUTBOX_WRITES_MAX, RETRY_MS_MAX, RETRY_MS_MIN};
pub use pending::PENDING_OF_PEER_MAX;
pub use port::{CallId, Input, Local, Output, Write};
pub use stores::REMOTE_RESOLVER;
