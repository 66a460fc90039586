//! The name of a replicated store, the same for all who open it.

use core::fmt;

use dhlrs_identity::PublicKey;
use serde::{Deserialize, Serialize};

const STORE: &str = "dhlrs 1 store id";

/// Names a replicated store, so that processes that never met open the same one.
///
/// It stands in every signature: a run of one store is worth nothing in another.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StoreId([u8; 32]);

impl StoreId {
    /// The store of this name, with this root or without one.
    #[must_use]
    pub fn new(name: &str, root: Option<&PublicKey>) -> Self {
        let none = PublicKey::from_bytes([0; 32]);
        let hash = blake3::Hasher::new_derive_key(STORE)
            .update(&(name.len() as u64).to_le_bytes())
            .update(name.as_bytes())
            .update(root.unwrap_or(&none).as_bytes())
            .finalize();
        Self(*hash.as_bytes())
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for StoreId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let &[a, b, c, d, ..] = &self.0;
        write!(f, "StoreId({a:02x}{b:02x}{c:02x}{d:02x})")
    }
}
