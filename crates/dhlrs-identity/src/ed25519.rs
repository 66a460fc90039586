//! Real signatures.

use core::fmt;

use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};

use crate::{
    Domain, PublicKey, SecretKey, Signature, Signer, Verifier, VerifyError, VerifyErrorKind,
};

/// Signs with Ed25519.
pub struct Ed25519Signer {
    key: SigningKey,
}

impl Ed25519Signer {
    /// A signer for this secret key.
    #[must_use]
    pub fn new(secret: SecretKey) -> Self {
        Self {
            key: secret.into_signing_key(),
        }
    }
}

impl Signer for Ed25519Signer {
    fn public_key(&self) -> PublicKey {
        PublicKey::from_bytes(self.key.verifying_key().to_bytes())
    }

    fn sign(&self, domain: &Domain, message: &[u8]) -> Signature {
        Signature::from_bytes(self.key.sign(&domain.separate(message)).to_bytes())
    }
}

impl fmt::Debug for Ed25519Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ed25519Signer({})", self.public_key())
    }
}

/// Checks Ed25519 signatures by the strict rules: no weak keys, one valid signature encoding.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ed25519Verifier;

impl Verifier for Ed25519Verifier {
    fn verify(
        &self,
        key: &PublicKey,
        domain: &Domain,
        message: &[u8],
        signature: &Signature,
    ) -> Result<(), VerifyError> {
        let verifying = VerifyingKey::from_bytes(key.as_bytes())
            .ok()
            .filter(|verifying| !verifying.is_weak())
            .ok_or(VerifyError::new(VerifyErrorKind::BadKey, *key))?;
        let signature = ed25519_dalek::Signature::from_bytes(signature.as_bytes());
        verifying
            .verify_strict(&domain.separate(message), &signature)
            .map_err(|_| VerifyError::new(VerifyErrorKind::BadSignature, *key))
    }
}
