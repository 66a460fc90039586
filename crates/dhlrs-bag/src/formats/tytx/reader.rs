//! TYTX as a bag.

use std::collections::BTreeMap;

use dhlrs_path::DEPTH_MAX;

use crate::{
    ATTRIBUTES_MAX, Attributes, Bag, LIST_ITEMS_MAX, Label, List, Name, ResolverRef, Row, Value,
    formats::{
        FormatError, FormatErrorKind as Kind, JsonToken, JsonTokens, ReadLimits,
        assemble::Assembly, number_from_json, read_json_held, type_code::decoded, want,
    },
};

impl Bag {
    /// The bag that [`BagNode::to_tytx`](crate::BagNode::to_tytx) or Genro's `to_tytx` wrote,
    /// compact or not; bags come before what is in them.
    ///
    /// Node tags are not kept. Calendar dates and times of day have no type here and are refused,
    /// and so are resolvers of other programs.
    ///
    /// # Errors
    /// See [`FormatErrorKind`](crate::formats::FormatErrorKind).
    pub fn from_tytx(text: &[u8], limits: &ReadLimits) -> Result<Self, FormatError> {
        limits.check_bytes(text.len() as u64)?;
        let text = text.trim_ascii_end();
        let Some(json) = text.strip_suffix(b"::X") else {
            return Err(
                FormatError::new(Kind::BadShape, "a bag in TYTX ends in ::X")
                    .at_byte(text.len() as u64),
            );
        };
        let json = json.strip_suffix(b"::JS").unwrap_or(json);
        let mut reader = Reader {
            tokens: JsonTokens::new(json).with_constants(),
            limits: *limits,
            rows: Vec::new(),
            paths: BTreeMap::new(),
            attributes: Attributes::new(),
        };
        reader.document()?;
        reader.bag()
    }
}

struct Reader<'a> {
    tokens: JsonTokens<&'a [u8]>,
    limits: ReadLimits,
    rows: Vec<(Parent, Row)>,
    paths: BTreeMap<u64, Vec<Label>>,
    attributes: Attributes,
}

enum Parent {
    Path(Vec<Label>),
    Code(u64),
}

struct Node {
    row: Row,
    children: Vec<usize>,
}

enum Held {
    Value(Value),
    Bag,
    Resolver(ResolverRef, Option<Value>),
}

