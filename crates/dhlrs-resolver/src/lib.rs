//! Resolvers: values that are fetched when they are read.
//!
//! A node may name a resolver, or local configuration may bind one to it. [`Resolvers`] decides
//! what a read of it gets: what is cached, or one call that all who wait share. It is a machine
//! without code, clock or threads: it says which resolver to call, and is told what came of it.
//!
//! ```
//! use dhlrs_bag::{Attributes, Content, Name, NodeId, ResolverRef, Value};
//! use dhlrs_clock::Time;
//! use dhlrs_path::Path;
//! use dhlrs_resolver::{
//!     Limits, Output, Read, Registry, Request, ResolverOptions, Resolvers, Slot, Source,
//! };
//!
//! let mut registry = Registry::new();
//! registry.register("weather", ResolverOptions::default())?;
//! let mut resolvers = Resolvers::new(registry, Limits::default());
//!
//! let mut reference = ResolverRef::new(Name::new("weather")?);
//! reference.cache_time_ms = 60_000;
//! let attributes = Attributes::from_iter([(Name::new("city")?, Value::from("Basel"))]);
//! let request = Request {
//!     slot: &Slot::Node(NodeId::from_bytes([1; 16])),
//!     path: &Path::parse("today.sky")?,
//!     source: Source::Node(&reference),
//!     attributes: &attributes,
//!     arguments: &Attributes::default(),
//! };
//!
//! // Two readers, one call.
//! let now = Time { wall_ms: 0, monotonic_ms: 1_000 };
//! let mut outputs = Vec::new();
//! assert_eq!(resolvers.read(now, &request, 1, 5_000, &mut outputs), Read::Pending);
//! assert_eq!(resolvers.read(now, &request, 2, 5_000, &mut outputs), Read::Pending);
//! let [Output::Start { flight, call }] = outputs.as_slice() else { panic!("{outputs:?}") };
//! assert_eq!((call.resolver.as_str(), &call.parameters), ("weather", &attributes));
//!
//! // The result answers both, enters the tree, and is fresh for a minute.
//! let flight = *flight;
//! outputs.clear();
//! resolvers.resolved(now, flight, Ok(Content::Value("rain".into())), &mut outputs);
//! assert!(matches!(
//!     outputs.as_slice(),
//!     [Output::Answer { reader: 1, .. }, Output::Answer { reader: 2, .. }, Output::Store { .. }]
//! ));
//! let read = resolvers.read(now.plus_ms(59_999), &request, 3, 99_000, &mut outputs);
//! assert!(matches!(read, Read::Ready(Ok(_))));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! No IO. The code of a resolver is the driver's; those that read files or ask servers are
//! elsewhere, and so is the tree that a result enters.

mod binding;
mod cache;
mod call;
mod entry;
mod error;
mod flight;
mod flights;
mod landing;
mod limits;
mod options;
mod output;
mod registry;
mod resolvers;
mod template;

pub use binding::{BINDINGS_MAX, Binding, Bindings};
pub use call::{Call, Request, Slot, Source};
pub use error::{ConfigError, ConfigErrorKind, MESSAGE_BYTES_MAX, ResolveError, ResolveErrorKind};
pub use limits::{
    CACHED_BYTES_MAX, FLIGHTS_MAX, FLIGHTS_PER_NODE_MAX, Limits, READERS_MAX, READERS_PER_NODE_MAX,
    RESULT_BYTES_MAX,
};
pub use options::{ATTEMPTS_MAX, OPTION_MS_MAX, REFRESH_INTERVAL_MS_MIN, ResolverOptions, Retry};
pub use output::{FlightId, Output, Read, Resolution};
pub use registry::{RESOLVER_NAME_BYTES_MAX, RESOLVERS_MAX, Registry};
pub use resolvers::Resolvers;
pub use template::{ParseTemplateError, ParseTemplateErrorKind, TEMPLATE_BYTES_MAX, Template};
