//! Bags as TYTX, XML and JSON, as the reference spells them, and back.

use std::collections::VecDeque;

use dhlrs_bag::{
    Attributes, Bag, BagNode, Label, Row, Value,
    formats::{FormatErrorKind, Item, ReadLimits, XmlReader, XmlRoot},
};

use crate::{
    attributes::given,
    error::ErrorClass,
    handle::Handle,
    json::Json,
    printing::printed,
    request::Request,
    session::Session,
    tytx::{typed_json, tytx},
    walking::Spot,
    writer::{Writer, write_string},
};

type Answer = Result<String, ErrorClass>;

impl Session {
    // The bag of a request, without a resolver in it: those here cannot travel.
    fn document(&self, spot: &Spot) -> Result<BagNode<'_>, ErrorClass> {
        let own = self.handle(&spot.handle)?;
        let bag = own.bag.node_by_id(spot.node).ok_or(ErrorClass::Internal)?;
        match bag.walk().any(|visited| visited.node.resolver().is_some()) {
            true => Err(ErrorClass::Serialize),
            false => Ok(bag),
        }
    }

    fn quoted(&self, text: &str) -> String {
        let mut writer = Writer::new();
        writer.string(text);
        writer.finish()
    }

    pub(crate) fn op_tytx(&mut self, request: &Request<'_>) -> Answer {
        let compact = request.flag("compact", false);
        let spot = self.bag_of(request)?;
        let bag = self.document(&spot)?;
        let is_reserved = |node: BagNode<'_>| node.attribute("__cls").is_some();
        if bag.walk().any(|visited| is_reserved(visited.node)) {
            return Err(ErrorClass::Serialize);
        }
        let text = tytx(bag, compact);
        Ok(self.quoted(&text))
    }

    pub(crate) fn op_json(&mut self, request: &Request<'_>) -> Answer {
        let typed = request.flag("typed", true);
        let spot = self.bag_of(request)?;
        let bag = self.document(&spot)?;
        let text = match typed {
            true => typed_json(bag),
            false => plain_json(bag)?,
        };
        Ok(self.quoted(&text))
    }

    pub(crate) fn op_xml(&mut self, request: &Request<'_>) -> Answer {
        let pretty = request.flag("pretty", false);
        let spot = self.bag_of(request)?;
        let bag = self.document(&spot)?;
        let text = xml(bag, pretty);
        Ok(self.quoted(&text))
    }

    pub(crate) fn op_untytx(&mut self, request: &Request<'_>) -> Answer {
        let name = Request::handle_name(Some(request.field("as")?));
        let text = request.text("text")?;
        let bag = match text.strip_suffix("::X") {
            Some("") => Bag::new(),
            Some(payload) => {
                let payload = payload.strip_suffix("::JS").unwrap_or(payload);
                // Python writes constants that JSON has not; only the reader of TYTX takes them.
                let json = Json::parse(payload);
                match json.as_ref().map(|json| json.get("rows")) {
                    Some(Some(Json::Array(_))) | None => read_tytx(text)?,
                    Some(_) => return Err(ErrorClass::Serialize),
                }
            }
            None => read_tytx(&rows_of(text)?)?,
        };
        let branch = bag.root().branch();
        self.name_handle(name?, Handle::of(branch)?)
    }

    pub(crate) fn op_unxml(&mut self, request: &Request<'_>) -> Answer {
        let name = Request::handle_name(Some(request.field("as")?));
        let text = request.text("text")?;
        let limits = ReadLimits::default();
        let reader = XmlReader::with_limits(text.as_bytes(), XmlRoot::Node, None, limits);
        let mut rows = Vec::new();
        for item in reader {
            match item.map_err(|_| ErrorClass::Value)? {
                Item::Row(row) => rows.push(row),
                // The text of the bag itself, as text beside elements.
                Item::RootValue(value) => rows.push(Row::value(0, Label::new("_")?, value)),
                _ => {}
            }
        }
        let branch = dhlrs_bag::Branch::from_rows(rows)?;
        self.name_handle(name?, Handle::of(branch)?)
    }
}

