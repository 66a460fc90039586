//! The name and parameters of a resolver: all of it that is logged and travels.

use crate::{
    Attributes, Name,
    value::{prefixed_bytes, varint_bytes, zigzag},
};

/// Names the resolver that stands in for a node's value, never its code.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ResolverRef {
    /// Its name in the registry.
    pub name: Name,
    /// How long a result is kept: 0 resolves at every read, below 0 keeps it until it is reset.
    pub cache_time_ms: i64,
    /// The result answers readers and is not shown in the tree.
    pub read_only: bool,
    /// What it is called with; attributes of the node override these.
    pub parameters: Attributes,
}

impl ResolverRef {
    /// A resolver that is called at every read, without parameters.
    pub fn new(name: Name) -> Self {
        Self {
            name,
            cache_time_ms: 0,
            read_only: false,
            parameters: Attributes::new(),
        }
    }

    /// How many bytes it takes in the postcard encoding of this crate.
    pub fn encoded_bytes(&self) -> usize {
        prefixed_bytes(self.name.as_str().len())
            + varint_bytes(zigzag(i128::from(self.cache_time_ms)))
            + 1
            + self.parameters.encoded_bytes()
    }
}
