//! `feeds`, `log`, `drafts`, `checkpoint`, `emit`.

use dhlrs_bag::formats::text_to_json;
use tokio::io::AsyncReadExt;

use super::written;
use crate::{
    Exit, Failure, FailureKind,
    client::Client,
    command::{DraftsAction, DraftsArgs, EmitArgs, LogArgs, StoreArgs},
    output::Output,
    program::note,
    render::{
        applied_json, applied_text, draft_json, draft_line, event_json, event_line, feeds_json,
        feeds_text,
    },
};

/// The most bytes of an event that are read from stdin; what is more is refused by any node.
const PAYLOAD_BYTES_MAX: u64 = 1024 * 1024;

/// What can be refused without a node.
pub(super) fn check_drafts(args: &DraftsArgs) -> Result<(), Failure> {
    if args.newer && args.action != DraftsAction::Apply {
        return Err(
            Failure::new(FailureKind::Usage, "--newer says which drafts to apply")
                .hint("leave it out, or write: dhlrs drafts apply --newer '//STORE'"),
        );
    }
    Ok(())
}

/// What can be refused without a node.
pub(super) fn check_emit(args: &EmitArgs) -> Result<(), Failure> {
    match args.payload.as_str() {
        "-" => Ok(()),
        text => check_json(text),
    }
}

fn check_json(text: &str) -> Result<(), Failure> {
    let parsed: Result<serde_json::Value, _> = serde_json::from_str(text);
    parsed.map(drop).map_err(|cause| {
        Failure::new(FailureKind::BadValue, format!("that is no JSON: {cause}"))
            .hint("write JSON in single quotes: '{\"coins\":3}', or '\"a text\"'")
            .caused_by(cause)
    })
}

pub(super) async fn feeds(
    client: &Client,
    args: &StoreArgs,
    json: bool,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let feeds = client.store(&args.target).feeds();
    let status = feeds.timeout(client.timeout()).await?;
    if json {
        out.line(&feeds_json(&status))?;
    } else {
        out.line(&feeds_text(&status))?;
    }
    Ok(Exit::Done)
}

pub(super) async fn log(
    client: &Client,
    args: &LogArgs,
    json: bool,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let address = client.address(&args.target);
    let store = client.store(&args.target.store);
    let mut history = store
        .history(args.target.path.clone())
        .timeout(client.timeout());
    if let Some(limit) = args.limit {
        history = history.limit(usize::try_from(limit).unwrap_or(usize::MAX));
    }
    if let Some(before) = args.before {
        history = history.before(before);
    }
    let rows = history.await?;
    if rows.is_empty() {
        return Err(Failure::new(
            FailureKind::Missing,
            format!("{address}: no event is about it"),
        )
        .hint("`dhlrs log '//STORE'` shows all that happened in the store"));
    }
    for row in &rows {
        out.line(&if json {
            event_json(row)
        } else {
            event_line(row)
        })?;
    }
    Ok(Exit::Done)
}

pub(super) async fn drafts(
    client: &Client,
    args: &DraftsArgs,
    json: bool,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let store = client.store(&args.target);
    match args.action {
        DraftsAction::List => {
            for draft in store.drafts().timeout(client.timeout()).await? {
                out.line(&if json {
                    draft_json(&draft)
                } else {
                    draft_line(&draft)
                })?;
            }
            Ok(Exit::Done)
        }
        DraftsAction::Apply => {
            let mut apply = store.apply_drafts().timeout(client.timeout());
            if args.newer {
                apply = apply.newer();
            }
            let applied = apply.await?;
            out.line(&if json {
                applied_json(&applied)
            } else {
                applied_text(&applied)
            })?;
            for refusal in applied.first_left_out.iter().filter(|_| !json) {
                note(&format!("left out: {refusal}"));
            }
            Ok(match applied.left_out {
                0 => Exit::Done,
                _ => Exit::Missing,
            })
        }
        DraftsAction::Drop => {
            let dropped = store.drop_drafts().timeout(client.timeout()).await?;
            out.line(&if json {
                format!(r#"{{"dropped":{dropped}}}"#)
            } else {
                dropped.to_string()
            })?;
            Ok(Exit::Done)
        }
    }
}

pub(super) async fn checkpoint(
    client: &Client,
    args: &StoreArgs,
    json: bool,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let store = client.store(&args.target);
    store.checkpoint().timeout(client.timeout()).await?;
    if json {
        let address = text_to_json(&store.address().to_string());
        out.line(&format!(r#"{{"address":{address}}}"#))?;
    }
    Ok(Exit::Done)
}

pub(super) async fn emit(
    client: &Client,
    args: EmitArgs,
    json: bool,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let payload = match args.payload.as_str() {
        "-" => stdin().await?,
        _ => args.payload,
    };
    check_json(&payload)?;
    let store = client.store(&args.target);
    let emit = store.emit(&args.kind, payload.trim());
    let done = emit.timeout(client.timeout()).await?;
    out.line(&written(&store.address().to_string(), done.revision, json))?;
    Ok(Exit::Done)
}

async fn stdin() -> Result<String, Failure> {
    let mut text = String::new();
    tokio::io::stdin()
        .take(PAYLOAD_BYTES_MAX + 1)
        .read_to_string(&mut text)
        .await
        .map_err(|cause| {
            Failure::new(
                FailureKind::File,
                format!("standard input cannot be read: {cause}"),
            )
            .hint("give the JSON on the command line, or from a file: dhlrs emit '//STORE' KIND - < FILE")
            .caused_by(cause)
        })?;
    Ok(text)
}
