//! One store of a reactive tree, as a machine: every change takes five steps and no other way.
//!
//! *intent* → *order* → *log* → *apply* → *notify*: a module each. [`Store`] takes an [`Input`] and
//! says what to do; whoever drives it has the disk, the clock and the code of resolvers.
//!
//! ```
//! use dhlrs_bag::{Edit, MsgId};
//! use dhlrs_clock::{Stamp, Time};
//! use dhlrs_resolver::{Limits, Registry, Resolvers};
//! use dhlrs_store::{Caller, Config, Input, Output, RequestId, Store};
//! use dhlrs_wire::{Intent, Request};
//!
//! let config = Config::new("base/main".parse()?, "orders".parse()?, [7; 32]);
//! let mut store = Store::new(config, Resolvers::new(Registry::new(), Limits::default()))?;
//!
//! let intent = Intent {
//!     msg_id: MsgId { session: [0; 16], counter: 1 },
//!     edits: vec![Edit::set("o1.status".parse()?, "paid").into()],
//!     atomic: true,
//!     incarnation: None,
//!     reason: None,
//!     stamp: Stamp::ZERO,
//!     cause: Vec::new(),
//!     emitted: Vec::new(),
//! };
//! let mut outputs = Vec::new();
//! store.handle(Time::default(), Input::Request {
//!     id: RequestId(1),
//!     caller: Caller { source: "base/main".parse()?, neighbour: None },
//!     timeout_ms: 1_000,
//!     request: Request::Write(Box::new(intent)),
//! }, &mut outputs);
//! assert!(matches!(&outputs[1], Output::Answer { result: Ok(_), .. }));
//! assert_eq!(store.published().get("o1.status").and_then(|v| v.as_text()), Some("paid"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! No IO, no clock, no random source. What a client or a driver needs to know of sessions, revisions
//! and limits is said at the types below; messages are `dhlrs-wire`'s, many stores `dhlrs-engine`'s.

mod apply;
mod bound;
mod config;
mod derivations;
mod derived;
mod deriving;
mod drafts;
mod emitted;
mod error;
mod event_row;
mod feeds;
mod following;
mod forward;
mod forwarding;
mod head;
mod history;
mod image;
mod intent;
mod log;
mod lost;
mod machine;
mod notify;
mod order;
mod overlays;
mod owned;
mod port;
mod reads;
mod record;
mod recover;
mod replica;
mod resolve;
mod running;
mod session;
mod status;
mod translate;
mod watches;

pub use config::{
    Authority, Config, FORWARD_LOG_BYTES_MAX, FORWARDS_MAX, Forward, GOSSIP_INTERVAL_MS, Keys,
    Limits, Replication, SNAPSHOT_BYTES_MAX, WINDOW_BYTES_MAX, WINDOW_CHANGES_MAX,
};
pub use derived::{
    DEPENDENCIES_MAX, DERIVED_MAX, DefinitionError, DefinitionErrorKind, DeriveError,
    DeriveErrorKind, Derived, Inputs,
};
pub use error::{StoreError, StoreErrorKind};
pub use image::Image;
pub use log::{TICKET_BYTES_MAX, TICKET_MEMORY_BYTES_MAX};
pub use machine::Store;
pub use port::{Caller, ErrandId, Gossip, Input, Neighbour, Output, Recovered, RequestId};
pub use reads::{NEIGHBOUR_READS_MAX, READ_IDLE_MS, SOURCE_READS_MAX};
pub use record::RECORD_BYTES_MAX;
pub use replica::salvage::Salvage;
pub use resolve::NESTED_RESOLVERS_MAX;
pub use session::{
    ANSWER_BYTES_MAX, NEIGHBOUR_SESSIONS_MAX, SESSION_ANSWERS_MAX, SOURCE_SESSIONS_MAX,
    STORE_ANSWER_BYTES_MAX, STORE_SESSIONS_MAX,
};
pub use watches::WATCHES_MAX;
