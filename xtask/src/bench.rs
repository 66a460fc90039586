//! `cargo xtask bench NAME`: a benchmark of the facade, with its figures as it prints them.

use crate::{Workspace, XtaskError};

const PACKAGE: &str = "dhlrs";

/// What `cargo xtask bench` can be told.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Which benchmark
    name: String,
    /// What the benchmark itself is told
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Builds the benchmark for release and runs it. `true` when it was content with what it saw.
///
/// # Errors
///
/// When there is no such benchmark, or Cargo cannot be started.
pub fn run(workspace: &Workspace, options: &Options) -> Result<bool, XtaskError> {
    let there: Vec<&str> = workspace
        .members()
        .filter(|member| member.package.name.as_str() == PACKAGE)
        .flat_map(|member| &member.package.targets)
        .filter(|target| target.is_bench())
        .map(|target| target.name.as_str())
        .collect();
    let name = options.name.as_str();
    if !there.contains(&name) {
        let there = there.join(", ");
        return Err(XtaskError::new(format!(
            "no benchmark `{name}`; there are: {there}"
        )));
    }
    let status = workspace
        .cargo()
        .args(["bench", "--locked", "--package", PACKAGE, "--bench", name])
        .arg("--")
        .args(&options.arguments)
        .status()
        .map_err(|error| XtaskError::new(format!("cannot run cargo bench: {error}")))?;
    Ok(status.success())
}
