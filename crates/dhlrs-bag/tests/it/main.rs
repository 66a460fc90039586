//! What a bag promises, one module per behaviour.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod coding;
mod csv;
mod differences;
mod direct;
mod documents;
mod edits;
mod fuzzed;
mod given_ids;
mod hostile;
mod images;
mod json_plain;
mod json_tokens;
mod json_typed;
mod limits;
mod loads;
mod mapping;
mod model;
mod overlays;
mod reading;
mod selecting;
mod transactions;
mod trees;
mod typed;
mod tytx;
mod values;
mod widths;
mod xml;

use dhlrs_bag::{Bag, Change, Edit, EditErrorKind, Label, Name, Position};
use dhlrs_path::Path;

fn path(text: &str) -> Path<'static> {
    Path::parse(text).unwrap().into_owned()
}

fn label(text: &str) -> Label {
    Label::new(text).unwrap()
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn position(text: &str) -> Position {
    text.parse().unwrap()
}

/// The paths of everything in the bag, with the value behind those that have one.
fn listing(bag: &dhlrs_bag::Tree) -> String {
    let nodes = bag.root().walk().map(|visited| match visited.node.value() {
        Some(value) => format!("{}={value}", visited.node.path()),
        None => format!("{}", visited.node.path()),
    });
    nodes.collect::<Vec<_>>().join(" ")
}

/// The kinds and paths of changes.
fn told(changes: &[Change]) -> String {
    let told = changes.iter().map(|change| {
        let made = if change.autocreated { "+" } else { "" };
        format!("{made}{} {}", change.kind, change.path)
    });
    told.collect::<Vec<_>>().join(", ")
}

#[track_caller]
fn refuses(bag: &mut Bag, edit: Edit, kind: EditErrorKind) {
    let before = bag.snapshot();
    let revision = bag.revision();
    let error = bag.edit(edit.clone()).unwrap_err();
    assert_eq!(error.kind(), kind, "{edit:?}: {error}");
    assert_eq!(bag.snapshot(), before);
    assert_eq!(bag.revision(), revision);
}
