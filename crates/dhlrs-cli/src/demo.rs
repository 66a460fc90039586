//! `demo`: the main job in one command. Three processes, real records, a crash, figures that come from replies.

mod clients;
mod crash;
mod figures;
mod latency;
mod line;
mod records;
mod rounds;
mod scratch;
mod serving;
mod story;
mod verdict;
mod watcher;
mod writes;

use std::time::Instant;

use crate::{Exit, Failure, FailureKind, command::DemoArgs, output::Output};

use clients::Clients;
use crash::{Before, Storm};
use figures::Figures;
use line::{A, C, Line};
use records::Records;
use rounds::{ROUND_WRITES, Rounds};
use story::{Story, ms};
use watcher::Watcher;

/// Where what was sent on from the radio arrives.
const CALLS: &str = "calls";

/// Tells the story; the last word is `ok`, or an error that says what is missing.
pub(crate) async fn demo(args: DemoArgs, json: bool, out: &mut Output) -> Result<Exit, Failure> {
    let stop = crate::action::serve::Stop::new()?;
    let records = Records::survey(args)?;
    let mut line = Line::new()?;
    let result = tokio::select! {
        biased;
        () = stop.asked() => Err(Failure::new(FailureKind::Interrupted, "interrupted")),
        result = tell(&records, &mut line, Story::new(json, out)) => result,
    };
    line.stop().await;
    result.map(|()| Exit::Done)
}

async fn tell(records: &Records, line: &mut Line, mut story: Story<'_>) -> Result<(), Failure> {
    let began = Instant::now();
    let mut figures = Figures::default();

    story.begins("three processes start");
    line.start().await?;
    let all = [line.a()?, line.b()?, line.c()?];
    figures.pids = all.map(|serving| serving.pid());
    let [a, b, c] = figures.pids;
    story.tells(
        "started",
        &format!(
            "demo/a (process {a}), demo/b ({b}), demo/c ({c}), in a line a - b - c over WebSocket"
        ),
    )?;
    let urls = all.map(|serving| serving.keyed_url());
    let mut clients = line.during("connecting", Clients::connect(urls)).await?;
    let watching = async {
        let field = clients.at_b(&A)?;
        let desk = clients.at_b(&C)?;
        clients::awaited(|| field.get("")).await?;
        clients::awaited(|| desk.get("")).await?;
        Ok((Watcher::start(&field).await?, Watcher::start(&desk).await?))
    };
    let (mut field, mut desk) = line.during("watching from demo/b", watching).await?;

    story.begins("records are imported");
    let importing = async {
        let began = Instant::now();
        let store = clients.at_c(&A)?;
        clients::awaited(|| store.get("")).await?;
        let revision = records.import(&store).await?;
        figures.import_ms = ms(began.elapsed());
        field
            .until(|seen| seen.missed > 0 || seen.records >= records.count)
            .await?;
        Ok(revision)
    };
    let revision = line.during("importing", importing).await?;
    (figures.records, figures.nodes) = (records.count, records.nodes);
    story.tells(
        "imported",
        &format!(
            "{} records, {} bag nodes, through demo/c into demo/a/field in {:.0} ms; the watcher at demo/b saw {}",
            records.count,
            records.nodes,
            figures.import_ms,
            field.look(|seen| seen.records),
        ),
    )?;

    story.begins("a remote resolver and a forward work");
    let mut rounds = Rounds::new(&clients);
    figures.resolved = line
        .during("resolving", rounds.resolve(&records.sample))
        .await?;
    let resolved = &figures.resolved;
    story.tells(
        "resolved",
        &format!(
            "{} is {}, read from {}",
            resolved.address, resolved.value, resolved.source
        ),
    )?;
    figures.forward_ms = line.during("forwarding", rounds.forward(&mut desk)).await?;
    story.tells(
        "forwarded",
        &format!(
            "a change of demo/b/radio was sent on to demo/c/desk and seen there after {:.1} ms",
            figures.forward_ms
        ),
    )?;

    story.begins("values are written through all three");
    line.during("writing", rounds.write(&mut field, &mut desk))
        .await?;
    let latency = rounds.latency();
    figures.writes = latency.count() as u64;
    (figures.p50_ms, figures.p99_ms) = (latency.percentile_ms(50), latency.percentile_ms(99));
    story.tells(
        "wrote",
        &format!(
            "{} values, {ROUND_WRITES} through each process; from set to the watcher p50 {:.2} ms, p99 {:.2} ms",
            figures.writes, figures.p50_ms, figures.p99_ms
        ),
    )?;
    let before = Before {
        revision,
        tried: rounds.into_tried(),
    };

    story.begins("a process is killed while others write to it");
    let storm = line.during("writing", Storm::begin(&mut clients)).await?;
    let aftermath = storm.strike(line).await?;
    story.tells(
        "killed",
        &format!(
            "demo/a (process {}) with SIGKILL, {} writes in flight, at revision {}",
            aftermath.killed().pid,
            aftermath.in_flight(),
            aftermath.revision_before()
        ),
    )?;
    let restart = line.restart_a(aftermath.killed()).await?;
    let pid = line.a()?.pid();
    let settling = aftermath.settle(&clients, &mut field, records, before);
    let mut crash = line.during("checking", settling).await?;
    (crash.restart_ms, crash.restarted_pid) = (ms(restart), pid);
    story.tells(
        "restarted",
        &format!(
            "demo/a (process {pid}) on the same port and data in {:.0} ms, at revision {}",
            crash.restart_ms, crash.revision_after
        ),
    )?;
    story.tells(
        "checked",
        &format!(
            "{} writes acknowledged, {} missing; {} unknown to their writer, {} of them there; {} records there",
            crash.acknowledged,
            crash.missing,
            crash.unknown_there + crash.unknown_gone,
            crash.unknown_there,
            records.count,
        ),
    )?;
    story.tells(
        "went on",
        &format!(
            "the writer at demo/c, {} more writes in the same session, {} applied twice",
            crash.resumed, crash.applied_twice
        ),
    )?;
    figures.crash = crash;
    figures.events = field.look(|seen| seen.changes) + desk.look(|seen| seen.changes);
    figures.took_ms = ms(began.elapsed());
    story.tells(
        "watched",
        &format!(
            "{} events from demo/b, across the crash; all in {:.1} s",
            figures.events,
            figures.took_ms / 1_000.0
        ),
    )?;
    drop((field, desk));
    clients.close().await;
    story.ends(&figures)
}

fn check_failed(what: impl Into<String>) -> Failure {
    Failure::new(FailureKind::CheckFailed, what)
}
