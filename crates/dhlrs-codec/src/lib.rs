//! Postcard, with limits: encode at most so many bytes, decode hostile input without harm.
//!
//! ```
//! use dhlrs_codec::{decode, encode};
//!
//! let bytes = encode(&("orders", 3u32), 64)?;
//! let back: (String, u32) = decode(&bytes, 64)?;
//! assert_eq!(back, ("orders".to_owned(), 3));
//!
//! // Five bytes that announce a billion elements of no size.
//! let err = decode::<Vec<()>>(&[0x80, 0x94, 0xeb, 0xdc, 0x03], 64).unwrap_err();
//! assert_eq!(err.kind(), dhlrs_codec::DecodeErrorKind::TooManyElements);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The format is postcard's, byte for byte. The decoder is ours, because the stock one neither bounds depth and
//! element counts nor says where and why it failed. What a single field may hold is its type's business; the
//! `bounded_*` functions help there.

mod bounded;
mod decode;
mod deserializer;
mod encode;
mod error;

pub use bounded::{bounded_bytes, bounded_string, bounded_vec};
pub use decode::{
    DEPTH_MAX, ELEMENT_BYTES_FREE, ELEMENT_BYTES_PER_INPUT_BYTE_MAX, decode, decode_head,
};
pub use encode::encode;
pub use error::{DecodeError, DecodeErrorKind, EncodeError, EncodeErrorKind};
