//! A team's process is killed while others write to it, and nothing that it acknowledged is gone.

use dhlrs::{Revision, StoreHandle};
use dhlrs_path::Path;
use tokio::time::{Duration, sleep};

use super::{
    camp::{Camp, Killed, Role},
    check_failed,
    clients::{Client, awaited},
    figures::Crash,
    records::{RECORDS, Records},
    verdict::{There, Verdict},
    writes::{Fate, Load, NOTES, Tried},
};
use crate::Failure;

/// Writers at each of the three places.
const WRITERS: u16 = 16;
/// Acknowledged writes of each team before the kill, at least.
const BEFORE_KILL_MIN: u64 = 400;
/// Acknowledged writes of those who went on, after the restart, at least.
const AFTER_RESTART_MIN: u64 = 200;
/// How long a writer waits, the time without the process included.
const WRITE_MS_MAX: u64 = 40_000;
const GLANCE_MS: u64 = 1;

/// Writers at work with both teams.
pub(super) struct Storm {
    // Whose client goes with the process.
    near: Load,
    near_client: Client,
    // Whose session goes on.
    far: Load,
    south: Load,
    before: Revision,
}

/// What is left after the kill.
pub(super) struct Aftermath {
    far: Load,
    south: Load,
    // What the writers know whose client went with the process.
    tried: Vec<Tried>,
    before: Revision,
    killed: Killed,
    in_flight: u64,
    revision_before: u64,
}

impl Storm {
    /// Starts the writers, and waits until they are at full speed.
    pub(super) async fn begin(
        north_url: &str,
        north: &Client,
        south: &Client,
        records: &Records,
    ) -> Result<Self, Failure> {
        let before = revision(&north.store).await?;
        let limit = Duration::from_millis(WRITE_MS_MAX);
        let near_client = Client::connect(Role::North, north_url, "client-near").await?;
        let load = |client: &Client, name: &str| {
            Load::start(&client.store, name, &records.labels, WRITERS, limit)
        };
        let storm = Self {
            near: load(&near_client, "near"),
            near_client,
            far: load(north, "far"),
            south: load(south, "south"),
            before,
        };
        while storm.near.acknowledged() + storm.far.acknowledged() < BEFORE_KILL_MIN
            || storm.south.acknowledged() < BEFORE_KILL_MIN
        {
            sleep(Duration::from_millis(GLANCE_MS)).await;
        }
        Ok(storm)
    }

    /// Kills the process of the team in the north.
    pub(super) async fn strike(self, camp: &mut Camp) -> Result<Aftermath, Failure> {
        let revision_before = self.near.revision().max(self.far.revision());
        let in_flight = self.near.in_flight() + self.far.in_flight();
        let killed = camp.kill(Role::North).await?;
        self.near.stop();
        // Its calls end with it; nobody will ask again what became of them.
        drop(self.near_client);
        Ok(Aftermath {
            far: self.far,
            south: self.south,
            tried: self.near.finish().await?,
            before: self.before,
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

    /// Lets those who wait for the process go on for a while, then holds what its writers know against what is there.
    /// Gives what was written in the north, and in the south.
    pub(super) async fn settle(
        self,
        north: &Client,
        records: &Records,
    ) -> Result<(Crash, Vec<Tried>, Vec<Tried>), Failure> {
        let revision_after = revision(&north.store).await?;
        let far = self.far;
        let enough = far.acknowledged() + AFTER_RESTART_MIN;
        while far.acknowledged() < enough && far.in_flight() > 0 {
            sleep(Duration::from_millis(GLANCE_MS)).await;
        }
        let mut tried = self.tried;
        let resumed = far.finish().await?;
        let after = |write: &&Tried| matches!(write.fate, Fate::Acknowledged(at) if at > self.revision_before);
        let resumed_count = resumed.iter().filter(after).count();
        tried.extend(resumed);
        let in_the_south = self.south.finish().await?;

        let (there, revision_at_last) = there(&north.store).await?;
        let verdict = Verdict::of(&tried, &there);
        let mut complaints = verdict.complaints();
        complaints.extend(there.lacks(records));
        if revision_after.incarnation != self.before.incarnation
            || revision_after.number < self.revision_before
        {
            complaints.push(format!(
                "the revision is {revision_after}, and was {}/{}",
                self.before.incarnation, self.revision_before
            ));
        }
        let grown = revision_at_last.number.saturating_sub(self.before.number);
        // A write makes one revision, also if it comes a second time after a restart.
        if complaints.is_empty() && grown != verdict.applied() {
            complaints.push(format!(
                "{} writes are there, but revisions have grown by {grown}",
                verdict.applied()
            ));
        }
        if !complaints.is_empty() {
            return Err(check_failed(format!(
                "after the restart of demo/north {}",
                complaints.join("; ")
            )));
        }
        let crash = Crash {
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
        };
        Ok((crash, tried, in_the_south))
    }
}

/// Holds what all writers know against one copy: who was told that a write was done finds it there.
pub(super) async fn judge(
    client: &Client,
    tried: &[Tried],
    records: &Records,
) -> Result<Verdict, Failure> {
    let (there, _) = there(&client.store).await?;
    let verdict = Verdict::of(tried, &there);
    let mut complaints = verdict.complaints();
    complaints.extend(there.lacks(records));
    match complaints.is_empty() {
        true => Ok(verdict),
        false => Err(check_failed(format!(
            "at demo/{} {}",
            client.role.process(),
            complaints.join("; ")
        ))),
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

async fn there(store: &StoreHandle) -> Result<(There, Revision), Failure> {
    let mut there = There::default();
    let mut labels: Vec<String> = Vec::new();
    let mut rows = store.read(RECORDS).await?;
    let revision = rows.revision();
    while let Some(row) = rows.next().await? {
        labels.truncate(usize::from(row.depth));
        labels.push(row.name);
        let is_note = labels.get(2).is_some_and(|label| label == NOTES);
        if is_note && row.depth == 3 {
            let path = Path::from_labels(&labels);
            let path = path.map_err(|cause| check_failed(cause.to_string()).caused_by(cause))?;
            there.writes.insert(path.to_string(), row.value);
        }
        there.nodes += u64::from(row.depth > 0 && !is_note);
        there.records += u64::from(row.depth == 1);
    }
    Ok((there, revision))
}
