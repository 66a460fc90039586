//! `verify`: every byte of a data directory is read, nothing is changed.

use dhlrs::NodeError;
use dhlrs_storage::{DataDir, Inspection, OsVfs, Repair, StorageError, StorageErrorKind};
use serde_json::{Value, json};

use crate::{
    Exit, Failure, FailureKind, command::VerifyArgs, output::Output, progress::progress_bar,
    render::counted,
};

pub(super) fn verify(args: &VerifyArgs, json: bool, out: &mut Output) -> Result<Exit, Failure> {
    let failed = |error| Failure::from(NodeError::from(error));
    let dir =
        DataDir::open_existing(OsVfs::new(), &args.dir).map_err(|error| match error.kind() {
            StorageErrorKind::Missing => Failure::new(
                FailureKind::Missing,
                format!(
                    "{} is no data directory: it has no file FORMAT",
                    args.dir.display()
                ),
            )
            .hint("name the directory that `dhlrs serve --data DIR` writes to"),
            _ => failed(error),
        })?;
    let stores = dir.stores().map_err(failed)?;
    let mut bytes = 0;
    for store in &stores {
        bytes += dir.bytes(store).map_err(failed)?;
    }
    let bar = progress_bar(Some(bytes));
    let mut damaged = 0;
    for store in &stores {
        let found = dir.inspect(store, |bytes| bar.inc(bytes)).map_err(failed)?;
        damaged += usize::from(!found.damaged.is_empty());
        let told = match json {
            true => store_json(store, &found).to_string(),
            false => store_text(store, &found),
        };
        bar.suspend(|| out.line(&told).and_then(|()| out.flush()))?;
    }
    bar.finish_and_clear();
    if stores.is_empty() && !json {
        out.line("there are no stores")?;
    }
    match damaged {
        0 => Ok(Exit::Done),
        _ => Err(Failure::new(
            FailureKind::CheckFailed,
            format!("damaged: {damaged} of {} stores", stores.len()),
        )
        .hint("keep a copy of the directory, put a backup in its place and start with --restored")),
    }
}

fn store_text(store: &str, found: &Inspection) -> String {
    let count = |count: usize, one: &str| counted(count as u64, one);
    let state = match found.damaged.is_empty() {
        true => "in order",
        false => "DAMAGED",
    };
    let mut text = format!(
        "{store}\t{state}\t{}, {}, batches {} to {}, {} bytes",
        count(found.segments, "segment"),
        count(found.checkpoints, "checkpoint"),
        found.first,
        found.last,
        found.bytes,
    );
    for error in &found.damaged {
        text.push_str(&format!("\n{store}\tdamage\t{error}"));
    }
    for repair in &found.repairs {
        let told = match repair {
            Repair::TornTail {
                path,
                offset,
                bytes,
            } => format!(
                "{} ends in a write of {bytes} bytes that did not finish, from byte {offset} on; nothing in it was \
                 acknowledged, and the next start cuts it off",
                path.display()
            ),
            Repair::Leftover { path } => {
                format!(
                    "{} never got its name; the next start removes it",
                    path.display()
                )
            }
            other => format!("{other:?}"),
        };
        text.push_str(&format!("\n{store}\tnote\t{told}"));
    }
    text
}

fn store_json(store: &str, found: &Inspection) -> Value {
    let damaged = |error: &StorageError| {
        let offset = match error.kind() {
            StorageErrorKind::Corrupt { offset } => Some(offset),
            _ => None,
        };
        json!({ "file": error.path().display().to_string(), "offset": offset, "what": error.to_string() })
    };
    let unfinished = found.repairs.iter().filter_map(|repair| match repair {
        Repair::TornTail {
            path,
            offset,
            bytes,
        } => Some(json!({
            "file": path.display().to_string(), "offset": offset, "bytes": bytes,
        })),
        Repair::Leftover { path } => Some(json!({ "file": path.display().to_string() })),
        _ => None,
    });
    json!({
        "store": store,
        "ok": found.damaged.is_empty(),
        "segments": found.segments,
        "checkpoints": found.checkpoints,
        "bytes": found.bytes,
        "first": found.first.get(),
        "last": found.last.get(),
        "damaged": found.damaged.iter().map(damaged).collect::<Vec<_>>(),
        "unfinished": unfinished.collect::<Vec<_>>(),
    })
}
