//! `set`, `rm`, `mv`, `rename`, `invalidate`, `refresh`, `materialise`.

use dhlrs_bag::VALUE_BYTES_MAX;
use dhlrs_bag::formats::text_to_json;
use dhlrs_path::Address;
use tokio::io::AsyncReadExt;

use super::written;
use crate::{
    Exit, Failure, FailureKind,
    client::Client,
    command::{Condition, EditArgs, MoveArgs, RemoveArgs, RenameArgs, SetArgs},
    literal,
    output::Output,
};

/// A value of this many bytes fits, however it is spelled.
const SPELLED_BYTES_MAX: u64 = 8 * VALUE_BYTES_MAX as u64;

/// Whether the VALUE can be stored at all, and the options have a use.
pub(super) fn check(args: &SetArgs) -> Result<(), Failure> {
    // Clap asks for --stdin only where nothing speaks against it, and ADDRESS does.
    if args.in_flight.is_some() && !args.stdin {
        return Err(Failure::new(
            FailureKind::Usage,
            "--in-flight is of no use without --stdin",
        )
        .hint(
            "leave it out, or read ADDRESS, tab, VALUE a line: dhlrs set --stdin --in-flight 64",
        ));
    }
    match args.value.as_deref() {
        None | Some("-") => Ok(()),
        Some(text) => literal::parse(text, args.value_type).map(drop),
    }
}

pub(super) async fn set(
    client: &Client,
    args: SetArgs,
    json: bool,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let (Some(target), Some(text)) = (&args.target, args.value) else {
        return Ok(Exit::Done);
    };
    let text = if text == "-" { stdin().await? } else { text };
    let value = literal::parse(&text, args.value_type)?;
    let address = client.address(target);
    let store = client.store(&target.store);
    let mut set = store
        .set(target.path.clone(), value)
        .timeout(client.timeout());
    if let Some(position) = args.position {
        set = set.position(position);
    }
    if args.overwrite {
        set = set.overwrite();
    }
    if let Some(reason) = args.reason {
        set = set.reason(reason);
    }
    set = match args.condition.condition() {
        Some(Condition::Missing) => set.if_missing(),
        Some(Condition::Present) => set.if_present(),
        Some(Condition::Revision(revision)) => set.if_revision(revision),
        None => set,
    };
    let done = set.await?;
    out.line(&written(&address.to_string(), done.revision, json))?;
    Ok(Exit::Done)
}

pub(super) async fn rm(
    client: &Client,
    args: RemoveArgs,
    json: bool,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let address = client.address(&args.target);
    let mut remove = client
        .store(&args.target.store)
        .remove(args.target.path.clone())
        .timeout(client.timeout());
    if let Some(revision) = args.if_rev {
        remove = remove.if_revision(revision);
    }
    let done = remove.await?;
    out.line(&written(&address.to_string(), done.revision, json))?;
    Ok(Exit::Done)
}

pub(super) async fn mv(
    client: &Client,
    args: MoveArgs,
    json: bool,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let (from, to) = (client.address(&args.target), client.address(&args.to));
    if from.store() != to.store() {
        return Err(Failure::new(
            FailureKind::Usage,
            format!("{from} cannot be moved to {to}: that is another store"),
        )
        .hint("export it and import it there, then remove it here"));
    }
    let mut moving = client
        .store(&args.target.store)
        .move_to(args.target.path.clone(), args.to.path.clone())
        .timeout(client.timeout());
    if let Some(position) = args.position {
        moving = moving.position(position);
    }
    if let Some(revision) = args.if_rev {
        moving = moving.if_revision(revision);
    }
    let done = moving.await?;
    out.line(&written(&to.to_string(), done.revision, json))?;
    Ok(Exit::Done)
}

pub(super) async fn rename(
    client: &Client,
    args: RenameArgs,
    json: bool,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let address = client.address(&args.target);
    let mut rename = client
        .store(&args.target.store)
        .rename(args.target.path.clone(), args.label.as_str())
        .timeout(client.timeout());
    if let Some(revision) = args.if_rev {
        rename = rename.if_revision(revision);
    }
    let done = rename.await?;
    let now = renamed(&address, args.label.as_str());
    out.line(&written(&now, done.revision, json))?;
    Ok(Exit::Done)
}

pub(super) async fn invalidate(
    client: &Client,
    args: EditArgs,
    json: bool,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let address = client.address(&args.target);
    let done = client
        .store(&args.target.store)
        .invalidate(args.target.path.clone())
        .timeout(client.timeout())
        .await?;
    out.line(&written(&address.to_string(), done.revision, json))?;
    Ok(Exit::Done)
}

pub(super) async fn materialise(
    client: &Client,
    args: EditArgs,
    json: bool,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let address = client.address(&args.target);
    let done = client
        .store(&args.target.store)
        .materialise(args.target.path.clone())
        .timeout(client.timeout())
        .await?;
    out.line(&written(&address.to_string(), done.revision, json))?;
    Ok(Exit::Done)
}

// It makes no revision, so there is nothing to print but that it is done.
pub(super) async fn refresh(
    client: &Client,
    args: EditArgs,
    json: bool,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let address = client.address(&args.target);
    client
        .store(&args.target.store)
        .refresh(args.target.path.clone())
        .timeout(client.timeout())
        .await?;
    if json {
        let address = text_to_json(&address.to_string());
        out.line(&format!(r#"{{"address":{address}}}"#))?;
    }
    Ok(Exit::Done)
}

// Where it is now; as it was where the path names it by something else than labels.
fn renamed(address: &Address, label: &str) -> String {
    let path = address.path();
    let now = path
        .labels_only()
        .then(|| path.parent())
        .flatten()
        .and_then(|above| above.child(label).ok());
    match now {
        Some(now) => address.store().clone().at(now).to_string(),
        None => address.to_string(),
    }
}

// All of standard input, without the line end that `echo` adds.
async fn stdin() -> Result<String, Failure> {
    let mut bytes = Vec::new();
    tokio::io::stdin()
        .take(SPELLED_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .await
        .map_err(|cause| {
            Failure::new(
                FailureKind::File,
                format!("standard input cannot be read: {cause}"),
            )
            .hint("give the value on the command line, or from a file: dhlrs set ADDRESS - < FILE")
            .caused_by(cause)
        })?;
    if bytes.len() as u64 > SPELLED_BYTES_MAX {
        return Err(Failure::new(
            FailureKind::BadValue,
            format!("standard input is over {SPELLED_BYTES_MAX} bytes; a value takes {VALUE_BYTES_MAX} at most"),
        )
        .hint("put a large document below a bag with `dhlrs import ADDRESS FILE`"));
    }
    let mut text = String::from_utf8(bytes).map_err(|cause| {
        Failure::new(FailureKind::BadValue, "standard input is not UTF-8")
            .hint("store bytes as base64: base64 -w0 FILE | dhlrs set ADDRESS - --type bytes")
            .caused_by(cause)
    })?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Ok(text)
}
