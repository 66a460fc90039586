//! Reads: pages of one published tree, which stays as it is while they are fetched.

use std::collections::BTreeMap;

use dhlrs_bag::{BagNode, ChangeKind, Changes, Shown, Snapshot, Value, WalkPosition};
use dhlrs_clock::Time;
use dhlrs_path::Path;
use dhlrs_wire::{
    PAGE_BYTES_MAX, Page, PageCursor, Read, ReadRow, Refusal, RefusalKind, Reply, Revision,
    Selection, View,
};

use crate::lost::{Lost, NODE_BYTES, node_bytes};
use crate::machine::Store;
use crate::port::Caller;

/// A read lives so long after its last page.
pub const READ_IDLE_MS: u64 = 30_000;
/// Reads of one source that have pages to come.
pub const SOURCE_READS_MAX: usize = 16;
/// Reads of one neighbour that have pages to come.
pub const NEIGHBOUR_READS_MAX: usize = 64;
/// What a change costs a snapshot that is still held: the pages of the tree that were copied for it.
const PINNED_BYTES_PER_CHANGE: u64 = 8 << 10;

/// Where a read takes its rows from: the published tree, or what a resolver answered.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) tree: Snapshot,
    pub(crate) revision: Revision,
    /// The node in that tree.
    pub(crate) path: Path<'static>,
    /// The row that stands for the node itself, where the tree cannot give it.
    pub(crate) top: Option<ReadRow>,
    /// The tree is the read's own, and shares nothing with the published one.
    pub(crate) is_own: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Reads {
    held: BTreeMap<u64, Held>,
    last: u64,
    replaced: Replaced,
    /// The most nodes that a published tree has had.
    nodes_max: u64,
}

/// What changes have replaced since the store was made, by an estimate: a snapshot from before them
/// keeps it alive.
#[derive(Clone, Copy, Debug, Default)]
struct Replaced {
    /// Values, attributes, and what was in bags that went.
    content: u64,
    /// Pages of the tree that were copied; of one tree not more than it has.
    pages: u64,
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
    replaced_before: Replaced,
    own_bytes: u64,
}

impl Reads {
    /// Notes a revision that is being published.
    pub(crate) fn note(&mut self, changes: &Changes, lost: &Lost, tree: &Snapshot) {
        self.nodes_max = self.nodes_max.max(tree.len());
        self.replaced.content += lost.bytes;
        for change in &changes.list {
            self.replaced.pages += PINNED_BYTES_PER_CHANGE;
            let old = match &change.old {
                Shown::Scalar(value) => value.encoded_bytes() as u64,
                // Of an overlay nobody tells what was in it.
                Shown::Branch { nodes } if change.kind == ChangeKind::Resolve => nodes * NODE_BYTES,
                Shown::Branch { nodes } if change.kind == ChangeKind::Sort => {
                    self.replaced.pages += nodes * NODE_BYTES;
                    0
                }
                Shown::Branch { .. } | Shown::Absent => 0,
            };
            // A branch takes the places of many nodes that were there before.
            if let Shown::Branch { nodes } = &change.new
                && change.kind != ChangeKind::Move
                && change.kind != ChangeKind::Rename
            {
                self.replaced.pages += nodes * NODE_BYTES;
            }
            let attributes = change
                .attributes
                .iter()
                .filter_map(|change| change.old.as_ref());
            let attributes = attributes.map(Value::encoded_bytes).sum::<usize>() as u64;
            self.replaced.content += old + attributes;
        }
    }

    /// Notes that the published tree gives way to one that shares nothing with it.
    pub(crate) fn note_new_tree(&mut self, tree: &Snapshot) {
        if !self.held.is_empty() {
            self.replaced.content += tree_bytes(tree);
        }
    }

    /// Ends the oldest reads until what the others pin is within the limit.
    pub(crate) fn keep_within(&mut self, bytes_max: u64) {
        while !self.held.is_empty() && self.pinned_bytes() > bytes_max {
            self.end_oldest(|_| true);
        }
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
        self.keep_within(bytes_max);
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

    /// What the held snapshots keep alive beside the published tree, by an estimate. Snapshots share
    /// what did not change between them, so each adds what was replaced until the next one.
    fn pinned_bytes(&self) -> u64 {
        let Some((_, oldest)) = self.held.first_key_value() else {
            return 0;
        };
        let content = self.replaced.content - oldest.replaced_before.content;
        let pages_max = self.nodes_max * NODE_BYTES;
        let mut until = self.replaced.pages;
        let mut pinned = content;
        for held in self.held.values().rev() {
            let before = held.replaced_before.pages;
            pinned += (until - before).min(pages_max) + held.own_bytes;
            until = before;
        }
        pinned
    }
}

fn tree_bytes(tree: &Snapshot) -> u64 {
    let nodes = tree.root().walk();
    nodes.map(|visited| node_bytes(&visited.node)).sum()
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
        let own_bytes = match source.is_own {
            true => tree_bytes(&source.tree),
            false => 0,
        };
        let bytes_max = self.config.limits.snapshot_bytes_max;
        self.reads
            .make_room(caller, bytes_max.saturating_sub(own_bytes));
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
            replaced_before: self.reads.replaced,
            own_bytes,
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
            let mut matches = match read.view {
                View::Stored => source.tree.stored_query(pattern),
                View::Resolve | View::Cached => source.tree.query(pattern),
            };
            if let Some(from) = from {
                matches = matches.resume(from);
            }
            while !rows.is_full() {
                let before = matches.pause();
                let Some(node) = matches.next() else {
                    return (rows.list, None);
                };
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
    let Some(node) = seen(&source.tree, &source.path.without_query(), read.view) else {
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
    let mut walk = match read.view {
        View::Stored => node.stored_walk(),
        View::Resolve | View::Cached => node.walk(),
    };
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

/// The node at a path in this view: overlays stand before what is stored, and never hide it from who asks for that.
pub(crate) fn seen<'a>(tree: &'a Snapshot, path: &Path<'_>, view: View) -> Option<BagNode<'a>> {
    match view {
        View::Stored => tree.stored_node(path),
        View::Resolve | View::Cached => tree.node(path),
    }
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
        children: match view {
            View::Stored => node.stored_len(),
            View::Resolve | View::Cached => node.len(),
        },
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
