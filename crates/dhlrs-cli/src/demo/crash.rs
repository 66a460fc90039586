//! A process is killed while others write to it, and nothing that it acknowledged is gone.

use dhlrs::{Node, Revision, StoreHandle};
use tokio::time::{Duration, sleep};

use super::{
    check_failed,
    clients::{Clients, awaited},
    figures::Crash,
    line::{A, Killed, Line},
    records::{RECORDS, Records},
    verdict::{There, Verdict},
    watcher::Watcher,
    writes::{Fate, Load, Tried, WRITES, path_of},
};
use crate::Failure;

/// Writers at each of the two places.
const WRITERS: u16 = 32;
/// Acknowledged writes before the kill, at least.
const BEFORE_KILL_MIN: u64 = 600;
/// Acknowledged writes of those who went on, after the restart, at least.
const AFTER_RESTART_MIN: u64 = 300;
/// How long a writer waits, the time without the process included.
const WRITE_MS_MAX: u64 = 12_000;
const GLANCE_MS: u64 = 1;

/// Writers at work.
pub(super) struct Storm {
    // Connected to the process itself, and gone with it.
    near: Load,
    near_client: Node,
    // Two hops away; its session goes on.
    far: Load,
}

/// What the writers' process had acknowledged before they came.
pub(super) struct Before {
    /// The revision of the last import.
    pub(super) revision: Revision,
    /// Every write since.
    pub(super) tried: Vec<Tried>,
}

/// What is left after the kill.
pub(super) struct Aftermath {
    far: Load,
    // What the writers know whose client went with the process.
    tried: Vec<Tried>,
    killed: Killed,
    in_flight: u64,
    revision_before: u64,
}

impl Storm {
    /// Starts the writers, and waits until they are at full speed.
    pub(super) async fn begin(clients: &mut Clients) -> Result<Self, Failure> {
        let field = clients.at_b(&A)?;
        let limit = Duration::from_millis(WRITE_MS_MAX);
        let near_client = clients.take_a()?;
        let near = near_client.remote(field.address());
        let storm = Self {
            near: Load::start(&near, "near", WRITERS, limit),
            near_client,
            far: Load::start(&clients.at_c(&A)?, "far", WRITERS, limit),
        };
        while storm.near.acknowledged() + storm.far.acknowledged() < BEFORE_KILL_MIN {
            sleep(Duration::from_millis(GLANCE_MS)).await;
        }
        Ok(storm)
    }

    /// Kills the process that they write to.
    pub(super) async fn strike(self, line: &mut Line) -> Result<Aftermath, Failure> {
        let revision_before = self.near.revision().max(self.far.revision());
        let in_flight = self.near.in_flight() + self.far.in_flight();
        let killed = line.kill_a().await?;
        self.near.stop();
        // Its calls end with it; nobody will ask again what became of them.
        drop(self.near_client);
        Ok(Aftermath {
            far: self.far,
            tried: self.near.finish().await?,
            killed,
            in_flight,
            revision_before,
        })
    }
}

impl Aftermath {
    pub(super) const fn killed(&self) -> &Killed {
        &self.killed
    }

    pub(super) const fn in_flight(&self) -> u64 {
        self.in_flight
    }

    pub(super) const fn revision_before(&self) -> u64 {
        self.revision_before
    }

    /// Lets those who are two hops away go on for a while, then holds what everybody knows against what is there.
    pub(super) async fn settle(
        self,
        clients: &Clients,
        watcher: &mut Watcher,
        records: &Records,
        before: Before,
    ) -> Result<Crash, Failure> {
        let field = clients.at_b(&A)?;
        let revision_after = revision(&field).await?;
        let far = self.far;
        let enough = far.acknowledged() + AFTER_RESTART_MIN;
        while far.acknowledged() < enough && far.in_flight() > 0 {
            sleep(Duration::from_millis(GLANCE_MS)).await;
        }
        let mut tried = before.tried;
        tried.extend(self.tried);
        let resumed = far.finish().await?;
        let after = |write: &&Tried| matches!(write.fate, Fate::Acknowledged(at) if at > self.revision_before);
        let resumed_count = resumed.iter().filter(after).count();
        tried.extend(resumed);

        let (there, revision_at_last) = there(&field).await?;
        let verdict = Verdict::of(&tried, &there);
        let mut complaints = verdict.complaints();
        let lost = [
            ("records", records.count, there.records),
            ("bag nodes of records", records.nodes, there.nodes),
        ];
        for (what, before, now) in lost {
            if now != before {
                complaints.push(format!("{now} of {before} {what} are there"));
            }
        }
        if revision_after.incarnation != before.revision.incarnation
            || revision_after.number < self.revision_before
        {
            complaints.push(format!(
                "the revision is {revision_after}, and was {}/{}",
                before.revision.incarnation, self.revision_before
            ));
        }
        let grown = revision_at_last
            .number
            .saturating_sub(before.revision.number);
        // A write makes one revision, also if it comes a second time after a restart.
        if complaints.is_empty() && grown != verdict.applied() {
            complaints.push(format!(
                "{} writes are there, but revisions have grown by {grown}",
                verdict.applied()
            ));
        }
        if !complaints.is_empty() {
            return Err(check_failed(format!(
                "after the restart {}",
                complaints.join("; ")
            )));
        }
        let applied = tried
            .iter()
            .filter(|write| there.writes.contains_key(&write.label));
        seen_once(watcher, applied).await?;
        Ok(Crash {
            killed_pid: self.killed.pid,
            in_flight: self.in_flight,
            revision_before: self.revision_before,
            revision_after: revision_after.number,
            acknowledged: verdict.acknowledged,
            unknown_there: verdict.unknown_there,
            unknown_gone: verdict.unknown_gone,
            missing: verdict.missing.len(),
            applied_twice: verdict.doubled.len(),
            resumed: resumed_count as u64,
            ..Crash::default()
        })
    }
}

// The store's present revision, as soon as somebody answers.
async fn revision(store: &StoreHandle) -> Result<Revision, Failure> {
    let reading = awaited(|| store.get("")).await?;
    match reading {
        Some(reading) => Ok(reading.revision),
        None => Err(check_failed(format!("{} has no root", store.address()))),
    }
}

async fn there(field: &StoreHandle) -> Result<(There, Revision), Failure> {
    let mut there = There::default();
    let mut rows = field.read(WRITES).depth(1).await?;
    let revision = rows.revision();
    while let Some(row) = rows.next().await? {
        if row.depth == 1 {
            there.writes.insert(row.name, row.value);
        }
    }
    let mut rows = field.read(RECORDS).await?;
    while let Some(row) = rows.next().await? {
        there.nodes += u64::from(row.depth > 0);
        there.records += u64::from(row.depth == 1);
    }
    Ok((there, revision))
}

async fn seen_once(
    watcher: &mut Watcher,
    applied: impl Iterator<Item = &Tried>,
) -> Result<(), Failure> {
    let paths: Vec<String> = applied.map(|write| path_of(&write.label)).collect();
    let has_all = |seen: &super::watcher::Seen| {
        seen.missed > 0 || paths.iter().all(|path| seen.writes.contains_key(path))
    };
    watcher.until(has_all).await?;
    let twice = watcher.look(|seen| {
        let often = paths
            .iter()
            .filter(|path| seen.writes.get(*path).is_some_and(|(times, _)| *times > 1));
        often.cloned().collect::<Vec<_>>()
    });
    match twice.first() {
        None => Ok(()),
        Some(first) => Err(check_failed(format!(
            "the watcher has seen {} writes more than once ({first})",
            twice.len()
        ))),
    }
}
