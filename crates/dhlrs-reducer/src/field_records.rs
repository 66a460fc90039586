//! Field records: forms that are filled in by many, each value that of the last writer, notes in their order.

use std::collections::{BTreeMap, BTreeSet};

use dhlrs_bag::formats::{JsonToken, JsonTokens, number_from_json};
use dhlrs_bag::{List, Text, Value};
use dhlrs_identity::PublicKey;

use crate::{KindReducer, Logged};

/// The kinds that [`FieldRecords`] reads. Each payload is a JSON object with the text `record_id` and what stands here.
pub const FIELD_RECORD_KINDS: [&str; 4] = [
    // `form`, a text.
    "record.create",
    // `field`, a text; `value`, a scalar or a flat list.
    "field.set",
    // `field`, `blob_hash`, texts; `size`, a number; `mime`, a text.
    "attachment.add",
    // `text`.
    "note.add",
];

/// Reduces events of [`FIELD_RECORD_KINDS`] to records by their id.
///
/// Notes and attachments add up; of two forms, or two values of a field, the later in total order counts. A record is
/// there as soon as anything is said of it. What is no such object is passed over.
#[derive(Clone, Copy, Debug, Default)]
pub struct FieldRecords;

/// One record.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FieldRecord {
    /// Which form it is; empty before its creation is known.
    pub form: Text,
    /// Who created it.
    pub created_by: Option<PublicKey>,
    /// What was filled in.
    pub fields: BTreeMap<Text, Value>,
    /// What was attached.
    pub attachments: BTreeSet<FieldAttachment>,
    /// What was noted, the oldest first.
    pub notes: Vec<Text>,
}

/// Something that was attached to a field of a record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FieldAttachment {
    /// The field.
    pub field: Text,
    /// The hash of its bytes.
    pub blob_hash: Text,
    /// How many bytes.
    pub size: u64,
    /// What they are.
    pub mime: Text,
}

impl KindReducer for FieldRecords {
    type State = BTreeMap<Text, FieldRecord>;

    fn takes(&self, kind: &str) -> bool {
        FIELD_RECORD_KINDS.contains(&kind)
    }

    fn initial(&self) -> Self::State {
        BTreeMap::new()
    }

    fn apply(&self, state: &mut Self::State, at: &Logged, kind: &str, payload: &[u8]) {
        // Nothing is made of a record before all of the event was read.
        if let Some((id, said)) = read(kind, payload) {
            let record = state.entry(id).or_default();
            match said {
                Said::Create(form) => {
                    record.form = form;
                    record.created_by = Some(at.dot.feed.author);
                }
                Said::Set(field, value) => {
                    record.fields.insert(field, value);
                }
                Said::Attach(attachment) => {
                    record.attachments.insert(attachment);
                }
                Said::Note(text) => record.notes.push(text),
            }
        }
    }
}

enum Said {
    Create(Text),
    Set(Text, Value),
    Attach(FieldAttachment),
    Note(Text),
}

fn read(kind: &str, payload: &[u8]) -> Option<(Text, Said)> {
    let mut object = flat_object(payload)?;
    let id = text(&mut object, "record_id")?;
    let said = match kind {
        "record.create" => Said::Create(text(&mut object, "form")?),
        "field.set" => Said::Set(text(&mut object, "field")?, object.remove("value")?),
        "attachment.add" => Said::Attach(FieldAttachment {
            field: text(&mut object, "field")?,
            blob_hash: text(&mut object, "blob_hash")?,
            size: match object.remove("size") {
                Some(Value::Int(size)) => u64::try_from(size).ok()?,
                _ => 0,
            },
            mime: text(&mut object, "mime").unwrap_or_default(),
        }),
        "note.add" => Said::Note(text(&mut object, "text")?),
        _ => return None,
    };
    Some((id, said))
}

fn text(object: &mut BTreeMap<String, Value>, name: &str) -> Option<Text> {
    match object.remove(name)? {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

/// An object whose values are scalars and flat lists.
fn flat_object(json: &[u8]) -> Option<BTreeMap<String, Value>> {
    let mut tokens = JsonTokens::new(json);
    let mut object = BTreeMap::new();
    let mut next = || tokens.next_token().ok();
    if next()? != Some(JsonToken::ObjectStart) {
        return None;
    }
    loop {
        match next()?? {
            JsonToken::ObjectEnd => break,
            JsonToken::Key(name) => {
                let value = match next()?? {
                    JsonToken::ListStart => {
                        let mut items = Vec::new();
                        loop {
                            match next()?? {
                                JsonToken::ListEnd => break,
                                token => items.push(scalar(token)?),
                            }
                        }
                        Value::List(List::new(items).ok()?)
                    }
                    token => scalar(token)?,
                };
                object.insert((*name).to_owned(), value);
            }
            _ => return None,
        }
    }
    // Nothing may follow.
    next()?.is_none().then_some(object)
}

fn scalar(token: JsonToken) -> Option<Value> {
    match token {
        JsonToken::Null => Some(Value::Null),
        JsonToken::Bool(value) => Some(Value::Bool(value)),
        JsonToken::Text(text) => Some(Value::Text(text)),
        JsonToken::Number(number) => number_from_json(&number).ok(),
        _ => None,
    }
}
