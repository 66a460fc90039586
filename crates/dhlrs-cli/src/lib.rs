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

mod error;
pub mod interchange;
pub mod literal;
mod target;

pub use error::{Exit, Failure, FailureKind};
pub use target::{PathTarget, PatternTarget, StoreTarget, WatchTarget};
