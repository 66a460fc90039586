//! Rows as TYTX, and as the typed JSON of Genro.

use std::io::{self, Write};

use crate::{
    Attributes, BagNode, Label, ResolverRef, Value,
    branch::RowRef,
    formats::{resolver_to_json, value_to_json, write_text, write_value},
};

impl BagNode<'_> {
    /// What is stored in this bag in TYTX, which [`Bag::from_tytx`](crate::Bag::from_tytx) reads
    /// to an equal tree; of a leaf, its attributes alone. O(n).
    ///
    /// `{"rows":[[parent, label, null, value, {attribute: value}]…]}` with a marker behind it. A
    /// parent is the list of its labels, or, if `compact`, a number that `paths` explains. Genro
    /// reads it, but for three things that it has no place for: a fraction below the microsecond,
    /// attributes of the root (in `attrs`), and resolvers of other programs.
    pub fn to_tytx(&self, compact: bool) -> String {
        let mut out = Vec::new();
        match write(*self, compact, &mut out) {
            Ok(()) => String::from_utf8(out).unwrap_or_default(),
            // Memory takes everything.
            Err(_) => String::new(),
        }
    }

    /// What is stored in this bag as the JSON that Genro's `to_json` writes: `[{"label", "value",
    /// "attr"}…]`, with types as in TYTX. Not lossless: an empty bag and an empty List look the
    /// same, and so do a typed value and a Text that is spelled like one. O(n).
    pub fn to_tytx_json(&self) -> String {
        let mut out = Vec::new();
        match write_nodes(*self, &mut out) {
            Ok(()) => String::from_utf8(out).unwrap_or_default(),
            Err(_) => String::new(),
        }
    }
}

// Whether a document has a value for which JSON has no type.
#[derive(Default)]
struct Types {
    has_any: bool,
}

fn write(node: BagNode<'_>, compact: bool, out: &mut Vec<u8>) -> io::Result<()> {
    let mut types = Types::default();
    // The labels of the open bags, and their numbers.
    let mut above: Vec<(Label, u64)> = Vec::new();
    let mut paths = Vec::new();
    let mut bags = 0_u64;
    out.write_all(b"{\"rows\":[")?;
    for (number, row) in node.row_refs().enumerate() {
        above.truncate(usize::from(row.depth));
        if number > 0 {
            out.write_all(b",")?;
        }
        out.write_all(b"[")?;
        match (compact, above.last()) {
            (true, None) => out.write_all(b"null")?,
            (true, Some((_, number))) => write!(out, "{number}")?,
            (false, _) => write_labels(out, &above)?,
        }
        out.write_all(b",")?;
        write_text(out, row.label)?;
        out.write_all(b",null,")?;
        match row.resolver {
            Some(resolver) => write_resolver(out, resolver, row.value)?,
            None => match row.value {
                None => out.write_all(b"\"::X\"")?,
                Some(Value::Null) => out.write_all(b"\"::NN\"")?,
                Some(value) => types.write(out, value, true)?,
            },
        }
        out.write_all(b",")?;
        types.write_attributes(out, row.attributes, true)?;
        out.write_all(b"]")?;
        if row.value.is_none() {
            above.push((row.label.clone(), bags));
            if compact {
                write!(paths, "{}\"{bags}\":", if bags > 0 { "," } else { "" })?;
                write_labels(&mut paths, &above)?;
            }
            bags += 1;
        }
    }
    out.write_all(b"]")?;
    if compact {
        out.write_all(b",\"paths\":{")?;
        out.write_all(&paths)?;
        out.write_all(b"}")?;
    }
    if !node.attributes().is_empty() {
        out.write_all(b",\"attrs\":")?;
        types.write_attributes(out, node.attributes(), true)?;
    }
    out.write_all(if types.has_any { b"}::JS::X" } else { b"}::X" })
}

fn write_labels(out: &mut Vec<u8>, labels: &[(Label, u64)]) -> io::Result<()> {
    out.write_all(b"[")?;
    for (at, (label, _)) in labels.iter().enumerate() {
        if at > 0 {
            out.write_all(b",")?;
        }
        write_text(out, label)?;
    }
    out.write_all(b"]")
}