fn read_tytx(text: &str) -> Result<Bag, ErrorClass> {
    Bag::from_tytx(text.as_bytes(), &ReadLimits::default()).map_err(|error| match error.kind() {
        FormatErrorKind::BadShape | FormatErrorKind::Syntax => ErrorClass::Serialize,
        FormatErrorKind::NoType => ErrorClass::Type,
        _ => ErrorClass::Value,
    })
}

// A document that is no bag of TYTX: an object, or a list, whose items get numbers for labels. It
// is turned into rows, which are read as all others, with numbers for the bags that they are in: a
// path in each row would take the square of a deep document.
fn rows_of(text: &str) -> Result<String, ErrorClass> {
    let json = Json::parse(text.strip_suffix("::JS").unwrap_or(text)).ok_or(ErrorClass::Type)?;
    let bytes_max = usize::try_from(ReadLimits::default().bytes_max).unwrap_or(usize::MAX);
    let (mut rows, mut paths) = (Writer::new(), Writer::new());
    // The bags so far, each with that around it.
    let mut bags: Vec<(Option<usize>, String)> = Vec::new();
    let mut todo = VecDeque::from([(None, json)]);
    while let Some((bag, json)) = todo.pop_front() {
        let entries: Vec<(String, Json)> = match json {
            Json::Object(entries) => entries,
            Json::Array(items) => {
                let width = items.len().to_string().len() + 1;
                let labelled = items.into_iter().enumerate();
                labelled
                    .map(|(at, item)| (format!("r_{at:0width$}"), item))
                    .collect()
            }
            _ => return Err(ErrorClass::Type),
        };
        if let (Some(number), false) = (bag, entries.is_empty()) {
            write_path(&mut paths, &bags, number);
        }
        for (label, value) in entries {
            rows.comma();
            rows.raw("[");
            match bag {
                None => rows.null(),
                Some(number) => rows.int(number),
            }
            rows.raw(",");
            rows.string(&label);
            rows.raw(",null,");
            match value {
                Json::Object(_) | Json::Array(_) => {
                    rows.string("::X");
                    todo.push_back((Some(bags.len()), value));
                    bags.push((bag, label));
                }
                scalar => rows.json(&scalar, true),
            }
            rows.raw(",{}]");
            if rows.bytes().saturating_add(paths.bytes()) > bytes_max {
                return Err(ErrorClass::Value);
            }
        }
    }
    let (rows, paths) = (rows.finish(), paths.finish());
    Ok(format!("{{\"rows\":[{rows}],\"paths\":{{{paths}}}}}::X"))
}

// `"NUMBER":[LABEL,…]` of a bag.
fn write_path(paths: &mut Writer, bags: &[(Option<usize>, String)], number: usize) {
    let above = std::iter::successors(bags.get(number), |(above, _)| bags.get((*above)?));
    let mut labels: Vec<&str> = above.map(|(_, label)| label.as_str()).collect();
    labels.reverse();
    paths.comma();
    paths.raw(&format!("\"{number}\":["));
    for label in labels {
        paths.comma();
        paths.string(label);
    }
    paths.raw("]");
}

// `json.dumps` of the nodes, without types.
fn plain_json(bag: BagNode<'_>) -> Answer {
    let mut out = "[".to_owned();
    let mut open: Vec<BagNode<'_>> = Vec::new();
    let close =
        |out: &mut String, open: &mut Vec<BagNode<'_>>, depth: usize| -> Result<(), ErrorClass> {
            while open.len() > depth {
                out.push(']');
                if let Some(node) = open.pop() {
                    close_node(out, node.attributes())?;
                }
            }
            Ok(())
        };
    for visited in bag.walk() {
        let node = visited.node;
        close(&mut out, &mut open, usize::from(visited.depth))?;
        out.push_str(if out.ends_with('[') { "" } else { ", " });
        out.push_str("{\"label\": ");
        write_string(&mut out, node.label(), true);
        out.push_str(", \"value\": ");
        match node.value() {
            Some(value) => {
                crate::counter::python_value(&mut out, value)?;
                close_node(&mut out, node.attributes())?;
            }
            None => {
                out.push('[');
                open.push(node);
            }
        }
    }
    close(&mut out, &mut open, 0)?;
    out.push(']');
    Ok(out)
}

