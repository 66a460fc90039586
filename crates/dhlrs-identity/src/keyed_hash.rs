//! Signatures for simulations.

use core::fmt;

use crate::{Domain, PublicKey, Signature, Signer, Verifier, VerifyError, VerifyErrorKind};

/// Stands in for a signer where the processor's time should go elsewhere: simulations.
///
/// All signers and verifiers of a realm share its secret, so this proves nothing to anybody who holds it.
#[derive(Clone)]
pub struct KeyedHashSigner {
    realm: [u8; 32],
    key: PublicKey,
}

impl KeyedHashSigner {
    /// The signer of `key` in the realm.
    #[must_use]
    pub const fn new(realm: [u8; 32], key: PublicKey) -> Self {
        Self { realm, key }
    }
}

impl Signer for KeyedHashSigner {
    fn public_key(&self) -> PublicKey {
        self.key
    }

    fn sign(&self, domain: &Domain, message: &[u8]) -> Signature {
        keyed_hash(&self.realm, &self.key, domain, message)
    }
}

impl fmt::Debug for KeyedHashSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyedHashSigner({})", self.key)
    }
}

/// Checks what the [`KeyedHashSigner`]s of its realm signed.
#[derive(Clone)]
pub struct KeyedHashVerifier {
    realm: [u8; 32],
}

impl KeyedHashVerifier {
    /// The verifier of a realm.
    #[must_use]
    pub const fn new(realm: [u8; 32]) -> Self {
        Self { realm }
    }
}

impl Verifier for KeyedHashVerifier {
    fn verify(
        &self,
        key: &PublicKey,
        domain: &Domain,
        message: &[u8],
        signature: &Signature,
    ) -> Result<(), VerifyError> {
        if keyed_hash(&self.realm, key, domain, message) == *signature {
            return Ok(());
        }
        Err(VerifyError::new(VerifyErrorKind::BadSignature, *key))
    }
}

impl fmt::Debug for KeyedHashVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyedHashVerifier")
    }
}

fn keyed_hash(realm: &[u8; 32], key: &PublicKey, domain: &Domain, message: &[u8]) -> Signature {
    let mut bytes = [0; 64];
    blake3::Hasher::new_keyed(realm)
        .update(key.as_bytes())
        .update(&domain.separate(message))
        .finalize_xof()
        .fill(&mut bytes);
    Signature::from_bytes(bytes)
}
