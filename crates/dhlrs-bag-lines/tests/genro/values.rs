//! The values, attributes, positions and documents that requests come with.

use serde_json::{Map, Value, json};

use crate::generator::{Generator, NAMES, RESOLVERS};

pub(crate) const TYTX: [&str; 9] = [
    r#"{"rows":[[[],"a",null,1,{"x":1}],[[],"b",null,"::X",{}],[["b"],"c",null,"1.5::N",{}]]}::JS::X"#,
    r#"{"rows":[[null,"a",null,"::X",{}],[0,"b",null,"::NN",{}],[0,"c",null,"x::T::T",{}]],"paths":{"0":["a"]}}::X"#,
    r#"{"rows":[[[],"a",null,"2024-05-01T10:00:00.250Z::DHZ",{}],[[],"b",null,"AAEC::RAW",{}]]}::JS::X"#,
    r#"{"a":{"b":[1,"x",null]},"c":2.5}"#,
    r#"[1,{"b":2},[]]"#,
    "::X",
    "nothing",
    "3",
    r#"{"rows":3}::X"#,
];
pub(crate) const XML: [&str; 6] = [
    "<a>1</a>",
    "<a><b x=\"1\">t</b><b/>z<c>  </c></a>",
    "<a>&lt;&amp;\u{e9}<![CDATA[<x>]]></a>",
    "<a><b><c y=\"z\"/></b></a>",
    "<GenRoBag><a _T=\"L\">5</a><b _T=\"BAG\"/><c>x</c></GenRoBag>",
    "<?xml version=\"1.0\"?><a>\n<b/>\n</a>",
];

// In a path these need escapes. No path of a request leads there: a label keeps the backslash in
// the reference.
const ESCAPED_LABELS: [&str; 3] = ["a.b", "c/d", "x?y"];

impl Generator {
    pub(crate) fn text(&mut self) -> &'static str {
        self.random.pick(&["red", "green", "Blue", "été"])
    }

    // No two of different types are equal in Python: no 1 beside true, no 0.0.
    pub(crate) fn scalar(&mut self) -> Value {
        match self.random.below(16) {
            0 => Value::Null,
            1 => json!(true),
            2 | 3 => json!(self.random.below(5) + 2),
            4 => json!(0),
            5 => json!(-7),
            6 => {
                let number: f64 = [0.5, 2.25, -1.5, 1e22, 1.5e-9][self.random.below(5)];
                json!(number)
            }
            7 => {
                json!({"$dec": self.random.pick(&["1.50", "-3.75", "12345678901234567890.1", "0.0000001"])})
            }
            8 => {
                json!({"$dt": self.random.pick(&["2024-05-01T10:00:00+00:00", "2024-05-02T10:00:00.250000+00:00", "1999-12-31T23:59:00+00:00"])})
            }
            9 => json!({"$b64": self.random.pick(&["AAEC", "aGk=", ""])}),
            10 => json!(""),
            11 => json!({"$f": self.random.pick(&["inf", "-inf"])}),
            12 => json!("q\"\\\n\u{7f}\u{1}"),
            _ => json!(self.text()),
        }
    }

    pub(crate) fn value(&mut self) -> Value {
        match self.random.below(12) {
            0 => {
                let items: Vec<_> = (0..self.random.below(4)).map(|_| self.scalar()).collect();
                json!(items)
            }
            1 | 2 => self.bag(2),
            _ => self.scalar(),
        }
    }

    pub(crate) fn bag(&mut self, depth: usize) -> Value {
        let mut nodes = Vec::new();
        let mut used = Vec::new();
        for _ in 0..self.random.below(4) {
            let label = match self.may_escape && self.random.chance(8) {
                true => self.random.pick(&ESCAPED_LABELS),
                false => self.label(),
            };
            if used.contains(&label) && self.random.chance(80) {
                continue;
            }
            used.push(label);
            let value = match depth > 0 && self.random.chance(30) {
                true => self.bag(depth - 1),
                false => self.scalar(),
            };
            nodes.push(match self.random.chance(30) {
                true => json!([label, value, self.attributes()]),
                false => json!([label, value]),
            });
        }
        json!({"$bag": nodes})
    }

    pub(crate) fn attributes(&mut self) -> Value {
        let mut attributes = Map::new();
        for _ in 0..self.random.below(3) {
            let name = self.random.pick(&NAMES);
            let value = match (name, self.random.chance(15)) {
                (_, true) => Value::Null,
                ("name", _) => json!(self.text()),
                _ => self.scalar(),
            };
            attributes.insert(name.to_owned(), value);
        }
        Value::Object(attributes)
    }

    pub(crate) fn resolver(&mut self) -> Value {
        let mut spec = json!({"name": self.random.pick(&RESOLVERS)});
        match self.random.below(4) {
            0 => spec["cache_time"] = json!(-1),
            1 => spec["cache_time"] = json!(5 * self.random.below(3) + 5),
            2 => spec["cache_time"] = json!(0),
            _ => {}
        }
        if self.random.chance(25) {
            spec["read_only"] = json!(self.random.chance(70));
        }
        if self.random.chance(30) {
            spec["kw"] = json!({"x": self.random.below(3) + 2});
            if self.random.chance(30) {
                spec["kw"]["y"] = json!(self.text());
            }
        }
        if self.random.chance(15) {
            spec["fail"] = json!(true);
        } else if !self.may_link && self.random.chance(25) {
            spec["bag"] = self.bag(1)["$bag"].clone();
        }
        json!({"$res": spec})
    }

    pub(crate) fn scalar_plain(&mut self) -> Value {
        match self.random.below(4) {
            0 => Value::Null,
            1 => json!({"k": [1, {}]}),
            _ => json!(self.text()),
        }
    }

    pub(crate) fn position(&mut self) -> Value {
        let index = self.random.below(5);
        let label = self.label();
        match self.random.below(10) {
            0 => json!("<"),
            1 => json!(">"),
            2 => json!(format!("#{index}")),
            3 => json!(format!("<{label}")),
            4 => json!(format!(">{label}")),
            5 => json!(format!("<#{index}")),
            6 => json!(format!(">#{index}")),
            7 => json!(index),
            8 => json!(-(index as i64)),
            _ => json!(self.random.pick(&["#x", "@", "#-1", "<nobody", "a"])),
        }
    }
}
