//! `cargo xtask bench NAME`: a benchmark, with its figures as it prints them.

use crate::{Workspace, XtaskError};

/// The packages that have benchmarks: the facade those of the whole, this one those of a part.
const PACKAGES: &[&str] = &["dhlrs", env!("CARGO_PKG_NAME")];

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
    let there: Vec<(&str, &str)> = workspace
        .metadata()
        .workspace_packages()
        .into_iter()
        .filter(|package| PACKAGES.contains(&package.name.as_str()))
        .flat_map(|package| package.targets.iter().map(move |target| (package, target)))
        .filter(|(_, target)| target.is_bench())
        .map(|(package, target)| (package.name.as_str(), target.name.as_str()))
        .collect();
    let found = there.iter().find(|(_, name)| *name == options.name);
    let Some((package, name)) = found else {
        let there: Vec<&str> = there.iter().map(|(_, name)| *name).collect();
        return Err(XtaskError::new(format!(
            "no benchmark `{}`; there are: {}",
            options.name,
            there.join(", ")
        )));
    };
    let status = workspace
        .cargo()
        .args(["bench", "--locked", "--package", package, "--bench", name])
        .arg("--")
        .args(&options.arguments)
        .status()
        .map_err(|error| XtaskError::new(format!("cannot run cargo bench: {error}")))?;
    Ok(status.success())
}
