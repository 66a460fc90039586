//! Runs sequences against both and says where the answers differ, but for what F rows decide.

use std::collections::{BTreeMap, BTreeSet};

use dhlrs_bag_lines::Session;
use serde_json::{Value, json};

use crate::oracle::Oracle;

/// How often each operation came out how.
#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) asked: usize,
    pub(crate) masked: BTreeMap<&'static str, usize>,
    /// By operation and outcome: `ok`, or the error class.
    pub(crate) outcomes: BTreeMap<(String, String), usize>,
}

pub(crate) struct Divergence {
    pub(crate) at: usize,
    pub(crate) ours: Value,
    pub(crate) theirs: Value,
}

/// Asks both, line by line, until they differ or the reference has no defined behaviour.
pub(crate) fn run(
    oracle: &mut Oracle,
    lines: &[String],
    counts: &mut Counts,
) -> Option<Divergence> {
    let mut session = Session::new();
    // Whether bags were merged since a transaction began.
    let mut updated = false;
    // What the bag held when the open transaction began.
    let mut open: Option<Value> = None;
    for (at, line) in lines.iter().enumerate() {
        let request: Value = serde_json::from_str(line).unwrap_or_default();
        if let Some(row) = left_out(&mut session, &request) {
            counts.asked += 1;
            *counts.masked.entry(row).or_default() += 1;
            continue;
        }
        updated |= request["op"] == "update";
        let has_parent = has_parent(&mut session, &request);
        let ours = session.answer(line.as_bytes()).expect("no line is empty");
        let ours: Value =
            serde_json::from_str(&ours).unwrap_or_else(|error| panic!("{ours}: {error}"));
        let op = request["op"].as_str().unwrap_or("-").to_owned();
        let outcome = ours["err"].as_str().unwrap_or("ok").to_owned();
        counts.asked += 1;
        if let Some(row) = not_asked(&ours, has_parent) {
            *counts.masked.entry(row).or_default() += 1;
            // These did something before they were refused.
            let is_part_done = matches!(op.as_str(), "setdefault" | "updatemap");
            *counts.outcomes.entry((op, outcome)).or_default() += 1;
            if is_part_done {
                return None;
            }
            continue;
        }
        if let Some(before) = &open
            && let Some(row) = broken(&mut session, &request, &ours, before)
        {
            return Some(Divergence {
                at,
                ours,
                theirs: row,
            });
        }
        match op.as_str() {
            "begin" => open = Some(dump(&mut session)),
            "end" => open = None,
            _ => {}
        }
        if op == "end" && request["abort"] == true {
            // The reference undoes nothing, so from here on the two differ.
            *counts.masked.entry("transaction given up").or_default() += 1;
            *counts.outcomes.entry((op, outcome)).or_default() += 1;
            return None;
        }
        let theirs = oracle.ask(line);
        if matches!(theirs["err"].as_str(), Some("internal" | "recursion")) {
            return None;
        }
        let (ours_told, row) = without_own_events(&request, &ours, &theirs, updated);
        if let Some(lost) = leads_nowhere(&mut session, &request, &ours) {
            return Some(Divergence {
                at,
                ours,
                theirs: lost,
            });
        }
        let is_same = without_escapes(&request, &ours["ok"]) == theirs["ok"]
            && ours["err"] == theirs["err"]
            && ours["id"] == theirs["id"]
            && ours_told == told(&theirs, updated);
        if !is_same {
            return Some(Divergence { at, ours, theirs });
        }
        if let Some(row) = row {
            *counts.masked.entry(row).or_default() += 1;
        }
        *counts.outcomes.entry((op, outcome)).or_default() += 1;
    }
    None
}

fn ask(session: &mut Session, request: &Value) -> Value {
    let reply = session.answer(request.to_string().as_bytes());
    serde_json::from_str(&reply.unwrap_or_default()).unwrap_or_default()
}

fn dump(session: &mut Session) -> Value {
    ask(session, &json!({"op": "dump"}))
}

/// What an open transaction of the whole bag promises and did not keep: no bag-level event is told
/// before it ends, and one that is given up tells nothing and leaves nothing.
fn broken(session: &mut Session, request: &Value, ours: &Value, before: &Value) -> Option<Value> {
    let told = ours["ev"].as_array().into_iter().flatten();
    if request["op"] == "end" {
        let is_given_up = request["abort"] == true;
        let is_undone = !is_given_up || (told.count() == 0 && dump(session) == *before);
        return (!is_undone).then(|| before.clone());
    }
    let is_held_back = told.into_iter().all(|event| event.get("path").is_none());
    (!is_held_back).then(|| json!("no event before the end"))
}

