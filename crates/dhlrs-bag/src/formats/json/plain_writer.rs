//! Rows as plain JSON, for programs that know nothing of bags.

use std::io::{self, Write};

use dhlrs_path::Path;

use super::value::{write_text, write_value};
use crate::{
    Attributes, Row, Value,
    branch::RowRef,
    formats::{LossKind, Losses, losses::Trail},
};

/// Writes objects, lists and scalars while the rows come in. Bytes (base64), timestamps (RFC 3339), decimals, and
/// floats that are no numbers become strings.
#[derive(Debug)]
pub struct PlainJsonWriter<W> {
    out: W,
    depth: usize,
    has_child: bool,
    losses: Losses,
    trail: Trail,
}

impl<W: Write> PlainJsonWriter<W> {
    /// Begins a document that is an object.
    ///
    /// # Errors
    /// When `out` does not take it.
    pub fn begin(mut out: W) -> io::Result<Self> {
        out.write_all(b"{")?;
        Ok(Self {
            out,
            depth: 0,
            has_child: false,
            losses: Losses::default(),
            trail: Trail::default(),
        })
    }

    /// A whole document that is one value.
    ///
    /// # Errors
    /// When `out` does not take it.
    pub fn value(mut out: W, value: &Value, attributes: &Attributes) -> io::Result<Losses> {
        let mut losses = Losses::default();
        let top = Path::default;
        losses.add(LossKind::Attribute, attributes.len() as u64, top);
        losses.add(LossKind::Type, write_plain(&mut out, value)?, top);
        out.write_all(b"\n")?;
        Ok(losses)
    }

    /// Writes the next row, in pre-order.
    ///
    /// # Errors
    /// When `out` does not take it.
    pub fn row(&mut self, row: &Row) -> io::Result<()> {
        self.write(row.into())
    }

    pub(crate) fn write(&mut self, row: RowRef<'_>) -> io::Result<()> {
        self.close_to(usize::from(row.depth))?;
        if row.value.is_none() {
            self.trail.row(row);
        }
        if self.has_child {
            self.out.write_all(b",")?;
        }
        if row.depth == 0 {
            self.out.write_all(b"\n")?;
        }
        write_text(&mut self.out, row.label)?;
        self.out.write_all(b":")?;
        let path = || self.trail.path_of(row);
        let attributes = row.attributes.len() as u64;
        self.losses.add(LossKind::Attribute, attributes, path);
        let resolvers = u64::from(row.resolver.is_some());
        self.losses.add(LossKind::Resolver, resolvers, path);
        if let Some(value) = row.value {
            self.has_child = true;
            let lost = write_plain(&mut self.out, value)?;
            self.losses.add(LossKind::Type, lost, path);
            Ok(())
        } else {
            self.has_child = false;
            self.depth += 1;
            self.out.write_all(b"{")
        }
    }

    /// Ends the document, and hands back the output and what it lacks; `attributes` are the root's own.
    ///
    /// # Errors
    /// When `out` does not take it.
    pub fn finish(mut self, attributes: &Attributes) -> io::Result<(W, Losses)> {
        self.close_to(0)?;
        self.out
            .write_all(if self.has_child { b"\n}\n" } else { b"}\n" })?;
        self.out.flush()?;
        self.losses
            .add(LossKind::Attribute, attributes.len() as u64, Path::default);
        Ok((self.out, self.losses))
    }

    fn close_to(&mut self, depth: usize) -> io::Result<()> {
        while self.depth > depth {
            self.depth -= 1;
            self.has_child = true;
            self.out.write_all(b"}")?;
        }
        Ok(())
    }
}

// How many types were lost.
fn write_plain(out: &mut impl Write, value: &Value) -> io::Result<u64> {
    let Value::List(list) = value else {
        return write_plain_scalar(out, value);
    };
    let mut lost = 0;
    out.write_all(b"[")?;
    for (index, item) in list.items().iter().enumerate() {
        if index > 0 {
            out.write_all(b",")?;
        }
        lost += write_plain_scalar(out, item)?;
    }
    out.write_all(b"]")?;
    Ok(lost)
}

fn write_plain_scalar(out: &mut impl Write, value: &Value) -> io::Result<u64> {
    let is_typed = match value {
        Value::Float(number) => !number.is_finite(),
        Value::Bytes(_) | Value::Timestamp(_) | Value::Decimal(_) => true,
        _ => false,
    };
    if is_typed {
        write!(out, "\"{value}\"")?;
    } else {
        write_value(out, value)?;
    }
    Ok(u64::from(is_typed))
}
