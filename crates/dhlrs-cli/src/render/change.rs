//! A change as a line of `watch`.

use std::fmt::Display;

use dhlrs_bag::{AttributeChange, ChangeKind, Shown};
use dhlrs_path::Path;
use dhlrs_wire::{WatchedChange, WatchedChanges};

use dhlrs_bag::formats::{text_to_json, value_to_json};

/// `REV KIND PATH OLD -> NEW`, and ` @ATTR OLD -> NEW` for each attribute that changed.
///
/// Values are compact typed JSON, `-` where there is nothing, `{"$branch":COUNT}` for a bag. A rename shows labels, a
/// move paths. A path, label or name that is empty, has a space or begins with a quote is a JSON string.
#[must_use]
pub fn change_line(revision: u64, change: &WatchedChange) -> String {
    let (old, new) = sides(change, word);
    let nothing = || "-".to_owned();
    let attributes: String = change
        .attributes
        .iter()
        .map(|attribute| {
            let (old, new) = attribute_sides(attribute);
            let name = word(&attribute.name);
            format!(
                " @{name} {} -> {}",
                old.unwrap_or_else(nothing),
                new.unwrap_or_else(nothing)
            )
        })
        .collect();
    let path = word(change.path.as_str());
    let (old, new) = (old.unwrap_or_else(nothing), new.unwrap_or_else(nothing));
    format!(
        "{revision} {} {path} {old} -> {new}{attributes}",
        change.kind
    )
}

/// The same as one JSON object: `revision`, `incarnation`, `kind`, `path`, `old`, `new`, `attrs`, `index`, `reason`,
/// `origin`, `msg_id`. Where there was or is nothing, `old` or `new` is left out.
#[must_use]
pub fn change_json(changes: &WatchedChanges, change: &WatchedChange) -> String {
    let meta = &changes.meta;
    let (old, new) = sides(change, text_to_json);
    let attributes: Vec<String> = change
        .attributes
        .iter()
        .map(|attribute| {
            format!(
                "{}:{{{}}}",
                text_to_json(&attribute.name),
                fields(attribute_sides(attribute))
            )
        })
        .collect();
    let sides = fields((old, new));
    let comma = if sides.is_empty() { "" } else { "," };
    format!(
        r#"{{"revision":{},"incarnation":"{}","kind":"{}","path":{}{comma}{sides},"attrs":{{{}}},"index":{},"reason":{},"origin":{},"msg_id":{}}}"#,
        changes.revision.number,
        changes.revision.incarnation,
        change.kind,
        text_to_json(change.path.as_str()),
        attributes.join(","),
        or_null(change.index),
        or_null(changes.reason(change).map(text_to_json)),
        or_null(
            meta.origin
                .as_ref()
                .map(|origin| text_to_json(&origin.to_string()))
        ),
        or_null(meta.msg_id.map(|id| text_to_json(&id.to_string()))),
    )
}

/// `REV lagged COUNT`: so many revisions are lost to this watch, and it goes on at REV.
#[must_use]
pub fn lagged_line(revisions: u64, next: u64) -> String {
    format!("{next} lagged {revisions}")
}

/// The same as JSON.
#[must_use]
pub fn lagged_json(revisions: u64, next: u64) -> String {
    format!(r#"{{"revision":{next},"kind":"lagged","revisions":{revisions}}}"#)
}

/// Text as one word: as it stands, or as a JSON string where that would be no word.
pub(crate) fn word(text: &str) -> String {
    if text.is_empty() || text.starts_with('"') || text.contains(char::is_whitespace) {
        text_to_json(text)
    } else {
        text.to_owned()
    }
}

type Sides = (Option<String>, Option<String>);

fn sides(change: &WatchedChange, spell: fn(&str) -> String) -> Sides {
    match (change.kind, &change.old_path) {
        (ChangeKind::Rename, Some(old)) => (
            Some(spell(&last_label(old))),
            Some(spell(&last_label(&change.path))),
        ),
        (ChangeKind::Move, Some(old)) => {
            (Some(spell(old.as_str())), Some(spell(change.path.as_str())))
        }
        _ => (shown(&change.old), shown(&change.new)),
    }
}

fn shown(shown: &Shown) -> Option<String> {
    match shown {
        Shown::Absent => None,
        Shown::Scalar(value) => Some(value_to_json(value)),
        Shown::Branch { nodes } => Some(format!(r#"{{"$branch":{nodes}}}"#)),
    }
}

fn attribute_sides(attribute: &AttributeChange) -> Sides {
    (
        attribute.old.as_ref().map(value_to_json),
        attribute.new.as_ref().map(value_to_json),
    )
}

fn fields((old, new): Sides) -> String {
    let old = old.map(|old| format!("\"old\":{old}"));
    let new = new.map(|new| format!("\"new\":{new}"));
    old.into_iter().chain(new).collect::<Vec<_>>().join(",")
}

fn last_label(path: &Path<'_>) -> String {
    path.last()
        .and_then(|step| step.label().map(str::to_owned))
        .unwrap_or_default()
}

fn or_null(value: Option<impl Display>) -> String {
    value.map_or_else(|| "null".to_owned(), |value| value.to_string())
}
