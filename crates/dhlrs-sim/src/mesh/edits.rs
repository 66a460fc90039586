//! What a write of a mesh storm does.

use dhlrs_bag::{
    Attributes, Branch, BranchBuilder, Content, Edit, GuardedEdit, Label, Name, Position, Row,
    SortField, SortKey, SortTerm, Value,
};
use dhlrs_path::Path;

use crate::Dice;

/// Labels of the paths that all share. `m` is kept for marks.
const LABELS: [&str; 4] = ["a", "b", "c", "d"];

/// The value of a write's mark, which no other write has.
pub(crate) fn mark(source: usize, number: u64) -> String {
    format!("s{source}e{number}")
}

pub(crate) fn mark_path(source: usize, number: u64) -> String {
    format!("m.s{source}.e{number}")
}

pub(crate) fn set_mark(source: usize, number: u64) -> Option<GuardedEdit> {
    let path = path(&mark_path(source, number))?;
    Some(Edit::set(path, mark(source, number).as_str()).into())
}

pub(crate) fn remove_mark(source: usize, number: u64) -> Option<GuardedEdit> {
    let path = path(&mark_path(source, number))?;
    Some(Edit::Remove { path }.into())
}

/// Any edit, in paths so few that others are there at the same time.
pub(crate) fn shared(dice: &mut Dice, mark: &str) -> Option<GuardedEdit> {
    let path = place(dice)?;
    let edit = match dice.roll(20) {
        0..=4 => Edit::set(path, value(dice, mark)),
        5 => set(path, Content::Branch(branch(dice, mark)), dice, true),
        6 => set(path, Content::Value(value(dice, mark)), dice, true),
        7 => set(path, Content::Value(value(dice, mark)), dice, false),
        8 => Edit::set(path, Content::Branch(branch(dice, mark))),
        9 | 10 => Edit::SetAttributes {
            path,
            attributes: attributes(dice, mark),
        },
        11 | 12 => Edit::Remove { path },
        13 | 14 => Edit::Move {
            path,
            to: place(dice)?,
            position: position(dice),
        },
        15 => Edit::Rename {
            path,
            label: label(dice)?,
        },
        16 => Edit::Sort {
            path,
            by: sort_key(dice),
        },
        17 => Edit::Clear { path },
        18 => Edit::Replace {
            path,
            branch: branch(dice, mark),
        },
        _ => Edit::Merge {
            path,
            branch: branch(dice, mark),
        },
    };
    Some(edit.into())
}

fn set(path: Path<'static>, content: Content, dice: &mut Dice, overwrite: bool) -> Edit {
    let attributes = dice.chance(50).then(|| attributes(dice, "x"));
    Edit::Set {
        path,
        content: Some(content),
        attributes,
        position: position(dice),
        overwrite,
    }
}

fn path(text: &str) -> Option<Path<'static>> {
    text.parse().ok()
}

fn label(dice: &mut Dice) -> Option<Label> {
    Label::new(dice.pick(&LABELS)?).ok()
}

fn place(dice: &mut Dice) -> Option<Path<'static>> {
    let depth = dice.between(1, 3);
    let labels = (0..depth).filter_map(|_| dice.pick(&LABELS).copied());
    let labels: Vec<&str> = labels.collect();
    path(&labels.join("."))
}

fn value(dice: &mut Dice, mark: &str) -> Value {
    match dice.roll(5) {
        0 => Value::Null,
        1 => Value::from(dice.chance(50)),
        2 | 3 => Value::Int(dice.roll(4).cast_signed()),
        _ => Value::from(mark),
    }
}

fn attributes(dice: &mut Dice, mark: &str) -> Attributes {
    let names = ["k", "l"];
    let some = names.into_iter().filter(|_| dice.chance(60));
    let some: Vec<&str> = some.collect();
    some.into_iter()
        .filter_map(|name| Some((Name::new(name).ok()?, value(dice, mark))))
        .collect()
}

fn position(dice: &mut Dice) -> Option<Position> {
    match dice.roll(6) {
        0 => Some(Position::First),
        1 => Some(Position::Last),
        2 => Some(Position::At(dice.roll(3).cast_signed() - 1)),
        3 => Some(Position::BeforeLabel(label(dice)?)),
        _ => None,
    }
}

fn sort_key(dice: &mut Dice) -> SortKey {
    let field = match dice.chance(50) {
        true => SortField::Label,
        false => SortField::Value,
    };
    let term = SortTerm {
        field,
        descending: dice.chance(50),
        ignore_case: false,
    };
    SortKey { terms: vec![term] }
}

fn branch(dice: &mut Dice, mark: &str) -> Branch {
    let mut builder = BranchBuilder::new();
    for text in LABELS {
        let Ok(label) = Label::new(text) else {
            continue;
        };
        let row = match dice.roll(4) {
            0 => Row::bag(0, label),
            1 => Row::value(0, label, value(dice, mark)),
            _ => continue,
        };
        let is_bag = row.value.is_none();
        // A label comes once, and no deeper than it may.
        let _ = builder.push(row);
        if is_bag && let Some(label) = self::label(dice) {
            let _ = builder.push(Row::value(1, label, value(dice, mark)));
        }
    }
    builder.finish()
}