fn close_node(out: &mut String, attributes: &Attributes) -> Result<(), ErrorClass> {
    out.push_str(", \"attr\": {");
    for (at, (name, value)) in attributes.iter().enumerate() {
        out.push_str(if at == 0 { "" } else { ", " });
        write_string(out, name, true);
        out.push_str(": ");
        crate::counter::python_value(out, given(value))?;
    }
    out.push_str("}}");
    Ok(())
}

// The nodes as elements, without a root around them; values as Python prints them.
fn xml(bag: BagNode<'_>, pretty: bool) -> String {
    // The tags of the open bags, and whether what is in them is indented.
    let mut open: Vec<(String, bool)> = Vec::new();
    let mut out = String::new();
    let line = |out: &mut String, depth: usize, pretty: bool, is_first: bool| {
        if pretty {
            out.push_str(if is_first { "" } else { "\n" });
            out.push_str(&"  ".repeat(depth));
        }
    };
    let close = |out: &mut String, open: &mut Vec<(String, bool)>, depth: usize| {
        while open.len() > depth {
            if let Some((tag, is_pretty)) = open.pop() {
                if is_pretty {
                    out.push('\n');
                    out.push_str(&"  ".repeat(open.len()));
                }
                out.push_str(&format!("</{tag}>"));
            }
        }
    };
    for visited in bag.walk() {
        let node = visited.node;
        let depth = usize::from(visited.depth);
        close(&mut out, &mut open, depth);
        let is_pretty = open.last().map_or(pretty, |(_, is_pretty)| *is_pretty);
        let is_first = out.is_empty();
        line(&mut out, depth, is_pretty, is_first);
        let (tag, label) = tag(node.label());
        out.push_str(&format!("<{tag}"));
        if let Some(label) = label {
            out.push_str(&format!(" _tag={}", quoted(label)));
        }
        for (name, value) in node.attributes().iter() {
            let value = given(value);
            if !value.is_null() {
                out.push_str(&format!(" {}={}", name.as_str(), quoted(&printed(value))));
            }
        }
        let keeps_space = node.attribute("xml:space").and_then(Value::as_text) == Some("preserve");
        match node.value() {
            None if !node.is_empty() => {
                out.push('>');
                open.push((tag, is_pretty && !keeps_space));
            }
            None | Some(Value::Null) => out.push_str("/>"),
            Some(Value::Text(text)) if text.as_str().is_empty() => out.push_str("/>"),
            Some(value) => {
                out.push('>');
                out.push_str(&escaped(&printed(value)));
                out.push_str(&format!("</{tag}>"));
            }
        }
    }
    close(&mut out, &mut open, 0);
    out
}

// The tag of a label, and the label where that is another text.
fn tag(label: &str) -> (String, Option<&str>) {
    let mut tag = String::new();
    for char in label.chars() {
        match char {
            char if char.is_ascii_alphanumeric() || char == '.' => tag.push(char),
            _ if tag.ends_with('_') => {}
            _ => tag.push('_'),
        }
    }
    if tag.starts_with(|first: char| first.is_ascii_digit()) {
        tag.insert(0, '_');
    }
    let label = (tag != label).then_some(label);
    (tag, label)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

fn quoted(text: &str) -> String {
    let text = escaped(text)
        .replace('\n', "&#10;")
        .replace('\r', "&#13;")
        .replace('\t', "&#9;");
    match (text.contains('"'), text.contains('\'')) {
        (false, _) => format!("\"{text}\""),
        (true, false) => format!("'{text}'"),
        (true, true) => format!("\"{}\"", text.replace('"', "&quot;")),
    }
}
