//! `watch`: changes as they happen.

use dhlrs::{Watch, WatchEvent};
use dhlrs_wire::{RefusalKind, Selection, WatchedChanges};
use tokio::time::{Instant, timeout_at};

use crate::{
    Exit, Failure, FailureKind, WatchTarget,
    client::Client,
    command::WatchArgs,
    duration::duration_text,
    output::Output,
    program::note,
    render::{change_json, change_line, lagged_json, lagged_line},
};

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
    match args.limit {
        None => lines.print(watch).await,
        Some(limit) => match timeout_at(Instant::now() + limit, lines.print(watch)).await {
            Ok(result) => result,
            // Without --count the time is all that was asked for.
            Err(_) => match lines.left {
                None => Ok(Exit::Done),
                Some(left) => Err(Failure::new(
                    FailureKind::CheckFailed,
                    format!(
                        "{left} more lines were wanted when {} were over",
                        duration_text(limit)
                    ),
                )
                .hint("wait longer with --for, or begin earlier with --from REV")),
            },
        },
    }
}

struct Lines<'a> {
    json: bool,
    left: Option<u64>,
    out: &'a mut Output,
}

impl Lines<'_> {
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
