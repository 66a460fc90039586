//! Many readers of one value that nobody has yet.

use dhlrs_bag::{Attributes, Content, Name, NodeId, ResolverRef};
use dhlrs_clock::Time;
use dhlrs_path::Path;
use dhlrs_resolver::{
    Limits, Output, Read, Registry, Request, ResolverOptions, Resolvers, Slot, Source,
};

use crate::measure::{Aim, Measure};

const READERS: u64 = 1_000;

/// Lets all of them wait for one unresolved node, releases it, and counts the calls.
pub(crate) fn calls() -> Result<Measure, String> {
    let mut registry = Registry::new();
    registry
        .register("slow", ResolverOptions::default())
        .map_err(|error| error.to_string())?;
    let mut resolvers = Resolvers::new(registry, Limits::default());
    let name = Name::new("slow").map_err(|error| error.to_string())?;
    let (reference, none) = (ResolverRef::new(name), Attributes::new());
    let (slot, path) = (Slot::Node(NodeId::from_bytes([1; 16])), Path::default());
    let request = Request {
        slot: &slot,
        path: &path,
        source: Source::Node(&reference),
        attributes: &none,
        arguments: &none,
    };
    let now = Time::default();
    let mut outputs = Vec::new();
    for reader in 0..READERS {
        let read = resolvers.read(now, &request, reader, u64::MAX, &mut outputs);
        if read != Read::Pending {
            return Err(format!("reader {reader} did not wait: {read:?}"));
        }
    }
    let mut calls = 0;
    let mut answers = 0;
    // Whatever was started is released, until nothing starts any more.
    while !outputs.is_empty() {
        for output in std::mem::take(&mut outputs) {
            match output {
                Output::Start { flight, .. } => {
                    calls += 1;
                    resolvers.resolved(now, flight, Ok(Content::from(42)), &mut outputs);
                }
                Output::Answer { result: Ok(_), .. } => answers += 1,
                _ => {}
            }
        }
    }
    if answers != READERS {
        return Err(format!("{answers} of {READERS} readers have an answer"));
    }
    let mut measure = Measure::new(
        "calls for 1,000 waiting readers",
        "one each",
        Aim::Calls(1.0),
    );
    measure.add(f64::from(calls), READERS as f64);
    Ok(measure)
}
