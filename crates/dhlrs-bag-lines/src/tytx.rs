//! TYTX as Genro Bag writes it, letter for letter.

use dhlrs_bag::{Attributes, BagNode, Label, Timestamp, Value};

use crate::{
    attributes::given,
    decode::base64,
    writer::{python_decimal, python_json_float, write_string},
};

// Values in the spelling of the reference, which is Python's: `1e+22`, `Infinity`, a Null that is kept
// as an attribute. `dhlrs-bag` writes what other readers of JSON take as well.
struct Tytx {
    out: String,
    // Whether there was a value for which JSON has no type.
    has_types: bool,
    // Texts that end like typed ones are marked.
    marks: bool,
}

impl Tytx {
    fn new(marks: bool) -> Self {
        Self {
            out: String::new(),
            has_types: false,
            marks,
        }
    }

    fn value(&mut self, value: &Value) {
        let Value::List(list) = value else {
            return self.scalar(value);
        };
        self.out.push('[');
        for (at, item) in list.items().iter().enumerate() {
            self.out.push_str(if at == 0 { "" } else { "," });
            self.scalar(item);
        }
        self.out.push(']');
    }

    fn scalar(&mut self, value: &Value) {
        match value {
            Value::Null => self.out.push_str("null"),
            Value::Bool(value) => self.out.push_str(if *value { "true" } else { "false" }),
            Value::Int(number) => self.out.push_str(&number.to_string()),
            Value::Float(number) => self.out.push_str(&python_json_float(*number)),
            Value::Text(text) if self.marks && text.contains("::") => {
                self.string(&format!("{text}::T"));
            }
            Value::Text(text) => self.string(text),
            Value::Decimal(number) => self.typed(&format!("{}::N", python_decimal(number))),
            Value::Timestamp(time) => self.typed(&format!("{}::DHZ", in_ms(*time))),
            Value::Bytes(bytes) => self.typed(&format!("{}::RAW", base64(bytes.as_slice()))),
            // A list holds no list.
            Value::List(_) => {}
        }
    }

    fn typed(&mut self, text: &str) {
        self.has_types = true;
        self.string(text);
    }

    fn string(&mut self, text: &str) {
        write_string(&mut self.out, text, false);
    }

    fn attributes(&mut self, attributes: &Attributes) {
        self.out.push('{');
        for (at, (name, value)) in attributes.iter().enumerate() {
            self.out.push_str(if at == 0 { "" } else { "," });
            self.string(name);
            self.out.push(':');
            self.value(given(value));
        }
        self.out.push('}');
    }

    fn finish(mut self, suffix: &str) -> String {
        self.out.push_str(if self.has_types { "::JS" } else { "" });
        self.out.push_str(suffix);
        self.out
    }
}

// Thousandths of a second are the finest that go there.
fn in_ms(time: Timestamp) -> String {
    const NS_PER_MS: i64 = 1_000_000;
    const MS_PER_S: i64 = 1000;
    let ms = time.as_ns().div_euclid(NS_PER_MS);
    let seconds = Timestamp::from_ns(ms.div_euclid(MS_PER_S) * MS_PER_S * NS_PER_MS).to_string();
    let seconds = seconds.strip_suffix('Z').unwrap_or(&seconds);
    format!("{seconds}.{:03}Z", ms.rem_euclid(MS_PER_S))
}

/// A bag as rows, their parents as labels or as numbers.
pub(crate) fn tytx(bag: BagNode<'_>, compact: bool) -> String {
    let mut tytx = Tytx::new(true);
    // The labels of the open bags, and their numbers.
    let mut open: Vec<(&Label, usize)> = Vec::new();
    let mut paths = Vec::new();
    tytx.out.push_str("{\"rows\":[");
    for (number, visited) in bag.walk().enumerate() {
        let node = visited.node;
        open.truncate(usize::from(visited.depth));
        tytx.out.push_str(if number == 0 { "[" } else { ",[" });
        match (compact, open.last()) {
            (true, None) => tytx.out.push_str("null"),
            (true, Some((_, number))) => tytx.out.push_str(&number.to_string()),
            (false, _) => tytx.out.push_str(&labels(&open)),
        }
        tytx.out.push(',');
        tytx.value(&Value::from(node.label().as_str()));
        tytx.out.push_str(",null,");
        match node.value() {
            None => tytx.string("::X"),
            Some(Value::Null) => tytx.string("::NN"),
            Some(value) => tytx.value(value),
        }
        tytx.out.push(',');
        tytx.attributes(node.attributes());
        tytx.out.push(']');
        if node.is_bag() {
            open.push((node.label(), paths.len()));
            paths.push(labels(&open));
        }
    }
    tytx.out.push(']');
    if compact {
        tytx.out.push_str(",\"paths\":{");
        for (number, path) in paths.iter().enumerate() {
            let comma = if number == 0 { "" } else { "," };
            tytx.out.push_str(&format!("{comma}\"{number}\":{path}"));
        }
        tytx.out.push('}');
    }
    tytx.out.push('}');
    tytx.finish("::X")
}

fn labels(open: &[(&Label, usize)]) -> String {
    let mut list = Tytx::new(true);
    list.out.push('[');
    for (at, (label, _)) in open.iter().enumerate() {
        list.out.push_str(if at == 0 { "" } else { "," });
        list.value(&Value::from(label.as_str()));
    }
    list.out.push(']');
    list.out
}

/// The nodes as `[{"label","value","attr"}…]`, with types as in TYTX.
pub(crate) fn typed_json(bag: BagNode<'_>) -> String {
    let mut json = Tytx::new(false);
    let mut open: Vec<BagNode<'_>> = Vec::new();
    let close = |json: &mut Tytx, open: &mut Vec<BagNode<'_>>, depth: usize| {
        while open.len() > depth {
            if let Some(node) = open.pop() {
                json.out.push_str("],\"attr\":");
                json.attributes(node.attributes());
                json.out.push('}');
            }
        }
    };
    json.out.push('[');
    for visited in bag.walk() {
        let node = visited.node;
        close(&mut json, &mut open, usize::from(visited.depth));
        let comma = if json.out.ends_with('[') { "" } else { "," };
        json.out.push_str(comma);
        json.out.push_str("{\"label\":");
        json.string(node.label());
        json.out.push_str(",\"value\":");
        match node.value() {
            Some(value) => {
                json.value(value);
                json.out.push_str(",\"attr\":");
                json.attributes(node.attributes());
                json.out.push('}');
            }
            None => {
                json.out.push('[');
                open.push(node);
            }
        }
    }
    close(&mut json, &mut open, 0);
    json.out.push(']');
    json.finish("")
}
