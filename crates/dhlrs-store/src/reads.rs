//! Reads: pages of one published tree, which stays as it is while they are fetched.

use std::collections::BTreeMap;

use dhlrs_bag::{BagNode, Snapshot, WalkPosition};
use dhlrs_clock::Time;
use dhlrs_path::Path;
use dhlrs_wire::{
    PAGE_BYTES_MAX, Page, PageCursor, Read, ReadRow, Refusal, RefusalKind, Reply, Revision,
    Selection, View,
};

use crate::machine::Store;
use crate::port::Caller;

/// A read lives so long after its last page.
pub const READ_IDLE_MS: u64 = 30_000;
/// Reads of one source that have pages to come.
pub const SOURCE_READS_MAX: usize = 16;
/// Reads of one neighbour that have pages to come.
pub const NEIGHBOUR_READS_MAX: usize = 64;
/// What a change costs a snapshot that is still held: the page of the tree that was copied for it.
const PINNED_BYTES_PER_CHANGE: u64 = 4 << 10;
/// What one node of a tree that is held whole takes.
const PINNED_BYTES_PER_NODE: u64 = 256;

/// Where a read takes its rows from: the published tree, or what a resolver answered.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) tree: Snapshot,
    pub(crate) revision: Revision,
    /// The node in that tree.
    pub(crate) path: Path<'static>,
    /// The row that stands for the node itself, where the tree cannot give it.
    pub(crate) top: Option<ReadRow>,
}

#[derive(Debug, Default)]
pub(crate) struct Reads {
    held: BTreeMap<u64, Held>,
    last: u64,
    /// Changes published since the store was made.
    changes: u64,
}

/// A read with pages to come.
#[derive(Debug)]
struct Held {
    caller: Caller,
    read: Read,
    source: Source,
    /// The page that was sent last, and where it began; it may be asked for again.
    page: u32,
    began: Option<WalkPosition>,
    next: WalkPosition,
    deadline_ms: u64,
    changes_before: u64,
}

impl Reads {
    pub(crate) fn note_changes(&mut self, changes: usize) {
        self.changes += changes as u64;
    }

    pub(crate) fn end(&mut self, caller: &Caller, read: u64) {
        if self
            .held
            .get(&read)
            .is_some_and(|held| held.caller.source == caller.source)
        {
            self.held.remove(&read);
        }
    }

    pub(crate) fn expire(&mut self, now: Time) {
        self.held
            .retain(|_, held| held.deadline_ms > now.monotonic_ms);
    }

    pub(crate) fn next_deadline_ms(&self) -> Option<u64> {
        self.held.values().map(|held| held.deadline_ms).min()
    }

    /// Ends the oldest reads until one more of this caller fits every limit.
    fn make_room(&mut self, caller: &Caller, bytes_max: u64) {
        let of_source = |held: &Held| held.caller.source == caller.source;
        let of_neighbour = |held: &Held| held.caller.neighbour == caller.neighbour;
        while self.held.values().filter(|held| of_source(held)).count() >= SOURCE_READS_MAX {
            self.end_oldest(of_source);
        }
        while self.held.values().filter(|held| of_neighbour(held)).count() >= NEIGHBOUR_READS_MAX {
            self.end_oldest(of_neighbour);
        }
        while !self.held.is_empty() && self.pinned_bytes() > bytes_max {
            self.end_oldest(|_| true);
        }
    }

    fn end_oldest(&mut self, among: impl Fn(&Held) -> bool) {
        let found = self
            .held
            .iter()
            .find(|(_, held)| among(held))
            .map(|(id, _)| *id);
        if let Some(id) = found {
            self.held.remove(&id);
        }
    }

    /// At most what the held snapshots keep alive beside the published tree. Snapshots share what
    /// did not change between them, so the oldest one bounds them all.
    fn pinned_bytes(&self) -> u64 {
        self.held
            .values()
            .map(|held| {
                let copied = (self.changes - held.changes_before) * PINNED_BYTES_PER_CHANGE;
                copied.min(held.source.tree.len() * PINNED_BYTES_PER_NODE)
            })
            .max()
            .unwrap_or(0)
    }
}

impl Store {
    /// The first page of a read whose rows are at hand; the rest is held if there is more.
    pub(crate) fn first_page(
        &mut self,
        now: Time,
        caller: &Caller,
        read: Read,
        source: Source,
    ) -> Reply {
        let (rows, next) = page(&read, &source, None);
        let revision = source.revision;
        let Some(next) = next else {
            return Reply::Page(Box::new(Page {
                revision,
                rows,
                next: None,
            }));
        };
        self.reads
            .make_room(caller, self.config.limits.snapshot_bytes_max);
        self.reads.last += 1;
        let name = self.reads.last;
        let held = Held {
            caller: caller.clone(),
            read,
            source,
            page: 0,
            began: None,
            next,
            deadline_ms: now.monotonic_ms + READ_IDLE_MS,
            changes_before: self.reads.changes,
        };
        self.reads.held.insert(name, held);
        let next = Some(PageCursor {
            read: name,
            page: 1,
        });
        Reply::Page(Box::new(Page {
            revision,
            rows,
            next,
        }))
    }

