//! What this workspace does to itself: tests, benchmarks, simulations, tidiness, data.
//!
//! ```
//! let text = xtask::data::field_assessments();
//! assert_eq!(text.matches("\"id\":").count(), 500);
//! ```
//!
//! Nothing here is published; the crates do not know it.

pub mod bench;
pub mod data;
mod error;
pub mod mutants;
pub mod pipeline;
pub mod proofs;
mod report;
pub mod sim;
pub mod source;
pub mod tidy;
mod workspace;

pub use error::XtaskError;
pub use report::report;
pub use workspace::{Member, Workspace};
