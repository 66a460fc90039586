//! `record`: forms that are filled in by many, as events of a replicated store.

use std::collections::BTreeMap;

use dhlrs_bag::formats::{text_to_json, value_to_json};
use dhlrs_bag::{Text, Value};
use dhlrs_reducer::{FieldRecord, FieldRecords, KindReducer, Logged};
use dhlrs_wire::{EventAction, EventRow};

use super::written;
use crate::{
    Exit, Failure, FailureKind,
    client::Client,
    command::{RecordAction, RecordArgs},
    literal,
    output::Output,
    render::{record_json, record_text},
};

/// What the words after the store come to.
enum Asked {
    Write { kind: &'static str, json: String },
    Show { id: Option<String> },
}

/// What can be refused without a node.
pub(super) fn check(args: &RecordArgs) -> Result<(), Failure> {
    asked(args).map(drop)
}

fn asked(args: &RecordArgs) -> Result<Asked, Failure> {
    let words: Vec<&str> = args.words.iter().map(String::as_str).collect();
    let write = |kind, id: &str, rest: String| {
        let id = text_to_json(id);
        let json = format!(r#"{{"record_id":{id},{rest}}}"#);
        Ok(Asked::Write { kind, json })
    };
    let text = text_to_json;
    match (args.action, words.as_slice()) {
        (RecordAction::Create, [id, form]) => {
            write("record.create", id, format!(r#""form":{}"#, text(form)))
        }
        (RecordAction::Set, [id, field, value]) => {
            let value = value_to_json(&literal::parse(value, None)?);
            let rest = format!(r#""field":{},"value":{value}"#, text(field));
            write("field.set", id, rest)
        }
        (RecordAction::Note, [id, note]) => {
            write("note.add", id, format!(r#""text":{}"#, text(note)))
        }
        (RecordAction::Show, []) => Ok(Asked::Show { id: None }),
        (RecordAction::Show, [id]) => Ok(Asked::Show {
            id: Some((*id).to_owned()),
        }),
        (action, _) => {
            let form = match action {
                RecordAction::Create => "create '//STORE' ID FORM",
                RecordAction::Set => "set '//STORE' ID FIELD VALUE",
                RecordAction::Note => "note '//STORE' ID TEXT",
                RecordAction::Show => "show '//STORE' [ID]",
            };
            let why = format!(
                "{} words after the store are too many or too few",
                words.len()
            );
            Err(Failure::new(FailureKind::Usage, why).hint(format!("write: dhlrs record {form}")))
        }
    }
}

pub(super) async fn record(
    client: &Client,
    args: RecordArgs,
    json: bool,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let store = client.store(&args.target);
    let id = match asked(&args)? {
        Asked::Write {
            kind,
            json: payload,
        } => {
            let emit = store.emit(kind, payload).timeout(client.timeout());
            let done = emit.await?;
            out.line(&written(&store.address().to_string(), done.revision, json))?;
            return Ok(Exit::Done);
        }
        Asked::Show { id } => id,
    };
    let rows = store.history("").timeout(client.timeout()).await?;
    let records = records(&rows);
    let mut shown = records
        .iter()
        .filter(|(own, _)| id.as_ref().is_none_or(|id| id.as_str() == &***own))
        .peekable();
    if let (Some(id), None) = (&id, shown.peek()) {
        return Err(
            Failure::new(FailureKind::Missing, format!("there is no record {id}"))
                .hint("`dhlrs record show '//STORE'` shows those that are there"),
        );
    }
    for (id, record) in shown {
        out.line(&if json {
            record_json(id, record)
        } else {
            record_text(id, record)
        })?;
    }
    Ok(Exit::Done)
}

/// The records that these events come to; the newest stands first.
fn records(rows: &[EventRow]) -> BTreeMap<Text, FieldRecord> {
    let mut records = FieldRecords.initial();
    for row in rows.iter().rev() {
        if let (EventAction::Emit { kind }, Some(Value::Text(payload))) = (&row.action, &row.value)
            && FieldRecords.takes(kind)
        {
            let at = Logged {
                stamp: row.stamp,
                dot: row.dot,
            };
            FieldRecords.apply(&mut records, &at, kind, payload.as_bytes());
        }
    }
    records
}