/// Our answer with its paths as the reference prints them: without escapes.
fn without_escapes(request: &Value, answer: &Value) -> Value {
    match (request["op"].as_str(), answer) {
        (Some("walk" | "leaves" | "query" | "fullpath"), Value::Array(items)) => {
            let items = items.iter().map(|item| without_escapes(request, item));
            items.collect()
        }
        (Some("walk" | "leaves" | "query" | "fullpath"), Value::String(text)) => {
            let text = text.replace("\\.", ".").replace("\\/", "/");
            json!(text.replace("\\?", "?"))
        }
        _ => answer.clone(),
    }
}

/// A path that was printed and is not that of one node.
fn leads_nowhere(session: &mut Session, request: &Value, ours: &Value) -> Option<Value> {
    if request["op"] != "walk" || request.get("bag").is_some() {
        return None;
    }
    let paths = ours["ok"].as_array()?.iter().filter_map(Value::as_str);
    let place = request["path"].as_str().filter(|place| !place.is_empty());
    let mut seen = BTreeSet::new();
    for path in paths {
        let whole = place.map_or_else(|| path.to_owned(), |place| format!("{place}.{path}"));
        let is_there = ask(session, &json!({"op": "has", "path": whole}))["ok"] == true;
        if !is_there || !seen.insert(path.to_owned()) {
            return Some(json!(path));
        }
    }
    None
}

/// What is not even asked, because an F row decides it and it would change the two differently.
fn left_out(session: &mut Session, request: &Value) -> Option<&'static str> {
    if let Some((before, _)) = request["path"]
        .as_str()
        .and_then(|path| path.split_once(".#parent"))
    {
        let is_there = ask(session, &json!({"op": "has", "path": before}))["ok"] == true;
        let is_bag = ask(session, &json!({"op": "len", "path": before}))["ok"].is_u64();
        return (is_there && !is_bag).then_some("#parent of a leaf");
    }
    if request["op"] == "move" {
        let len = json!({"op": "len", "path": request["path"]});
        let len = ask(session, &len)["ok"].as_i64().unwrap_or(i64::MAX);
        return (request["to"].as_i64()? >= len).then_some("move to the end");
    }
    None
}

/// Whether the bags on the way to a node are there.
fn has_parent(session: &mut Session, request: &Value) -> bool {
    let path = request["path"].as_str().unwrap_or_default();
    let path = path.split('?').next().unwrap_or_default();
    let Some((parent, _)) = path.rsplit_once('.') else {
        return true;
    };
    let len = json!({"op": "len", "path": parent});
    let reply = session.answer(len.to_string().as_bytes());
    reply.is_some_and(|reply| reply.contains("\"ok\""))
}

/// What is refused here and not there; nothing has changed here, so nothing is to change there.
fn not_asked(ours: &Value, has_parent: bool) -> Option<&'static str> {
    match ours["err"].as_str()? {
        "through-scalar" => Some("through a scalar"),
        "bad-position" | "index-create" | "index-missing" | "attr-arity" if !has_parent => {
            Some("half-made branches")
        }
        _ => None,
    }
}

fn told(reply: &Value, updated: bool) -> Vec<Value> {
    let events = reply["ev"].as_array().cloned().unwrap_or_default();
    let events = events.into_iter();
    events
        .filter_map(|event| without_own_changes(event, updated))
        .collect()
}

// A transaction without what the reference does not tell: the sorts, what was done to the root
// itself, the attributes of a merge.
fn without_own_changes(mut event: Value, updated: bool) -> Option<Value> {
    if let Some(changes) = event.get_mut("muts").and_then(Value::as_array_mut) {
        changes.retain(|change| {
            change[1] != "" && change[3] != "sort" && !(updated && change[3] == "upd_attrs")
        });
        if changes.is_empty() {
            return None;
        }
    }
    Some(event)
}

/// Our events but for those that the reference never sends.
fn without_own_events(
    request: &Value,
    ours: &Value,
    theirs: &Value,
    updated: bool,
) -> (Vec<Value>, Option<&'static str>) {
    let mine = told(ours, updated);
    let told_there = told(theirs, updated);
    let is_own: fn(&Value) -> bool = match request["op"].as_str() {
        Some("sort") => |event| event["evt"] == "sort",
        Some("clear" | "replace") => |event| event["path"] == Value::Array(Vec::new()),
        Some("update") => |event| event["evt"] == "upd_attrs",
        _ => |_| false,
    };
    let row = match request["op"].as_str() {
        Some("update") => "merge tells of attributes",
        _ => "sort and clear tell",
    };
    let rest: Vec<_> = mine
        .iter()
        .filter(|event| !is_own(event))
        .cloned()
        .collect();
    if rest.len() == mine.len() || mine == told_there {
        return (mine, None);
    }
    (rest, Some(row))
}
