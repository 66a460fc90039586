//! Rows as typed JSON, which imports again to an equal tree.

use std::io::{self, Write};

use super::value::{attributes_to_json, text_to_json, write_attributes, write_text, write_value};
use crate::{Attributes, ResolverRef, Row, Value, branch::RowRef};

/// Writes `{"$bag":[[label,V,{attr:V},R?]…],"attrs":{…}}` while the rows come in.
///
/// Attributes are sorted by name, so that equal trees give equal bytes. Each child of the root begins a line.
#[derive(Debug)]
pub struct TypedJsonWriter<W> {
    out: W,
    // What stands behind the content of each open bag.
    open: Vec<Vec<u8>>,
    // Whether the innermost open bag has a child already.
    has_child: bool,
}

impl<W: Write> TypedJsonWriter<W> {
    /// Begins a document.
    ///
    /// # Errors
    /// When `out` does not take it.
    pub fn begin(mut out: W) -> io::Result<Self> {
        out.write_all(b"{\"$bag\":[")?;
        Ok(Self {
            out,
            open: Vec::new(),
            has_child: false,
        })
    }

    /// A whole document that is one value.
    ///
    /// # Errors
    /// When `out` does not take it.
    pub fn value(mut out: W, value: &Value, attributes: &Attributes) -> io::Result<()> {
        out.write_all(b"{\"$value\":")?;
        write_value(&mut out, value)?;
        writeln!(out, ",\"attrs\":{}}}", attributes_to_json(attributes))
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
        if self.has_child {
            self.out.write_all(b",")?;
        }
        self.out
            .write_all(if row.depth == 0 { b"\n[" } else { b"[" })?;
        write_text(&mut self.out, row.label)?;
        if let Some(value) = row.value {
            self.has_child = true;
            self.out.write_all(b",")?;
            write_value(&mut self.out, value)?;
            write_rest(&mut self.out, row)
        } else {
            self.has_child = false;
            let mut rest = Vec::new();
            write_rest(&mut rest, row)?;
            self.open.push(rest);
            self.out.write_all(b",{\"$bag\":[")
        }
    }

    /// Ends the document with the attributes of the root, and hands back the output.
    ///
    /// # Errors
    /// When `out` does not take it.
    pub fn finish(mut self, attributes: &Attributes) -> io::Result<W> {
        self.close_to(0)?;
        let line = if self.has_child { "\n" } else { "" };
        writeln!(
            self.out,
            "{line}],\"attrs\":{}}}",
            attributes_to_json(attributes)
        )?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn close_to(&mut self, depth: usize) -> io::Result<()> {
        while self.open.len() > depth {
            let rest = self.open.pop().unwrap_or_default();
            self.out.write_all(b"]}")?;
            self.out.write_all(&rest)?;
            self.has_child = true;
        }
        Ok(())
    }
}

// What stands behind a row's content.
fn write_rest(out: &mut impl Write, row: RowRef<'_>) -> io::Result<()> {
    out.write_all(b",")?;
    write_attributes(out, row.attributes)?;
    if let Some(resolver) = row.resolver {
        write!(out, ",{}", resolver_to_json(resolver))?;
    }
    out.write_all(b"]")
}

pub(crate) fn resolver_to_json(resolver: &ResolverRef) -> String {
    format!(
        r#"{{"$res":{{"name":{},"cache_time":{},"read_only":{},"kw":{}}}}}"#,
        text_to_json(&resolver.name),
        seconds(resolver.cache_time_ms),
        resolver.read_only,
        attributes_to_json(&resolver.parameters),
    )
}

fn seconds(milliseconds: i64) -> String {
    let sign = if milliseconds < 0 { "-" } else { "" };
    let milliseconds = milliseconds.unsigned_abs();
    let (whole, fraction) = (milliseconds / 1000, milliseconds % 1000);
    if fraction == 0 {
        return format!("{sign}{whole}");
    }
    format!(
        "{sign}{whole}.{}",
        format!("{fraction:03}").trim_end_matches('0')
    )
}
