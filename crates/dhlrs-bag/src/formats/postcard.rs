//! The native form: a version, the root's attributes, and rows in postcard, one behind the other.

use ::postcard::to_extend;
use dhlrs_codec::{DecodeError, decode_head};
use serde::Deserialize;

use super::{FormatError, FormatErrorKind as Kind, ReadLimits, assemble::Assembly};
use crate::{Attributes, Bag, BagNode, NODE_BYTES_MAX, Row};

/// The first byte of a bag in postcard.
pub const POSTCARD_VERSION: u8 = 1;

// A row's depth, and what an encoding may waste, beyond what a node may be.
const ROW_BYTES_MAX: usize = NODE_BYTES_MAX + 64;

impl BagNode<'_> {
    /// What is stored in this bag in the native form, which [`Bag::from_postcard`] reads to an
    /// equal tree; of a leaf, its attributes alone. O(n).
    ///
    /// The version, the attributes, the number of rows, then each [`Row`], all as this crate
    /// encodes them in postcard.
    pub fn to_postcard(&self) -> Vec<u8> {
        let mut count = 0_u64;
        let mut rows = Vec::new();
        for row in self.row_refs() {
            count += 1;
            append(&row, &mut rows);
        }
        let mut out = vec![POSTCARD_VERSION];
        append(self.attributes(), &mut out);
        append(&count, &mut out);
        out.extend_from_slice(&rows);
        out
    }
}

// Memory takes everything, and rows hold nothing that postcard cannot encode.
fn append<T: serde::Serialize>(value: &T, out: &mut Vec<u8>) {
    *out = to_extend(value, std::mem::take(out)).unwrap_or_default();
}

impl Bag {
    /// The bag that [`BagNode::to_postcard`] wrote.
    ///
    /// Memory is bounded by the length of the input, whatever lengths it announces. O(n log n) in
    /// the width of the bags.
    ///
    /// # Errors
    /// See [`FormatErrorKind`](super::FormatErrorKind); the error says at which byte.
    pub fn from_postcard(bytes: &[u8], limits: &ReadLimits) -> Result<Self, FormatError> {
        limits.check_bytes(bytes.len() as u64)?;
        match bytes.first() {
            Some(&POSTCARD_VERSION) => {}
            Some(other) => {
                return Err(FormatError::new(
                    Kind::UnknownVersion,
                    format!("version {other}; this program knows {POSTCARD_VERSION}"),
                )
                .at_byte(0));
            }
            None => return Err(FormatError::new(Kind::Syntax, "no bytes at all").at_byte(0)),
        }
        let mut input = Input { bytes, at: 1 };
        let mut assembly = Assembly::new(*limits);
        let own: Attributes = input.next()?;
        let placed = |at: usize| move |error: FormatError| error.at_byte(at as u64);
        assembly.root_attributes(own).map_err(placed(1))?;
        let count: u64 = input.next()?;
        limits.check_nodes(count).map_err(placed(input.at))?;
        for _ in 0..count {
            let at = input.at;
            let row: Row = input.next()?;
            assembly.row(row).map_err(placed(at))?;
        }
        let left = bytes.len() - input.at;
        if left > 0 {
            let error = FormatError::new(Kind::Syntax, format!("{left} bytes follow the last row"));
            return Err(error.at_byte(input.at as u64));
        }
        Ok(assembly.finish())
    }
}

struct Input<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Input<'a> {
    fn next<T: Deserialize<'a>>(&mut self) -> Result<T, FormatError> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let head = rest.get(..rest.len().min(ROW_BYTES_MAX)).unwrap_or(rest);
        let (value, used) = decode_head(head, ROW_BYTES_MAX).map_err(|cause: DecodeError| {
            let at = self.at + cause.at();
            FormatError::new(Kind::Syntax, cause.to_string()).at_byte(at as u64)
        })?;
        self.at += used;
        Ok(value)
    }
}
