//! The rules of the house that no compiler knows.

mod clippy_config;
mod graph;
mod manifests;
mod sources;
mod tree;

use std::{fmt, path::PathBuf};

pub use clippy_config::clippy_config;
pub use manifests::names;
pub use sources::{CODE_LINES_MAX, lib_rs, source_file};

use crate::{Workspace, XtaskError, data, report};

/// A crate below this layer is a core crate: deterministic, without tokio and IO.
pub const EDGE_LAYER: u64 = 6;

/// One broken rule, with the place and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file or crate.
    pub at: PathBuf,
    /// The line, where there is one, counted from 1.
    pub line: Option<usize>,
    /// What is wrong, and the remedy.
    pub message: String,
}

impl Problem {
    pub(crate) fn new(at: impl Into<PathBuf>, message: impl Into<String>) -> Self {
        Self {
            at: at.into(),
            line: None,
            message: message.into(),
        }
    }

    fn on_line(self, line: usize) -> Self {
        Self {
            line: Some(line),
            ..self
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.at.display(), self.message),
            None => write!(f, "{}: {}", self.at.display(), self.message),
        }
    }
}

type Rule = fn(&Workspace) -> Result<Vec<Problem>, XtaskError>;

/// Every rule, by the name that progress shows.
pub const RULES: &[(&str, Rule)] = &[
    ("layers", graph::layers),
    ("core crates free of tokio and IO", graph::core_is_pure),
    ("package counts", graph::package_counts),
    ("manifests", manifests::manifests),
    (
        "dependencies are used and explained",
        manifests::dependencies_are_used_and_explained,
    ),
    (
        "crates name what they depend on",
        manifests::dependencies_are_named,
    ),
    ("sources", sources::sources),
    ("the tree stands alone", tree::stands_alone),
    ("clippy.toml of core crates", clippy_config::up_to_date),
    ("generated data", data::up_to_date),
];

/// Runs every rule and prints what is broken. `true` when nothing is.
///
/// # Errors
///
/// When the tree cannot be read.
pub fn run(workspace: &Workspace) -> Result<bool, XtaskError> {
    let problems = check(workspace)?;
    for problem in &problems {
        report(&problem.to_string());
    }
    report(&match problems.len() {
        0 => format!(
            "tidy: {} rules hold for {} files",
            RULES.len(),
            workspace.files().len()
        ),
        1 => "tidy: 1 problem".to_owned(),
        count => format!("tidy: {count} problems"),
    });
    Ok(problems.is_empty())
}

/// Every problem of every rule.
///
/// # Errors
///
/// When the tree cannot be read.
pub fn check(workspace: &Workspace) -> Result<Vec<Problem>, XtaskError> {
    let mut problems = Vec::new();
    for (_, rule) in RULES {
        problems.extend(rule(workspace)?);
    }
    Ok(problems)
}

/// Writes the files that rules would otherwise complain about.
///
/// # Errors
///
/// When the disk refuses.
pub fn write(workspace: &Workspace) -> Result<(), XtaskError> {
    clippy_config::write(workspace)?;
    data::write(workspace)
}
