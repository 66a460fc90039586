//! The resolvers of the protocol: each counts its calls and gives them as its value.

use std::collections::BTreeMap;

use dhlrs_bag::{Attributes, Name, ResolverRef, Value};

use crate::{
    attributes,
    error::ErrorClass,
    json::Json,
    limits::{RESOLVER_BYTES_MAX, RESOLVERS_MADE_MAX},
    writer::{python_decimal, python_float, python_json_float, write_string},
};

/// The name under which all of them are registered.
pub(crate) const COUNTER: &str = "counter";
// Parameters that are not given to the call. No request can name one: `#` is not in its keys.
const IDENTITY: &str = "#made";
const NAME: &str = "name";

/// What the protocol's resolvers of one session do, and how often they were called.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    made: Vec<Spec>,
    calls: BTreeMap<String, u64>,
    // What both take, at most `RESOLVER_BYTES_MAX`.
    bytes: usize,
}

#[derive(Debug)]
struct Spec {
    fails: bool,
    bag: Option<Json>,
}

/// What came of a call.
pub(crate) enum Called {
    Text(String),
    Bag(Json),
}

impl Counters {
    pub(crate) fn calls(&self, name: &str) -> u64 {
        self.calls.get(name).copied().unwrap_or_default()
    }

    /// Makes one from its description. Two that were made differ, whatever they do.
    pub(crate) fn make(
        &mut self,
        spec: &Json,
        mut plain: impl FnMut(&Json) -> Result<Value, ErrorClass>,
    ) -> Result<ResolverRef, ErrorClass> {
        let Json::Object(_) = spec else {
            return Err(ErrorClass::Type);
        };
        if self.made.len() >= RESOLVERS_MADE_MAX {
            return Err(ErrorClass::Value);
        }
        let name = plain(spec.get("name").ok_or(ErrorClass::Missing)?)?;
        let cache_time_ms = match spec.get("cache_time") {
            None => 0,
            Some(Json::Int(seconds)) => cache_ms(*seconds as f64),
            Some(Json::Float(seconds)) => cache_ms(*seconds),
            Some(_) => return Err(ErrorClass::Type),
        };
        let read_only = match spec.get("read_only") {
            // Null leaves it to the cache time, which is not the same as leaving it out.
            Some(Json::Null) => cache_time_ms == 0,
            Some(value) => value.is_truthy(),
            None => false,
        };
        let mut parameters = Attributes::new();
        match spec.get("kw") {
            None => {}
            Some(Json::Object(entries)) => {
                for (key, value) in entries {
                    if key == NAME || key == "cache_time" || key == "read_only" {
                        return Err(ErrorClass::Type);
                    }
                    parameters.insert(Name::new(key)?, plain(value)?);
                }
            }
            Some(_) => return Err(ErrorClass::Type),
        }
        parameters.insert(Name::new(NAME)?, name);
        let identity = i64::try_from(self.made.len()).unwrap_or(i64::MAX);
        parameters.insert(Name::new(IDENTITY)?, Value::Int(identity));
        let bag = spec.get("bag").filter(|bag| bag.is_truthy());
        self.keep(size_of::<Spec>() + bag.map_or(0, Json::bytes))?;
        self.made.push(Spec {
            fails: spec.get("fail").is_some_and(Json::is_truthy),
            bag: bag.cloned(),
        });
        let mut made = ResolverRef::new(Name::new(COUNTER)?);
        made.cache_time_ms = cache_time_ms;
        made.read_only = read_only;
        made.parameters = parameters;
        Ok(made)
    }

    fn keep(&mut self, bytes: usize) -> Result<(), ErrorClass> {
        let kept = self.bytes.saturating_add(bytes);
        if kept > RESOLVER_BYTES_MAX {
            return Err(ErrorClass::Value);
        }
        self.bytes = kept;
        Ok(())
    }

