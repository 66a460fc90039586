//! What a set in a replicated store takes, its event and its reduction, beside the least that does the same.
//!
//! `cargo xtask bench feed [--rounds N] [--json]`. Sets of 10,000 paths in random order, each there before. Ours and
//! the floor take turns within each round, and the best round of each counts: what else the machine does can only add to
//! that. What counts is the time of the processor, where Linux tells it, else that of the clock. A missed aim is only
//! reported; replicas that do not end alike fail the run.
#![expect(clippy::print_stdout, reason = "the figures are what this is for")]

mod floor;
#[path = "../options/mod.rs"]
mod options;
mod replica;

use std::{fs, process::ExitCode, time::Instant};

use floor::Floor;
use options::options;
use replica::{Receiver, Writer};

const ROUNDS: usize = 9;
const PATHS: usize = 10_000;
const SETS: usize = 10_000;

/// One line of the table: microseconds a set.
struct Measure {
    name: &'static str,
    ours: f64,
    floor: f64,
    /// So many times the floor.
    aim: Option<f64>,
}

impl Measure {
    const fn new(name: &'static str, aim: Option<f64>) -> Self {
        Self {
            name,
            ours: f64::INFINITY,
            floor: f64::INFINITY,
            aim,
        }
    }

    fn add(&mut self, ours: f64, floor: f64) {
        self.ours = self.ours.min(ours);
        self.floor = self.floor.min(floor);
    }

    fn ratio(&self) -> f64 {
        self.ours / self.floor
    }

    fn row(&self) -> String {
        let aim = self.aim.map_or("-".to_owned(), |aim| format!("{aim:.2} x"));
        let met = match self.aim {
            Some(aim) if self.ratio() > aim => "MISSED",
            Some(_) => "met",
            None => "",
        };
        let (ours, floor, ratio) = (self.ours, self.floor, self.ratio());
        format!(
            "{:<52} {ours:>8.2} {floor:>8.2} {ratio:>7.2} {aim:>8}  {met}",
            self.name
        )
    }

    fn json(&self) -> String {
        let aim = self
            .aim
            .map_or("null".to_owned(), |aim| format!("{aim:.2}"));
        format!(
            r#"{{"measure":"{}","ours_us":{:.3},"floor_us":{:.3},"ratio":{:.3},"aim_ratio":{aim}}}"#,
            self.name,
            self.ours,
            self.floor,
            self.ratio()
        )
    }
}

fn main() -> Result<ExitCode, String> {
    let (rounds, json) = options(ROUNDS)?;
    let paths: Vec<String> = (0..PATHS)
        .map(|n| format!("sites.s{}.k{}", n / 100, n % 100))
        .collect();
    let mut floors = [Floor::new(64), Floor::new(256)];
    let mut writers = [Writer::new(64, &paths)?, Writer::new(256, &paths)?];
    let mut shown = Writer::new(64, &paths)?;
    let mut receivers = [Receiver::new(), Receiver::new()];
    let mut tree = dhlrs_bag::Bag::new();
    let mut local = Measure::new("local set, run of 64 signed", Some(1.6));
    let mut as_bag = Measure::new("the same by an edit of the bag, and told", None);
    let mut received = [
        Measure::new("verify and reduce a received event, runs of 64", None),
        Measure::new("the same, runs of 256", None),
    ];
    let mut tree_us = f64::INFINITY;
    let mut order = Order(0x9e37_79b9);
    let mut run_bytes = [(0, 0); 2];
    for round in 0..=rounds {
        let sets: Vec<(&str, i64)> = (0..SETS)
            .map(|n| {
                (
                    paths[order.below(PATHS)].as_str(),
                    (round * SETS + n) as i64,
                )
            })
            .collect();
        let us = |begun: Timer| begun.elapsed_us() / SETS as f64;
        let mut floor_us = [0.0; 2];
        for (at, floor) in floors.iter_mut().enumerate() {
            let begun = Timer::begin();
            sets.iter()
                .for_each(|(path, value)| floor.write(path, *value));
            floor_us[at] = us(begun);
        }
        let begun = Timer::begin();
        for (path, value) in &sets {
            tree.set(path, *value).map_err(|error| error.to_string())?;
        }
        let tree_round = us(begun);
        let mut writer_us = [0.0; 2];
        for (at, writer) in writers.iter_mut().enumerate() {
            let begun = Timer::begin();
            for (path, value) in &sets {
                writer.write(path, *value)?;
            }
            writer_us[at] = us(begun);
        }
        let begun = Timer::begin();
        for (path, value) in &sets {
            shown.edit(path, *value)?;
        }
        let shown_us = us(begun);
        for (at, receiver) in receivers.iter_mut().enumerate() {
            let runs = writers[at].sealed();
            let floor_runs = floors[at].sealed();
            let begun = Timer::begin();
            for run in &floor_runs {
                floors[at].receive(run);
            }
            let floor = us(begun);
            let begun = Timer::begin();
            for run in &runs {
                receiver.receive(writers[at].feed(), run)?;
            }
            let ours = us(begun);
            run_bytes[at] = (runs.iter().map(Vec::len).sum(), SETS);
            // The first round warms up, and brings the paths along.
            if round > 0 {
                received[at].add(ours, floor);
            }
        }
        if round > 0 {
            tree_us = tree_us.min(tree_round);
            local.add(writer_us[0], floor_us[0]);
            as_bag.add(shown_us, floor_us[0]);
        }
    }
    for measure in &mut received {
        measure.aim = Some((measure.floor + 3.0 * tree_us) / measure.floor);
    }
    if !json {
        println!(
            "best of {rounds} rounds of {SETS} sets of {PATHS} paths; the floor is a flat map, the chain, and a signature a run"
        );
        println!(
            "{:<52} {:>8} {:>8} {:>7} {:>8}",
            "microseconds a set", "ours", "floor", "ratio", "aim"
        );
    }
    let [received_64, received_256] = &received;
    for measure in [&local, &as_bag, received_64, received_256] {
        println!("{}", if json { measure.json() } else { measure.row() });
    }
    for ((bytes, events), count) in run_bytes.into_iter().zip([64, 256]) {
        let bytes = bytes as f64 / events as f64;
        match json {
            true => {
                println!(r#"{{"measure":"bytes an event, runs of {count}","bytes":{bytes:.2}}}"#)
            }
            false => println!("bytes an event, runs of {count:<29} {bytes:>8.1}"),
        }
    }
    if !json {
        println!("a set in a bag alone: {tree_us:.2}");
    }
    let alike = (0..2).all(|at| writers[at].state_hash() == receivers[at].state_hash())
        && shown.is_shown(&tree);
    if !alike {
        println!("FAILED: not all replicas have come to the same");
    }
    Ok(match alike {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

/// Time since it began, of the processor if that is known.
struct Timer {
    cpu_ns: Option<u64>,
    clock: Instant,
}

impl Timer {
    fn begin() -> Self {
        Self {
            cpu_ns: cpu_ns(),
            clock: Instant::now(),
        }
    }

    fn elapsed_us(&self) -> f64 {
        match self.cpu_ns.zip(cpu_ns()) {
            Some((before, now)) => (now - before) as f64 / 1e3,
            None => self.clock.elapsed().as_secs_f64() * 1e6,
        }
    }
}

/// What this thread has run for.
fn cpu_ns() -> Option<u64> {
    // The kernel brings the figure up to date when the thread gives way.
    std::thread::yield_now();
    let told = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    told.split_whitespace().next()?.parse().ok()
}

/// Which path is next.
struct Order(u64);

impl Order {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % most as u64) as usize
    }
}
