//! Sets a second from one process to a store of another, beside what the machine does bare.
//!
//! `cargo xtask bench link [--rounds N] [--seconds S] [--dir DIR] [--json]`. All contestants take
//! turns within each round, so that whatever else the machine does hits them alike. A ratio is the
//! median over the rounds.
#![expect(
    clippy::unwrap_used,
    reason = "a measurement that cannot go on is over"
)]
#![expect(clippy::print_stdout, reason = "the figures are what this is for")]

mod bare;
mod meter;
mod nodes;
mod options;

use bare::{Append, Echo};
use meter::{Figures, median};
use nodes::{Pair, Wire};
use options::Options;

/// What one `set` writes.
const VALUE: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// Writers that share group commits.
const WRITERS: usize = 64;

/// One writer must reach this part of what an echo and an append in series do.
const ONE_WRITER_RATIO_MIN: f64 = 0.5;
/// All writers together must reach so many times what appends alone do.
const WRITERS_RATIO_MIN: f64 = 4.0;

#[tokio::main]
async fn main() -> Result<(), String> {
    // Cargo adds `--bench`.
    let options = Options::from_arguments(std::env::args().skip(1).filter(|a| a != "--bench"))?;
    std::fs::create_dir_all(&options.dir).unwrap();
    let dir = tempfile::tempdir_in(&options.dir).unwrap();

    let memory = Pair::start(Wire::Memory, &dir.path().join("memory")).await;
    let socket = Pair::start(Wire::WebSocket, &dir.path().join("websocket")).await;
    let record_bytes = socket.record_bytes().await;
    let (request_bytes, reply_bytes) = nodes::message_bytes();
    let append = Append::new(&dir.path().join("append"), record_bytes);
    let mut echo = Echo::start(request_bytes, reply_bytes).await;
    if !options.json {
        println!(
            "{} rounds of {:.1} s each; values of {} B, messages of {request_bytes} + \
             {reply_bytes} B, log records of {record_bytes} B, every set synced, in {}",
            options.rounds,
            options.time.as_secs_f64(),
            VALUE.len(),
            dir.path().display()
        );
    }

    let mut all: [Figures; 6] = [
        "append + fdatasync",
        "websocket echo",
        "memory, 1 writer",
        "memory, 64 writers",
        "websocket, 1 writer",
        "websocket, 64 writers",
    ]
    .map(Figures::new);
    // The first round warms up and counts for nothing.
    for round in 0..=options.rounds {
        let runs = [
            append.run(options.time),
            echo.run(options.time).await,
            memory.run(1, options.time).await,
            memory.run(WRITERS, options.time).await,
            socket.run(1, options.time).await,
            socket.run(WRITERS, options.time).await,
        ];
        if round > 0 {
            for (figures, run) in all.iter_mut().zip(runs) {
                figures.add(run);
            }
        }
    }
    for figures in &mut all {
        figures.print(options.json);
    }
    let [append, echo, memory_one, memory_all, socket_one, socket_all] = &all;
    let series = |round: usize| {
        let (append, echo) = (append.rate(round), echo.rate(round));
        append * echo / (append + echo)
    };
    let alone = |round: usize| append.rate(round);
    for (one, all) in [(memory_one, memory_all), (socket_one, socket_all)] {
        aim(
            &options,
            one,
            "echo and append in series",
            series,
            ONE_WRITER_RATIO_MIN,
        );
        aim(&options, all, "append", alone, WRITERS_RATIO_MIN);
    }
    memory.stop().await;
    socket.stop().await;
    Ok(())
}

fn aim(options: &Options, of: &Figures, to: &str, base: impl Fn(usize) -> f64, min: f64) {
    let ratio = median((0..options.rounds).map(|round| of.rate(round) / base(round)));
    let met = if ratio >= min { "met" } else { "MISSED" };
    let name = of.name();
    if options.json {
        println!(
            r#"{{"aim":"{name} / {to}","ratio":{ratio:.3},"at_least":{min},"met":{}}}"#,
            ratio >= min
        );
    } else {
        println!("aim: {name} >= {min} x {to}: {ratio:.2} {met}");
    }
}