    pub(crate) fn next_page(
        &mut self,
        now: Time,
        caller: &Caller,
        cursor: PageCursor,
    ) -> Result<Reply, Refusal> {
        let expired = || {
            Refusal::new(
                RefusalKind::SnapshotExpired,
                "the read was given up to make room or for being idle: read again",
            )
        };
        let limit = self.config.limits.snapshot_bytes_max;
        if self.reads.pinned_bytes() > limit {
            self.reads.end_oldest(|_| true);
        }
        let held = self.reads.held.get_mut(&cursor.read).ok_or_else(expired)?;
        if held.caller.source != caller.source {
            return Err(expired());
        }
        let from = if cursor.page == held.page + 1 {
            held.page = cursor.page;
            held.began = Some(held.next.clone());
            held.began.clone()
        } else if cursor.page == held.page {
            held.began.clone()
        } else {
            return Err(expired());
        };
        held.deadline_ms = now.monotonic_ms + READ_IDLE_MS;
        let (rows, next) = page(&held.read, &held.source, from.as_ref());
        let revision = held.source.revision;
        let next = match next {
            Some(position) => {
                held.next = position;
                Some(PageCursor {
                    read: cursor.read,
                    page: cursor.page + 1,
                })
            }
            None => {
                self.reads.held.remove(&cursor.read);
                None
            }
        };
        Ok(Reply::Page(Box::new(Page {
            revision,
            rows,
            next,
        })))
    }
}

/// The rows from `from` on that fit one page, and where the next page begins.
fn page(
    read: &Read,
    source: &Source,
    from: Option<&WalkPosition>,
) -> (Vec<ReadRow>, Option<WalkPosition>) {
    match &read.selection {
        Selection::Path(_) => tree_page(read, source, from),
        Selection::Pattern(pattern) => {
            let mut rows = Rows::default();
            let mut matches = source.tree.query(pattern);
            if let Some(from) = from {
                matches = matches.resume(from);
            }
            while !rows.is_full() {
                let before = matches.pause();
                let Some(node) = matches.next() else {
                    return (rows.list, None);
                };
                if read.view == View::Stored && node.is_overlay() {
                    continue;
                }
                let row = row(&node, 0, node.path().as_str().to_owned(), read.view);
                if let Some(row) = rows.push(row) {
                    // It did not fit: the next page begins with it.
                    drop(row);
                    return (rows.list, Some(before));
                }
            }
            let next = matches.pause();
            (rows.list, Some(next))
        }
    }
}

fn tree_page(
    read: &Read,
    source: &Source,
    from: Option<&WalkPosition>,
) -> (Vec<ReadRow>, Option<WalkPosition>) {
    let mut rows = Rows::default();
    let Some(node) = source.tree.node(&source.path.without_query()) else {
        return (rows.list, None);
    };
    if from.is_none() {
        let top = source
            .top
            .clone()
            .unwrap_or_else(|| row(&node, 0, node.path().as_str().to_owned(), read.view));
        rows.push(top);
    }
    if read.depth == 0 {
        return (rows.list, None);
    }
    let mut walk = node.walk();
    if let Some(from) = from {
        walk = walk.resume(from);
    }
    while !rows.is_full() {
        let before = walk.pause();
        let Some(visited) = walk.next() else {
            return (rows.list, None);
        };
        let depth = visited.depth + 1;
        let node = visited.node;
        if depth >= read.depth {
            walk.skip_inside();
        }
        if read.view == View::Stored && node.is_overlay() {
            walk.skip_inside();
            continue;
        }
        if let Some(row) = rows.push(row(
            &node,
            depth,
            node.label().as_str().to_owned(),
            read.view,
        )) {
            drop(row);
            return (rows.list, Some(before));
        }
    }
    (rows.list, Some(walk.pause()))
}

pub(crate) fn row(node: &BagNode<'_>, depth: u16, name: String, view: View) -> ReadRow {
    let value = match view {
        View::Stored => node.stored_value(),
        View::Resolve | View::Cached => node.value(),
    };
    ReadRow {
        depth,
        name,
        value: value.cloned(),
        attributes: node.attributes().clone(),
        resolver: node.resolver().cloned(),
        revision: node.revision(),
        children: node.len(),
    }
}

/// Rows of one page.
#[derive(Default)]
struct Rows {
    list: Vec<ReadRow>,
    bytes: usize,
}

impl Rows {
    fn is_full(&self) -> bool {
        self.bytes >= PAGE_BYTES_MAX
    }

    /// Takes a row that fits, or is the first; hands back any other.
    fn push(&mut self, row: ReadRow) -> Option<ReadRow> {
        let bytes = row.encoded_bytes();
        if !self.list.is_empty() && self.bytes + bytes > PAGE_BYTES_MAX {
            return Some(row);
        }
        self.bytes += bytes;
        self.list.push(row);
        None
    }
}
