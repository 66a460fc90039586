//! The values of a request: scalars, flat lists, bags, resolvers.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use dhlrs_bag::{
    Attributes, Branch, BranchBuilder, Decimal, Label, List, Name, ResolverRef, Row, Value,
};

use crate::{attributes::kept, error::ErrorClass, instant, json::Json, session::Session};

/// What a request gives as a value.
#[derive(Clone, Debug)]
pub(crate) enum Given {
    Value(Value),
    Branch(Branch),
    Resolver(ResolverRef),
    /// Only to write several attributes at once.
    Tuple(Vec<Value>),
}

impl Session {
    pub(crate) fn given(&mut self, json: &Json) -> Result<Given, ErrorClass> {
        if let Some(nodes) = json.get("$bag") {
            return self.branch(nodes).map(Given::Branch);
        }
        if let Some(handle) = json.get("$ref") {
            let handle = handle.text().ok_or(ErrorClass::Missing)?;
            let bag = &self.handles.get(handle).ok_or(ErrorClass::Missing)?.bag;
            return Ok(Given::Branch(bag.root().branch()));
        }
        if let Some(spec) = json.get("$res") {
            return self.resolver(spec).map(Given::Resolver);
        }
        match json.get("$t") {
            Some(Json::Array(items)) if is_tagged(json, "$t") => {
                let items = items.iter().map(|item| self.value(item));
                items.collect::<Result<_, _>>().map(Given::Tuple)
            }
            _ => self.value(json).map(Given::Value),
        }
    }

    fn resolver(&mut self, spec: &Json) -> Result<ResolverRef, ErrorClass> {
        let Self { counters, .. } = self;
        counters.make(spec, plain)
    }

    /// A scalar or a flat list.
    pub(crate) fn value(&mut self, json: &Json) -> Result<Value, ErrorClass> {
        match json {
            Json::Array(items) => {
                let items = items.iter().map(|item| match item {
                    Json::Array(_) => Err(ErrorClass::Type),
                    item => self.scalar(item),
                });
                let items: Vec<_> = items.collect::<Result<_, _>>()?;
                Ok(Value::List(List::new(items)?))
            }
            json => self.scalar(json),
        }
    }

    fn scalar(&mut self, json: &Json) -> Result<Value, ErrorClass> {
        let Json::Object(_) = json else {
            return plain(json);
        };
        let text = |tag: &str| {
            json.get(tag)
                .map(|value| value.text().ok_or(ErrorClass::Type))
        };
        if ["$bag", "$ref", "$res"]
            .iter()
            .any(|tag| json.get(tag).is_some())
        {
            return Err(ErrorClass::Type);
        }
        if let Some(text) = text("$dec") {
            return Ok(Value::Decimal(decimal(text?)?));
        }
        if let Some(text) = text("$dt") {
            return Ok(Value::Timestamp(instant::read(text?)?));
        }
        if json.get("$date").is_some() || json.get("$time").is_some() {
            return Err(ErrorClass::Type);
        }
        if let Some(text) = text("$b64") {
            // What does not belong there is passed over, as the reference does.
            let is_base64 = |char: &char| char.is_ascii_alphanumeric() || "+/=".contains(*char);
            let text: String = text?.chars().filter(is_base64).collect();
            let bytes = STANDARD.decode(text).map_err(|_| ErrorClass::Value)?;
            return Ok(Value::from(bytes));
        }
        if let Some(text) = text("$f") {
            return Ok(Value::Float(text?.parse().map_err(|_| ErrorClass::Value)?));
        }
        Err(
            match ["$t", "$d"].iter().any(|tag| json.get(tag).is_some()) {
                true => ErrorClass::Type,
                false => ErrorClass::Value,
            },
        )
    }

    /// Names and values, in their order.
    pub(crate) fn named_values(&mut self, json: &Json) -> Result<Vec<(Name, Value)>, ErrorClass> {
        let Json::Object(entries) = json else {
            return Err(ErrorClass::Internal);
        };
        let entries = entries.iter();
        let entries = entries.map(|(name, value)| Ok((Name::new(name)?, self.value(value)?)));
        entries.collect()
    }

    /// The nodes of a bag. A label that comes again takes the place of the first one.
    pub(crate) fn branch(&mut self, nodes: &Json) -> Result<Branch, ErrorClass> {
        let mut sketch = Sketch::default();
        let mut todo = vec![(0, nodes)];
        while let Some((bag, nodes)) = todo.pop() {
            let Json::Array(nodes) = nodes else {
                return Err(ErrorClass::Type);
            };
            for node in nodes {
                let Json::Array(fields) = node else {
                    return Err(ErrorClass::Value);
                };
                let [label, value, rest @ ..] = fields.as_slice() else {
                    return Err(ErrorClass::Value);
                };
                let label = Label::new(label.text().ok_or(ErrorClass::Type)?)?;
                let attributes = match rest.first() {
                    None => Attributes::new(),
                    Some(attributes) => {
                        let values = self.named_values(attributes)?.into_iter();
                        values.map(|(name, value)| (name, kept(value))).collect()
                    }
                };
                let (held, inside) = match value.get("$bag") {
                    Some(inside) => (Held::Bag(Inside::default()), Some(inside)),
                    None => (self.inside(value)?, None),
                };
                let at = sketch.put(bag, label, held, attributes);
                todo.extend(inside.map(|inside| (at, inside)));
            }
        }
        sketch.branch()
    }

