//! Runs storms: `cargo run --release -p dhlrs-sim --example sim -- [--mesh] A..B`, or one seed with its trace.
#![expect(
    clippy::print_stdout,
    reason = "a program for people, with its findings on standard output"
)]

use std::process::ExitCode;

use dhlrs_sim::{mesh, storm};

#[derive(Default)]
struct Sums {
    failed: u64,
    simulated_ms: u64,
    acknowledged: u64,
    faults: u64,
    delivered: u64,
    healed_ms_max: u64,
    silent_frames_max: u64,
}

impl Sums {
    fn storm(&mut self, seed: u64, keep_trace: bool) {
        match storm::run(seed, keep_trace) {
            Ok(report) => {
                self.simulated_ms += report.simulated_ms;
                self.acknowledged += report.acknowledged;
                self.faults += report.faults;
                self.delivered += report.delivered;
            }
            Err(failure) => self.fail(&failure, &failure.trace),
        }
    }

    fn mesh_storm(&mut self, seed: u64, keep_trace: bool) {
        match mesh::run(seed, keep_trace) {
            Ok(report) => {
                self.simulated_ms += report.simulated_ms;
                self.acknowledged += report.acknowledged;
                self.faults += report.faults;
                self.delivered += report.delivered;
                self.healed_ms_max = self.healed_ms_max.max(report.healed_ms);
                self.silent_frames_max = self.silent_frames_max.max(report.silent_frames);
            }
            Err(failure) => self.fail(&failure, &failure.trace),
        }
    }

    fn fail(&mut self, failure: &dyn std::error::Error, trace: &str) {
        self.failed += 1;
        println!("{trace}{failure}");
    }
}

fn main() -> ExitCode {
    let mut asked: Vec<String> = std::env::args().skip(1).collect();
    let is_mesh = asked.first().is_some_and(|word| word == "--mesh");
    if is_mesh {
        asked.remove(0);
    }
    let asked = asked.first().map_or("0..1000", String::as_str);
    let range = match asked.split_once("..") {
        Some((from, to)) => from.parse::<u64>().ok().zip(to.parse::<u64>().ok()),
        None => asked.parse::<u64>().ok().map(|seed| (seed, seed + 1)),
    };
    let Some((from, to)) = range else {
        println!("expected a seed, or seeds as A..B, not {asked}");
        return ExitCode::FAILURE;
    };
    let mut sums = Sums::default();
    for seed in from..to {
        match is_mesh {
            true => sums.mesh_storm(seed, to - from == 1),
            false => sums.storm(seed, to - from == 1),
        }
    }
    println!(
        "{} storms, {} failed: {} s, {} writes acknowledged, {} faults, {} changes delivered",
        to - from,
        sums.failed,
        sums.simulated_ms / 1_000,
        sums.acknowledged,
        sums.faults,
        sums.delivered,
    );
    if is_mesh {
        println!(
            "equal after {} s at most, {} frames over a wire in a silent minute at most",
            sums.healed_ms_max / 1_000,
            sums.silent_frames_max,
        );
    }
    ExitCode::from(u8::from(sums.failed > 0))
}
