//! `demo`: the main job in one command. A base camp and two teams that never meet, real records, a crash, a courier,
//! and figures that come from replies.

mod camp;
mod clients;
mod contest;
mod crash;
mod figures;
mod latency;
mod radio;
mod records;
mod scratch;
mod serving;
mod story;
mod verdict;
mod watcher;
mod writes;

use std::time::Instant;

use dhlrs::wire::FeedsStatus;

use crate::{Exit, Failure, FailureKind, command::DemoArgs, output::Output};

use camp::{Camp, Role};
use clients::{Client, until_equal};
use contest::{Contested, contest};
use crash::Storm;
use figures::{Crash, Figures};
use records::Records;
use story::{Story, ms};
use watcher::Watcher;
use writes::{Fate, Tried};

/// What the teams write while the base hears them.
const CALLS: &str = "calls";
/// So much of a state hash is told.
const STATE_DIGITS: usize = 16;

/// Tells the story; the last word is `ok`, or an error that says what is missing.
pub(crate) async fn demo(args: DemoArgs, json: bool, out: &mut Output) -> Result<Exit, Failure> {
    let stop = crate::action::serve::Stop::new()?;
    let records = Records::survey(args)?;
    let mut camp = Camp::new()?;
    let result = tokio::select! {
        biased;
        () = stop.asked() => Err(Failure::new(FailureKind::Interrupted, "interrupted")),
        result = tell(&records, &mut camp, Story::new(json, out)) => result,
    };
    camp.stop().await;
    result.map(|()| Exit::Done)
}

async fn tell(records: &Records, camp: &mut Camp, mut story: Story<'_>) -> Result<(), Failure> {
    let began = Instant::now();
    let mut figures = Figures {
        records: records.count,
        nodes: records.nodes,
        ..Figures::default()
    };

    story.begins("three processes start");
    let [base, north, south] = set_up(camp, &mut figures, &mut story).await?;

    story.begins("records are imported");
    let step = Instant::now();
    camp.during("importing", records.import(&base.store))
        .await?;
    figures.import_ms = ms(step.elapsed());
    let step = Instant::now();
    let copies = [&base, &north, &south];
    camp.during("sharing the records", until_equal(&copies))
        .await?;
    figures.shared_ms = ms(step.elapsed());
    story.tells(
        "imported",
        &format!(
            "{} records, {} bag nodes, at the base in {:.0} ms; both teams have them {:.0} ms later",
            records.count, records.nodes, figures.import_ms, figures.shared_ms,
        ),
    )?;

    story.begins("the teams call the base");
    let calling = async {
        let mut at_base = Watcher::start(&base.store).await?;
        radio::check([&north, &south], &mut at_base).await
    };
    let latency = camp.during("calling the base", calling).await?;
    figures.calls = latency.count() as u64;
    (figures.p50_ms, figures.p99_ms) = (latency.percentile_ms(50), latency.percentile_ms(99));
    story.tells(
        "called",
        &format!(
            "{} values written at the teams; from set to the watcher at the base p50 {:.2} ms, p99 {:.2} ms",
            figures.calls, figures.p50_ms, figures.p99_ms
        ),
    )?;
    camp.during("sharing the calls", until_equal(&copies))
        .await?;
    base.close().await;
    camp.leave(Role::Base).await?;
    story.tells(
        "set out",
        "the base goes off the air: each team is alone from here on",
    )?;

    story.begins("both teams write to the same records");
    let contesting = contest([&north, &south], &records.fields);
    let contested = camp.during("writing the same fields", contesting).await?;
    figures.contested = contested.len() as u64;
    let (tried, crash) = survive(camp, [&north, &south], records, &mut story).await?;
    let acknowledged = |tried: &[Tried]| {
        let done = |write: &&Tried| matches!(write.fate, Fate::Acknowledged(_));
        tried.iter().filter(done).count() as u64
    };
    (figures.north_writes, figures.south_writes) =
        (acknowledged(&tried[0]), acknowledged(&tried[1]));
    figures.crash = crash;
    let tried = tried.concat();
    let [at_north, at_south] = [north.feeds().await?, south.feeds().await?];
    if at_north.state_hash == at_south.state_hash {
        return Err(check_failed(
            "the teams know of each other's writes already",
        ));
    }
    story.tells(
        "wrote",
        &format!(
            "{} values in the north, {} in the south, into the same {} records, and {} fields at both; \
             the north shows {}, the south {}",
            figures.north_writes,
            figures.south_writes,
            records.labels.len(),
            figures.contested,
            state(&at_north),
            state(&at_south),
        ),
    )?;

    story.begins("a courier goes from one to the other");
    camp.start(Role::Base, None).await?;
    let base = client(camp, Role::Base).await?;
    let mut at_base = Watcher::start(&base.store).await?;
    let step = Instant::now();
    for host in [&north, &south, &base, &north] {
        visit(camp, host, &mut figures, &mut story).await?;
    }
    figures.carried_ms = ms(step.elapsed());

    story.begins("everything is compared");
    let comparing = compare([&base, &north, &south], &tried, &contested, records);
    let (status, missing) = camp.during("comparing", comparing).await?;
    figures.missing = missing;
    (figures.feeds, figures.events) = (status.feeds, status.events);
    figures.state = hex(&status);
    story.tells(
        "equal",
        &format!(
            "base, north and south show {}: {} events of {} authors; of {} fields that both wrote the later word holds",
            state(&status),
            figures.events,
            figures.feeds,
            figures.contested
        ),
    )?;
    story.tells(
        "checked",
        &format!(
            "{} writes acknowledged, {} missing at any of the three; {} records there",
            figures.north_writes + figures.south_writes,
            figures.missing,
            records.count,
        ),
    )?;
    let there = tried
        .iter()
        .filter(|write| matches!(write.fate, Fate::Acknowledged(_)));
    let paths: Vec<&str> = there.map(|write| write.path.as_str()).collect();
    camp.during("watching", at_base.has_seen_once(&paths))
        .await?;
    figures.watched = at_base.look(|seen| seen.changes);
    figures.took_ms = ms(began.elapsed());
    story.tells(
        "watched",
        &format!(
            "{} changes told at the base, each write once; all in {:.1} s",
            figures.watched,
            figures.took_ms / 1_000.0
        ),
    )?;
    drop(at_base);
    for client in [base, north, south] {
        client.close().await;
    }
    story.ends(&figures)
}

