//! Base64 (RFC 4648, section 4) with padding, to bytes; values print themselves.

use ::base64::{Engine, engine::general_purpose::STANDARD};

use crate::Bytes;

/// The bytes that standard base64 with padding spells.
///
/// # Errors
/// `Err` holds what is wrong with it.
pub fn bytes_of_base64(text: &str) -> Result<Bytes, &'static str> {
    STANDARD
        .decode(text)
        .map(|bytes| Bytes::new(&bytes))
        .map_err(|_| "this is no base64 with padding")
}
