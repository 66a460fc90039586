//! What one session may hold, so that no input can exhaust the process.

/// The longest request line, without its end.
pub const LINE_BYTES_MAX: usize = 16 << 20;
/// How deep the arrays and objects of a request may be nested: three for each bag in a bag, and
/// some for the request around them.
pub const JSON_DEPTH_MAX: usize = 256;
/// The most handles of a session.
pub const HANDLES_MAX: usize = 4096;
/// The most subscriptions of one handle, those to nodes and transactions counted too.
pub const SUBSCRIPTIONS_MAX: usize = 65_536;
/// The most transactions that may be open.
pub const TRANSACTIONS_OPEN_MAX: usize = 64;
/// The most resolvers that a session makes.
pub const RESOLVERS_MADE_MAX: usize = 1 << 20;
/// The most bytes that a session keeps of what its resolvers give and of the names they were called
/// by.
pub const RESOLVER_BYTES_MAX: usize = 64 << 20;
/// The most events of one request; those beyond are not reported.
pub const EVENTS_MAX: usize = 1 << 20;