impl Reader<'_> {
    fn document(&mut self) -> Result<(), FormatError> {
        self.expect(&JsonToken::ObjectStart)?;
        loop {
            let key = match want(&mut self.tokens)? {
                JsonToken::ObjectEnd => break,
                JsonToken::Key(key) => key,
                _ => return Err(self.wrong("a bag in TYTX is {\"rows\":[…]}")),
            };
            match key.as_str() {
                "rows" => self.rows()?,
                "paths" => self.paths()?,
                "attrs" => {
                    self.expect(&JsonToken::ObjectStart)?;
                    self.attributes = self.attributes()?;
                }
                _ => return Err(self.wrong("known are `rows`, `paths` and `attrs`")),
            }
        }
        match self.tokens.next_token()? {
            None => Ok(()),
            Some(_) => Err(self.wrong("something follows the bag")),
        }
    }

    fn rows(&mut self) -> Result<(), FormatError> {
        self.expect(&JsonToken::ListStart)?;
        loop {
            match want(&mut self.tokens)? {
                JsonToken::ListEnd => return Ok(()),
                JsonToken::ListStart => {}
                _ => return Err(self.wrong("a row is [parent,label,tag,value,{attributes}]")),
            }
            let parent = match want(&mut self.tokens)? {
                JsonToken::Null => Parent::Path(Vec::new()),
                JsonToken::ListStart => Parent::Path(self.labels()?),
                JsonToken::Number(code) => Parent::Code(self.code(&code)?),
                _ => return Err(self.wrong("a parent is a list of labels, a number or null")),
            };
            let JsonToken::Text(label) = want(&mut self.tokens)? else {
                return Err(self.wrong("a label is a string"));
            };
            let label = self.label(&label)?;
            match want(&mut self.tokens)? {
                JsonToken::Null | JsonToken::Text(_) => {}
                _ => return Err(self.wrong("a tag is a string or null")),
            }
            let (value, resolver) = match self.held()? {
                Held::Value(value) => (Some(value), None),
                Held::Bag => (None, None),
                Held::Resolver(resolver, value) => (value, Some(resolver)),
            };
            self.expect(&JsonToken::ObjectStart)?;
            let attributes = self.attributes()?;
            self.expect(&JsonToken::ListEnd)?;
            let row = Row {
                depth: 0,
                label,
                value,
                attributes,
                resolver,
            };
            self.rows.push((parent, row));
            (self.limits.check_nodes(self.rows.len() as u64))
                .map_err(|error| self.tokens.place(error))?;
        }
    }

    fn paths(&mut self) -> Result<(), FormatError> {
        self.expect(&JsonToken::ObjectStart)?;
        loop {
            let code = match want(&mut self.tokens)? {
                JsonToken::ObjectEnd => return Ok(()),
                JsonToken::Key(code) => self.code(&code)?,
                _ => return Err(self.wrong("`paths` is an object of lists")),
            };
            self.expect(&JsonToken::ListStart)?;
            let labels = self.labels()?;
            if self.paths.insert(code, labels).is_some() {
                return Err(self.wrong("a number of a path stands there twice"));
            }
        }
    }

    // The rest of a list of labels.
    fn labels(&mut self) -> Result<Vec<Label>, FormatError> {
        let mut labels = Vec::new();
        loop {
            match want(&mut self.tokens)? {
                JsonToken::ListEnd => return Ok(labels),
                JsonToken::Text(label) => labels.push(Label::new(&label).map_err(|cause| {
                    let detail = format!("no parent can be called so: {cause}");
                    self.tokens.error(Kind::BadShape, detail)
                })?),
                _ => return Err(self.wrong("a path is a list of labels")),
            }
            if labels.len() > DEPTH_MAX {
                let detail = format!("a path of more than {DEPTH_MAX} labels");
                return Err(self.tokens.error(Kind::TooDeep, detail));
            }
        }
    }

    fn held(&mut self) -> Result<Held, FormatError> {
        match want(&mut self.tokens)? {
            JsonToken::Text(text) if text == "::X" => Ok(Held::Bag),
            JsonToken::Text(text) if text.starts_with("::RSLV:") && text.ends_with('}') => {
                let json = text.get("::RSLV:".len()..).unwrap_or_default();
                let (resolver, value) =
                    read_json_held(json).map_err(|error| self.tokens.place(error))?;
                Ok(Held::Resolver(resolver, value))
            }
            token => self.value(token).map(Held::Value),
        }
    }

    fn value(&mut self, token: JsonToken) -> Result<Value, FormatError> {
        if token != JsonToken::ListStart {
            return self.scalar(token);
        }
        let mut items = Vec::new();
        loop {
            match want(&mut self.tokens)? {
                JsonToken::ListEnd => break,
                token => items.push(self.scalar(token)?),
            }
            if items.len() > LIST_ITEMS_MAX {
                let detail = format!("a list of more than {LIST_ITEMS_MAX} items");
                return Err(self.tokens.error(Kind::TooLarge, detail));
            }
        }
        List::new(items)
            .map(Value::List)
            .map_err(|cause| self.tokens.error(Kind::BadShape, cause.to_string()))
    }

    fn scalar(&self, token: JsonToken) -> Result<Value, FormatError> {
        Ok(match token {
            JsonToken::Null => Value::Null,
            JsonToken::Bool(value) => Value::Bool(value),
            JsonToken::Number(text) => match text.as_str() {
                "NaN" => Value::Float(f64::NAN),
                "Infinity" => Value::Float(f64::INFINITY),
                "-Infinity" => Value::Float(f64::NEG_INFINITY),
                text => number_from_json(text).map_err(|why| {
                    self.tokens
                        .error(Kind::BadNumber, format!("`{text}` {why}"))
                })?,
            },
            JsonToken::Text(text) => match text.rsplit_once("::") {
                Some((inner, code)) => match decoded(inner, code) {
                    Some(Ok(Value::List(_))) => {
                        return Err(self.wrong("JSON inside of a text is not read"));
                    }
                    Some(value) => value.map_err(|error| self.tokens.place(error))?,
                    None => Value::Text(text),
                },
                None => Value::Text(text),
            },
            _ => {
                let detail = "a value is a scalar or a flat list of scalars";
                return Err(self.tokens.error(Kind::NoType, detail));
            }
        })
    }

    // The rest of an object of values.
    fn attributes(&mut self) -> Result<Attributes, FormatError> {
        let mut attributes = Attributes::new();
        loop {
            let name = match want(&mut self.tokens)? {
                JsonToken::ObjectEnd => return Ok(attributes),
                JsonToken::Key(name) => name,
                _ => return Err(self.wrong("attributes are an object")),
            };
            let name = Name::new(&name).map_err(|cause| {
                self.tokens
                    .error(Kind::BadLabel, format!("attribute: {cause}"))
            })?;
            let token = want(&mut self.tokens)?;
            let value = self.value(token)?;
            if attributes.len() == ATTRIBUTES_MAX {
                let detail = format!("more than {ATTRIBUTES_MAX} attributes");
                return Err(self.tokens.error(Kind::TooLarge, detail));
            }
            if attributes.insert(name, value).is_some() {
                let detail = "this attribute stands there twice";
                return Err(self.tokens.error(Kind::DuplicateLabel, detail));
            }
        }
    }

    // Places each row below its parent, then hands them out in pre-order.
    fn bag(self) -> Result<Bag, FormatError> {
        let root = Row::bag(0, Label::unchecked("root".into()));
        let mut nodes = vec![Node {
            row: root,
            children: Vec::new(),
        }];
        let mut places: BTreeMap<(usize, Label), usize> = BTreeMap::new();
        for (number, (parent, row)) in self.rows.into_iter().enumerate() {
            let wrong = |kind, detail: String| {
                FormatError::new(kind, detail).at_pointer(&format!("/rows/{number}"))
            };
            let labels = match &parent {
                Parent::Path(labels) => labels,
                Parent::Code(code) => self.paths.get(code).ok_or_else(|| {
                    wrong(Kind::BadShape, format!("`paths` does not have {code}"))
                })?,
            };
            let mut at = 0;
            for label in labels {
                at = *places.get(&(at, label.clone())).ok_or_else(|| {
                    wrong(Kind::BadShape, format!("the parent `{label}` did not come"))
                })?;
            }
            let own = nodes.len();
            if places.insert((at, row.label.clone()), own).is_some() {
                let path: Vec<&str> = labels
                    .iter()
                    .chain([&row.label])
                    .map(Label::as_str)
                    .collect();
                let detail = format!("`{}` stands there twice", path.join("."));
                return Err(wrong(Kind::DuplicateLabel, detail));
            }
            let depth = u16::try_from(labels.len()).unwrap_or(u16::MAX);
            match nodes.get_mut(at) {
                Some(node) if node.row.value.is_none() => node.children.push(own),
                _ => return Err(wrong(Kind::BadShape, "its parent holds a value".to_owned())),
            }
            nodes.push(Node {
                row: Row { depth, ..row },
                children: Vec::new(),
            });
        }
        let mut assembly = Assembly::new(self.limits);
        assembly.root_attributes(self.attributes)?;
        let children = |node: Option<&mut Node>| match node {
            Some(node) => std::mem::take(&mut node.children).into_iter(),
            None => Vec::new().into_iter(),
        };
        let mut open = vec![children(nodes.first_mut())];
        while let Some(last) = open.last_mut() {
            let Some(at) = last.next() else {
                open.pop();
                continue;
            };
            if let Some(node) = nodes.get_mut(at) {
                assembly.row(std::mem::replace(&mut node.row, Row::bag(0, Label::ROOT)))?;
                open.push(children(Some(node)));
            }
        }
        Ok(assembly.finish())
    }

    fn code(&self, text: &str) -> Result<u64, FormatError> {
        text.parse()
            .map_err(|_| self.wrong("the number of a path is a whole number"))
    }

    fn label(&self, text: &str) -> Result<Label, FormatError> {
        Label::new(text).map_err(|cause| {
            self.tokens
                .error(Kind::BadLabel, format!("cannot be a label: {cause}"))
        })
    }

    fn expect(&mut self, wanted: &JsonToken) -> Result<(), FormatError> {
        match want(&mut self.tokens)? {
            token if token == *wanted => Ok(()),
            _ => Err(self.wrong("a row is [parent,label,tag,value,{attributes}]")),
        }
    }

    fn wrong(&self, detail: &'static str) -> FormatError {
        self.tokens.error(Kind::BadShape, detail)
    }
}
