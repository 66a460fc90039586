//! Runs storms: `cargo run --release -p dhlrs-sim --example sim -- A..B`, or one seed with its trace.
#![expect(
    clippy::print_stdout,
    reason = "a program for people, with its findings on standard output"
)]

use std::process::ExitCode;

use dhlrs_sim::storm;

fn main() -> ExitCode {
    let asked = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "0..1000".to_owned());
    let range = match asked.split_once("..") {
        Some((from, to)) => from.parse::<u64>().ok().zip(to.parse::<u64>().ok()),
        None => asked.parse::<u64>().ok().map(|seed| (seed, seed + 1)),
    };
    let Some((from, to)) = range else {
        println!("expected a seed, or seeds as A..B, not {asked}");
        return ExitCode::FAILURE;
    };
    let mut failed = 0_u64;
    let (mut simulated_ms, mut acknowledged, mut faults, mut delivered) = (0, 0, 0, 0);
    for seed in from..to {
        match storm::run(seed, to - from == 1) {
            Ok(report) => {
                simulated_ms += report.simulated_ms;
                acknowledged += report.acknowledged;
                faults += report.faults;
                delivered += report.delivered;
            }
            Err(failure) => {
                failed += 1;
                println!("{}{failure}", failure.trace);
            }
        }
    }
    println!(
        "{} storms, {failed} failed: {} s, {acknowledged} writes acknowledged, {faults} faults, {delivered} changes delivered",
        to - from,
        simulated_ms / 1_000,
    );
    ExitCode::from(u8::from(failed > 0))
}
