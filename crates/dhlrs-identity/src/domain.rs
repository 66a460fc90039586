//! What a signature is for.

/// What a signature is for. One made in one domain is worth nothing in another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Domain {
    name: &'static str,
}

impl Domain {
    /// A domain of this name; it should tell the protocol, the purpose and the version.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self { name }
    }

    /// The name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The length of the domain's name in 8 bytes, the lowest first; the name; the message.
    ///
    /// The length keeps apart domains of which one's name begins with the other's.
    pub(crate) fn separate(&self, message: &[u8]) -> Vec<u8> {
        let name = self.name.as_bytes();
        let mut bytes = Vec::with_capacity(8 + name.len() + message.len());
        bytes.extend_from_slice(&(name.len() as u64).to_le_bytes());
        bytes.extend_from_slice(name);
        bytes.extend_from_slice(message);
        bytes
    }
}
