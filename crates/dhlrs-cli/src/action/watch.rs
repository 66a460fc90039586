//! `watch`: changes as they happen.

use std::convert::Infallible;

use dhlrs::{Watch, WatchEvent};
use dhlrs_wire::{RefusalKind, Selection, WatchedChanges};
use tokio::time::{Duration, sleep, timeout};

use crate::{
    Exit, Failure, FailureKind, WatchTarget,
    client::Client,
    command::WatchArgs,
    duration::duration_text,
    output::Output,
    program::{note, tell},
    render::{change_json, change_line, lagged_json, lagged_line},
};

/// How long a lost node is asked for at a time.
const RECONNECT_STEP: Duration = Duration::from_secs(1);

pub(super) async fn watch(
    client: &Client,
    args: WatchArgs,
    json: bool,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let store = client.store(args.target.store());
    let selection = match args.target {
        WatchTarget::Path(target) => Selection::Path(target.path),
        WatchTarget::Pattern(target) => Selection::Pattern(target.pattern),
    };
    let mut builder = store
        .watch(selection)
        .kinds(args.kinds)
        .timeout(client.timeout());
    if let Some(from) = args.from {
        builder = builder.from(from);
    }
    let watch = builder.await.map_err(|cause| {
        let is_beyond = cause.refusal() == Some(RefusalKind::Invalid) && args.from.is_some();
        let failure = Failure::from(cause);
        if is_beyond {
            failure.hint("without --from it begins now; `dhlrs status` shows the present revision")
        } else {
            failure
        }
    })?;
    if let Some(from) = watch.from() {
        note(&if json {
            format!(
                r#"{{"watching":{{"revision":{},"incarnation":"{}"}}}}"#,
                from.number, from.incarnation
            )
        } else {
            format!("watching from {}", from.number)
        });
    }
    let mut lines = Lines {
        json,
        left: args.count,
        out,
    };
    tokio::select! {
        result = lines.within(watch, args.limit) => result,
        never = tell_losses(client, json) => match never {},
    }
}

// The watch goes on by itself when the node is back; that it waits must be seen all the same.
async fn tell_losses(client: &Client, json: bool) -> Infallible {
    let node = client.node();
    loop {
        node.disconnected().await;
        note(if json {
            r#"{"connection":"lost"}"#
        } else {
            "the connection was lost; trying again"
        });
        let mut is_told = false;
        while let Err(cause) = node.connected(RECONNECT_STEP).await {
            // Such as a node that no longer lets this key in.
            if !cause.kind().is_transient() && !is_told {
                is_told = true;
                tell(&Failure::from(cause), json);
            }
            sleep(RECONNECT_STEP).await;
        }
        note(if json {
            r#"{"connection":"back"}"#
        } else {
            "connected again; the watch goes on where it was"
        });
    }
}

struct Lines<'a> {
    json: bool,
    left: Option<u64>,
    out: &'a mut Output,
}

impl Lines<'_> {
    async fn within(&mut self, watch: Watch, limit: Option<Duration>) -> Result<Exit, Failure> {
        let Some(limit) = limit else {
            return self.print(watch).await;
        };
        match timeout(limit, self.print(watch)).await {
            Ok(result) => result,
            // Without --count the time is all that was asked for.
            Err(_) => match self.left {
                None => Ok(Exit::Done),
                Some(left) => Err(Failure::new(
                    FailureKind::CheckFailed,
                    format!(
                        "{left} more {} wanted when {} were over",
                        if left == 1 { "line was" } else { "lines were" },
                        duration_text(limit)
                    ),
                )
                .hint("wait longer with --for, or begin earlier with --from REV")),
            },
        }
    }

    async fn print(&mut self, mut watch: Watch) -> Result<Exit, Failure> {
        loop {
            match watch.next().await {
                Some(WatchEvent::Changes(changes)) => self.changes(&changes)?,
                Some(WatchEvent::Lagged { revisions, next }) => self.line(&if self.json {
                    lagged_json(revisions, next)
                } else {
                    lagged_line(revisions, next)
                })?,
                Some(WatchEvent::Ended(refusal)) => return Err(refusal.into()),
                None => {
                    return Err(
                        Failure::new(FailureKind::Unreachable, "the watch has ended")
                            .hint("watch again; --from REV goes on after the last line"),
                    );
                }
            }
            self.out.flush()?;
            if self.left == Some(0) {
                return Ok(Exit::Done);
            }
        }
    }

    fn changes(&mut self, changes: &WatchedChanges) -> Result<(), Failure> {
        for change in &changes.changes {
            self.line(&if self.json {
                change_json(changes, change)
            } else {
                change_line(changes.revision.number, change)
            })?;
        }
        Ok(())
    }

    fn line(&mut self, line: &str) -> Result<(), Failure> {
        if self.left == Some(0) {
            return Ok(());
        }
        self.left = self.left.map(|left| left - 1);
        self.out.line(line)
    }
}
