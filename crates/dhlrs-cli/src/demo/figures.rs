//! The figures of the story, for programs.

use serde_json::{Value, json};

/// What came out, step by step.
#[derive(Debug, Default)]
pub(super) struct Figures {
    pub(super) pids: [u32; 3],
    pub(super) records: u64,
    pub(super) nodes: u64,
    pub(super) import_ms: f64,
    pub(super) shared_ms: f64,
    pub(super) calls: u64,
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
    pub(super) contested: u64,
    pub(super) north_writes: u64,
    pub(super) south_writes: u64,
    pub(super) crash: Crash,
    pub(super) visits: u64,
    pub(super) carried_ms: f64,
    pub(super) carried_bytes: u64,
    pub(super) feeds: u64,
    pub(super) events: u64,
    pub(super) state: String,
    pub(super) missing: u64,
    pub(super) watched: u64,
    pub(super) took_ms: f64,
}

/// What became of writes while a process was killed.
#[derive(Debug, Default)]
pub(super) struct Crash {
    pub(super) killed_pid: u32,
    pub(super) restarted_pid: u32,
    pub(super) in_flight: u64,
    pub(super) restart_ms: f64,
    pub(super) revision_before: u64,
    pub(super) revision_after: u64,
    pub(super) acknowledged: u64,
    pub(super) unknown_there: u64,
    pub(super) unknown_gone: u64,
    pub(super) missing: usize,
    pub(super) applied_twice: usize,
    pub(super) resumed: u64,
}

impl Figures {
    /// One object; a run that failed prints an error in its place.
    pub(super) fn to_json(&self) -> Value {
        let Crash {
            killed_pid,
            restarted_pid,
            in_flight,
            restart_ms,
            revision_before,
            revision_after,
            acknowledged,
            unknown_there,
            unknown_gone,
            missing,
            applied_twice,
            resumed,
        } = &self.crash;
        json!({
            "ok": true,
            "pids": self.pids,
            "records": self.records,
            "nodes": self.nodes,
            "import_ms": self.import_ms,
            "shared_ms": self.shared_ms,
            "calls": self.calls,
            "p50_ms": self.p50_ms,
            "p99_ms": self.p99_ms,
            "contested": self.contested,
            "writes": { "north": self.north_writes, "south": self.south_writes },
            "crash": {
                "killed_pid": killed_pid,
                "restarted_pid": restarted_pid,
                "in_flight": in_flight,
                "restart_ms": restart_ms,
                "revision_before": revision_before,
                "revision_after": revision_after,
                "acknowledged": acknowledged,
                "unknown_there": unknown_there,
                "unknown_gone": unknown_gone,
                "resumed": resumed,
                "missing": missing,
                "applied_twice": applied_twice,
            },
            "courier": {
                "visits": self.visits,
                "ms": self.carried_ms,
                "bytes": self.carried_bytes,
            },
            "feeds": self.feeds,
            "events": self.events,
            "state": self.state,
            "missing": self.missing,
            "watched": self.watched,
            "took_ms": self.took_ms,
        })
    }
}
