//! The system calls that make a set durable, as the kernel counts them.

use std::fs;
use std::process::{Command, Stdio};

use crate::served::Served;

const SETS: usize = 1_000;

/// In series each set waits for a sync of its own; many at once share one.
#[test]
fn the_kernel_sees_a_sync_for_each_set_in_series_and_fewer_for_sets_at_once() {
    if !can_trace() {
        println!("skipped: strace is missing here, or may not trace");
        return;
    }
    let series = syncs(1);
    println!("{SETS} sets in series: {series} syncs");
    assert!(series >= SETS);
    let shared = syncs(64);
    println!("{SETS} sets, 64 at once: {shared} syncs");
    assert!((SETS / 64..SETS / 2).contains(&shared));
}

fn can_trace() -> bool {
    Command::new("strace")
        .args(["-f", "-c", "-o", "/dev/null", "true"])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Calls of fsync and fdatasync by a process that serves so many sets, less those of one that only starts.
fn syncs(in_flight: usize) -> usize {
    let lines: String = (0..SETS)
        .map(|n| format!("//main/n{}\t{n}\n", n % 100))
        .collect();
    traced(in_flight, &lines) - traced(in_flight, "")
}

fn traced(in_flight: usize, lines: &str) -> usize {
    let dir = tempfile::tempdir().unwrap();
    let counts = dir.path().join("counts");
    let strace = ["strace", "-f", "-c", "-e", "trace=fsync,fdatasync", "-o"];
    let under = [&strace[..], &[counts.to_str().unwrap()]].concat();
    let served = Served::start(&under);
    let in_flight = in_flight.to_string();
    let set = ["set", "--stdin", "--in-flight", &in_flight];
    let acknowledged = served.run_with(&set, lines);
    assert_eq!(acknowledged.lines().count(), lines.lines().count());
    served.stop();
    // `% time  seconds  usecs/call  calls  [errors]  syscall`
    let counts = fs::read_to_string(counts).unwrap();
    let calls = counts.lines().filter(|line| line.ends_with("sync"));
    calls
        .map(|line| {
            line.split_whitespace()
                .nth(3)
                .unwrap()
                .parse::<usize>()
                .unwrap()
        })
        .sum()
}
