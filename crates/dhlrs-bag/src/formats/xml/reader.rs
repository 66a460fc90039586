//! XML as rows.

use std::{
    borrow::Cow,
    collections::{BTreeMap, VecDeque},
    io::{self, BufReader, Read},
};

use quick_xml::{
    XmlVersion,
    escape::resolve_predefined_entity,
    events::{BytesRef, BytesStart, Event},
};

use super::{
    characters::{is_xml_name, is_xml_text},
    typed_text::attribute_value,
};
use crate::{
    ATTRIBUTES_MAX, Attributes, Label, Name, ResolverRef, Row, Value,
    formats::{
        FormatError, FormatErrorKind as Kind, Item, ReadLimits, fuse::Fuse, read_json_attributes,
        read_json_resolver, type_code::decoded,
    },
};

/// The most bytes of one tag, with its attributes, or of one run of text.
pub const XML_EVENT_BYTES_MAX: usize = 2 * 1024 * 1024;

// The most bytes of all the text in one element. A value of 256 KiB fits with every byte escaped.
const TEXT_BYTES_MAX: usize = 2 * 1024 * 1024;

const BYTE_ORDER_MARK: &str = "\u{feff}";

/// What the root element of a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum XmlRoot {
    /// The bag itself.
    Bag,
    /// A node in the bag, as Genro reads it; `GenRoBag` is the bag all the same. Attributes are
    /// what they spell, types or not.
    Node,
}

/// Reads XML 1.0 in UTF-8 as rows, while it comes in; see
/// [`Bag::from_xml`](crate::Bag::from_xml) for what becomes of what.
#[derive(Debug)]
pub struct XmlReader<R: Read> {
    reader: quick_xml::Reader<BufReader<Fuse<R>>>,
    buffer: Vec<u8>,
    root: XmlRoot,
    key: Option<String>,
    was_keyed: bool,
    limits: ReadLimits,
    nodes: u64,
    is_typed: bool,
    has_begun: bool,
    has_ended: bool,
    open: Vec<Open>,
    items: VecDeque<Item>,
}

#[derive(Debug)]
struct Open {
    // `None` for a root that is the bag.
    label: Option<Label>,
    attributes: Attributes,
    resolver: Option<ResolverRef>,
    code: Option<String>,
    text: String,
    is_bag: bool,
    // The labels in it, each with the number that its next double gets.
    labels: BTreeMap<Label, u64>,
}

impl<R: Read> XmlReader<R> {
    /// Reads `input`. With a `key`, an element with such an attribute has its value as label; a document that ends
    /// without any such element is an error, `MissingKey`.
    pub fn new(input: R, root: XmlRoot, key: Option<String>) -> Self {
        Self::with_limits(input, root, key, ReadLimits::STREAM)
    }

    /// Reads `input` within limits.
    pub fn with_limits(input: R, root: XmlRoot, key: Option<String>, limits: ReadLimits) -> Self {
        let fuse = Fuse {
            input,
            left: XML_EVENT_BYTES_MAX,
        };
        let mut reader = quick_xml::Reader::from_reader(BufReader::new(fuse));
        let config = reader.config_mut();
        config.expand_empty_elements = true;
        config.check_end_names = true;
        config.check_comments = true;
        Self {
            reader,
            buffer: Vec::new(),
            root,
            key,
            was_keyed: false,
            limits,
            nodes: 0,
            is_typed: false,
            has_begun: false,
            has_ended: false,
            open: Vec::new(),
            items: VecDeque::new(),
        }
    }

    fn next_item(&mut self) -> Result<Option<Item>, FormatError> {
        while self.items.is_empty() {
            if !self.event()? {
                return Ok(None);
            }
        }
        Ok(self.items.pop_front())
    }

    // Whether there was one.
    fn event(&mut self) -> Result<bool, FormatError> {
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        self.reader.get_mut().get_mut().left = XML_EVENT_BYTES_MAX;
        let event = self.reader.read_event_into(&mut buffer);
        let result = match event {
            Ok(event) => self.take(event),
            Err(cause) => Err(syntax(cause)),
        };
        let at = self.reader.buffer_position();
        let result = result
            .and_then(|more| self.limits.check_bytes(at).map(|()| more))
            .map_err(|error| error.at_byte(at));
        self.buffer = buffer;
        result
    }

