//! What the commands about replicated stores print.

use dhlrs_bag::formats::{text_to_json, value_to_json};
use dhlrs_wire::{
    Draft, DraftsApplied, EventAction, EventRow, FeedPeer, FeedRow, FeedStanding, FeedsStatus,
};
use serde_json::{Value as Json, json};

use super::{counted, word};
use crate::moment::time_text;

/// The state of a replica for people: one fact a line, its peers, then its feeds.
#[must_use]
pub fn feeds_text(status: &FeedsStatus) -> String {
    let mut lines = vec![
        format!("store    {}", hex(status.store.as_bytes())),
        format!("state    {}", hex(&status.state_hash)),
        match &status.own {
            Some(own) => format!("own      {} {}", own.author, own.epoch),
            None => "own      none: nothing was written here yet".to_owned(),
        },
        format!(
            "holds    {} in {}, {}",
            counted(status.events, "event"),
            counted(status.feeds, "feed"),
            counted(status.drafts, "draft"),
        ),
        format!("pending  {}", counted(status.pending_bytes, "byte")),
        format!("refused  {}", counted(status.refused, "message")),
    ];
    if status.is_full {
        lines.push("full     it takes no new feeds: it has as many as it may".to_owned());
    }
    if let Some(ahead_ms) = status.clock_ahead_ms {
        let seconds = ahead_ms.unsigned_abs() / 1_000;
        let side = if ahead_ms > 0 { "behind" } else { "ahead of" };
        lines.push(format!(
            "clock    WARNING: {} {side} those of most others",
            counted(seconds, "second")
        ));
    }
    lines.extend(status.peers.iter().map(peer_line));
    lines.extend(status.rows.iter().map(feed_line));
    lines.join("\n")
}

fn peer_line(peer: &FeedPeer) -> String {
    let FeedPeer {
        node,
        key,
        is_known,
        ahead,
        behind,
    } = peer;
    let state = match (is_known, ahead, behind) {
        (false, ..) => "has said nothing of this store".to_owned(),
        (true, 0, 0) => "in step".to_owned(),
        (true, ahead, behind) => format!("{ahead} to come, {behind} to go"),
    };
    format!("peer     {node} {key} {state}")
}

fn feed_line(row: &FeedRow) -> String {
    let FeedRow {
        feed,
        held,
        reduced,
        stamp,
        lag,
        standing,
        future,
        void,
        ..
    } = row;
    let mut line = format!(
        "feed     {} {} {} {reduced} of {held} reduced, lag {lag}",
        feed.author,
        feed.epoch,
        standing.name()
    );
    if *future > 0 {
        line.push_str(&format!(", {future} in the future"));
    }
    if *void > 0 {
        line.push_str(&format!(", {void} void"));
    }
    line.push_str(&format!(", last {stamp}"));
    if *standing == FeedStanding::Forked {
        line.push_str(": its key was used twice");
    }
    line
}

/// The same as one JSON object.
#[must_use]
pub fn feeds_json(status: &FeedsStatus) -> String {
    let feeds: Vec<Json> = status
        .rows
        .iter()
        .map(|row| {
            json!({
                "author": row.feed.author.to_string(), "epoch": row.feed.epoch.to_string(), "held": row.held,
                "reduced": row.reduced, "head": hex(row.head.as_bytes()), "stamp": row.stamp.to_string(),
                "lag": row.lag, "standing": row.standing.name(), "future": row.future, "void": row.void,
                "wall_ms": row.wall_ms,
            })
        })
        .collect();
    let peers: Vec<Json> = status
        .peers
        .iter()
        .map(|peer| {
            json!({
                "node": peer.node.to_string(), "key": peer.key.to_string(), "known": peer.is_known,
                "ahead": peer.ahead, "behind": peer.behind,
            })
        })
        .collect();
    let own = status
        .own
        .map(|own| json!({ "author": own.author.to_string(), "epoch": own.epoch.to_string() }));
    json!({
        "store": hex(status.store.as_bytes()), "state_hash": hex(&status.state_hash), "own": own,
        "events": status.events, "drafts": status.drafts, "pending_bytes": status.pending_bytes,
        "full": status.is_full, "clock_ahead_ms": status.clock_ahead_ms, "refused": status.refused,
        "peers": peers, "feeds": feeds,
    })
    .to_string()
}

