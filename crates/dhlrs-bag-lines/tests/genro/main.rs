//! The line protocol against genro-bag itself, on random sequences of requests.
//!
//! `cargo xtask test --only genro` makes the Python that it needs. `DHLRS_GENRO_SEED` and
//! `DHLRS_GENRO_SEQUENCES` choose other sequences than those of every run.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]
#![expect(
    clippy::print_stdout,
    reason = "the figures and what was left out must be seen"
)]
#![expect(clippy::disallowed_types, reason = "the reference is a process")]
#![expect(
    clippy::disallowed_methods,
    reason = "where it is and what to run comes from outside"
)]

mod compare;
mod generator;
#[path = "../operations/mod.rs"]
mod operations;
mod oracle;
mod random;
mod shrink;
mod values;

use compare::{Counts, run};
use generator::{Generator, PROFILES};
use operations::OPERATIONS;
use oracle::Oracle;

const SEQUENCES: u64 = 800;
const SEQUENCE_LINES: usize = 60;

const CLASSES: [&str; 14] = [
    "resolver-guard",
    "attr-arity",
    "index-create",
    "index-missing",
    "bad-position",
    "empty-path",
    "value",
    "serialize",
    "type",
    "missing",
    "callback",
    "through-scalar",
    "unknown-op",
    "bad-json",
];

fn number(name: &str, default: u64) -> u64 {
    let value = std::env::var(name).ok();
    value.map_or(default, |value| value.parse().expect("a number"))
}

#[test]
fn answers_as_genro_bag_does() {
    let Some(python) = Oracle::python() else {
        eprintln!("not compared with genro-bag: cargo xtask test --only genro");
        return;
    };
    let mut oracle = Oracle::start(&python);
    let mut counts = Counts::default();
    let seed = number("DHLRS_GENRO_SEED", 20_260_801);
    let mut differing = 0;
    for sequence in 0..number("DHLRS_GENRO_SEQUENCES", SEQUENCES) {
        let profile = PROFILES[(sequence % 4) as usize];
        let seed = seed.wrapping_mul(1_000_003).wrapping_add(sequence);
        let lines = Generator::new(seed, profile).sequence(SEQUENCE_LINES);
        let Some(divergence) = run(&mut oracle, &lines, &mut counts) else {
            continue;
        };
        let lines = lines[..=divergence.at].to_vec();
        let lines = shrink::shrink(lines, |lines| {
            run(&mut oracle, lines, &mut Counts::default()).is_some()
        });
        let shortest = run(&mut oracle, &lines, &mut Counts::default()).unwrap_or(divergence);
        println!("sequence {sequence} ({profile:?}) differs:");
        lines.iter().for_each(|line| println!("{line}"));
        println!("ours   {}\ntheirs {}\n", shortest.ours, shortest.theirs);
        differing += 1;
        if differing >= number("DHLRS_GENRO_SHOWN", 5) {
            break;
        }
    }
    report(&counts);
    assert_eq!(differing, 0, "sequences differ");
    if std::env::var_os("DHLRS_GENRO_SEQUENCES").is_none() {
        check_reach(&counts);
    }
}

// What a run of the usual length has to come by.
const REQUESTS_MIN: usize = 20_000;
const SUCCESSES_MIN: usize = 100;
const REFUSALS_MIN: usize = 10;
const MASKED_PERCENT_MAX: usize = 5;

fn check_reach(counts: &Counts) {
    let mut rare = Vec::new();
    for op in OPERATIONS {
        let times = counts.outcomes.get(&(op.to_owned(), "ok".to_owned()));
        if times.copied().unwrap_or_default() < SUCCESSES_MIN {
            rare.push(format!("{op} succeeded {times:?} times"));
        }
    }
    for class in CLASSES {
        let outcomes = counts.outcomes.iter();
        let outcomes = outcomes.filter(|((_, outcome), _)| outcome == class);
        let times: usize = outcomes.map(|(_, times)| times).sum();
        if times < REFUSALS_MIN {
            rare.push(format!("{class} occurred {times} times"));
        }
    }
    assert!(rare.is_empty(), "{rare:#?}");
    let masked: usize = counts.masked.values().sum();
    assert!(counts.asked >= REQUESTS_MIN);
    assert!(100 * masked <= MASKED_PERCENT_MAX * counts.asked);
}

fn report(counts: &Counts) {
    println!("{:<12}{:<18}{:>8}", "operation", "outcome", "times");
    for ((op, outcome), times) in &counts.outcomes {
        println!("{op:<12}{outcome:<18}{times:>8}");
    }
    let masked: usize = counts.masked.values().sum();
    for (row, times) in &counts.masked {
        println!("masked {row:<30}{times:>8}");
    }
    let percent = 100.0 * masked as f64 / counts.asked.max(1) as f64;
    println!(
        "{} requests, {masked} masked ({percent:.1} %)",
        counts.asked
    );
}
