//! Rows of a read: one bag node, a level, a drawing.

use dhlrs_bag::{Attributes, Value};
use dhlrs_path::{Address, Path, Query};
use dhlrs_wire::{ReadRow, Revision};

use dhlrs_bag::formats::{attributes_to_json, text_to_json, value_to_json};

/// `NAME<TAB>VALUE`: a line of `ls`. Values are compact typed JSON, a bag is `{"$branch":CHILDREN}`.
#[must_use]
pub fn list_line(row: &ReadRow) -> String {
    format!("{}\t{}", row.name, shown(row))
}

/// A row as one JSON object; `field` is what its name is called: `label` or `path`. `changed` is the revision of the
/// bag node's last change, `revision` with `incarnation` that of the whole answer.
#[must_use]
pub fn row_json(field: &str, row: &ReadRow, read: Revision) -> String {
    let kind = row.value.as_ref().map_or("bag", Value::type_name);
    row_object(field, row, (kind, &shown(row)), &row.attributes, read)
}

/// A match of a pattern as a row, under its path. Where the pattern has a query, its value and its attributes are those
/// that the query names, as [`NodeView::json`] has them.
#[must_use]
pub fn match_json(row: &ReadRow, query: Option<Query<'_>>, read: Revision) -> String {
    let depth = Path::parse(&row.name).map_or(0, |path| path.steps().count());
    let row = ReadRow {
        depth: u16::try_from(depth).unwrap_or(u16::MAX),
        ..row.clone()
    };
    let Some(query) = query else {
        return row_json("path", &row, read);
    };
    let attributes = chosen(&row.attributes, Some(query.clone()));
    let (kind, value) = asked(&attributes, &query);
    row_object("path", &row, (kind, &value), &attributes, read)
}

fn row_object(
    field: &str,
    row: &ReadRow,
    (kind, value): (&str, &str),
    attributes: &Attributes,
    read: Revision,
) -> String {
    let resolver = match &row.resolver {
        Some(resolver) => format!(r#","resolver":{}"#, text_to_json(&resolver.name)),
        None => String::new(),
    };
    format!(
        r#"{{"depth":{},"{field}":{},"type":"{kind}","value":{value},"attrs":{}{resolver},"children":{},"changed":{},"revision":{},"incarnation":"{}"}}"#,
        row.depth,
        text_to_json(&row.name),
        attributes_to_json(attributes),
        row.children,
        row.revision,
        read.number,
        read.incarnation,
    )
}

// Type and value of what a query asks for: of one attribute its own, of more an object of them.
fn asked(attributes: &Attributes, query: &Query<'_>) -> (&'static str, String) {
    let mut names = query.names();
    let one = match (query, names.next(), names.next()) {
        (Query::Names(_), Some(name), None) => attributes.get(&name),
        _ => None,
    };
    match one {
        Some(value) => (value.type_name(), value_to_json(value)),
        None => ("attributes", attributes_to_json(attributes)),
    }
}

/// What `query` prints of a match: its value, or the attributes that the pattern's query names, in compact typed
/// JSON. `None` is a match that has none of them.
#[must_use]
pub fn query_value(row: &ReadRow, query: Option<Query<'_>>) -> Option<String> {
    let Some(query) = query else {
        return Some(shown(row));
    };
    let mut names = query.names();
    match (&query, names.next(), names.next()) {
        (Query::Names(_), Some(name), None) => row.attributes.get(&name).map(value_to_json),
        _ => {
            let chosen = chosen(&row.attributes, Some(query));
            (!chosen.is_empty()).then(|| attributes_to_json(&chosen))
        }
    }
}

/// What `get` prints of one bag node.
#[derive(Debug, Clone, Copy)]
pub struct NodeView<'a> {
    /// The complete address that was asked for, with its query.
    pub address: &'a Address,
    /// The value; `None` is a bag.
    pub value: Option<&'a Value>,
    /// Its attributes.
    pub attributes: &'a Attributes,
    /// The revision of its last change.
    pub changed: u64,
    /// The revision of the answer.
    pub revision: Revision,
}

impl NodeView<'_> {
    /// A scalar as it stands, a List as JSON, the attributes that a query names: one as a scalar, more as JSON.
    ///
    /// `None` is an attribute that is not there, or a bag, which is printed as it comes in.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        match self.address.path().query() {
            None => self.value.map(scalar),
            Some(Query::All) => Some(attributes_to_json(self.attributes)),
            Some(query) => {
                let mut names = query.names();
                match (names.next(), names.next()) {
                    (Some(name), None) => self.attributes.get(&name).map(scalar),
                    _ => Some(attributes_to_json(&chosen(self.attributes, Some(query)))),
                }
            }
        }
    }

    /// `{address,type,value,attrs,changed,revision,incarnation}`; `bag` is the value of a bag, as JSON.
    ///
    /// With a query, type and value are those of the attribute that it names; of several, the type is `attributes`
    /// and the value an object of them.
    #[must_use]
    pub fn json(&self, bag: &str) -> String {
        let attributes = chosen(self.attributes, self.address.path().query());
        let (kind, value) = match self.address.path().query() {
            Some(query) => asked(&attributes, &query),
            None => match self.value {
                Some(value) => (value.type_name(), value_to_json(value)),
                None => ("bag", bag.to_owned()),
            },
        };
        format!(
            r#"{{"address":{},"type":"{kind}","value":{value},"attrs":{},"changed":{},"revision":{},"incarnation":"{}"}}"#,
            text_to_json(&self.address.to_string()),
            attributes_to_json(&attributes),
            self.changed,
            self.revision.number,
            self.revision.incarnation,
        )
    }
}

/// Draws a branch line by line while its rows come in.
#[derive(Debug, Default)]
pub struct TreeDrawing {
    // For each bag on the way down, how many of its children are still to come.
    left: Vec<u64>,
}

impl TreeDrawing {
    /// The line of the next row, in document order; the first one is the addressed bag node.
    pub fn line(&mut self, row: &ReadRow) -> String {
        let depth = usize::from(row.depth);
        self.left.truncate(depth);
        let mut line = String::new();
        if let Some((parent, above)) = self.left.split_last_mut() {
            for left in above {
                line.push_str(if *left > 0 { "│   " } else { "    " });
            }
            *parent = parent.saturating_sub(1);
            line.push_str(if *parent > 0 {
                "├── "
            } else {
                "└── "
            });
        }
        self.left.push(row.children);
        line.push_str(&row.name);
        if let Some(value) = &row.value {
            line.push_str(": ");
            line.push_str(&value_to_json(value));
        }
        for (name, value) in row.attributes.iter() {
            line.push_str(&format!(" @{name}={}", value_to_json(value)));
        }
        if let Some(resolver) = &row.resolver {
            line.push_str(&format!(" (resolver {})", resolver.name));
        }
        line
    }
}

fn shown(row: &ReadRow) -> String {
    match &row.value {
        Some(value) => value_to_json(value),
        None => format!(r#"{{"$branch":{}}}"#, row.children),
    }
}

/// The attributes that a query names; without one all of them.
pub(crate) fn chosen(attributes: &Attributes, query: Option<Query<'_>>) -> Attributes {
    let Some(query) = query else {
        return attributes.clone();
    };
    let mut chosen = Attributes::new();
    for (name, value) in attributes.iter().filter(|(name, _)| query.includes(name)) {
        chosen.insert(name.clone(), value.clone());
    }
    chosen
}

fn scalar(value: &Value) -> String {
    match value {
        Value::List(_) => value_to_json(value),
        other => other.to_string(),
    }
}
