//! Who somebody is: a public key, and signatures under it.
//!
//! ```
//! use dhlrs_identity::{Domain, Ed25519Signer, Ed25519Verifier, SecretKey, Signer, Verifier};
//!
//! const GREETING: Domain = Domain::new("example greeting");
//! let signer = Ed25519Signer::new(SecretKey::from_bytes([7; 32]));
//! let signature = signer.sign(&GREETING, b"hello");
//! Ed25519Verifier.verify(&signer.public_key(), &GREETING, b"hello", &signature)?;
//!
//! const ORDER: Domain = Domain::new("example order");
//! assert!(Ed25519Verifier.verify(&signer.public_key(), &ORDER, b"hello", &signature).is_err());
//! # Ok::<(), dhlrs_identity::VerifyError>(())
//! ```
//!
//! No randomness and no files: the bytes of a secret key come from outside. Signatures are verified strictly and one
//! by one; Ed25519's batch verification can disagree with that.

mod domain;
mod ed25519;
mod error;
mod keyed_hash;
mod public_key;
mod secret_key;
mod signature;
mod signer;

pub use domain::Domain;
pub use ed25519::{Ed25519Signer, Ed25519Verifier};
pub use error::{ParseKeyError, VerifyError, VerifyErrorKind};
pub use keyed_hash::{KeyedHashSigner, KeyedHashVerifier};
pub use public_key::PublicKey;
pub use secret_key::SecretKey;
pub use signature::Signature;
pub use signer::{Signer, Verifier};
