//! JSON, plain and typed.

use std::io::{self, Write};

use super::{FormatError, Losses, ReadLimits, assemble::Assembly, item::Steps};
use crate::{Bag, BagNode};

mod plain_reader;
mod plain_writer;
mod tokens;
mod typed_reader;
mod typed_writer;
mod value;

pub use plain_reader::PlainJsonReader;
pub use plain_writer::PlainJsonWriter;
pub use tokens::{JSON_DEPTH_MAX, JSON_STRING_BYTES_MAX, JsonToken, JsonTokens};
pub use typed_reader::TypedJsonReader;
pub use typed_writer::TypedJsonWriter;
#[cfg(any(feature = "xml", feature = "tytx"))]
pub(crate) use typed_writer::resolver_to_json;
#[cfg(any(feature = "xml", feature = "tytx"))]
pub(crate) use value::read_json_value;
pub use value::{attributes_to_json, number_from_json, text_to_json, value_to_json};
#[cfg(feature = "xml")]
pub(crate) use value::{read_json_attributes, read_json_resolver};
#[cfg(feature = "tytx")]
pub(crate) use value::{read_json_held, want, write_text, write_value};

impl Bag {
    /// The bag that a plain JSON document says: an object is a bag, a scalar a value, a flat list
    /// a List, any other list a bag with the labels `0`, `1` ….
    ///
    /// Does not recurse. O(n log n) in the width of the bags.
    ///
    /// # Errors
    /// See [`FormatErrorKind`](super::FormatErrorKind); `NotABag` for a document that is one value.
    pub fn from_json(json: &[u8], limits: &ReadLimits) -> Result<Self, FormatError> {
        limits.check_bytes(json.len() as u64)?;
        PlainJsonReader::whole(json, *limits).assemble(Assembly::new(*limits))
    }

    /// The bag that [`BagNode::to_typed_json`] wrote.
    ///
    /// # Errors
    /// See [`FormatErrorKind`](super::FormatErrorKind); `NotABag` for a document that is one value.
    pub fn from_typed_json(json: &[u8], limits: &ReadLimits) -> Result<Self, FormatError> {
        limits.check_bytes(json.len() as u64)?;
        TypedJsonReader::whole(json, *limits).assemble(Assembly::new(*limits))
    }
}

impl BagNode<'_> {
    /// What is stored here as plain JSON, and what that leaves out. O(n).
    pub fn to_json(&self) -> (String, Losses) {
        let mut out = Vec::new();
        // Memory takes everything.
        let losses = self.write_json(&mut out).unwrap_or_default();
        (String::from_utf8(out).unwrap_or_default(), losses)
    }

    fn write_json(&self, out: &mut Vec<u8>) -> io::Result<Losses> {
        if let Some(value) = self.stored_value() {
            return PlainJsonWriter::value(out, value, self.attributes());
        }
        let mut writer = PlainJsonWriter::begin(out)?;
        self.row_refs().try_for_each(|row| writer.write(row))?;
        Ok(writer.finish(self.attributes())?.1)
    }

    /// What is stored here as typed JSON, which [`Bag::from_typed_json`] reads to an equal tree.
    /// O(n).
    pub fn to_typed_json(&self) -> String {
        let mut out = Vec::new();
        match self.write_typed_json(&mut out) {
            Ok(()) => String::from_utf8(out).unwrap_or_default(),
            Err(_) => String::new(),
        }
    }

    fn write_typed_json(&self, out: &mut impl Write) -> io::Result<()> {
        if let Some(value) = self.stored_value() {
            return TypedJsonWriter::value(out, value, self.attributes());
        }
        let mut writer = TypedJsonWriter::begin(out)?;
        self.row_refs().try_for_each(|row| writer.write(row))?;
        writer.finish(self.attributes()).map(drop)
    }
}
