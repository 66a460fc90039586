//! A signature counts for one key, purpose and message.

use dhlrs_identity::{
    Domain, Ed25519Signer, Ed25519Verifier, KeyedHashSigner, KeyedHashVerifier, PublicKey,
    SecretKey, Signature, Signer, Verifier, VerifyErrorKind,
};

const A: Domain = Domain::new("test a");
const B: Domain = Domain::new("test ab");

fn verifies_exactly_what_was_signed(
    signer: &dyn Signer,
    other: &dyn Signer,
    verifier: &dyn Verifier,
) {
    let key = signer.public_key();
    let signature = signer.sign(&A, b"bcd");
    verifier.verify(&key, &A, b"bcd", &signature).unwrap();
    assert_eq!(signature, signer.sign(&A, b"bcd"));

    let refused = |key: &PublicKey, domain: &Domain, message: &[u8], signature: &Signature| {
        let err = verifier
            .verify(key, domain, message, signature)
            .unwrap_err();
        assert_eq!(err.kind(), VerifyErrorKind::BadSignature, "{err}");
    };
    refused(&other.public_key(), &A, b"bcd", &signature);
    refused(&key, &A, b"bce", &signature);
    // Without the length of the domain's name these two would be the same bytes.
    refused(&key, &B, b"cd", &signature);
    for at in 0..64 {
        let mut bytes = *signature.as_bytes();
        bytes[at] ^= 1;
        refused(&key, &A, b"bcd", &Signature::from_bytes(bytes));
    }
}

#[test]
fn ed25519() {
    let signer = Ed25519Signer::new(SecretKey::from_bytes([1; 32]));
    let other = Ed25519Signer::new(SecretKey::from_bytes([2; 32]));
    verifies_exactly_what_was_signed(&signer, &other, &Ed25519Verifier);
}

#[test]
fn keyed_hash() {
    let signer = KeyedHashSigner::new([9; 32], PublicKey::from_bytes([1; 32]));
    let other = KeyedHashSigner::new([9; 32], PublicKey::from_bytes([2; 32]));
    verifies_exactly_what_was_signed(&signer, &other, &KeyedHashVerifier::new([9; 32]));

    let stranger = KeyedHashSigner::new([8; 32], signer.public_key());
    let forged = stranger.sign(&A, b"bcd");
    assert!(
        KeyedHashVerifier::new([9; 32])
            .verify(&signer.public_key(), &A, b"bcd", &forged)
            .is_err()
    );
}

#[test]
fn a_weak_key_signs_nothing() {
    // The neutral point: with it, a signature of zeros verifies for any message by the lax rules.
    let mut neutral = [0; 32];
    neutral[0] = 1;
    let mut signature = [0; 64];
    signature[0] = 1;
    let err = Ed25519Verifier
        .verify(
            &PublicKey::from_bytes(neutral),
            &A,
            b"anything",
            &Signature::from_bytes(signature),
        )
        .unwrap_err();
    assert_eq!(err.kind(), VerifyErrorKind::BadKey);
}
