//! What a set in a replicated store takes, its event and its reduction, beside the least that does the same.
//!
//! `cargo xtask bench feed [--rounds N] [--json]`. Sets of 10,000 paths in random order, each there before; then a
//! million of them, and how a process opens them again. Ours and
//! the floor take turns within each round, and the best round of each counts: what else the machine does can only add to
//! that. What counts is the time of the processor, where Linux tells it, else that of the clock. A missed aim of time is
//! only reported; a missed aim of bytes, and replicas that do not end alike, fail the run.
#![expect(clippy::print_stdout, reason = "the figures are what this is for")]

mod floor;
mod million;
#[path = "../options/mod.rs"]
mod options;
mod replica;

use std::{fs, process::ExitCode, time::Instant};

use floor::Floor;
use million::Million;
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
    let bulk = bytes_an_event(&paths, 64)?;
    let bytes = [
        ("bytes an event, runs of 64", bulk, Some(11.0)),
        ("the same, runs of 256", bytes_an_event(&paths, 256)?, None),
        ("the same, one alone", bytes_alone(&paths)?, Some(130.0)),
    ];
    for (name, bytes, aim) in bytes {
        figure(json, name, bytes, aim);
    }
    if !json {
        println!("a set in a bag alone: {tree_us:.2}");
    }
    let million = Million::run(&paths)?;
    for (events, us) in million.event_us {
        let name = format!("verify and reduce, us an event of {events}");
        figure(json, &name, us, None);
    }
    let [(_, first_us), _, (_, all_us)] = million.event_us;
    let figures = [
        (
            "an event of a million beside one of 100,000",
            all_us / first_us,
            Some(1.5),
        ),
        (
            "memory, bytes an event of a million",
            million.event_bytes,
            None,
        ),
        (
            "image of a million, bytes an event",
            million.image_bytes as f64 / 1e6,
            None,
        ),
        ("the same, taken, us", million.image_take_us, None),
        ("the same, encoded, ms", million.image_encode_ms, None),
        ("the same, opened, ms", million.open_ms, None),
        (
            "reading and reducing a million again, ms",
            million.replay_ms,
            None,
        ),
        (
            "opened beside that",
            million.open_ms / million.replay_ms,
            Some(0.1),
        ),
    ];
    for (name, value, aim) in figures {
        figure(json, name, value, aim);
    }
    let alike = (0..2).all(|at| writers[at].state_hash() == receivers[at].state_hash())
        && shown.is_shown(&tree)
        && million.is_alike;
    if !alike {
        println!("FAILED: not all replicas have come to the same");
    }
    let small = bytes
        .iter()
        .all(|(_, bytes, aim)| aim.is_none_or(|aim| *bytes <= aim));
    if !small {
        println!("FAILED: more bytes than the aim");
    }
    Ok(match alike && small {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

/// A figure that is no time beside a floor.
fn figure(json: bool, name: &str, value: f64, aim: Option<f64>) {
    let met = match aim {
        Some(aim) if value > aim => "MISSED",
        Some(_) => "met",
        None => "",
    };
    let told = aim.map_or("-".to_owned(), |aim| format!("{aim:.2}"));
    match json {
        true => {
            let aim = aim.map_or("null".to_owned(), |aim| format!("{aim:.2}"));
            println!(r#"{{"measure":"{name}","value":{value:.3},"aim":{aim}}}"#);
        }
        false => println!(
            "{name:<52} {value:>8.2} {:>8} {:>7} {told:>8}  {met}",
            "", ""
        ),
    }
}

/// Sets in random order, the same ones every time: the bytes of their runs for each.
fn bytes_an_event(paths: &[String], run_events: usize) -> Result<f64, String> {
    let mut writer = Writer::new(run_events, paths)?;
    writer.sealed();
    let mut order = Order(0x9e37_79b9);
    for n in 0..SETS {
        writer.write(&paths[order.below(PATHS)], n as i64)?;
    }
    let bytes: usize = writer.sealed().iter().map(Vec::len).sum();
    Ok(bytes as f64 / SETS as f64)
}

/// A run of one set: header, signature and the whole path.
fn bytes_alone(paths: &[String]) -> Result<f64, String> {
    let mut writer = Writer::new(1, paths)?;
    writer.sealed();
    writer.write(&paths[PATHS / 2], 1)?;
    let bytes: usize = writer.sealed().iter().map(Vec::len).sum();
    Ok(bytes as f64)
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
