//! JSON as it goes out, spelled as Python's `json` does, so that digests of it agree.

use dhlrs_bag::{Attributes, BagNode, Decimal, Value};

use crate::{attributes::given, counter, instant, json::Json};

/// Writes JSON into a string.
///
/// Where a request answers with a list of rows, the reference encodes the rows twice, so that each
/// object in them comes as `{"$d":…}`: `twice`.
pub(crate) struct Writer {
    out: String,
    twice: bool,
}

impl Writer {
    pub(crate) fn new() -> Self {
        Self {
            out: String::new(),
            twice: false,
        }
    }

    pub(crate) fn twice() -> Self {
        Self {
            twice: true,
            ..Self::new()
        }
    }

    pub(crate) fn finish(self) -> String {
        self.out
    }

    /// How many bytes were written.
    pub(crate) fn bytes(&self) -> usize {
        self.out.len()
    }

    pub(crate) fn raw(&mut self, text: &str) {
        self.out.push_str(text);
    }

    /// A comma, unless the array or object has only begun.
    pub(crate) fn comma(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with(['[', '{', ':', ',']) {
            self.out.push(',');
        }
    }

    pub(crate) fn begin_object(&mut self) {
        self.raw(if self.twice { r#"{"$d":{"# } else { "{" });
    }

    pub(crate) fn end_object(&mut self) {
        self.raw(if self.twice { "}}" } else { "}" });
    }

    pub(crate) fn key(&mut self, key: &str) {
        self.comma();
        self.string(key);
        self.raw(":");
    }

    pub(crate) fn null(&mut self) {
        self.raw("null");
    }

    pub(crate) fn bool(&mut self, value: bool) {
        self.raw(if value { "true" } else { "false" });
    }

    pub(crate) fn int(&mut self, value: impl std::fmt::Display) {
        self.out.push_str(&value.to_string());
    }

    pub(crate) fn string(&mut self, text: &str) {
        write_string(&mut self.out, text, false);
    }

    fn tagged(&mut self, tag: &str, text: &str) {
        self.begin_object();
        self.key(tag);
        self.string(text);
        self.end_object();
    }

    pub(crate) fn float(&mut self, value: f64) {
        match python_float(value) {
            text if value.is_finite() => self.raw(&text),
            text => self.tagged("$f", &text),
        }
    }

    pub(crate) fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.null(),
            Value::Bool(value) => self.bool(*value),
            Value::Int(value) => self.int(value),
            Value::Float(value) => self.float(*value),
            Value::Text(text) => self.string(text),
            Value::Bytes(bytes) => {
                let text = crate::decode::base64(bytes.as_slice());
                self.tagged("$b64", &text);
            }
            Value::Timestamp(time) => {
                let text = instant::spell(*time);
                self.tagged("$dt", &text);
            }
            Value::Decimal(number) => self.tagged("$dec", &python_decimal(number)),
            Value::List(list) => {
                self.raw("[");
                for item in list.items() {
                    self.comma();
                    // A list holds no list.
                    self.value(item);
                }
                self.raw("]");
            }
        }
    }

    /// The attributes as an object, sorted by name.
    pub(crate) fn attributes(&mut self, attributes: &Attributes) {
        let mut sorted: Vec<_> = attributes.iter().collect();
        sorted.sort_unstable_by(|a, b| a.0.cmp(b.0));
        self.begin_object();
        for (name, value) in sorted {
            self.key(name);
            self.value(given(value));
        }
        self.end_object();
    }

    /// `{"$d":{…}}` of attributes.
    pub(crate) fn attribute_map(&mut self, attributes: &Attributes) {
        self.begin_object();
        self.key("$d");
        self.attributes(attributes);
        self.end_object();
    }

    /// What a node holds, without asking its resolver.
    pub(crate) fn held(&mut self, node: BagNode<'_>) {
        match node.value() {
            Some(value) => self.value(value),
            None => self.bag(node),
        }
    }

