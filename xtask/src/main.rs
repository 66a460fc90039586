//! `cargo xtask`: the commands this workspace runs on itself.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use xtask::{Workspace, XtaskError, bench, data, mutants, pipeline, proofs, sim, tidy};

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    about = "What this workspace does to itself",
    version
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs everything that CI runs
    Test(pipeline::Options),
    /// Measures, and prints the figures: `bag` the tree beside bare maps, `link` sets a second
    Bench(bench::Options),
    /// Runs clusters from seeds through faults, and judges what came of it
    Sim(sim::Options),
    /// Attacks a listening process: random bytes, huge frames, forged signatures
    Hostile(proofs::HostileOptions),
    /// Flips the bytes of a replica's log, one at a time
    Damage(proofs::DamageOptions),
    /// Cuts the power, fails the disk and counts syncs
    Durability,
    /// Carries 10,000 sets of either end over a line, cuts the power 1,000 times, and lies to replicas
    Mesh,
    /// Breaks two crates in every small way, and counts what no test noticed; needs cargo-mutants
    Mutants(mutants::Options),
    /// Checks the rules of the house that no compiler knows
    Tidy {
        /// Writes the generated files instead of complaining about them
        #[arg(long)]
        write: bool,
    },
    /// Writes the field assessments of the demo and the examples from its fixed seed
    Data {
        /// Only says whether the file is what the seed makes
        #[arg(long)]
        check: bool,
    },
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            xtask::report(&format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<bool, XtaskError> {
    let workspace = Workspace::open()?;
    match cli.command {
        Command::Test(options) => pipeline::run(&workspace, &options),
        Command::Bench(options) => bench::run(&workspace, &options),
        Command::Sim(options) => sim::run(&workspace, &options),
        Command::Hostile(options) => proofs::hostile(&workspace, &options),
        Command::Damage(options) => proofs::damage(&workspace, &options),
        Command::Durability => proofs::durability(&workspace),
        Command::Mesh => proofs::mesh(&workspace),
        Command::Mutants(options) => mutants::run(&workspace, &options),
        Command::Tidy { write: true } => tidy::write(&workspace).map(|()| true),
        Command::Tidy { write: false } => tidy::run(&workspace),
        Command::Data { check } => data::run(&workspace, check),
    }
}
