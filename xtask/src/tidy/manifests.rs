//! What stands in each `Cargo.toml`.

use std::{collections::BTreeSet, path::Path};

use cargo_metadata::{DependencyKind, Package};

use super::Problem;
use crate::{Workspace, XtaskError};

const EXPLAINED: &str = "docs/dependencies.md";

/// What every published manifest says, and that it takes it from the workspace.
const INHERITED: &[&str] = &[
    "version",
    "edition",
    "rust-version",
    "license",
    "repository",
    "categories",
];

pub(super) fn manifests(workspace: &Workspace) -> Result<Vec<Problem>, XtaskError> {
    let mut problems = Vec::new();
    for member in workspace.members() {
        let package = member.package;
        let file = Path::new("crates")
            .join(package.name.as_str())
            .join("Cargo.toml");
        let mut wrong = |message: String| problems.push(Problem::new(&file, message));
        let own = parse(workspace, &file)?;
        let table = own.get("package");
        for key in INHERITED {
            let inherits = table
                .and_then(|table| table.get(key)?.get("workspace")?.as_bool())
                .unwrap_or(false);
            if !inherits {
                wrong(format!("write `{key}.workspace = true`"));
            }
        }
        if own
            .get("lints")
            .and_then(|lints| lints.get("workspace")?.as_bool())
            != Some(true)
        {
            wrong("write `[lints] workspace = true`; without it no house lint is on".to_owned());
        }
        if package
            .description
            .as_deref()
            .unwrap_or_default()
            .is_empty()
        {
            wrong("has no description".to_owned());
        }
        if !(1..=5).contains(&package.keywords.len()) {
            wrong(format!(
                "has {} keywords; the registry takes 1 to 5",
                package.keywords.len()
            ));
        }
        let readme = package.readme().filter(|readme| readme.exists());
        if readme.is_none() {
            wrong("has no readme, or names one that does not exist".to_owned());
        }
    }
    Ok(problems)
}

pub(super) fn dependencies_are_used_and_explained(
    workspace: &Workspace,
) -> Result<Vec<Problem>, XtaskError> {
    let top = parse(workspace, Path::new("Cargo.toml"))?;
    let page = workspace.read(Path::new(EXPLAINED))?;
    let declared = top
        .get("workspace")
        .and_then(|table| table.get("dependencies")?.as_table())
        .ok_or_else(|| XtaskError::new("Cargo.toml has no [workspace.dependencies]"))?;
    let used: BTreeSet<&str> = workspace
        .metadata()
        .workspace_packages()
        .into_iter()
        .flat_map(|package| &package.dependencies)
        .map(|dependency| dependency.rename.as_deref().unwrap_or(&dependency.name))
        .collect();
    let mut problems = Vec::new();
    for (name, _) in declared.iter().filter(|(_, how)| how.get("path").is_none()) {
        if !used.contains(name.as_str()) {
            let message =
                format!("declares `{name}`, which no crate uses; drop it there and in {EXPLAINED}");
            problems.push(Problem::new("Cargo.toml", message));
        } else if !page.contains(&format!("`{name}`")) {
            let message =
                format!("says nothing about `{name}`: why it is there, what else was considered");
            problems.push(Problem::new(EXPLAINED, message));
        }
    }
    Ok(problems)
}

/// A crate that a package depends on and whose name stands in none of its sources.
pub(super) fn dependencies_are_named(workspace: &Workspace) -> Result<Vec<Problem>, XtaskError> {
    let mut problems = Vec::new();
    for member in workspace.members() {
        let package = member.package;
        let own = Path::new("crates").join(package.name.as_str());
        let (mut sources, mut others) = (String::new(), String::new());
        for file in workspace.files().iter().filter(|file| is_rust(file)) {
            if file.starts_with(own.join("src")) {
                sources += &workspace.read(file)?;
            } else if file.starts_with(&own) || is_target(workspace, package, file) {
                others += &workspace.read(file)?;
            }
        }
        for dependency in &package.dependencies {
            let name = dependency.rename.as_ref().unwrap_or(&dependency.name);
            let ident = name.replace('-', "_");
            let for_tests = dependency.kind == DependencyKind::Development;
            let is_named = names(&sources, &ident) || (for_tests && names(&others, &ident));
            if !is_named {
                let message = format!("depends on `{name}` and never names it; drop it");
                problems.push(Problem::new(own.join("Cargo.toml"), message));
            }
        }
    }
    Ok(problems)
}

/// Whether a text holds an identifier as a whole word.
#[must_use]
pub fn names(text: &str, ident: &str) -> bool {
    let is_word = |char: char| char.is_alphanumeric() || char == '_';
    text.match_indices(ident).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + ident.len()..]);
        !before.ends_with(is_word) && !after.starts_with(is_word)
    })
}

fn is_rust(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension == "rs")
}

// Examples may lie outside of the package's folder, and Cargo names them by the way there: `…/../../examples/a.rs`.
fn is_target(workspace: &Workspace, package: &Package, file: &Path) -> bool {
    let Ok(path) = workspace.root().join(file).canonicalize() else {
        return false;
    };
    let mut sources = package.targets.iter().map(|target| &target.src_path);
    sources.any(|source| source.canonicalize().is_ok_and(|source| source == path))
}

fn parse(workspace: &Workspace, file: &Path) -> Result<toml::Table, XtaskError> {
    workspace
        .read(file)?
        .parse()
        .map_err(|error| XtaskError::new(format!("{}: {error}", file.display())))
}
