//! The bag line protocol: one JSON request a line, one JSON reply.
//!
//! It is the scripting interface of a bag, and speaks the words of Genro Bag, so that random
//! sequences of operations can be compared with that.
//!
//! ```
//! use dhlrs_bag_lines::Session;
//!
//! let mut session = Session::new();
//! let mut ask = |line: &str| session.answer(line.as_bytes()).unwrap_or_default();
//!
//! assert_eq!(ask(r#"{"id":1,"op":"sub","name":"s"}"#), r#"{"id":1,"ok":null}"#);
//! assert_eq!(
//!     ask(r#"{"id":2,"op":"set","path":"a","value":1}"#),
//!     r#"{"id":2,"ok":null,"ev":[{"s":"s","evt":"ins","node":"a","path":[],"ind":0}]}"#
//! );
//! assert_eq!(ask(r#"{"id":3,"op":"get","path":"a"}"#), r#"{"id":3,"ok":1}"#);
//! assert_eq!(ask(r#"{"id":4,"op":"set","path":"a.b"}"#), r#"{"id":4,"err":"through-scalar"}"#);
//! ```
//!
//! A [`Session`] reads no input and writes none: who calls it brings the lines. It drives
//! `dhlrs-bag`, `dhlrs-trigger` and `dhlrs-resolver`; where these and Genro Bag differ on purpose,
//! `docs/genro.md` of the repository says how and why.

mod arranging;
mod attributes;
mod changing;
mod counter;
mod decode;
mod documents;
mod equality;
mod error;
mod events;
mod handle;
mod instant;
mod json;
mod limits;
mod operations;
mod ordering;
mod printing;
mod querying;
mod reading;
mod request;
mod resolving;
mod session;
mod setting;
mod subscribing;
mod summing;
mod tytx;
mod walking;
mod writer;

pub use error::ErrorClass;
pub use limits::{
    EVENTS_MAX, HANDLES_MAX, JSON_DEPTH_MAX, LINE_BYTES_MAX, RESOLVER_BYTES_MAX,
    RESOLVERS_MADE_MAX, SUBSCRIPTIONS_MAX, TRANSACTIONS_OPEN_MAX,
};
pub use session::{Session, fuzz_lines};
