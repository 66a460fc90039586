//! Rows as plain JSON, for programs that know nothing of bags.

use std::io::{self, Write};

use dhlrs_bag::{Attributes, Row, Value};

use super::value::{text_to_json, value_to_json};

/// Writes objects, lists and scalars while the rows come in. Bytes (base64), timestamps (RFC 3339), decimals, and
/// floats that are no numbers become strings.
#[derive(Debug)]
pub struct PlainExport<W> {
    out: W,
    depth: usize,
    has_child: bool,
    losses: Losses,
}

/// What plain JSON left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Losses {
    /// Attributes that are not in the output.
    pub attributes: u64,
    /// Resolvers that are not in the output.
    pub resolvers: u64,
    /// Values that became strings.
    pub values: u64,
}

impl<W: Write> PlainExport<W> {
    /// Begins a document that is an object.
    ///
    /// # Errors
    ///
    /// When `out` does not take it.
    pub fn begin(mut out: W) -> io::Result<Self> {
        out.write_all(b"{")?;
        Ok(Self {
            out,
            depth: 0,
            has_child: false,
            losses: Losses::default(),
        })
    }

    /// A whole document that is one value.
    ///
    /// # Errors
    ///
    /// When `out` does not take it.
    pub fn value(mut out: W, value: &Value, attributes: &Attributes) -> io::Result<Losses> {
        let mut losses = Losses {
            attributes: attributes.len() as u64,
            ..Losses::default()
        };
        writeln!(out, "{}", plain(value, &mut losses))?;
        Ok(losses)
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
        write!(self.out, "{comma}{line}{}:", text_to_json(&row.label))?;
        self.losses.attributes += row.attributes.len() as u64;
        self.losses.resolvers += u64::from(row.resolver.is_some());
        if let Some(value) = &row.value {
            self.has_child = true;
            write!(self.out, "{}", plain(value, &mut self.losses))
        } else {
            self.has_child = false;
            self.depth += 1;
            self.out.write_all(b"{")
        }
    }

    /// Ends the document, and hands back the output and what it lacks; `attributes` are the root's own.
    ///
    /// # Errors
    ///
    /// When `out` does not take it.
    pub fn finish(mut self, attributes: &Attributes) -> io::Result<(W, Losses)> {
        self.close_to(0)?;
        self.out
            .write_all(if self.has_child { b"\n}\n" } else { b"}\n" })?;
        self.out.flush()?;
        self.losses.attributes += attributes.len() as u64;
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

fn plain(value: &Value, losses: &mut Losses) -> String {
    match value {
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Text(_) => value_to_json(value),
        Value::Float(number) if number.is_finite() => value_to_json(value),
        Value::Float(_) | Value::Bytes(_) | Value::Timestamp(_) | Value::Decimal(_) => {
            losses.values += 1;
            text_to_json(&value.to_string())
        }
        Value::List(list) => {
            let items: Vec<String> = list
                .items()
                .iter()
                .map(|item| plain(item, losses))
                .collect();
            format!("[{}]", items.join(","))
        }
    }
}
