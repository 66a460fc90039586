//! Rows as typed JSON, which imports again to an equal tree.

use std::io::{self, Write};

use dhlrs_bag::{Attributes, ResolverRef, Row, Value};

use super::value::{attributes_to_json, text_to_json, value_to_json};

/// Writes `{"$bag":[[label,V,{attr:V},R?]…],"attrs":{…}}` while the rows come in.
///
/// Attributes are sorted by name, so that equal trees give equal bytes. Each child of the root begins a line.
#[derive(Debug)]
pub struct TypedExport<W> {
    out: W,
    // What stands behind the content of each open bag.
    open: Vec<String>,
    // Whether the innermost open bag has a child already.
    has_child: bool,
}

impl<W: Write> TypedExport<W> {
    /// Begins a document.
    ///
    /// # Errors
    ///
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
    ///
    /// When `out` does not take it.
    pub fn value(mut out: W, value: &Value, attributes: &Attributes) -> io::Result<()> {
        let (value, attributes) = (value_to_json(value), attributes_to_json(attributes));
        writeln!(out, "{{\"$value\":{value},\"attrs\":{attributes}}}")
    }

    /// Writes the next row, in pre-order.
    ///
    /// # Errors
    ///
    /// When `out` does not take it.
    pub fn row(&mut self, row: &Row) -> io::Result<()> {
        self.close_to(usize::from(row.depth))?;
        let comma = if self.has_child { "," } else { "" };
        let line = if row.depth == 0 { "\n" } else { "" };
        write!(self.out, "{comma}{line}[{},", text_to_json(&row.label))?;
        let rest = rest_of(row);
        if let Some(value) = &row.value {
            self.has_child = true;
            write!(self.out, "{}{rest}", value_to_json(value))
        } else {
            self.has_child = false;
            self.open.push(rest);
            self.out.write_all(b"{\"$bag\":[")
        }
    }

    /// Ends the document with the attributes of the root, and hands back the output.
    ///
    /// # Errors
    ///
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
            write!(self.out, "]}}{rest}")?;
            self.has_child = true;
        }
        Ok(())
    }
}

// What stands behind a row's content.
fn rest_of(row: &Row) -> String {
    let attributes = attributes_to_json(&row.attributes);
    match &row.resolver {
        Some(resolver) => format!(",{attributes},{}]", resolver_to_json(resolver)),
        None => format!(",{attributes}]"),
    }
}

fn resolver_to_json(resolver: &ResolverRef) -> String {
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
