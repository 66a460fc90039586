//! The field assessments that the demo and the examples work on, made from a fixed seed.

mod assessments;
mod random;

use std::path::Path;

pub use assessments::{RECORDS, field_assessments};
pub use random::Random;

use crate::{Workspace, XtaskError, report, tidy::Problem};

const FILE: &str = "crates/dhlrs-cli/data/field-assessments.json";

/// Writes the file, or with `check` only says whether it is what the seed makes.
///
/// # Errors
///
/// When the file cannot be read or written.
pub fn run(workspace: &Workspace, check: bool) -> Result<bool, XtaskError> {
    if check {
        let problems = up_to_date(workspace)?;
        for problem in &problems {
            report(&problem.to_string());
        }
        return Ok(problems.is_empty());
    }
    write(workspace)?;
    report(&format!("{FILE}: {RECORDS} records"));
    Ok(true)
}

pub(crate) fn write(workspace: &Workspace) -> Result<(), XtaskError> {
    workspace.write(Path::new(FILE), &field_assessments())
}

pub(crate) fn up_to_date(workspace: &Workspace) -> Result<Vec<Problem>, XtaskError> {
    let there = workspace.root().join(FILE).exists();
    if there && workspace.read(Path::new(FILE))? == field_assessments() {
        return Ok(Vec::new());
    }
    Ok(vec![Problem::new(
        FILE,
        "is not what the seed makes; run `cargo xtask data`",
    )])
}
