//! What a write of a storm does.

use dhlrs_bag::{Edit, GuardedEdit, Value};
use dhlrs_path::Path;

use crate::Dice;

/// A write whose being there, being there twice and being out of order can all be seen.
pub(crate) fn numbered(source: &str, number: u64) -> Vec<GuardedEdit> {
    set(
        &[format!("{source}.e{number}"), format!("{source}.count")],
        number,
    )
}

/// What a write does beside that, below `hot`. All of it can be done whatever came before.
pub(crate) fn hot(dice: &mut Dice, source: &str, number: u64) -> Vec<GuardedEdit> {
    let count = format!("hot.{source}.count");
    let guest = format!("{source}x{number}");
    let mut edits = match dice.roll(10) {
        // It comes and goes at once.
        0 | 1 => {
            let mut edits = set(&[format!("hot.{guest}.count")], number);
            edits.extend(remove(&format!("hot.{guest}")));
            edits
        }
        // It is made elsewhere and moved there.
        2 => {
            let mut edits = set(
                &[format!("pool.{guest}.count"), "hot.some".to_owned()],
                number,
            );
            edits.extend(shift(&format!("pool.{guest}"), &format!("hot.{guest}")));
            edits
        }
        // It is moved away.
        3 => {
            let mut edits = set(&[count.clone(), "pool.some".to_owned()], number);
            edits.extend(shift(&format!("hot.{source}"), &format!("pool.{guest}")));
            edits
        }
        4 => remove(&format!("hot.{source}")),
        // A value, and at once a bag.
        5 => {
            let mut edits = set(&[format!("hot.v{source}")], number);
            edits.extend(path(&format!("hot.v{source}.count")).map(|path| {
                GuardedEdit::from(Edit::Set {
                    path,
                    content: Some(Value::Int(number.cast_signed()).into()),
                    attributes: None,
                    position: None,
                    overwrite: true,
                })
            }));
            edits
        }
        _ => Vec::new(),
    };
    if edits.is_empty() || dice.chance(30) {
        edits.extend(set(&[count], number));
    }
    edits
}

fn path(text: &str) -> Option<Path<'static>> {
    text.parse().ok()
}

fn set(paths: &[String], number: u64) -> Vec<GuardedEdit> {
    let value = Value::Int(number.cast_signed());
    let paths = paths.iter().filter_map(|text| path(text));
    paths
        .map(|path| Edit::set(path, value.clone()).into())
        .collect()
}

fn remove(at: &str) -> Vec<GuardedEdit> {
    let edit = path(at).map(|path| Edit::Remove { path }.into());
    edit.into_iter().collect()
}

fn shift(from: &str, to: &str) -> Vec<GuardedEdit> {
    let edit = path(from).zip(path(to)).map(|(path, to)| {
        let position = None;
        Edit::Move { path, to, position }.into()
    });
    edit.into_iter().collect()
}
