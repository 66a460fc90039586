//! A listening process, and thousands of peers that mean it no good.
//!
//! Each attack must be answered with a reason, be counted and logged, and leave no memory behind;
//! after all of them a set works as if nothing had been. `cargo xtask hostile` runs 10,000 of each
//! in a release build; as one test among others it is content with fewer.

mod attack;
mod peer;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use attack::Attack;
use peer::Attacker;

use crate::served::Served;

/// How often each attack is made, unless the environment says otherwise.
const ROUNDS: usize = 300;
/// Attackers at the same time.
const ATTACKERS: usize = 4;
/// What the process may grow by, from the end of the first rounds to the end of the last.
const GROWTH_KIB_MAX: u64 = 8 * 1024;

#[test]
fn every_attack_is_answered_counted_logged_and_forgotten() {
    let rounds = std::env::var("DHLRS_HOSTILE_ROUNDS").map_or(ROUNDS, |n| n.parse().unwrap());
    let victim = Served::start(&[]);
    let attackers: Vec<Attacker> = (0..ATTACKERS)
        .map(|n| Attacker::new(n, victim.address()))
        .collect();
    // Pools, caches and buffers get the size that they keep.
    for attack in Attack::ALL {
        launch(*attack, &attackers, (rounds / 10).max(ATTACKERS));
    }
    let (before_kib, refused_before) = (victim.memory_kib(), victim.refused_frames());
    println!("after the first rounds: {before_kib} KiB");
    for attack in Attack::ALL {
        let began = Instant::now();
        let example = launch(*attack, &attackers, rounds);
        let took = began.elapsed().as_secs_f64();
        let (now_kib, name) = (victim.memory_kib(), attack.name());
        println!("{name:<24} {rounds} x refused in {took:>5.1} s, {now_kib} KiB: {example}");
    }
    let attacks = (rounds * Attack::ALL.len()) as u64;
    let refused = victim.refused_frames_from(refused_before + attacks) - refused_before;
    let warnings = victim.warnings();
    let growth_kib = victim.memory_kib().saturating_sub(before_kib);
    println!("refused by its own count: {refused} of {attacks}; lines in its log: {warnings}");
    println!("memory grew by {growth_kib} KiB, limit {GROWTH_KIB_MAX} KiB");
    assert_eq!(refused, attacks, "each attack counts once");
    assert!(warnings > 0, "the log says nothing");
    assert!(growth_kib <= GROWTH_KIB_MAX);
    victim.run(&["set", "//main/after.all", "well"]);
    assert_eq!(victim.run(&["get", "//main/after.all"]), "well\n");
    println!("a set works");
}

/// Makes an attack so often; every answer must be the one that it deserves. Returns one of them.
fn launch(attack: Attack, attackers: &[Attacker], rounds: usize) -> String {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        let all: Vec<_> = attackers
            .iter()
            .map(|attacker| {
                scope.spawn(|| {
                    let mut answer = String::new();
                    loop {
                        let round = next.fetch_add(1, Ordering::Relaxed);
                        if round >= rounds {
                            return answer;
                        }
                        answer = attack.make(attacker, round as u64);
                    }
                })
            })
            .collect();
        let mut answers = all.into_iter().map(|attacker| attacker.join().unwrap());
        answers
            .find(|answer| !answer.is_empty())
            .unwrap_or_default()
    })
}
