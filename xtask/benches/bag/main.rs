//! What the operations of a bag take, beside the least that does the same work.
//!
//! `cargo xtask bench bag [--rounds N] [--json]`. All contestants take turns within each round, and
//! the best round of each counts: what else the machine does can only add to that. A missed time is
//! only reported. Memory beyond its aim, a second call for the same value, and a contestant that has not done the
//! work, fail the run.
#![expect(clippy::print_stdout, reason = "the figures are what this is for")]

mod documents;
mod floor;
mod measure;
#[path = "../options/mod.rs"]
mod options;
mod peer;
mod readers;
mod snapshots;
mod tree;
mod wide;

use std::process::ExitCode;

use dhlrs_bag::Bag;
use documents::Documents;
use floor::Nested;
use measure::{Aim, Measure};
use options::options;
use snapshots::Snapshots;
use tree::Trees;
use wide::Wide;

const ROUNDS: i64 = 15;

fn main() -> Result<ExitCode, String> {
    let (rounds, json) = options(ROUNDS)?;
    let mut trees = Trees::new();
    let mut wide = Wide::new();
    let mut snapshots = Snapshots::new();
    let mut documents = Documents::new();
    // The first round warms up and counts for nothing.
    for round in 0..=rounds {
        trees.round(round);
        wide.round(round);
        snapshots.round(round);
        documents.round(round);
    }
    let sound = [
        ("tree", trees.is_sound()),
        ("wide", wide.is_sound(rounds)),
        ("snapshots", snapshots.is_sound()),
        ("documents", documents.is_sound()),
    ];
    let mut measures = trees.into_measures();
    measures.extend(snapshots.into_measures());
    measures.extend(wide.into_measures());
    measures.push(memory());
    measures.push(readers::calls()?);
    measures.extend(documents.into_measures());
    // Whatever else a tree is measured by: add its measures here.
    let peer = peer::measure(&mut measures);

    if !json {
        println!("best of {rounds} rounds; 100,000 leaves in 50 x 50 x 40, unless said otherwise");
        if let Err(why) = peer {
            println!("without genro-bag: {why}");
        }
        println!("{}", Measure::head());
    }
    for measure in &measures {
        println!("{}", if json { measure.json() } else { measure.row() });
    }
    let mut succeeds = true;
    for (what, _) in sound.iter().filter(|(_, is_sound)| !is_sound) {
        println!("FAILED: {what}: not all contestants did the same work");
        succeeds = false;
    }
    for measure in measures.iter().filter(|measure| measure.fails()) {
        println!("FAILED: {}", measure.name());
        succeeds = false;
    }
    Ok(if succeeds {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn memory() -> Measure {
    let paths = tree::paths();
    let mut measure = Measure::new("bytes a leaf", "nested IndexMap", Aim::Bytes(140.0));
    let bytes_of = |build: &mut dyn FnMut()| {
        let counted = allocation_counter::measure(build);
        counted.bytes_current as f64 / paths.len() as f64
    };
    let (mut bag, mut nested) = (Bag::new(), Nested::default());
    let ours = bytes_of(&mut || bag = tree::bag_of(&paths));
    let floor = bytes_of(&mut || nested = Nested::of(&paths));
    measure.add(ours, floor);
    measure
}
