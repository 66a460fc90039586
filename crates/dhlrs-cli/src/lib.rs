//! The program `dhlrs`: serve, read, write, watch, import and export reactive trees.
//!
//! ```
//! use dhlrs_cli::literal;
//!
//! assert_eq!(literal::parse("12", None)?.type_name(), "int");
//! assert_eq!(literal::parse("007", None)?.type_name(), "text");
//! # Ok::<(), dhlrs_cli::Failure>(())
//! ```
//!
//! A library only so that its tests reach its parts; what it promises is the command line, not this interface.

mod action;
mod arguments;
mod binding;
mod client;
pub mod command;
mod config;
mod demo;
mod duration;
mod error;
pub mod identity_file;
pub mod interchange;
pub mod literal;
mod moment;
mod output;
mod position;
mod program;
mod progress;
mod refusal;
pub mod render;
mod target;

pub use arguments::{Parsed, parse};
pub use binding::{Allow, Forward, Resolve, StoreKind, StoreOption};
pub use config::CONFIG_BYTES_MAX;
pub use duration::parse_duration;
pub use error::{Exit, Failure, FailureKind};
pub use moment::parse_moment;
pub use position::parse_position;
pub use program::run;
pub use target::{PathTarget, PatternTarget, StoreTarget, WatchTarget};
