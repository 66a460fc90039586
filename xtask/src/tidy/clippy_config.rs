//! A crate's `clippy.toml` replaces the root's instead of adding to it, so the core crates' are made from both texts.

use std::path::{Path, PathBuf};

use super::{EDGE_LAYER, Problem};
use crate::{Workspace, XtaskError};

const ROOT: &str = "clippy.toml";
const TEMPLATE: &str = "xtask/templates/core-clippy.toml";

/// The text of a core crate's `clippy.toml`.
#[must_use]
pub fn clippy_config(root: &str, template: &str) -> String {
    let settings: String = root.lines().filter(|line| !line.starts_with('#')).fold(
        "# Written by `cargo xtask tidy --write`; change clippy.toml or xtask/templates/core-clippy.toml.\n".to_owned(),
        |text, line| text + line + "\n",
    );
    settings + template
}

pub(super) fn up_to_date(workspace: &Workspace) -> Result<Vec<Problem>, XtaskError> {
    let wanted = wanted(workspace)?;
    let mut problems = Vec::new();
    for member in workspace.members() {
        let file = config_of(&member.package.name);
        let is_core = member.layer.is_some_and(|layer| layer < EDGE_LAYER);
        let exists = workspace.root().join(&file).exists();
        if is_core && (!exists || workspace.read(&file)? != wanted) {
            let message = "is not what the template makes; run `cargo xtask tidy --write`";
            problems.push(Problem::new(file, message));
        } else if !is_core && exists {
            problems.push(Problem::new(
                file,
                "only core crates have their own; delete it",
            ));
        }
    }
    Ok(problems)
}

pub(super) fn write(workspace: &Workspace) -> Result<(), XtaskError> {
    let wanted = wanted(workspace)?;
    for member in workspace.members() {
        if member.layer.is_some_and(|layer| layer < EDGE_LAYER) {
            workspace.write(&config_of(&member.package.name), &wanted)?;
        }
    }
    Ok(())
}

fn wanted(workspace: &Workspace) -> Result<String, XtaskError> {
    Ok(clippy_config(
        &workspace.read(Path::new(ROOT))?,
        &workspace.read(Path::new(TEMPLATE))?,
    ))
}

fn config_of(name: &str) -> PathBuf {
    Path::new("crates").join(name).join("clippy.toml")
}
