//! The program `dhlrs`.

use std::process::ExitCode;

fn main() -> ExitCode {
    dhlrs_cli::run(std::env::args_os().collect())
}
