//! Attributes that are Null, which the protocol can ask for and a bag does not keep.

use dhlrs_bag::{Attributes, Bytes, Name, Value};

// A bag takes an attribute that is Null away. Where a request wants it kept (`rmnull` false, the
// attributes in a `$bag`), these bytes stand for it.
const NULL_KEPT: &[u8] = b"\0dhlrs-bag-lines: an attribute that is Null\0";

static NULL: Value = Value::Null;

/// What is stored for an attribute.
pub(crate) fn kept(value: Value) -> Value {
    match value {
        Value::Null => Value::Bytes(Bytes::new(NULL_KEPT)),
        value => value,
    }
}

/// What the attribute was given as.
pub(crate) fn given(value: &Value) -> &Value {
    match value.as_bytes() {
        Some(bytes) if bytes == NULL_KEPT => &NULL,
        _ => value,
    }
}

/// The attribute, or Null.
pub(crate) fn get<'a>(attributes: &'a Attributes, name: &str) -> &'a Value {
    attributes.get(name).map_or(&NULL, given)
}

/// `old` with `new` in place of it or over it; a Null is kept or takes the name away.
pub(crate) fn written(
    old: &Attributes,
    new: &[(Name, Value)],
    over: bool,
    remove_null: bool,
) -> Attributes {
    let mut attributes = match over {
        true => old.clone(),
        false => Attributes::new(),
    };
    for (name, value) in new {
        attributes.insert(name.clone(), kept(value.clone()));
    }
    match remove_null {
        true => attributes
            .into_iter()
            .filter(|(_, value)| !given(value).is_null())
            .collect(),
        false => attributes,
    }
}
