//! What signs and what checks, whichever scheme stands behind it.

use std::sync::Arc;

use crate::{Domain, PublicKey, Signature, VerifyError};

/// Something that signs under one public key.
pub trait Signer: Send + Sync {
    /// The key under which the signatures verify.
    fn public_key(&self) -> PublicKey;

    /// Signs a message for one purpose. The same message gives the same signature.
    fn sign(&self, domain: &Domain, message: &[u8]) -> Signature;
}

/// Something that checks signatures.
pub trait Verifier: Send + Sync {
    /// Checks that the holder of `key` signed exactly this message for exactly this purpose.
    ///
    /// # Errors
    ///
    /// [`VerifyError`] tells an impossible key from a wrong signature.
    fn verify(
        &self,
        key: &PublicKey,
        domain: &Domain,
        message: &[u8],
        signature: &Signature,
    ) -> Result<(), VerifyError>;
}

impl<T: Verifier + ?Sized> Verifier for Arc<T> {
    fn verify(
        &self,
        key: &PublicKey,
        domain: &Domain,
        message: &[u8],
        signature: &Signature,
    ) -> Result<(), VerifyError> {
        (**self).verify(key, domain, message, signature)
    }
}
