//! Hashes for one purpose: blake3's key derivation, whose key is worked out once.

use std::sync::OnceLock;

use blake3::hazmat::{self, HasherExt};

/// What a hash is for. Hashes in two contexts never mean the same.
pub(crate) struct Context {
    name: &'static str,
    key: OnceLock<[u8; 32]>,
}

impl Context {
    pub(crate) const fn new(name: &'static str) -> Self {
        Self {
            name,
            key: OnceLock::new(),
        }
    }

    pub(crate) fn hasher(&self) -> blake3::Hasher {
        let key = self
            .key
            .get_or_init(|| hazmat::hash_derive_key_context(self.name));
        blake3::Hasher::new_from_context_key(key)
    }
}
