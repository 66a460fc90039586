//! Keys have one spelling, fixed sizes, and secrets are not printed.

use dhlrs_identity::{PublicKey, SecretKey, Signature};

#[test]
fn a_key_has_one_spelling() {
    let key = PublicKey::from_bytes([0xab; 32]);
    let text = "ab".repeat(32);
    assert_eq!(key.to_string(), text);
    assert_eq!(text.parse::<PublicKey>().unwrap(), key);

    let err = text.to_uppercase().parse::<PublicKey>().unwrap_err();
    assert_eq!(err.at(), Some(0));
    let err = format!("{}g", &text[1..]).parse::<PublicKey>().unwrap_err();
    assert_eq!(
        err.to_string(),
        "not a key: byte 63 is no lowercase hex digit"
    );
    let err = text[1..].parse::<PublicKey>().unwrap_err();
    assert_eq!(
        err.to_string(),
        "not a key: expected 64 lowercase hex digits, got 63 bytes"
    );
    assert!("é".repeat(32).parse::<PublicKey>().is_err());
}

#[test]
fn keys_and_signatures_take_their_own_bytes_and_no_more() {
    let key = PublicKey::from_bytes([3; 32]);
    let bytes = postcard::to_stdvec(&key).unwrap();
    assert_eq!(bytes, [3; 32]);
    assert_eq!(postcard::from_bytes::<PublicKey>(&bytes).unwrap(), key);

    let signature = Signature::from_bytes(core::array::from_fn(|at| at as u8));
    let bytes = postcard::to_stdvec(&signature).unwrap();
    assert_eq!(bytes, signature.as_bytes());
    assert_eq!(
        postcard::from_bytes::<Signature>(&bytes).unwrap(),
        signature
    );
}

#[test]
fn a_secret_is_never_printed() {
    let secret = SecretKey::from_bytes([0x5a; 32]);
    assert_eq!(format!("{secret:?}"), "SecretKey(..)");
    assert_eq!(secret.to_bytes(), [0x5a; 32]);
}
