//! Counting and timing.

use std::time::{Duration, Instant};

/// What one contestant did in one turn.
pub(crate) struct Run {
    pub(crate) took: Duration,
    pub(crate) latencies: Vec<Duration>,
    /// Syncs of the log meanwhile, where that is known.
    pub(crate) syncs: Option<u64>,
}

/// Times operations one after the other until the time is over.
pub(crate) struct Meter {
    end: Instant,
    latencies: Vec<Duration>,
    last: Instant,
}

impl Meter {
    pub(crate) fn new(end: Instant) -> Self {
        Self {
            end,
            latencies: Vec::new(),
            last: Instant::now(),
        }
    }

    /// One operation is done; whether there is time for another.
    pub(crate) fn done(&mut self) -> bool {
        let now = Instant::now();
        self.latencies.push(now - self.last);
        self.last = now;
        now < self.end
    }

    pub(crate) fn latencies(self) -> Vec<Duration> {
        self.latencies
    }
}

/// All turns of one contestant.
pub(crate) struct Figures {
    name: &'static str,
    rates: Vec<f64>,
    latencies: Vec<Duration>,
    syncs: Option<u64>,
}

impl Figures {
    pub(crate) fn new(name: &'static str) -> Self {
        Self {
            name,
            rates: Vec::new(),
            latencies: Vec::new(),
            syncs: None,
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) fn add(&mut self, run: Run) {
        self.rates
            .push(run.latencies.len() as f64 / run.took.as_secs_f64());
        self.latencies.extend(run.latencies);
        self.syncs = run.syncs.map(|syncs| self.syncs.unwrap_or(0) + syncs);
    }

    /// Operations a second in one round.
    pub(crate) fn rate(&self, round: usize) -> f64 {
        self.rates[round]
    }

    pub(crate) fn print(&mut self, json: bool) {
        self.latencies.sort_unstable();
        let rate = median(self.rates.iter().copied());
        let (p50, p99) = (self.percentile_us(50), self.percentile_us(99));
        let name = self.name;
        let per_sync = self
            .syncs
            .map(|syncs| self.latencies.len() as f64 / syncs.max(1) as f64);
        if json {
            let per_sync = per_sync.map_or("null".to_owned(), |n| format!("{n:.2}"));
            println!(
                r#"{{"name":"{name}","per_second":{rate:.0},"p50_us":{p50:.1},"p99_us":{p99:.1},"per_sync":{per_sync}}}"#
            );
        } else {
            let per_sync = per_sync.map_or(String::new(), |n| format!("  {n:.1} a sync"));
            println!("{name:<22} {rate:>9.0}/s  p50 {p50:>8.1} us  p99 {p99:>8.1} us{per_sync}");
        }
    }

    fn percentile_us(&self, percent: usize) -> f64 {
        let at = self.latencies.len() * percent / 100;
        let latency = self
            .latencies
            .get(at.min(self.latencies.len().saturating_sub(1)));
        latency.map_or(0.0, |latency| latency.as_secs_f64() * 1e6)
    }
}

pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}
