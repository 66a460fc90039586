//! Interchange: trees as documents, and documents as trees.
//!
//! | format | feature | keeps |
//! |---|---|---|
//! | plain JSON | `json` | labels, order, what JSON has types for; the rest is listed in `Losses` |
//! | typed JSON | `json` | everything |
//! | plain XML | `xml` | labels, order, values and attributes as text; the rest is listed |
//! | typed XML | `xml` | everything, but for characters that XML has not in labels: those are listed |
//! | CSV, to read | `csv` | a table: each row is a bag of Texts, labelled by the header |
//! | MessagePack | `messagepack` | everything |
//! | TYTX | `tytx` | everything; Genro's typed texts, for trees that go there and come from there |
//! | postcard | `postcard` | everything, in the least time; the native form |
//!
//! *Everything* is labels, order, values with their types, attributes (of the root too), and
//! resolvers by name and parameters. Ids, revisions and overlays are part of no format.
//!
//! Readers never recurse, take trees of the full depth, and refuse what is beyond their
//! [`ReadLimits`], or beyond what a node may hold, with a [`FormatError`] that says where.
//! `Item`s are for documents too large for memory: rows to merge as they come. What such a reader
//! keeps is the labels of the bags that are open, to tell doubles: some 50 bytes for each child that
//! an open bag has had, less than half of what the child takes in a tree.

mod assemble;
#[cfg(feature = "json")]
mod base64;
#[cfg(feature = "csv")]
mod csv;
mod error;
#[cfg(any(feature = "csv", feature = "xml"))]
mod fuse;
#[cfg(feature = "json")]
mod item;
#[cfg(feature = "json")]
mod json;
mod limits;
#[cfg(feature = "json")]
mod losses;
#[cfg(feature = "messagepack")]
mod messagepack;
#[cfg(feature = "postcard")]
mod postcard;
#[cfg(any(feature = "xml", feature = "tytx"))]
mod type_code;
#[cfg(feature = "tytx")]
mod tytx;
#[cfg(feature = "xml")]
mod xml;

#[cfg(feature = "csv")]
pub use csv::{CSV_ROW_BYTES_MAX, CsvReader};
pub use error::{FormatError, FormatErrorKind};
#[cfg(feature = "json")]
pub use item::{Item, PENDING_ROWS_MAX};
#[cfg(feature = "json")]
pub use json::{
    JSON_DEPTH_MAX, JSON_STRING_BYTES_MAX, JsonToken, JsonTokens, PlainJsonReader, PlainJsonWriter,
    TypedJsonReader, TypedJsonWriter, attributes_to_json, number_from_json, text_to_json,
    value_to_json,
};
pub use limits::ReadLimits;
#[cfg(feature = "json")]
pub use losses::{LOSSES_LISTED_MAX, Loss, LossKind, Losses};
#[cfg(feature = "messagepack")]
pub use messagepack::MESSAGEPACK_VERSION;
#[cfg(feature = "postcard")]
pub use postcard::POSTCARD_VERSION;
#[cfg(feature = "xml")]
pub use xml::{XML_EVENT_BYTES_MAX, XmlForm, XmlReader, XmlRoot, XmlWriter};

#[cfg(feature = "xml")]
pub(crate) use json::{read_json_attributes, read_json_resolver};
#[cfg(feature = "tytx")]
pub(crate) use json::{read_json_held, want, write_text, write_value};
#[cfg(any(feature = "xml", feature = "tytx"))]
pub(crate) use json::{read_json_value, resolver_to_json};

#[cfg(feature = "json")]
pub use base64::bytes_of_base64;
