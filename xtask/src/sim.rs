//! `cargo xtask sim [--mesh] --seeds A..B`: storms over simulated clusters, built for release.

use crate::{Workspace, XtaskError};

const PACKAGE: &str = "dhlrs-sim";

/// What `cargo xtask sim` can be told.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Which seeds: A..B, or one, which prints its trace if it fails
    #[arg(long, value_name = "A..B", default_value = "0..10000")]
    seeds: String,
    /// Storms over replicas of one store, in place of those over an owned one
    #[arg(long)]
    mesh: bool,
}

/// Runs a storm of each seed. `true` when every one ended well.
///
/// # Errors
///
/// When Cargo cannot be started.
pub fn run(workspace: &Workspace, options: &Options) -> Result<bool, XtaskError> {
    let status = workspace
        .cargo()
        .args(["run", "--locked", "--release", "--quiet"])
        .args(["--package", PACKAGE, "--example", "sim", "--"])
        .args(options.mesh.then_some("--mesh"))
        .arg(&options.seeds)
        .status()
        .map_err(|error| XtaskError::new(format!("cannot run cargo run: {error}")))?;
    Ok(status.success())
}
