//! One session: requests in, replies out, nothing kept elsewhere.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, atomic::AtomicBool},
};

use dhlrs_bag::{Bag, NodeId, Snapshot};

use crate::{
    counter::Counters, error::ErrorClass, handle::Handle, json::Json, limits::LINE_BYTES_MAX,
    request::Request, writer::Writer,
};

/// One session of the protocol: its bags by handle, their subscribers, its clock, its resolvers.
///
/// What a request does depends on the requests before it and on nothing else. No request makes it
/// panic, and what it holds is bounded.
pub struct Session {
    pub(crate) handles: BTreeMap<String, Handle>,
    pub(crate) events: Vec<String>,
    pub(crate) counters: Counters,
    pub(crate) open: Vec<OpenTransaction>,
    pub(crate) vetoes: BTreeMap<Arc<str>, Arc<AtomicBool>>,
    pub(crate) clock_ms: u64,
    // How many bags were made for one request only; they are gone after it.
    pub(crate) passing: usize,
}

/// A transaction that has begun.
pub(crate) struct OpenTransaction {
    pub(crate) handle: String,
    pub(crate) bag: NodeId,
    /// The tree as it was.
    pub(crate) before: Snapshot,
    /// What was done, as JSON.
    pub(crate) changes: Vec<String>,
}

pub(crate) const FIRST_HANDLE: &str = "0";

impl Session {
    /// A session with one empty bag, whose handle is `0`.
    pub fn new() -> Self {
        Self {
            handles: BTreeMap::from([(FIRST_HANDLE.to_owned(), Handle::new(Bag::new()))]),
            events: Vec::new(),
            counters: Counters::default(),
            open: Vec::new(),
            vetoes: BTreeMap::new(),
            clock_ms: 0,
            passing: 0,
        }
    }

    /// Answers one line with one line, without its end; a line of spaces with none.
    ///
    /// A line of more than [`LINE_BYTES_MAX`](crate::LINE_BYTES_MAX) bytes, one that is no UTF-8,
    /// no JSON or no object is answered `bad-json`.
    pub fn answer(&mut self, line: &[u8]) -> Option<String> {
        let text = match std::str::from_utf8(line) {
            Ok(text) if line.len() <= LINE_BYTES_MAX => text.trim(),
            _ => return Some(self.reply(&Json::Null, Err(ErrorClass::BadJson))),
        };
        if text.is_empty() {
            return None;
        }
        let Some(request @ Json::Object(_)) = Json::parse(text) else {
            return Some(self.reply(&Json::Null, Err(ErrorClass::BadJson)));
        };
        let answered = self.carry_out(&Request::new(&request));
        self.handles.retain(|name, _| !is_passing(name));
        self.passing = 0;
        Some(self.reply(request.get("id").unwrap_or(&Json::Null), answered))
    }

    fn reply(&mut self, id: &Json, answered: Result<String, ErrorClass>) -> String {
        let events = std::mem::take(&mut self.events);
        let mut writer = Writer::new();
        writer.begin_object();
        writer.key("id");
        writer.json(id, true);
        match answered {
            Ok(answer) => {
                writer.key("ok");
                writer.raw(&answer);
            }
            Err(class) => {
                writer.key("err");
                writer.string(class.as_str());
            }
        }
        if !events.is_empty() {
            writer.key("ev");
            writer.raw("[");
            writer.raw(&events.join(","));
            writer.raw("]");
        }
        writer.end_object();
        writer.finish()
    }

    pub(crate) fn handle(&self, name: &str) -> Result<&Handle, ErrorClass> {
        self.handles.get(name).ok_or(ErrorClass::Missing)
    }

    pub(crate) fn handle_mut(&mut self, name: &str) -> Result<&mut Handle, ErrorClass> {
        self.handles.get_mut(name).ok_or(ErrorClass::Missing)
    }

    /// Keeps a bag for the rest of the request, and says under which handle.
    pub(crate) fn keep_passing(&mut self, handle: Handle) -> String {
        let name = format!("{PASSING}{}", self.passing);
        self.passing += 1;
        self.handles.insert(name.clone(), handle);
        name
    }
}

// No request can name such a handle: those of requests are marked in front.
const PASSING: char = '\0';

fn is_passing(name: &str) -> bool {
    name.starts_with(PASSING)
}

impl Default for Session {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("handles", &self.handles.len())
            .field("transactions", &self.open.len())
            .finish_non_exhaustive()
    }
}

/// Answers lines as [`Session`] does and throws the answers away: what a fuzzer calls.
pub fn fuzz_lines(data: &[u8]) {
    let mut session = Session::new();
    for line in data.split(|byte| *byte == b'\n') {
        let _ = session.answer(line);
    }
}
