//! `cargo xtask hostile`, `damage` and `durability`: tests whose figures are worth reading.

use crate::{Workspace, XtaskError, report};

/// Attacks of each kind, where nobody asks for another number.
const ATTACKS: u32 = 10_000;

/// Sets at each end of the line of `cargo xtask mesh`, and losses of power there.
const LINE_SETS: u32 = 10_000;
const CRASHES: u32 = 1_000;

/// What `cargo xtask hostile` can be told.
#[derive(Debug, clap::Args)]
pub struct HostileOptions {
    /// How often each attack is made
    #[arg(long, default_value_t = ATTACKS)]
    rounds: u32,
}

/// What `cargo xtask damage` can be told.
#[derive(Debug, clap::Args)]
pub struct DamageOptions {
    /// Flips each so manieth byte: 1 flips all of them, which takes some minutes
    #[arg(long, default_value_t = 1)]
    every: u32,
}

// Tests by package, target and the beginning of their names.
const DURABILITY: &[(&str, &str, &str, &str)] = &[
    ("a simulated cluster", "dhlrs-sim", "it", "durability::"),
    (
        "a node over a disk that forgets",
        "dhlrs-node",
        "it",
        "durable::",
    ),
    (
        "the program, as the kernel sees it",
        "dhlrs-cli",
        "process",
        "syncs::",
    ),
];

/// Attacks the program, built for release, and says what that did to it. `true` if nothing.
///
/// # Errors
///
/// When Cargo cannot be started.
pub fn hostile(workspace: &Workspace, options: &HostileOptions) -> Result<bool, XtaskError> {
    let mut command = workspace.cargo();
    command
        .args(["test", "--locked", "--release", "--package", "dhlrs-cli"])
        .args(["--test", "process", "hostile::", "--", "--nocapture"])
        .env("DHLRS_HOSTILE_ROUNDS", options.rounds.to_string());
    succeeds(&mut command)
}

/// Flips the bytes of a replica's log one at a time: each is to be reported, and what it cost to come
/// back from a peer. `true` if all did.
///
/// # Errors
///
/// When Cargo cannot be started.
pub fn damage(workspace: &Workspace, options: &DamageOptions) -> Result<bool, XtaskError> {
    let mut command = workspace.cargo();
    command
        .args(["test", "--locked", "--release", "--package", "dhlrs-store"])
        .args(["--test", "it", "damage::", "--", "--nocapture"])
        .env("DHLRS_FLIP_EVERY", options.every.max(1).to_string());
    succeeds(&mut command)
}

/// Runs the tests of what must survive a crash, and shows their figures. `true` if all hold.
///
/// # Errors
///
/// When Cargo cannot be started.
pub fn durability(workspace: &Workspace) -> Result<bool, XtaskError> {
    let mut all_hold = true;
    for (about, package, target, tests) in DURABILITY {
        report(&format!("== {about}"));
        let mut command = workspace.cargo();
        command
            .args(["test", "--locked", "--package", package, "--test", target])
            // One after the other, so that no figures are mixed up.
            .args([tests, "--", "--nocapture", "--test-threads", "1"]);
        all_hold &= succeeds(&mut command)?;
    }
    report(if all_hold {
        "durability holds"
    } else {
        "FAILED"
    });
    Ok(all_hold)
}

/// Runs the simulated proofs of what replicas promise at their full size, and shows their figures. `true` if all hold.
///
/// # Errors
///
/// When Cargo cannot be started.
pub fn mesh(workspace: &Workspace) -> Result<bool, XtaskError> {
    let mut command = workspace.cargo();
    command
        .args(["test", "--locked", "--release", "--package", "dhlrs-sim"])
        .args(["--test", "it", "mesh_proofs::", "--", "--nocapture"])
        .env("DHLRS_LINE_SETS", LINE_SETS.to_string())
        .env("DHLRS_CRASHES", CRASHES.to_string());
    succeeds(&mut command)
}

fn succeeds(command: &mut std::process::Command) -> Result<bool, XtaskError> {
    let status = command
        .status()
        .map_err(|error| XtaskError::new(format!("cannot run cargo: {error}")))?;
    Ok(status.success())
}