/// `STAMP<TAB>TIME<TAB>AUTHOR<TAB>SEQ<TAB>KIND<TAB>PATH<TAB>WHAT`: a line of `log`. AUTHOR is the beginning of a key.
#[must_use]
pub fn event_line(row: &EventRow) -> String {
    let author: String = row.dot.feed.author.to_string().chars().take(8).collect();
    let value = row.value.as_ref().map(value_to_json);
    let what = match &row.action {
        EventAction::SetAttribute { name } => {
            let name = word(name.as_str());
            format!("@{name} {}", value.unwrap_or_default())
        }
        EventAction::Move { to } => format!("-> {}", word(to)),
        EventAction::Rename { label } => format!("-> {}", word(label.as_str())),
        EventAction::Emit { kind } => format!("{} {}", word(kind), value.unwrap_or_default()),
        _ => value.unwrap_or_default(),
    };
    let path = match row.path.as_str() {
        "" => "-".to_owned(),
        path => word(path),
    };
    let line = format!(
        "{}\t{}\t{author}\t{}\t{}\t{path}\t{what}",
        row.stamp,
        time_text(row.stamp.wall_ms()),
        row.dot.seq,
        row.action.name(),
    );
    line.trim_end().to_owned()
}

/// The same as one JSON object, with the whole key and the epoch.
#[must_use]
pub fn event_json(row: &EventRow) -> String {
    format!("{{{}}}", event_fields(row))
}

fn event_fields(row: &EventRow) -> String {
    let detail = match &row.action {
        EventAction::SetAttribute { name } => {
            format!(r#","attr":{}"#, text_to_json(name.as_str()))
        }
        EventAction::Move { to } => format!(r#","to":{}"#, text_to_json(to)),
        EventAction::Rename { label } => format!(r#","label":{}"#, text_to_json(label.as_str())),
        EventAction::Emit { kind } => format!(r#","event":{}"#, text_to_json(kind)),
        _ => String::new(),
    };
    format!(
        r#""stamp":"{}","time":"{}","author":"{}","epoch":"{}","seq":{},"following":{},"kind":"{}","path":{}{detail},"value":{},"verdict":"{}""#,
        row.stamp,
        time_text(row.stamp.wall_ms()),
        row.dot.feed.author,
        row.dot.feed.epoch,
        row.dot.seq,
        row.following,
        row.action.name(),
        text_to_json(&row.path),
        row.value
            .as_ref()
            .map_or_else(|| "null".to_owned(), value_to_json),
        row.verdict.name(),
    )
}

/// A line of `drafts list`: one of `log`, and why nobody sees it.
#[must_use]
pub fn draft_line(draft: &Draft) -> String {
    format!("{}\t# {}", event_line(&draft.event), draft.cause)
}

/// The same as one JSON object.
#[must_use]
pub fn draft_json(draft: &Draft) -> String {
    let fields = event_fields(&draft.event);
    format!(r#"{{{fields},"cause":"{}"}}"#, draft.cause.name())
}

/// `REV<TAB>APPLIED applied, LEFT left out`.
#[must_use]
pub fn applied_text(applied: &DraftsApplied) -> String {
    format!(
        "{}\t{} applied, {} left out",
        applied.revision.number, applied.applied, applied.left_out
    )
}

/// The same as one JSON object, with the first reasons.
#[must_use]
pub fn applied_json(applied: &DraftsApplied) -> String {
    let reasons: Vec<&str> = applied
        .first_left_out
        .iter()
        .map(|refusal| refusal.message())
        .collect();
    json!({
        "revision": applied.revision.number, "incarnation": applied.revision.incarnation.to_string(),
        "applied": applied.applied, "left_out": applied.left_out, "reasons": reasons,
    })
    .to_string()
}

fn hex(bytes: &[u8; 32]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
