//! Somebody who watches a store and notes what comes.

use std::{collections::BTreeMap, time::Instant};

use dhlrs::{StoreHandle, Watch, WatchEvent, WatchedChanges};
use dhlrs_path::Step;
use tokio::{sync::watch, task::JoinHandle};

use super::{CALLS, check_failed, records::RECORDS, writes::NOTES};
use crate::Failure;

/// A watch of a whole store, read by a task of its own until this is dropped.
#[derive(Debug)]
pub(super) struct Watcher {
    store: String,
    seen: watch::Receiver<Seen>,
    task: JoinHandle<()>,
}

/// What has come so far.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Changes of any kind.
    pub(super) changes: u64,
    /// How often each of our writes was seen, by its path, and when first.
    pub(super) writes: BTreeMap<String, (u64, Instant)>,
    /// Revisions that it was too slow for.
    pub(super) missed: u64,
    // Why nothing more comes.
    ended: Option<String>,
}

impl Watcher {
    pub(super) async fn start(store: &StoreHandle) -> Result<Self, Failure> {
        let watch = store.watch("").await?;
        let (tell, seen) = watch::channel(Seen::default());
        Ok(Self {
            store: store.address().to_string(),
            seen,
            task: tokio::spawn(follow(watch, tell)),
        })
    }

    /// Waits until what has come is enough.
    pub(super) async fn until(&mut self, enough: impl Fn(&Seen) -> bool) -> Result<(), Failure> {
        let done = |seen: &Seen| seen.ended.is_some() || enough(seen);
        let why = match self.seen.wait_for(done).await {
            Ok(seen) if enough(&seen) => return Ok(()),
            Ok(seen) => seen.ended.clone(),
            Err(_) => None,
        };
        let why = why.unwrap_or_else(|| "its task is gone".to_owned());
        Err(check_failed(format!(
            "the watch of {} has ended: {why}",
            self.store
        )))
    }

    /// Waits until each of these writes was seen, and sees to it that none is seen twice.
    pub(super) async fn has_seen_once(&mut self, paths: &[&str]) -> Result<(), Failure> {
        self.until(|seen| {
            seen.missed > 0 || paths.iter().all(|path| seen.writes.contains_key(*path))
        })
        .await?;
        let (missed, often) = self.look(|seen| {
            let often = paths
                .iter()
                .filter(|path| seen.writes.get(**path).is_some_and(|(times, _)| *times > 1));
            (
                seen.missed,
                often.map(|path| (*path).to_owned()).collect::<Vec<_>>(),
            )
        });
        match often.first() {
            None if missed == 0 => Ok(()),
            None => Err(check_failed(format!(
                "the watch of {} was too slow for {missed} revisions",
                self.store
            ))),
            Some(first) => Err(check_failed(format!(
                "the watch of {} has told of {} writes more than once ({first})",
                self.store,
                often.len()
            ))),
        }
    }

    /// Takes a look at what has come so far.
    pub(super) fn look<T>(&self, look: impl FnOnce(&Seen) -> T) -> T {
        look(&self.seen.borrow())
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn follow(mut watch: Watch, tell: watch::Sender<Seen>) {
    while let Some(event) = watch.next().await {
        let now = Instant::now();
        tell.send_modify(|seen| match event {
            WatchEvent::Changes(changes) => seen.note(&changes, now),
            WatchEvent::Lagged { revisions, .. } => seen.missed += revisions,
            WatchEvent::Ended(refusal) => seen.ended = Some(refusal.to_string()),
        });
    }
}

impl Seen {
    fn note(&mut self, changes: &WatchedChanges, now: Instant) {
        for change in &changes.changes {
            self.changes += 1;
            let mut steps = change.path.steps();
            let steps = [(); 5].map(|()| steps.next());
            let is_ours = match &steps {
                [Some(Step::Label(bag)), Some(_), None, ..] => bag == CALLS,
                [
                    Some(Step::Label(bag)),
                    Some(_),
                    Some(Step::Label(notes)),
                    Some(_),
                    None,
                ] => bag == RECORDS && notes == NOTES,
                _ => false,
            };
            // Any kind: what is applied a second time need not be an insert.
            if is_ours {
                let path = change.path.to_string();
                self.writes.entry(path).or_insert((0, now)).0 += 1;
            }
        }
    }
}
