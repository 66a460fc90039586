//! XML, plain and typed.

use super::{FormatError, Losses, ReadLimits, assemble::Assembly};
use crate::{Bag, BagNode};

mod characters;
mod reader;
mod typed_text;
mod writer;

pub use reader::{XML_EVENT_BYTES_MAX, XmlReader, XmlRoot};
pub use writer::{XmlForm, XmlWriter};

impl Bag {
    /// The bag that an XML document says: the root element is the bag, its children are bag nodes.
    ///
    /// An element with children is a bag, any other a Text; what is beside children and no white
    /// space becomes a node `_`. A label that its bag has already gets a number: `a`, `a_1`,
    /// `a_2`. Attributes are Texts as they are written. In a document whose root is `GenRoBag`,
    /// `_T` says the type of a value, and attributes are what they spell: `1` an Int, `true` a
    /// Bool, `[1,2]` a List, `1.50::N` a Decimal.
    ///
    /// Document types and their entities are refused.
    ///
    /// # Errors
    /// See [`FormatErrorKind`](super::FormatErrorKind).
    pub fn from_xml(xml: &[u8], limits: &ReadLimits) -> Result<Self, FormatError> {
        let mut assembly = Assembly::new(*limits);
        for item in XmlReader::with_limits(xml, XmlRoot::Bag, None, *limits) {
            assembly.item(item?)?;
        }
        Ok(assembly.finish())
    }
}

impl BagNode<'_> {
    /// What is stored in this bag as XML below an element `root`, and what that leaves out; of a
    /// leaf, its attributes alone. O(n).
    ///
    /// The typed form calls its root `GenRoBag`, and [`Bag::from_xml`] reads it to an equal tree,
    /// unless something is listed.
    pub fn to_xml(&self, form: XmlForm, root: &str) -> (String, Losses) {
        let mut out = Vec::new();
        let written = XmlWriter::begin(&mut out, form, root, self.attributes())
            .and_then(|mut writer| {
                self.row_refs().try_for_each(|row| writer.write(row))?;
                writer.finish()
            })
            .map(|(_, losses)| losses);
        // Memory takes everything.
        let losses = written.unwrap_or_default();
        (String::from_utf8(out).unwrap_or_default(), losses)
    }
}
