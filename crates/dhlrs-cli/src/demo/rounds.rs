//! Reads and writes across the processes while all goes well.

use std::time::Instant;

use dhlrs::{Attributes, Name, StoreHandle, Value};
use dhlrs_path::Path;

use super::{
    CALLS, check_failed,
    clients::{Clients, awaited},
    figures::Resolved,
    latency::Latency,
    line::{A, B, C},
    records::{RECORDS, Sample},
    story::ms,
    watcher::Watcher,
    writes::{Fate, Tried, path_of},
};
use dhlrs_bag::formats::value_to_json;

use crate::{Failure, FailureKind};

/// Writes through each process.
pub(super) const ROUND_WRITES: u32 = 100;

/// What is done before the crash.
#[derive(Debug)]
pub(super) struct Rounds<'a> {
    clients: &'a Clients,
    latency: Latency,
    tried: Vec<Tried>,
}

impl<'a> Rounds<'a> {
    pub(super) fn new(clients: &'a Clients) -> Self {
        Self {
            clients,
            latency: Latency::default(),
            tried: Vec::new(),
        }
    }

    pub(super) const fn latency(&self) -> &Latency {
        &self.latency
    }

    /// The writes to the store of `a`.
    pub(super) fn into_tried(self) -> Vec<Tried> {
        self.tried
    }

    /// Makes a visit at `c` that names a record of `a`, and reads through it, from the far end.
    pub(super) async fn resolve(&self, sample: &Sample) -> Result<Resolved, Failure> {
        let desk = self.clients.at_a(&C)?;
        let visit = Path::from_labels(["visits", "first"]).map_err(bug)?;
        let record = Name::new("record").map_err(bug)?;
        let label = Value::from(sample.label.as_str());
        awaited(|| desk.get("")).await?;
        desk.set_attributes(&visit, Attributes::from_iter([(record, label)]))
            .await?;
        let mut path = visit;
        let mut source = Path::from_labels([RECORDS, sample.label.as_str()]).map_err(bug)?;
        if let Some((field, _)) = &sample.field {
            path = path.child(field.as_str()).map_err(bug)?;
            source = source.child(field.as_str()).map_err(bug)?;
        }
        let reading = desk.get(&path).await?;
        let address = format!("{}/{path}", desk.address());
        let Some(reading) = reading else {
            return Err(check_failed(format!("{address} is missing")));
        };
        let expected = sample.field.as_ref().map(|(_, value)| value);
        if reading.value() != expected {
            return Err(check_failed(format!(
                "{address} is not what {source} is: {:?}, not {expected:?}",
                reading.value()
            )));
        }
        Ok(Resolved {
            address,
            source: format!("{}/{source}", self.clients.at_b(&A)?.address()),
            value: match expected {
                Some(value) => value_to_json(value),
                None => format!("a bag of {}", reading.row.children),
            },
        })
    }

    /// Writes to the radio of `b`, which sends it on to the desk of `c`.
    pub(super) async fn forward(&self, desk: &mut Watcher) -> Result<f64, Failure> {
        let radio = self.clients.at_b(&B)?;
        let path = format!("{CALLS}.first");
        let began = Instant::now();
        radio.set(&path, "pump parts needed").await?;
        desk.until(|seen| seen.writes.contains_key(&path)).await?;
        let seen = desk.look(|seen| seen.writes.get(&path).map(|(_, at)| *at));
        Ok(seen.map_or(0.0, |at| ms(at.duration_since(began))))
    }

    /// Writes through each process in turn, each value once the one before was seen.
    pub(super) async fn write(
        &mut self,
        field: &mut Watcher,
        desk: &mut Watcher,
    ) -> Result<(), Failure> {
        let through_a = self.clients.at_a(&C)?;
        self.round("a", &through_a, desk).await?;
        // The store of `c` is not the one that is checked.
        self.tried.clear();
        let through_b = self.clients.at_b(&A)?;
        self.round("b", &through_b, field).await?;
        let through_c = self.clients.at_c(&A)?;
        self.round("c", &through_c, field).await
    }

    async fn round(
        &mut self,
        name: &str,
        store: &StoreHandle,
        watcher: &mut Watcher,
    ) -> Result<(), Failure> {
        for number in 0..ROUND_WRITES {
            let label = format!("round-{name}-{number}");
            let (path, value) = (path_of(&label), i64::from(number));
            let began = Instant::now();
            let written = store.set(&path, value).await?;
            watcher
                .until(|seen| seen.missed > 0 || seen.writes.contains_key(&path))
                .await?;
            let seen = watcher.look(|seen| seen.writes.get(&path).map(|(_, at)| *at));
            if let Some(at) = seen {
                self.latency.add(at.duration_since(began));
            }
            self.tried.push(Tried {
                label,
                value,
                fate: Fate::Acknowledged(written.revision.number),
            });
        }
        Ok(())
    }
}

fn bug(cause: impl std::error::Error + Send + Sync + 'static) -> Failure {
    Failure::new(FailureKind::Bug, cause.to_string()).caused_by(cause)
}
