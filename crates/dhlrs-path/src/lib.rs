//! Paths, patterns and global addresses of a reactive tree.
//!
//! A path names one node below the root of a tree: `orders.o1.status`; `#3` is the fourth child,
//! `#colour=red` the first child with that attribute, `#parent` the bag around. A query after the
//! last step names attributes: `orders.o1?colour`. A pattern names many nodes: `*` is one step,
//! `**` any number of them. An address says whose tree is meant: `machine/process/store/path`.
//!
//! ```
//! use dhlrs_path::{Address, Path, Pattern, Step};
//!
//! let path = Path::parse("orders.#3.status")?;
//! assert_eq!(path.to_string(), "orders.#3.status");
//! assert_eq!(path.steps().nth(1), Some(Step::Index(3)));
//!
//! // A label may hold anything but control characters; syntax in it is escaped when printed.
//! let path = Path::default().child("v1.5")?.child("a=b")?;
//! assert_eq!(path.as_str(), r"v1\.5.a\=b");
//!
//! let pattern: Pattern = "orders.*.status".parse()?;
//! assert!(pattern.matches(["orders", "o1", "status"]));
//! assert!("**".parse::<Pattern>()?.includes(&pattern));
//!
//! let address: Address = "c/main/orders/o1.status".parse()?;
//! assert_eq!((address.node().machine(), address.path().as_str()), ("c", "o1.status"));
//! # Ok::<(), dhlrs_path::ParsePathError>(())
//! ```
//!
//! Every text that is accepted has one canonical spelling, which is what is kept and printed:
//! `parse(print(p)) == p`. Parsing a borrowed path that is already spelled so allocates nothing.
//! Parsing, matching and comparing are iterative and bounded by the limits below.
//!
//! No dependencies, no IO, `no_std` with `alloc`. Values and trees live in `dhlrs-bag`; what a
//! path finds is decided there.

#![no_std]

extern crate alloc;

mod address;
mod error;
mod grammar;
mod limits;
mod path;
mod pattern;
mod query;
mod relation;
mod step;

pub use address::{Address, NodeName, PatternAddress, StoreAddress, StoreName};
pub use error::{ParsePathError, ParsePathErrorKind};
pub use grammar::{check_label, check_name};
pub use limits::{DEPTH_MAX, LABEL_BYTES_MAX, NAME_BYTES_MAX, PATH_BYTES_MAX, PATTERN_BYTES_MAX};
pub use path::Path;
pub use pattern::{Pattern, PatternStep, PatternSteps};
pub use query::{Names, Query};
pub use step::{Step, StepTexts, Steps};
