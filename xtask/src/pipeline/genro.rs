//! The comparison with genro-bag: makes the Python that has it, then runs the test.

use std::{fs, path::Path, process::Command};

use super::{Outcome, watch};
use crate::{Workspace, XtaskError};

const REQUIREMENT: &str = "genro-bag==0.28.0";

/// Runs the comparison and shows its figures.
pub(super) fn compare(workspace: &Workspace) -> Result<Outcome, XtaskError> {
    let target = workspace.metadata().target_directory.as_std_path();
    let folder = target.join("genro-venv");
    let made = make(&folder)?;
    if !made.good {
        return Ok(made);
    }
    let mut test = workspace.cargo();
    // The whole workspace, as for the other tests, so that nothing is compiled twice.
    test.args([
        "test",
        "--locked",
        "--workspace",
        "--test",
        "genro",
        "--",
        "--nocapture",
    ])
    .env("DHLRS_GENRO_PYTHON", folder.join("bin/python"));
    watch(&mut test, true)
}

fn make(folder: &Path) -> Result<Outcome, XtaskError> {
    // Written last, so that a folder that is half made is made again.
    let stamp = folder.join(REQUIREMENT);
    if stamp.is_file() {
        return Ok(Outcome {
            good: true,
            output: String::new(),
        });
    }
    let mut python = Command::new("python3");
    python.args(["-m", "venv", "--clear"]).arg(folder);
    let made = watch(&mut python, false)?;
    if !made.good {
        return Ok(made);
    }
    let mut install = Command::new(folder.join("bin/python"));
    install.args(["-m", "pip", "install", "--quiet", REQUIREMENT]);
    let installed = watch(&mut install, false)?;
    if installed.good {
        fs::write(&stamp, "").map_err(|error| {
            XtaskError::new(format!("cannot write {}: {error}", stamp.display()))
        })?;
    }
    Ok(installed)
}
