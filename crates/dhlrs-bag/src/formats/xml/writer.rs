//! Rows as XML.

use std::io::{self, Write};

use dhlrs_path::Path;

use super::{
    characters::{is_name, is_xml_text, push_escaped, replaced, tag_of},
    typed_text::{attribute, coded},
};
use crate::{
    Attributes, Row, Value,
    branch::RowRef,
    formats::{LossKind, Losses, attributes_to_json, losses::Trail, resolver_to_json},
};

/// Which XML.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum XmlForm {
    /// Values as text, for programs that know nothing of bags.
    Plain,
    /// With types and resolvers, below an element `GenRoBag`: `<n _T="L">1</n>`.
    Typed,
}

/// Writes elements while the rows come in.
///
/// A label that is no name in XML stands in the attribute `_tag`. The typed form has types in
/// `_T`, resolvers in `_resolver`, and in `_attr` the attributes whose names XML cannot spell.
#[derive(Debug)]
pub struct XmlWriter<W> {
    out: W,
    form: XmlForm,
    // The element of each open bag, the root first.
    open: Vec<String>,
    // The last bag has no child yet, so that its tag is not closed.
    is_empty: bool,
    // Kept for its memory.
    text: String,
    losses: Losses,
    trail: Trail,
}

// What a reader of the typed form takes for its own.
const RESERVED: [&str; 4] = ["_T", "_tag", "_resolver", "_attr"];

impl<W: Write> XmlWriter<W> {
    /// Begins a document with the element `root` (in the typed form `GenRoBag`), whose attributes
    /// are those of the bag.
    ///
    /// # Errors
    /// When `out` does not take it.
    pub fn begin(out: W, form: XmlForm, root: &str, attributes: &Attributes) -> io::Result<Self> {
        let mut writer = Self {
            out,
            form,
            open: Vec::new(),
            is_empty: true,
            text: String::new(),
            losses: Losses::default(),
            trail: Trail::default(),
        };
        let tag = match form {
            XmlForm::Plain => tag_of(root).into_owned(),
            XmlForm::Typed => "GenRoBag".to_owned(),
        };
        writer
            .text
            .push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<");
        writer.text.push_str(&tag);
        writer.attributes(attributes, Path::default);
        writer.open.push(tag);
        writer.flush()?;
        Ok(writer)
    }

    /// A whole document that is one value.
    ///
    /// # Errors
    /// When `out` does not take it.
    pub fn value(
        out: W,
        form: XmlForm,
        root: &str,
        value: &Value,
        attributes: &Attributes,
    ) -> io::Result<Losses> {
        let mut writer = Self::begin(out, form, root, attributes)?;
        let text = match (coded(value), form) {
            (Some((code, text)), XmlForm::Typed) => {
                writer.attribute("_T", code);
                text
            }
            _ => writer.plain(value, Path::default),
        };
        writer.text.push('>');
        push_escaped(&mut writer.text, &text, false);
        let tag = writer.open.pop().unwrap_or_default();
        writer.text.push_str(&format!("</{tag}>"));
        Ok(writer.finish()?.1)
    }

    /// Writes the next row, in pre-order.
    ///
    /// # Errors
    /// When `out` does not take it.
    pub fn row(&mut self, row: &Row) -> io::Result<()> {
        self.write(row.into())
    }