    /// `{"$bag":[…]}`, with everything in it.
    pub(crate) fn bag(&mut self, bag: BagNode<'_>) {
        self.begin_object();
        self.key("$bag");
        self.raw("[");
        let mut open: Vec<BagNode<'_>> = Vec::new();
        let close_down_to = |writer: &mut Self, open: &mut Vec<BagNode<'_>>, depth: usize| {
            while open.len() > depth {
                writer.raw("]");
                writer.end_object();
                if let Some(node) = open.pop() {
                    writer.row_end(node);
                }
            }
        };
        for visited in bag.walk() {
            let node = visited.node;
            close_down_to(self, &mut open, usize::from(visited.depth));
            self.comma();
            self.raw("[");
            self.string(node.label());
            self.raw(",");
            match node.value() {
                Some(value) => {
                    self.value(value);
                    self.row_end(node);
                }
                None => {
                    self.begin_object();
                    self.key("$bag");
                    self.raw("[");
                    open.push(node);
                }
            }
        }
        close_down_to(self, &mut open, 0);
        self.raw("]");
        self.end_object();
    }

    fn row_end(&mut self, node: BagNode<'_>) {
        self.raw(",");
        self.attributes(node.attributes());
        if let Some(resolver) = node.resolver() {
            self.raw(",");
            self.begin_object();
            self.key("res");
            self.value(counter::name(resolver));
            self.end_object();
        }
        self.raw("]");
    }

    /// `{"$node":[…]}`.
    pub(crate) fn node(&mut self, node: BagNode<'_>) {
        self.begin_object();
        self.key("$node");
        self.raw("[");
        self.string(node.label());
        self.raw(",");
        self.held(node);
        self.row_end(node);
        self.end_object();
    }

    /// A value of the request, given back; its objects come as maps, unless they are to be echoed.
    pub(crate) fn json(&mut self, json: &Json, echo: bool) {
        let (begin, end) = match echo {
            true => ("{", "}"),
            false => (r#"{"$d":{"#, "}}"),
        };
        enum Todo<'j> {
            Value(&'j Json),
            Key(&'j str),
            Text(&'static str),
        }
        let mut todo = vec![Todo::Value(json)];
        while let Some(next) = todo.pop() {
            let value = match next {
                Todo::Value(value) => value,
                Todo::Key(key) => {
                    self.key(key);
                    continue;
                }
                Todo::Text(text) => {
                    self.raw(text);
                    continue;
                }
            };
            match value {
                Json::Null => self.null(),
                Json::Bool(value) => self.bool(*value),
                Json::Int(value) => self.int(value),
                Json::BigInt(digits) => self.raw(digits),
                Json::Float(value) => self.float(*value),
                Json::Text(text) => self.string(text),
                Json::Array(items) => {
                    self.raw("[");
                    todo.push(Todo::Text("]"));
                    for (at, item) in items.iter().enumerate().rev() {
                        todo.push(Todo::Value(item));
                        if at > 0 {
                            todo.push(Todo::Text(","));
                        }
                    }
                }
                Json::Object(entries) => {
                    self.raw(begin);
                    todo.push(Todo::Text(end));
                    for (key, item) in entries.iter().rev() {
                        todo.push(Todo::Value(item));
                        todo.push(Todo::Key(key));
                    }
                }
            }
        }
    }

    /// What was encoded already, encoded again.
    pub(crate) fn encode_again(&mut self, json: &str) {
        match Json::parse(json) {
            Some(json) => self.json(&json, !self.twice),
            // Deeper than any request; nothing that is written here is broken otherwise.
            None => self.raw(json),
        }
    }
}

/// A JSON string; `ascii` writes what is beyond ASCII as `\uXXXX`.
pub(crate) fn write_string(out: &mut String, text: &str, ascii: bool) {
    out.push('"');
    for char in text.chars() {
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            char if char < ' ' || (ascii && char > '~') => {
                let mut units = [0; 2];
                for unit in char.encode_utf16(&mut units) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
            char => out.push(char),
        }
    }
    out.push('"');
}

/// The shortest text that reads back as the number, as Python's `repr` writes it.
pub(crate) fn python_float(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    // `1.2345e-7`: the shortest digits, and where the point is.
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..16).contains(&exponent) {
        let plain = format!("{value}");
        return if plain.contains('.') {
            plain
        } else {
            plain + ".0"
        };
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs())
}

/// A number as Python's `json` writes it.
pub(crate) fn python_json_float(value: f64) -> String {
    match value {
        value if value.is_nan() => "NaN".to_owned(),
        f64::INFINITY => "Infinity".to_owned(),
        f64::NEG_INFINITY => "-Infinity".to_owned(),
        value => python_float(value),
    }
}

/// A decimal as Python's `str` writes it: far behind the point, with an exponent.
pub(crate) fn python_decimal(number: &Decimal) -> String {
    let digits = number.mantissa().unsigned_abs().to_string();
    let scale = usize::from(number.scale());
    // How many digits stand before the point; below zero, how many zeros behind it.
    let before = digits.len() as i64 - scale as i64;
    if before > -6 {
        return number.to_string();
    }
    let sign = if number.mantissa() < 0 { "-" } else { "" };
    let (first, rest) = digits.split_at(1);
    let point = if rest.is_empty() { "" } else { "." };
    format!("{sign}{first}{point}{rest}E{}", before - 1)
}
