//! What each Rust file looks like.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::Problem;
use crate::{Workspace, XtaskError, source::Code};

/// No file has more lines of code than this, comments and blank lines apart.
pub const CODE_LINES_MAX: usize = 600;

/// Files that are longer for now, one `LINES PATH` each. It only shrinks.
const LONG_FILES: &str = "xtask/long-files.txt";

const BANNED_NAMES: &[&str] = &[
    "common",
    "helper",
    "helpers",
    "misc",
    "type",
    "types",
    "util",
    "utilities",
    "utils",
];

pub(super) fn sources(workspace: &Workspace) -> Result<Vec<Problem>, XtaskError> {
    let mut long = long_files(workspace)?;
    let mut problems = Vec::new();
    for file in workspace
        .files()
        .iter()
        .filter(|file| file.extension().is_some_and(|e| e == "rs"))
    {
        let text = workspace.read(file)?;
        let lines_max = long.remove(file);
        if lines_max.is_some_and(|lines| lines > Code::of(&text).lines()) {
            problems.push(Problem::new(
                LONG_FILES,
                format!(
                    "{} is shorter now; lower its number, or drop the line",
                    file.display()
                ),
            ));
        }
        problems.extend(source_file(
            file,
            &text,
            lines_max.unwrap_or(CODE_LINES_MAX),
        ));
        if file.ends_with("src/lib.rs") {
            problems.extend(lib_rs(file, &text));
        }
    }
    for gone in long.into_keys() {
        problems.push(Problem::new(
            LONG_FILES,
            format!("{} is not there; drop the line", gone.display()),
        ));
    }
    Ok(problems)
}

/// The rules for any Rust file.
#[must_use]
pub fn source_file(file: &Path, text: &str, lines_max: usize) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut wrong = |message: String| problems.push(Problem::new(file, message));
    let code = Code::of(text);

    let stem = file
        .file_stem()
        .and_then(|stem| stem.to_str())
        .unwrap_or_default();
    let folder = file
        .parent()
        .and_then(|p| p.file_name()?.to_str())
        .unwrap_or_default();
    for name in [stem, folder] {
        if BANNED_NAMES.contains(&name) {
            wrong(format!(
                "`{name}` names no noun; say what the code is about"
            ));
        }
    }
    if !text.lines().any(|line| line.starts_with("//!")) {
        wrong("has no module docs; open it with a `//!` sentence".to_owned());
    }
    let lines = code.lines();
    if lines > lines_max {
        wrong(format!(
            "has {lines} lines of code, limit {lines_max}; split it by nouns"
        ));
    }
    for attribute in code.attributes() {
        let words = attribute.text.trim();
        let silences = ["allow(", "expect("].iter().any(|lint| {
            words.starts_with(lint) || (words.starts_with("cfg_attr") && words.contains(lint))
        });
        let message = if silences && !words.contains("reason") {
            "a silenced lint has no `reason = \"…\"`"
        } else if words == "ignore" {
            "a test is ignored without a reason; write `#[ignore = \"…\"]`"
        } else {
            continue;
        };
        problems.push(Problem::new(file, message).on_line(attribute.line));
    }
    problems
}

/// The rules for `lib.rs`: docs, `mod` and `pub use` only.
#[must_use]
pub fn lib_rs(file: &Path, text: &str) -> Vec<Problem> {
    let rest = Code::of(text).without_attributes();
    let foreign = rest
        .split_inclusive(';')
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .find(|item| {
            let allowed = ["mod ", "pub mod ", "pub use ", "extern crate "];
            !item.ends_with(';') || !allowed.iter().any(|start| item.starts_with(start))
        });
    foreign
        .map(|item| {
            let first = item.lines().next().unwrap_or_default();
            Problem::new(
                file,
                format!("holds `{first}`; lib.rs is docs, `mod` and `pub use` only"),
            )
        })
        .into_iter()
        .collect()
}

fn long_files(workspace: &Workspace) -> Result<BTreeMap<PathBuf, usize>, XtaskError> {
    workspace
        .read(Path::new(LONG_FILES))?
        .lines()
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty())
        .map(|line| {
            line.split_once(' ')
                .and_then(|(lines, path)| Some((PathBuf::from(path), lines.parse().ok()?)))
                .ok_or_else(|| {
                    XtaskError::new(format!("{LONG_FILES}: `{line}` is no `LINES PATH`"))
                })
        })
        .collect()
}
