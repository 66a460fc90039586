//! A million events: whether each costs as much as the first, what they take, and how a process comes back to them.

use dhlrs_feed::{FeedId, FeedLimits, FeedSet, Run};
use dhlrs_identity::Ed25519Verifier;
use dhlrs_reducer::{Reducer, ReducerReader};

use crate::replica::{NOW_MS, Writer, store};
use crate::{Order, PATHS, Timer};

const EVENTS: [usize; 3] = [100_000, 300_000, 1_000_000];
const RUN_EVENTS: usize = 256;

type Received = (Reducer, [(usize, f64); 3]);

/// What it came to.
pub(crate) struct Million {
    /// Microseconds to verify and reduce an event, up to so many of them.
    pub(crate) event_us: [(usize, f64); 3],
    /// Bytes of memory that the reducer has for each event.
    pub(crate) event_bytes: f64,
    pub(crate) image_bytes: usize,
    pub(crate) image_take_us: f64,
    pub(crate) image_encode_ms: f64,
    pub(crate) open_ms: f64,
    /// Reading and reducing all runs again, without their signatures.
    pub(crate) replay_ms: f64,
    pub(crate) is_alike: bool,
}

impl Million {
    pub(crate) fn run(paths: &[String]) -> Result<Self, String> {
        let (feed, runs) = written(paths)?;
        let mut received = Ok((Reducer::without_root(), EVENTS.map(|events| (events, 0.0))));
        let counted = allocation_counter::measure(|| received = Self::receive(&feed, &runs));
        let (mut reducer, event_us) = received?;
        let event_bytes = counted.bytes_current as f64 / EVENTS[2] as f64;
        let begun = Timer::begin();
        let image = reducer.image();
        let image_take_us = begun.elapsed_us();
        let begun = Timer::begin();
        let chunks: Result<Vec<_>, _> = image.chunks().collect();
        let chunks = chunks.map_err(|error| error.to_string())?;
        let image_encode_ms = begun.elapsed_us() / 1e3;
        let begun = Timer::begin();
        let mut reader = ReducerReader::default();
        for chunk in &chunks {
            reader.push(chunk).map_err(|error| error.to_string())?;
        }
        let mut opened = reader.finish().map_err(|error| error.to_string())?;
        let open_ms = begun.elapsed_us() / 1e3;
        let (mut again, replay_ms) = replayed(&feed, &runs)?;
        let hash = reducer.state_hash();
        Ok(Self {
            event_us,
            event_bytes,
            image_bytes: chunks.iter().map(Vec::len).sum(),
            image_take_us,
            image_encode_ms,
            open_ms,
            replay_ms,
            is_alike: hash == opened.state_hash() && hash == again.state_hash(),
        })
    }

    fn receive(feed: &FeedId, runs: &[Vec<u8>]) -> Result<Received, String> {
        let mut feeds = FeedSet::new(store(), FeedLimits::default());
        let mut reducer = Reducer::without_root();
        let mut event_us = EVENTS.map(|events| (events, 0.0));
        let (mut events, mut us) = (0, 0.0);
        for run in runs {
            let begun = Timer::begin();
            let accepted = feeds.accept(feed, None, run, &Ed25519Verifier);
            let accepted = accepted.map_err(|error| error.to_string())?;
            let new: Vec<_> = (accepted.runs.into_iter())
                .flat_map(|run| run.events)
                .collect();
            events += new.len();
            reducer.reduce(new, [], NOW_MS);
            us += begun.elapsed_us();
            for (upto, told) in &mut event_us {
                if *told == 0.0 && events >= *upto {
                    *told = us / events as f64;
                }
            }
        }
        Ok((reducer, event_us))
    }
}

fn written(paths: &[String]) -> Result<(FeedId, Vec<Vec<u8>>), String> {
    let mut writer = Writer::new(RUN_EVENTS, paths)?;
    let mut order = Order(0x2545_f491);
    for n in 0..EVENTS[2] {
        writer.write(&paths[order.below(PATHS)], n as i64)?;
    }
    Ok((*writer.feed(), writer.sealed()))
}

fn replayed(feed: &FeedId, runs: &[Vec<u8>]) -> Result<(Reducer, f64), String> {
    let begun = Timer::begin();
    let mut reducer = Reducer::without_root();
    let mut prev = dhlrs_feed::EventId::NONE;
    for run in runs {
        let read = Run::read_own(&store(), feed, &prev, run);
        let (run, events) = read.map_err(|error| error.to_string())?;
        prev = run.claim().last;
        reducer.reduce(events, [], NOW_MS);
    }
    Ok((reducer, begun.elapsed_us() / 1e3))
}