    fn take(&mut self, event: Event<'_>) -> Result<bool, FormatError> {
        let is_mark =
            matches!(&event, Event::Text(text) if text.xml10_content() == BYTE_ORDER_MARK);
        let has_begun = self.has_begun;
        self.has_begun |= !is_mark;
        match event {
            Event::Start(tag) | Event::Empty(tag) => self.start(&tag)?,
            Event::End(_) => self.end()?,
            Event::Text(text) => {
                let text = text.xml10_content();
                if text.contains("]]>") {
                    return Err(FormatError::new(Kind::Syntax, "`]]>` in a text"));
                }
                self.text(&text)?;
            }
            Event::CData(text) => self.text(&text.xml10_content())?,
            Event::GeneralRef(reference) => {
                let text = resolved(&reference)?;
                self.text(&text)?;
            }
            Event::DocType(_) => {
                return Err(FormatError::new(
                    Kind::Refused,
                    "a document type, whose entities could be bombs",
                ));
            }
            Event::Decl(_) if has_begun => {
                let detail = "a declaration that is not at the very beginning";
                return Err(FormatError::new(Kind::Syntax, detail));
            }
            Event::Decl(declaration) => {
                if let Some(encoding) = declaration.encoding() {
                    let encoding = encoding.map_err(|cause| syntax(cause.into()))?;
                    if !["utf-8", "utf8", "us-ascii"]
                        .contains(&encoding.to_ascii_lowercase().as_str())
                    {
                        return Err(FormatError::new(
                            Kind::Refused,
                            format!("the encoding {encoding}; only UTF-8 is read"),
                        ));
                    }
                }
            }
            Event::Comment(_) | Event::PI(_) => {}
            Event::Eof if self.has_ended => {
                if let Some(key) = self.key.take().filter(|_| !self.was_keyed) {
                    let detail =
                        format!("no element has an attribute `{key}`, so it labels nothing");
                    return Err(FormatError::new(Kind::MissingKey, detail));
                }
                return Ok(false);
            }
            Event::Eof => return Err(FormatError::new(Kind::Syntax, "it ends in the middle")),
        }
        Ok(true)
    }

    fn start(&mut self, tag: &BytesStart<'_>) -> Result<(), FormatError> {
        if self.has_ended {
            return Err(FormatError::new(Kind::Syntax, "a second root element"));
        }
        let name = tag.name();
        let name: &str = name.as_ref();
        check_name(name)?;
        let is_root = self.open.is_empty();
        if is_root {
            self.is_typed = name == "GenRoBag";
        }
        let is_bag_itself = is_root && (self.is_typed || self.root == XmlRoot::Bag);
        let mut open = Open {
            label: None,
            attributes: Attributes::new(),
            resolver: None,
            code: None,
            text: String::new(),
            is_bag: false,
            labels: BTreeMap::new(),
        };
        let mut wanted = Cow::Borrowed(name);
        for attribute in tag.attributes() {
            let attribute = attribute.map_err(|cause| syntax(cause.into()))?;
            if attribute.value.contains('<') {
                return Err(FormatError::new(Kind::Syntax, "`<` in an attribute"));
            }
            let text = attribute
                .normalized_value(XmlVersion::Explicit1_0)
                .map_err(syntax)?;
            check_characters(&text)?;
            let name: &str = attribute.key.as_ref();
            check_name(name)?;
            match name {
                "_tag" => wanted = Cow::Owned(text.into_owned()),
                "_T" if self.is_typed => open.code = Some(text.into_owned()),
                "_resolver" if self.is_typed => {
                    open.resolver = Some(read_json_resolver(&text)?);
                }
                "_attr" if self.is_typed => {
                    for (name, value) in read_json_attributes(&text)? {
                        open.attributes.insert(name, value);
                    }
                }
                _ => {
                    if self.key.as_deref() == Some(name) && !is_root {
                        wanted = Cow::Owned(text.to_string());
                        self.was_keyed = true;
                    }
                    // Others write texts there, `1.10` or `fe80::B`; only Genro means values.
                    let value = match self.is_typed || self.root == XmlRoot::Node {
                        true => attribute_value(&text)
                            .map_err(|why| FormatError::new(Kind::BadShape, why))?,
                        false => Value::from(text.as_ref()),
                    };
                    let name = Name::new(name).map_err(|cause| {
                        FormatError::new(Kind::BadLabel, format!("attribute: {cause}"))
                    })?;
                    if !value.is_null() {
                        open.attributes.insert(name, value);
                    }
                }
            }
            if open.attributes.len() > ATTRIBUTES_MAX {
                return Err(FormatError::new(
                    Kind::TooLarge,
                    format!("`{wanted}`: more than {ATTRIBUTES_MAX} attributes"),
                ));
            }
        }
        if is_bag_itself {
            let own = std::mem::take(&mut open.attributes);
            self.items.push_back(Item::RootAttributes(own));
        } else {
            self.open_parent()?;
            open.label = Some(self.label(&wanted)?);
            self.count(self.depth())?;
        }
        self.open.push(open);
        Ok(())
    }

    // The depth of a row in the innermost open element.
    fn depth(&self) -> usize {
        let root_is_bag = self.open.first().is_some_and(|root| root.label.is_none());
        self.open.len() - usize::from(root_is_bag)
    }

    fn count(&mut self, depth: usize) -> Result<(), FormatError> {
        self.nodes += 1;
        self.limits.check_depth(depth)?;
        self.limits.check_nodes(self.nodes)
    }