/// Base and teams start, and each has its client.
async fn set_up(
    camp: &mut Camp,
    figures: &mut Figures,
    story: &mut Story<'_>,
) -> Result<[Client; 3], Failure> {
    camp.start(Role::Base, None).await?;
    camp.start(Role::North, Some(Role::Base)).await?;
    camp.start(Role::South, Some(Role::Base)).await?;
    for (pid, role) in figures.pids.iter_mut().zip(Role::ALL) {
        *pid = camp.serving(role)?.pid();
    }
    let [base, north, south] = figures.pids;
    story.tells(
        "started",
        &format!(
            "demo/base (process {base}), demo/north ({north}), demo/south ({south}); the teams are connected to the base alone"
        ),
    )?;
    let [base, north, south] = Role::ALL;
    Ok([
        client(camp, base).await?,
        client(camp, north).await?,
        client(camp, south).await?,
    ])
}

async fn client(camp: &mut Camp, role: Role) -> Result<Client, Failure> {
    let url = camp.serving(role)?.keyed_url();
    let name = format!("client-{}", role.process());
    let connecting = Client::connect(role, &url, &name);
    camp.during("connecting", connecting).await
}

/// Both teams write, and the process of the one in the north is killed. Gives what became of the writes of each.
async fn survive(
    camp: &mut Camp,
    [north, south]: [&Client; 2],
    records: &Records,
    story: &mut Story<'_>,
) -> Result<([Vec<Tried>; 2], Crash), Failure> {
    let url = camp.serving(Role::North)?.keyed_url();
    let storm = Storm::begin(&url, north, south, records);
    let storm = camp.during("writing", storm).await?;
    let aftermath = storm.strike(camp).await?;
    story.tells(
        "killed",
        &format!(
            "demo/north (process {}) with SIGKILL, {} writes in flight, at revision {}",
            aftermath.killed().pid,
            aftermath.in_flight(),
            aftermath.revision_before()
        ),
    )?;
    let restart = camp.restart(aftermath.killed()).await?;
    let pid = camp.serving(Role::North)?.pid();
    let settling = aftermath.settle(north, records);
    let (mut crash, in_the_north, in_the_south) = camp.during("checking", settling).await?;
    (crash.restart_ms, crash.restarted_pid) = (ms(restart), pid);
    story.tells(
        "restarted",
        &format!(
            "demo/north (process {pid}) on the same port and data in {:.0} ms, at revision {}: of {} acknowledged writes \
             {} missing; {} unknown to their writer, {} of them there",
            crash.restart_ms,
            crash.revision_after,
            crash.acknowledged,
            crash.missing,
            crash.unknown_there + crash.unknown_gone,
            crash.unknown_there,
        ),
    )?;
    story.tells(
        "went on",
        &format!(
            "a writer who waited for it, {} more writes in the same session, {} applied twice",
            crash.resumed, crash.applied_twice
        ),
    )?;
    Ok(([in_the_north, in_the_south], crash))
}

/// The courier's process starts, meets a host until both have the same, and stops.
async fn visit(
    camp: &mut Camp,
    host: &Client,
    figures: &mut Figures,
    story: &mut Story<'_>,
) -> Result<(), Failure> {
    let began = Instant::now();
    camp.start(Role::Courier, Some(host.role)).await?;
    let courier = client(camp, Role::Courier).await?;
    let host_name = host.role.process();
    let status = camp
        .during(
            &format!("the courier at {host_name}"),
            until_equal(&[&courier, host]),
        )
        .await?;
    courier.close().await;
    camp.leave(Role::Courier).await?;
    figures.visits += 1;
    figures.carried_bytes = camp.disk_bytes(Role::Courier);
    story.tells(
        "carried",
        &format!(
            "to {host_name} and from it in {:.0} ms; the courier has {} events of {} feeds, {} kB on its disk",
            ms(began.elapsed()),
            status.events,
            status.feeds,
            figures.carried_bytes.div_ceil(1_000),
        ),
    )
}

/// Holds the three copies against each other, and each against what its writers know. Gives what all three show, and how
/// many of the acknowledged writes are missing.
async fn compare(
    clients: [&Client; 3],
    tried: &[Tried],
    contested: &[Contested],
    records: &Records,
) -> Result<(FeedsStatus, u64), Failure> {
    let status = until_equal(&clients).await?;
    let mut missing = 0;
    for client in clients {
        let verdict = crash::judge(client, tried, records).await?;
        missing += verdict.missing.len() as u64;
        contest::judge(client, contested).await?;
    }
    Ok((status, missing))
}

// Long enough to be told from another one.
fn state(status: &FeedsStatus) -> String {
    let mut digits = hex(status);
    digits.truncate(STATE_DIGITS);
    digits
}

fn hex(status: &FeedsStatus) -> String {
    let digits = status.state_hash.iter().map(|byte| format!("{byte:02x}"));
    digits.collect()
}

fn check_failed(what: impl Into<String>) -> Failure {
    Failure::new(FailureKind::CheckFailed, what)
}