    /// One call with these parameters.
    pub(crate) fn call(&mut self, parameters: &Attributes) -> Result<Called, ErrorClass> {
        let name = printed(attributes::get(parameters, NAME));
        if !self.calls.contains_key(&name) {
            self.keep(size_of::<(String, u64)>() + name.len())?;
        }
        let calls = self.calls.entry(name.clone()).or_default();
        *calls += 1;
        let calls = *calls;
        let identity = attributes::get(parameters, IDENTITY).as_int();
        let spec = identity
            .and_then(|identity| usize::try_from(identity).ok())
            .and_then(|identity| self.made.get(identity))
            .ok_or(ErrorClass::Internal)?;
        if spec.fails {
            return Err(ErrorClass::Callback);
        }
        if let Some(bag) = &spec.bag {
            return Ok(Called::Bag(bag.clone()));
        }
        let mut text = format!("{name}:{calls}");
        let arguments = python_object(parameters)?;
        if !arguments.is_empty() {
            text.push(':');
            text.push_str(&arguments);
        }
        Ok(Called::Text(text))
    }
}

/// The name of a resolver, as the protocol shows it.
pub(crate) fn name(resolver: &ResolverRef) -> &Value {
    attributes::get(&resolver.parameters, NAME)
}

/// What it is called with: its parameters, those that the node has as attributes in place of them,
/// and the arguments that it has a parameter for in place of these.
pub(crate) fn effective(
    resolver: &ResolverRef,
    own: &Attributes,
    arguments: &[(Name, Value)],
) -> Attributes {
    let mut effective = resolver.parameters.clone();
    for (name, _) in resolver.parameters.iter() {
        if name.as_str() == IDENTITY {
            continue;
        }
        if let Some(value) = own.get(name) {
            effective.insert(name.clone(), attributes::given(value).clone());
        }
        if let Some((_, value)) = arguments.iter().find(|(argument, _)| argument == name) {
            effective.insert(name.clone(), value.clone());
        }
    }
    effective
}

/// Whether writing these attributes changes what the resolver is called with.
pub(crate) fn is_changed_by(
    resolver: &ResolverRef,
    own: &Attributes,
    new: &[(Name, Value)],
) -> bool {
    new.iter().any(|(name, value)| {
        resolver.parameters.get(name).is_some_and(|default| {
            let old = own.get(name).map_or(default, attributes::given);
            name.as_str() != IDENTITY && old != value
        })
    })
}

// The reference still takes a result for fresh in the very moment in which its time ends.
fn cache_ms(seconds: f64) -> i64 {
    let ms = (seconds * 1000.0) as i64;
    match ms {
        ms if seconds > 0.0 => ms.saturating_add(1),
        _ if seconds < 0.0 => -1,
        _ => 0,
    }
}

fn printed(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Float(number) => python_float(*number),
        Value::Decimal(number) => python_decimal(number),
        value => value.to_string(),
    }
}

// `json.dumps` of the arguments with sorted keys; empty without any.
fn python_object(parameters: &Attributes) -> Result<String, ErrorClass> {
    let mut sorted: Vec<_> = parameters
        .iter()
        .filter(|(name, _)| name.as_str() != NAME && name.as_str() != IDENTITY)
        .collect();
    if sorted.is_empty() {
        return Ok(String::new());
    }
    sorted.sort_unstable_by(|a, b| a.0.cmp(b.0));
    let mut text = "{".to_owned();
    for (at, (name, value)) in sorted.into_iter().enumerate() {
        text.push_str(if at == 0 { "" } else { ", " });
        write_string(&mut text, name, true);
        text.push_str(": ");
        python_value(&mut text, value)?;
    }
    text.push('}');
    Ok(text)
}

/// A value as Python's `json.dumps` writes it.
pub(crate) fn python_value(text: &mut String, value: &Value) -> Result<(), ErrorClass> {
    let Value::List(list) = value else {
        return python_scalar(text, value);
    };
    text.push('[');
    for (at, item) in list.items().iter().enumerate() {
        text.push_str(if at == 0 { "" } else { ", " });
        python_scalar(text, item)?;
    }
    text.push(']');
    Ok(())
}

fn python_scalar(text: &mut String, value: &Value) -> Result<(), ErrorClass> {
    match value {
        Value::Null => text.push_str("null"),
        Value::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        Value::Int(number) => text.push_str(&number.to_string()),
        Value::Float(number) => text.push_str(&python_json_float(*number)),
        Value::Text(string) => write_string(text, string, true),
        _ => return Err(ErrorClass::Type),
    }
    Ok(())
}
