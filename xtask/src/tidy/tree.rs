//! What a clean clone elsewhere would miss.

use std::path::Path;

use super::Problem;
use crate::{Workspace, XtaskError};

// Written in pieces, because this file is in the tree too.
const OUTSIDE: &[&str] = &[
    concat!("../", "shared"),
    concat!("/wo", "rk/"),
    concat!("/tm", "p/w/"),
];

const WANTED: &[&str] = &[
    ".ci/run",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "docs/decisions/README.md",
    "docs/dependencies.md",
    "docs/glossary.md",
];

pub(super) fn stands_alone(workspace: &Workspace) -> Result<Vec<Problem>, XtaskError> {
    let mut problems: Vec<Problem> = WANTED
        .iter()
        .filter(|file| !workspace.files().iter().any(|have| have == Path::new(file)))
        .map(|file| Problem::new(file, "is missing"))
        .collect();
    for file in workspace.files() {
        // What is no text names no path that anybody could follow.
        let Ok(text) = workspace.read(file) else {
            continue;
        };
        for (at, line) in text.lines().enumerate() {
            if let Some(outside) = OUTSIDE.iter().find(|outside| line.contains(**outside)) {
                let message =
                    format!("names `{outside}`, which a clean clone elsewhere does not have");
                problems.push(Problem::new(file, message).on_line(at + 1));
            }
        }
    }
    Ok(problems)
}
