//! `get`, `ls`, `tree`, `attrs`, `query`.

use dhlrs::RowStream;
use dhlrs_bag::formats::{attributes_to_json, value_to_json};
use dhlrs_path::{Address, DEPTH_MAX};
use dhlrs_wire::{ReadRow, View};

use super::export::{branch_row, plain_bag};
use crate::{
    Exit, Failure, FailureKind,
    client::Client,
    command::{QueryArgs, ReadArgs},
    output::{Output, stdout_failure},
    render::{NodeView, TreeDrawing, chosen, list_line, match_json, query_value, row_json, word},
};

pub(super) async fn get(
    client: &Client,
    args: &ReadArgs,
    json: bool,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let address = client.address(&args.target);
    let asks_attributes = address.path().query().is_some();
    let depth = if asks_attributes { 0 } else { DEPTH_MAX };
    let (top, mut rows) = read(client, args, &address, depth).await?;
    let view = NodeView {
        address: &address,
        value: top.value.as_ref(),
        attributes: &top.attributes,
        changed: top.revision,
        revision: rows.revision(),
    };
    match view.text() {
        // Of several that are named, those that are not there are left out.
        None if asks_attributes => {
            return Err(Failure::new(
                FailureKind::Missing,
                format!("{address}: there is no such attribute"),
            )
            .hint("`dhlrs attrs ADDRESS` lists those that are there"));
        }
        Some(text) if !json => out.line(&text)?,
        None if !json => {
            let mut bag = plain_bag(&mut *out)?;
            while let Some(row) = rows.next().await? {
                bag.row(&branch_row(row)?).map_err(stdout_failure)?;
            }
            bag.finish(&top.attributes).map_err(stdout_failure)?;
        }
        _ => {
            let bag = match &top.value {
                None if !asks_attributes => bag_json(&mut rows, &top).await?,
                _ => format!(r#"{{"$branch":{}}}"#, top.children),
            };
            out.line(&view.json(&bag))?;
        }
    }
    Ok(Exit::Done)
}

pub(super) async fn ls(
    client: &Client,
    args: &ReadArgs,
    json: bool,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let address = client.address(&args.target);
    let (_, mut rows) = read(client, args, &address, 1).await?;
    while let Some(row) = rows.next().await? {
        if json {
            out.line(&row_json("label", &row, rows.revision()))?;
        } else {
            out.line(&list_line(&row))?;
        }
    }
    Ok(Exit::Done)
}

pub(super) async fn tree(
    client: &Client,
    args: &ReadArgs,
    json: bool,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let address = client.address(&args.target);
    let (mut top, mut rows) = read(client, args, &address, DEPTH_MAX).await?;
    top.name = address.to_string();
    let mut drawing = TreeDrawing::default();
    let mut next = Some(top);
    while let Some(row) = next {
        if json {
            out.line(&row_json("label", &row, rows.revision()))?;
        } else {
            out.line(&drawing.line(&row))?;
        }
        next = rows.next().await?;
    }
    Ok(Exit::Done)
}

pub(super) async fn attrs(
    client: &Client,
    args: &ReadArgs,
    json: bool,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let address = client.address(&args.target);
    let (top, _) = read(client, args, &address, 0).await?;
    let attributes = chosen(&top.attributes, address.path().query());
    if json {
        out.line(&attributes_to_json(&attributes))?;
        return Ok(Exit::Done);
    }
    for (name, value) in attributes.iter() {
        out.line(&format!("{name}\t{}", value_to_json(value)))?;
    }
    Ok(Exit::Done)
}

pub(super) async fn query(
    client: &Client,
    args: &QueryArgs,
    json: bool,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let pattern = &args.target.pattern;
    let mut rows = client
        .store(&args.target.store)
        .query(pattern.without_query())
        .timeout(client.timeout())
        .await?;
    while let Some(row) = rows.next().await? {
        let Some(value) = query_value(&row, pattern.query()) else {
            continue;
        };
        if json {
            out.line(&match_json(&row, pattern.query(), rows.revision()))?;
        } else {
            out.line(&format!("{}\t{value}", word(&row.name)))?;
        }
    }
    Ok(Exit::Done)
}

// The addressed bag node, and what is below it.
async fn read(
    client: &Client,
    args: &ReadArgs,
    address: &Address,
    depth: usize,
) -> Result<(ReadRow, RowStream), Failure> {
    let view = if args.stored {
        View::Stored
    } else {
        View::Resolve
    };
    let mut rows = client
        .store(&args.target.store)
        .read(address.path().clone())
        .depth(u16::try_from(depth).unwrap_or(u16::MAX))
        .view(view)
        .timeout(client.timeout());
    if let Some(stamp) = args.at {
        rows = rows.at(stamp);
    }
    let mut rows = rows.await?;
    let top = rows.next().await?.ok_or_else(|| {
        Failure::new(FailureKind::Missing, format!("{address}: there is nothing"))
            .hint("`dhlrs ls ADDRESS` of the bag above shows what is there")
    })?;
    Ok((top, rows))
}

// On one line.
async fn bag_json(rows: &mut RowStream, top: &ReadRow) -> Result<String, Failure> {
    let mut bag = plain_bag(Vec::new())?;
    while let Some(row) = rows.next().await? {
        bag.row(&branch_row(row)?).map_err(stdout_failure)?;
    }
    let (bytes, _) = bag.finish(&top.attributes).map_err(stdout_failure)?;
    // Line ends inside texts are escaped, so these are only between children.
    Ok(String::from_utf8_lossy(&bytes).replace('\n', ""))
}