    // A label that its bag has not yet.
    fn label(&mut self, text: &str) -> Result<Label, FormatError> {
        let bad = |cause| FormatError::new(Kind::BadLabel, format!("`{text}`: {cause}"));
        let label = Label::new(text).map_err(bad)?;
        let Some(parent) = self.open.last_mut() else {
            return Ok(label);
        };
        if !parent.labels.contains_key(&label) {
            parent.labels.insert(label.clone(), 1);
            return Ok(label);
        }
        loop {
            let Some(number) = parent.labels.get_mut(&label) else {
                return Ok(label);
            };
            let numbered = Label::new(&format!("{text}_{number}")).map_err(bad)?;
            *number += 1;
            if !parent.labels.contains_key(&numbered) {
                parent.labels.insert(numbered.clone(), 1);
                return Ok(numbered);
            }
        }
    }

    // The innermost open element is a bag: hands it out, and the text that stood before its child.
    fn open_parent(&mut self) -> Result<(), FormatError> {
        let depth = self.depth();
        let Some(parent) = self.open.last_mut() else {
            return Ok(());
        };
        if !parent.is_bag {
            parent.is_bag = true;
            if let Some(label) = &parent.label {
                self.items.push_back(Item::Row(Row {
                    depth: u16::try_from(depth - 1).unwrap_or(u16::MAX),
                    label: label.clone(),
                    value: None,
                    attributes: std::mem::take(&mut parent.attributes),
                    resolver: parent.resolver.take(),
                }));
            }
        }
        let text = std::mem::take(&mut parent.text);
        let text = text.trim_matches([' ', '\t', '\n', '\r']);
        if text.is_empty() {
            return Ok(());
        }
        self.count(depth)?;
        let label = self.label("_")?;
        let depth = u16::try_from(depth).unwrap_or(u16::MAX);
        self.items
            .push_back(Item::Row(Row::value(depth, label, text)));
        Ok(())
    }

    fn end(&mut self) -> Result<(), FormatError> {
        let is_bag = |open: &Open| {
            open.is_bag || matches!(open.code.as_deref(), Some("BAG" | "X")) && open.text.is_empty()
        };
        if self.open.last().is_some_and(is_bag) {
            self.open_parent()?;
            self.open.pop();
        } else if let Some(open) = self.open.pop() {
            let depth = self.depth();
            let value = match open.code.as_deref() {
                Some(code) => match decoded(&open.text, code) {
                    Some(value) => value?,
                    None => Value::from(format!("{}::{code}", open.text)),
                },
                // An empty root is an empty bag.
                None if open.label.is_none() && open.text.trim().is_empty() => {
                    self.has_ended = true;
                    return Ok(());
                }
                None => Value::from(open.text),
            };
            self.items.push_back(match open.label {
                None => Item::RootValue(value),
                Some(label) => Item::Row(Row {
                    depth: u16::try_from(depth).unwrap_or(u16::MAX),
                    label,
                    value: Some(value),
                    attributes: open.attributes,
                    resolver: open.resolver,
                }),
            });
        }
        self.has_ended = self.open.is_empty();
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), FormatError> {
        check_characters(text)?;
        let Some(open) = self.open.last_mut() else {
            let text = text.trim_start_matches(BYTE_ORDER_MARK);
            return match text.trim().is_empty() {
                true => Ok(()),
                false => Err(FormatError::new(
                    Kind::Syntax,
                    "text beside the root element",
                )),
            };
        };
        if open.text.len() + text.len() > TEXT_BYTES_MAX {
            return Err(FormatError::new(
                Kind::TooLarge,
                format!("more than {TEXT_BYTES_MAX} bytes of text in one element"),
            ));
        }
        open.text.push_str(text);
        Ok(())
    }
}

impl<R: Read> Iterator for XmlReader<R> {
    type Item = Result<Item, FormatError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_item().transpose()
    }
}

fn check_name(name: &str) -> Result<(), FormatError> {
    match is_xml_name(name) {
        true => Ok(()),
        false => Err(FormatError::new(
            Kind::Syntax,
            format!("`{name}` is no name in XML"),
        )),
    }
}

fn check_characters(text: &str) -> Result<(), FormatError> {
    match is_xml_text(text) {
        true => Ok(()),
        false => Err(FormatError::new(
            Kind::Syntax,
            "a character that XML does not have",
        )),
    }
}

fn resolved(reference: &BytesRef<'_>) -> Result<String, FormatError> {
    if let Some(char) = reference.resolve_char_ref().map_err(syntax)? {
        return Ok(char.to_string());
    }
    let name = reference.xml10_content();
    resolve_predefined_entity(&name)
        .map(str::to_owned)
        .ok_or_else(|| {
            FormatError::new(
                Kind::Refused,
                format!("the entity `{name}`; only those of XML itself are read"),
            )
        })
}

fn syntax(cause: quick_xml::Error) -> FormatError {
    match cause {
        quick_xml::Error::Io(cause) if cause.kind() == io::ErrorKind::FileTooLarge => {
            FormatError::new(
                Kind::TooLarge,
                format!("a tag or a text of more than {XML_EVENT_BYTES_MAX} bytes"),
            )
        }
        quick_xml::Error::Io(cause) => FormatError::io(io::Error::new(cause.kind(), cause)),
        quick_xml::Error::Escape(cause) => FormatError::new(Kind::Refused, cause.to_string()),
        other => FormatError::new(Kind::Syntax, other.to_string()),
    }
}