    pub(crate) fn write(&mut self, row: RowRef<'_>) -> io::Result<()> {
        let depth = usize::from(row.depth);
        self.close_to(depth + 1);
        self.trail.row(row);
        let trail = std::mem::take(&mut self.trail);
        let path = || trail.path();
        if std::mem::take(&mut self.is_empty) {
            self.text.push('>');
        }
        self.text.push_str(if depth == 0 { "\n<" } else { "<" });
        let tag = tag_of(row.label);
        self.text.push_str(&tag);
        if tag != row.label.as_str() || RESERVED.contains(&row.label.as_str()) {
            let lost = u64::from(!is_xml_text(row.label));
            self.losses.add(LossKind::Characters, lost, path);
            self.attribute("_tag", &replaced(row.label));
        }
        let is_typed = self.form == XmlForm::Typed;
        if let Some(resolver) = row.resolver {
            if is_typed {
                self.attribute("_resolver", &in_xml(resolver_to_json(resolver)));
            } else {
                self.losses.add(LossKind::Resolver, 1, path);
            }
        }
        let code = row.value.and_then(coded);
        if let Some((code, _)) = code.as_ref().filter(|_| is_typed) {
            self.attribute("_T", code);
        }
        self.attributes(row.attributes, path);
        match row.value {
            None => {
                self.is_empty = true;
                self.open.push(tag.into_owned());
            }
            Some(value) => {
                let text = match (code, value) {
                    (Some((_, text)), _) if is_typed => text,
                    (_, value) => self.plain(value, path),
                };
                if text.is_empty() {
                    self.text.push_str("/>");
                } else {
                    self.text.push('>');
                    push_escaped(&mut self.text, &text, false);
                    self.text.push_str("</");
                    self.text.push_str(&tag);
                    self.text.push('>');
                }
            }
        }
        self.trail = trail;
        self.flush()
    }

    /// Ends the document, and hands back the output and what it lacks.
    ///
    /// # Errors
    /// When `out` does not take it.
    pub fn finish(mut self) -> io::Result<(W, Losses)> {
        self.close_to(0);
        self.text.push('\n');
        self.flush()?;
        self.out.flush()?;
        Ok((self.out, self.losses))
    }

    fn close_to(&mut self, open: usize) {
        while self.open.len() > open {
            let tag = self.open.pop().unwrap_or_default();
            if std::mem::take(&mut self.is_empty) {
                // An element without children is a Text, unless it says that it is a bag.
                let is_root = self.open.is_empty();
                match self.form {
                    XmlForm::Typed if !is_root => self.text.push_str(" _T=\"BAG\"/>"),
                    _ => self.text.push_str("/>"),
                }
                if self.form == XmlForm::Plain && !is_root {
                    let trail = &self.trail;
                    self.losses.add(LossKind::Type, 1, || trail.path());
                }
                continue;
            }
            if self.open.is_empty() {
                self.text.push('\n');
            }
            self.text.push_str("</");
            self.text.push_str(&tag);
            self.text.push('>');
        }
    }

    fn attributes(&mut self, attributes: &Attributes, path: impl Fn() -> Path<'static>) {
        let mut others = Attributes::new();
        for (name, value) in attributes.iter() {
            let fits = is_name(name)
                && !RESERVED.contains(&name.as_str())
                && !name.to_ascii_lowercase().starts_with("xmlns");
            if !fits {
                others.insert(name.clone(), value.clone());
                continue;
            }
            let text = match self.form {
                XmlForm::Typed => attribute(value),
                XmlForm::Plain => self.plain(value, &path),
            };
            self.attribute(name, &text);
        }
        match self.form {
            XmlForm::Typed if !others.is_empty() => {
                self.attribute("_attr", &in_xml(attributes_to_json(&others)));
            }
            _ => (self.losses).add(LossKind::Attribute, others.len() as u64, path),
        }
    }

    fn plain(&mut self, value: &Value, path: impl Fn() -> Path<'static>) -> String {
        let text = match value {
            Value::Null => String::new(),
            value => value.to_string(),
        };
        let is_text = matches!(value, Value::Text(_));
        self.losses.add(LossKind::Type, u64::from(!is_text), &path);
        let lost = u64::from(!is_xml_text(&text));
        self.losses.add(LossKind::Characters, lost, path);
        replaced(&text).into_owned()
    }

    fn attribute(&mut self, name: &str, value: &str) {
        self.text.push(' ');
        self.text.push_str(name);
        self.text.push_str("=\"");
        push_escaped(&mut self.text, value, true);
        self.text.push('"');
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.write_all(self.text.as_bytes())?;
        self.text.clear();
        Ok(())
    }
}

// The two characters that JSON leaves alone and XML lacks.
fn in_xml(json: String) -> String {
    match is_xml_text(&json) {
        true => json,
        false => json
            .replace('\u{fffe}', "\\ufffe")
            .replace('\u{ffff}', "\\uffff"),
    }
}
