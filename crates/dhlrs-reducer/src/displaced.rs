//! How children of one label show beside each other in a [`Bag`](dhlrs_bag::Bag), which has each label once.

use dhlrs_bag::{Label, NodeId};
use dhlrs_path::LABEL_BYTES_MAX;

use crate::NodeView;

/// A `~` and an id in hexadecimal.
const MARK_BYTES: usize = 33;

/// The label of a bag node in the bag that shows it: its own, or `label~ID` where a sibling keeps that.
pub(crate) fn shown_label(id: NodeId, view: &NodeView) -> Label {
    // A label that only looks like another's displaced one must not take its place.
    match view.is_displaced || looks_displaced(&view.label) {
        true => displaced_label(id, &view.label),
        false => view.label.clone(),
    }
}

/// `label~ID`. What is too long for both loses the end of its label, never the id.
pub(crate) fn displaced_label(id: NodeId, label: &Label) -> Label {
    let room = LABEL_BYTES_MAX - MARK_BYTES;
    let end = (0..=room.min(label.len()))
        .rev()
        .find(|end| label.is_char_boundary(*end));
    let kept = label.get(..end.unwrap_or(0)).unwrap_or_default();
    // No control character, not empty, not too long.
    Label::new(&format!("{kept}~{id}")).unwrap_or_else(|_| label.clone())
}

/// Whether a label ends like a displaced one. In replicated stores such labels are not given to anything.
pub(crate) fn looks_displaced(label: &Label) -> bool {
    label.rsplit_once('~').is_some_and(|(_, hex)| {
        hex.len() == MARK_BYTES - 1
            && hex
                .bytes()
                .all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
    })
}
