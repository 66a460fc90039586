//! What the resolvers of one store may hold.

/// What the resolvers of one store may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Flights of the store at a time. A read beyond is answered
    /// [`Overloaded`](crate::ResolveErrorKind::Overloaded).
    pub flights_max: usize,
    /// Flights of one node at a time: those with other parameters, and those that an invalidate
    /// overtook.
    pub flights_per_node_max: usize,
    /// Readers waiting for one node.
    pub readers_per_node_max: usize,
    /// Readers waiting in the store.
    pub readers_max: usize,
    /// Everything that is kept for later reads. Above it, what was not used for longest is evicted.
    pub cached_bytes_max: u64,
    /// One result. A larger one is answered [`TooLarge`](crate::ResolveErrorKind::TooLarge).
    pub result_bytes_max: u64,
}

/// Default of [`Limits::flights_max`].
pub const FLIGHTS_MAX: usize = 1024;
/// Default of [`Limits::flights_per_node_max`].
pub const FLIGHTS_PER_NODE_MAX: usize = 16;
/// Default of [`Limits::readers_per_node_max`].
pub const READERS_PER_NODE_MAX: usize = 4096;
/// Default of [`Limits::readers_max`].
pub const READERS_MAX: usize = 65_536;
/// Default of [`Limits::cached_bytes_max`]: 64 MiB.
pub const CACHED_BYTES_MAX: u64 = 64 << 20;
/// Default of [`Limits::result_bytes_max`]: 8 MiB.
pub const RESULT_BYTES_MAX: u64 = 8 << 20;

impl Default for Limits {
    fn default() -> Self {
        Self {
            flights_max: FLIGHTS_MAX,
            flights_per_node_max: FLIGHTS_PER_NODE_MAX,
            readers_per_node_max: READERS_PER_NODE_MAX,
            readers_max: READERS_MAX,
            cached_bytes_max: CACHED_BYTES_MAX,
            result_bytes_max: RESULT_BYTES_MAX,
        }
    }
}