    fn inside(&mut self, json: &Json) -> Result<Held, ErrorClass> {
        Ok(match self.given(json)? {
            Given::Value(value) => Held::Value(value),
            Given::Branch(branch) => Held::Branch(branch),
            Given::Resolver(resolver) => Held::Resolver(resolver),
            Given::Tuple(_) => return Err(ErrorClass::Type),
        })
    }
}

// A decimal as Python reads it, `.5` and `1e2` too; it never has more digits than it is worth.
fn decimal(text: &str) -> Result<Decimal, ErrorClass> {
    const ZEROS_MAX: usize = 29;
    if let Ok(number) = text.parse() {
        return Ok(number);
    }
    let (number, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let exponent: i64 = exponent.parse().map_err(|_| ErrorClass::Value)?;
    let digits = whole.trim_start_matches(['-', '+']).len() + fraction.len();
    let is_plain = fraction.bytes().all(|byte| byte.is_ascii_digit());
    if digits == 0 || !is_plain {
        return Err(ErrorClass::Value);
    }
    let scale = i64::try_from(fraction.len()).map_err(|_| ErrorClass::Value)?;
    let scale = scale.checked_sub(exponent).ok_or(ErrorClass::Value)?;
    let zeros = usize::try_from(scale.saturating_neg()).unwrap_or_default();
    if zeros > ZEROS_MAX {
        return Err(ErrorClass::Value);
    }
    let mantissa = format!("{whole}{fraction}{}", "0".repeat(zeros));
    let mantissa = mantissa.parse().map_err(|_| ErrorClass::Value)?;
    let scale = u8::try_from(scale.max(0)).map_err(|_| ErrorClass::Value)?;
    Ok(Decimal::new(mantissa, scale)?)
}

/// A value without a tag.
pub(crate) fn plain(json: &Json) -> Result<Value, ErrorClass> {
    Ok(match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::Int(number) => Value::Int(*number),
        Json::BigInt(_) => return Err(ErrorClass::Value),
        Json::Float(number) => Value::Float(*number),
        Json::Text(text) => Value::from(text.as_str()),
        Json::Array(items) => {
            let items = items.iter().map(|item| match item {
                Json::Array(_) | Json::Object(_) => Err(ErrorClass::Type),
                item => plain_scalar(item),
            });
            Value::List(List::new(items.collect::<Result<Vec<_>, _>>()?)?)
        }
        Json::Object(_) => return Err(ErrorClass::Type),
    })
}

fn plain_scalar(json: &Json) -> Result<Value, ErrorClass> {
    Ok(match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::Int(number) => Value::Int(*number),
        Json::Float(number) => Value::Float(*number),
        Json::Text(text) => Value::from(text.as_str()),
        Json::BigInt(_) => return Err(ErrorClass::Value),
        Json::Array(_) | Json::Object(_) => return Err(ErrorClass::Type),
    })
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

// The tags are tried in this order; one that comes before wins.
fn is_tagged(json: &Json, tag: &str) -> bool {
    const TAGS: [&str; 8] = ["$dec", "$dt", "$date", "$time", "$b64", "$f", "$t", "$d"];
    TAGS.into_iter().find(|own| json.get(own).is_some()) == Some(tag)
}

#[derive(Default)]
struct Inside {
    children: Vec<usize>,
    places: BTreeMap<Label, usize>,
}

enum Held {
    Value(Value),
    Branch(Branch),
    Resolver(ResolverRef),
    Bag(Inside),
}

/// A bag whose nodes may still be replaced.
struct Sketch {
    nodes: Vec<(Option<Label>, Held, Attributes)>,
}

impl Default for Sketch {
    fn default() -> Self {
        Self {
            nodes: vec![(None, Held::Bag(Inside::default()), Attributes::new())],
        }
    }
}

impl Sketch {
    fn put(&mut self, bag: usize, label: Label, held: Held, attributes: Attributes) -> usize {
        let at = self.nodes.len();
        self.nodes.push((Some(label.clone()), held, attributes));
        if let Some((_, Held::Bag(inside), _)) = self.nodes.get_mut(bag) {
            match inside.places.get(&label) {
                Some(place) => {
                    if let Some(child) = inside.children.get_mut(*place) {
                        *child = at;
                    }
                }
                None => {
                    inside.places.insert(label, inside.children.len());
                    inside.children.push(at);
                }
            }
        }
        at
    }

    fn branch(self) -> Result<Branch, ErrorClass> {
        let mut builder = BranchBuilder::new();
        let children = |at: usize| match self.nodes.get(at) {
            Some((_, Held::Bag(inside), _)) => inside.children.as_slice(),
            _ => &[],
        };
        let mut todo: Vec<(u16, usize)> = children(0).iter().rev().map(|at| (0, *at)).collect();
        while let Some((depth, at)) = todo.pop() {
            let Some((Some(label), held, attributes)) = self.nodes.get(at) else {
                continue;
            };
            let (value, resolver) = match held {
                Held::Value(value) => (Some(value.clone()), None),
                Held::Resolver(resolver) => (Some(Value::Null), Some(resolver.clone())),
                Held::Branch(_) | Held::Bag(_) => (None, None),
            };
            builder.push(Row {
                depth,
                label: label.clone(),
                value,
                attributes: attributes.clone(),
                resolver,
            })?;
            if let Held::Branch(branch) = held {
                for row in branch.rows() {
                    let depth = depth.saturating_add(1).saturating_add(row.depth);
                    builder.push(Row {
                        depth,
                        ..row.clone()
                    })?;
                }
            }
            todo.extend(
                children(at)
                    .iter()
                    .rev()
                    .map(|at| (depth.saturating_add(1), *at)),
            );
        }
        Ok(builder.finish())
    }
}
