//! Many writes on their way at once, and what became of each.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use dhlrs::{ErrorKind, Label, Path, RefusalKind, StoreHandle, Value};
use tokio::{task::JoinSet, time::Duration};

use super::{check_failed, records::RECORDS};
use crate::Failure;

/// The bag in each record that takes them; both teams make it.
pub(super) const NOTES: &str = "demo_notes";
/// So many that a list of them stays small, and more than there is time for.
const WRITES_OF_WORKER_MAX: u32 = 20_000;

/// Workers that write until they are told to stop, each one thing after the other.
#[derive(Debug)]
pub(super) struct Load {
    workers: JoinSet<Vec<Tried>>,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    begun: AtomicU64,
    over: AtomicU64,
    acknowledged: AtomicU64,
    // The newest of the acknowledged revisions.
    revision: AtomicU64,
    stop: AtomicBool,
}

/// A write, and what its writer knows of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tried {
    pub(super) path: String,
    pub(super) value: i64,
    pub(super) fate: Fate,
}

/// What a writer knows of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fate {
    /// Acknowledged, at this revision.
    Acknowledged(u64),
    /// Sent, and nothing came back.
    Unknown,
    /// Found to be there already, though nobody else writes it.
    Doubled,
    /// Refused for any other reason.
    Refused(String),
}

impl Load {
    /// Starts workers that write into the [`NOTES`] of these records in turn, under labels that begin with `name`.
    pub(super) fn start(
        store: &StoreHandle,
        name: &str,
        records: &[Label],
        workers: u16,
        timeout: Duration,
    ) -> Self {
        let counts = Arc::new(Counts::default());
        let records: Arc<[Label]> = records.into();
        let mut set = JoinSet::new();
        for worker in 0..workers {
            let worker = Worker {
                store: store.clone(),
                name: format!("{name}-{worker}"),
                records: records.clone(),
                timeout,
                counts: counts.clone(),
            };
            set.spawn(worker.run());
        }
        Self {
            workers: set,
            counts,
        }
    }

    pub(super) fn acknowledged(&self) -> u64 {
        self.counts.acknowledged.load(Ordering::Relaxed)
    }

    /// The newest revision that was acknowledged.
    pub(super) fn revision(&self) -> u64 {
        self.counts.revision.load(Ordering::Relaxed)
    }

    /// Writes that wait for their answers.
    pub(super) fn in_flight(&self) -> u64 {
        // In this order, so that none counts as over that does not count as begun.
        let over = self.counts.over.load(Ordering::Acquire);
        self.counts
            .begun
            .load(Ordering::Acquire)
            .saturating_sub(over)
    }

    /// Lets no worker begin another write.
    pub(super) fn stop(&self) {
        self.counts.stop.store(true, Ordering::Relaxed);
    }

    /// Waits for the answers that are still to come, and tells what became of every write.
    pub(super) async fn finish(mut self) -> Result<Vec<Tried>, Failure> {
        self.stop();
        let mut tried = Vec::new();
        while let Some(done) = self.workers.join_next().await {
            let done = done.map_err(|cause| {
                check_failed(format!("a writer broke off: {cause}")).caused_by(cause)
            })?;
            tried.extend(done);
        }
        Ok(tried)
    }
}

struct Worker {
    store: StoreHandle,
    name: String,
    records: Arc<[Label]>,
    timeout: Duration,
    counts: Arc<Counts>,
}

impl Worker {
    async fn run(self) -> Vec<Tried> {
        let mut tried = Vec::new();
        for (number, record) in (0..WRITES_OF_WORKER_MAX).zip(self.records.iter().cycle()) {
            if self.counts.stop.load(Ordering::Relaxed) {
                break;
            }
            let label = format!("{}-{number}", self.name);
            // The labels of records are no longer than those of any path.
            let Ok(path) = Path::from_labels([RECORDS, record.as_str(), NOTES, &label]) else {
                break;
            };
            let value = i64::from(number);
            self.counts.begun.fetch_add(1, Ordering::Release);
            let fate = self.write(&path, value).await;
            self.counts.over.fetch_add(1, Ordering::Release);
            // Its client is gone, and the write was never sent.
            let Some(fate) = fate else { break };
            let goes_on = match &fate {
                Fate::Acknowledged(revision) => {
                    self.counts.revision.fetch_max(*revision, Ordering::Relaxed);
                    self.counts.acknowledged.fetch_add(1, Ordering::Relaxed);
                    true
                }
                Fate::Unknown => true,
                Fate::Doubled | Fate::Refused(_) => false,
            };
            let path = path.to_string();
            tried.push(Tried { path, value, fate });
            if !goes_on {
                break;
            }
        }
        tried
    }

    // Only if it is missing, so that a write that is applied twice is found out.
    async fn write(&self, path: &Path<'static>, value: i64) -> Option<Fate> {
        let written = self
            .store
            .set(path, Value::Int(value))
            .if_missing()
            .timeout(self.timeout)
            .await;
        let cause = match written {
            Ok(written) => return Some(Fate::Acknowledged(written.revision.number)),
            Err(cause) => cause,
        };
        match cause.kind() {
            _ if cause.outcome_unknown() => Some(Fate::Unknown),
            ErrorKind::Closed => None,
            ErrorKind::Refused(RefusalKind::PreconditionFailed | RefusalKind::Exists) => {
                Some(Fate::Doubled)
            }
            _ => Some(Fate::Refused(cause.to_string())),
        }
    }
}
