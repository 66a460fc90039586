//! Resolvers that do IO: environment, directory, file, HTTP, UUID.
//!
//! ```
//! use dhlrs_resolver::ResolverOptions;
//! use dhlrs_resolver_io::{FileConfig, FileResolver};
//!
//! let dir = tempfile::tempdir()?;
//! std::fs::write(dir.path().join("motd.txt"), "closed on Sunday")?;
//!
//! // The code of a resolver, and how it is registered: bound by configuration only, so that nobody
//! // who writes to a tree can make this process read files.
//! let files = FileResolver::new(FileConfig::new(dir.path()))?;
//! let options = ResolverOptions { bindings_only: true, ..ResolverOptions::default() };
//! # let _ = options;
//! let run = files.into_code();
//! # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
//! # let call = dhlrs_resolver::Call {
//! #     resolver: "file".to_owned(),
//! #     path: dhlrs_path::Path::parse("motd")?,
//! #     parameters: [(dhlrs_bag::Name::new("file")?, "motd.txt".into())].into_iter().collect(),
//! #     address: None,
//! #     deadline_ms: 1_000,
//! # };
//! let content = runtime.block_on(run(call))?;
//! assert_eq!(content, "closed on Sunday".into());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | resolver | reads | cannot |
//! |---|---|---|
//! | [`EnvironmentResolver`] | variables that its configuration lists | read another one |
//! | [`DirectoryResolver`] | what is in a directory below a root | leave the root, by `..` or by link |
//! | [`FileResolver`] | a file below a root, as Text, Bytes or a branch | leave the root; read without end |
//! | [`HttpResolver`] | a URL of hosts that are allowed | reach private addresses; read without end |
//! | [`UuidResolver`] | nothing: a new UUID each time | |
//!
//! What a node's attributes say can be written by others, so it chooses among what the
//! configuration allows and never beyond. A callback is a resolver by itself, and the one that reads
//! another process's tree is part of the engine: neither is here.

mod code;
mod directory;
mod environment;
mod error;
mod file;
mod format;
mod http;
mod parameter;
mod rooted;
mod uuid;

pub use directory::{DIRECTORY_ENTRIES_MAX, DirectoryConfig, DirectoryResolver};
pub use environment::{EnvironmentConfig, EnvironmentResolver};
pub use error::{IoError, IoErrorKind};
pub use file::{FILE_BYTES_MAX, FileConfig, FileResolver};
pub use format::{CSV_CELLS_MAX, Format};
pub use http::{
    HTTP_BODY_BYTES_MAX, HTTP_HEADER_BYTES_MAX, HTTP_REDIRECTS_MAX, HTTP_TIMEOUT, HttpConfig,
    HttpResolver, Lookup, is_public,
};
pub use uuid::UuidResolver;
