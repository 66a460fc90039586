//! What `record show` prints.

use dhlrs_bag::formats::{text_to_json, value_to_json};
use dhlrs_reducer::FieldRecord;

use super::word;

/// A record for people: its name and form, then a line for each field, attachment and note.
#[must_use]
pub fn record_text(id: &str, record: &FieldRecord) -> String {
    let form = match &*record.form {
        "" => "(not created yet)".to_owned(),
        form => word(form),
    };
    let mut lines = vec![format!("{}\t{form}", word(id))];
    lines.extend(record.fields.iter().map(|(field, value)| {
        let value = value_to_json(value);
        format!("  field\t{}\t{value}", word(field))
    }));
    lines.extend(record.attachments.iter().map(|attachment| {
        format!(
            "  attachment\t{}\t{}\t{}\t{}",
            word(&attachment.field),
            word(&attachment.blob_hash),
            attachment.size,
            word(&attachment.mime)
        )
    }));
    lines.extend(
        record
            .notes
            .iter()
            .map(|note| format!("  note\t{}", text_to_json(note))),
    );
    lines.join("\n")
}

/// The same as one JSON object.
#[must_use]
pub fn record_json(id: &str, record: &FieldRecord) -> String {
    let fields: Vec<String> = record
        .fields
        .iter()
        .map(|(field, value)| format!("{}:{}", text_to_json(field), value_to_json(value)))
        .collect();
    let attachments: Vec<String> = record
        .attachments
        .iter()
        .map(|attachment| {
            format!(
                r#"{{"field":{},"blob_hash":{},"size":{},"mime":{}}}"#,
                text_to_json(&attachment.field),
                text_to_json(&attachment.blob_hash),
                attachment.size,
                text_to_json(&attachment.mime)
            )
        })
        .collect();
    let notes: Vec<String> = record.notes.iter().map(|note| text_to_json(note)).collect();
    let by = record
        .created_by
        .map_or_else(|| "null".to_owned(), |key| format!(r#""{key}""#));
    format!(
        r#"{{"record_id":{},"form":{},"created_by":{by},"fields":{{{}}},"attachments":[{}],"notes":[{}]}}"#,
        text_to_json(id),
        text_to_json(&record.form),
        fields.join(","),
        attachments.join(","),
        notes.join(",")
    )
}