// In the place of the value, with the value inside.
fn write_resolver(
    out: &mut Vec<u8>,
    resolver: &ResolverRef,
    value: Option<&Value>,
) -> io::Result<()> {
    let json = resolver_to_json(resolver);
    let inner = json.strip_suffix('}').unwrap_or(&json);
    let held = match value {
        None => ",\"$bag\":true".to_owned(),
        Some(Value::Null) => String::new(),
        Some(value) => format!(",\"$value\":{}", value_to_json(value)),
    };
    write_text(out, &format!("::RSLV:{inner}{held}}}"))
}

impl Types {
    // `escapes`: a text that looks typed says that it is a text.
    fn write(&mut self, out: &mut Vec<u8>, value: &Value, escapes: bool) -> io::Result<()> {
        let Value::List(list) = value else {
            return self.write_scalar(out, value, escapes);
        };
        out.write_all(b"[")?;
        for (at, item) in list.items().iter().enumerate() {
            if at > 0 {
                out.write_all(b",")?;
            }
            self.write_scalar(out, item, escapes)?;
        }
        out.write_all(b"]")
    }

    fn write_scalar(&mut self, out: &mut Vec<u8>, value: &Value, escapes: bool) -> io::Result<()> {
        let (text, code) = match value {
            Value::Text(text) if escapes && text.contains("::") => {
                return write_text(out, &format!("{text}::T"));
            }
            Value::Float(number) if number.is_nan() => ("nan".to_owned(), "R"),
            Value::Float(number) if number.is_infinite() => (number.to_string(), "R"),
            Value::Decimal(_) => (value.to_string(), "N"),
            Value::Bytes(_) => (value.to_string(), "RAW"),
            Value::Timestamp(time) => (milliseconds(&time.to_string()), "DHZ"),
            value => return write_value(out, value),
        };
        self.has_any = true;
        write!(out, "\"{text}::{code}\"")
    }

    fn write_attributes(
        &mut self,
        out: &mut Vec<u8>,
        attributes: &Attributes,
        escapes: bool,
    ) -> io::Result<()> {
        out.write_all(b"{")?;
        for (at, (name, value)) in attributes.iter().enumerate() {
            if at > 0 {
                out.write_all(b",")?;
            }
            write_text(out, name)?;
            out.write_all(b":")?;
            self.write(out, value, escapes)?;
        }
        out.write_all(b"}")
    }
}

// Genro writes three digits behind the second; more are kept here.
fn milliseconds(time: &str) -> String {
    let time = time.strip_suffix('Z').unwrap_or(time);
    let (whole, fraction) = time.split_once('.').unwrap_or((time, ""));
    format!("{whole}.{fraction:0<3}Z")
}

fn write_nodes(node: BagNode<'_>, out: &mut Vec<u8>) -> io::Result<()> {
    let mut types = Types::default();
    // What stands behind the children of each open bag.
    let mut open: Vec<Vec<u8>> = Vec::new();
    let mut has_child = false;
    out.write_all(b"[")?;
    for row in node.row_refs() {
        while open.len() > usize::from(row.depth) {
            out.write_all(b"]")?;
            out.write_all(&open.pop().unwrap_or_default())?;
            has_child = true;
        }
        out.write_all(if has_child { b",{" } else { b"{" })?;
        out.write_all(b"\"label\":")?;
        write_text(out, row.label)?;
        out.write_all(b",\"value\":")?;
        let rest = rest_of(row, &mut types)?;
        match row.value {
            Some(value) => {
                types.write(out, value, false)?;
                out.write_all(&rest)?;
                has_child = true;
            }
            None => {
                out.write_all(b"[")?;
                open.push(rest);
                has_child = false;
            }
        }
    }
    while let Some(rest) = open.pop() {
        out.write_all(b"]")?;
        out.write_all(&rest)?;
    }
    out.write_all(if types.has_any { b"]::JS" } else { b"]" })
}

fn rest_of(row: RowRef<'_>, types: &mut Types) -> io::Result<Vec<u8>> {
    let mut rest = b",\"attr\":".to_vec();
    types.write_attributes(&mut rest, row.attributes, false)?;
    if let Some(resolver) = row.resolver {
        rest.write_all(b",\"resolver\":")?;
        write_text(&mut rest, &format!("::RSLV:{}", resolver_to_json(resolver)))?;
    }
    rest.write_all(b"}")?;
    Ok(rest)
}
