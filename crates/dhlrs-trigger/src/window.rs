//! The last changes of a store, for those who read them at their own pace.

use std::collections::VecDeque;
use std::sync::Arc;

use dhlrs_bag::{AttributeChange, Change, ChangeKind, Changes, NodeId, Shown, Value};

use crate::departed::Departed;
use crate::error::{WindowError, WindowErrorKind};
use crate::reach::{Selector, ancestors_before};
use crate::target::Place;

/// How many changes a window keeps unless it is told otherwise.
pub const WINDOW_CHANGES_MAX: usize = 100_000;

/// How many bytes of changes a window keeps unless it is told otherwise.
pub const WINDOW_BYTES_MAX: usize = 64 * 1024 * 1024;

/// How much a window keeps. The newest revision is kept however large it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowLimits {
    /// The most changes.
    pub changes_max: usize,
    /// The most bytes, by an estimate of what the changes take in memory.
    pub bytes_max: usize,
}

impl Default for WindowLimits {
    fn default() -> Self {
        Self {
            changes_max: WINDOW_CHANGES_MAX,
            bytes_max: WINDOW_BYTES_MAX,
        }
    }
}

/// The last revisions of a store, each whole, oldest first.
///
/// What overlays showed is kept among them for those who already read, but is not read again by
/// those who begin or resume: it is no part of the store's history.
#[derive(Debug)]
pub struct Window {
    limits: WindowLimits,
    entries: VecDeque<Entry>,
    // The number of the first entry; an entry keeps its number for ever.
    first: u64,
    changes: usize,
    bytes: usize,
    // Every revision from here on is kept.
    oldest: u64,
    next: u64,
}

#[derive(Debug)]
struct Entry {
    changes: Arc<Changes>,
    departed: Departed,
    bytes: usize,
    is_overlay: bool,
}

/// Where a reader of a window is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    entry: u64,
    // Overlays before this entry are history to this reader.
    live_from: u64,
    // The revision that is due.
    revision: u64,
}

impl Cursor {
    /// The next revision of which the reader has seen nothing.
    pub const fn revision(&self) -> u64 {
        self.revision
    }
}

/// What a reader gets.
#[derive(Debug, Clone)]
pub enum Next {
    /// A revision with changes that were asked for.
    Delivered {
        /// All of the revision.
        changes: Arc<Changes>,
        /// The places of the matching changes in its list, in order; at least one.
        matching: Vec<usize>,
    },
    /// There is no more for now.
    CaughtUp,
    /// The window passed the reader. It goes on at the oldest revision that is kept.
    Lagged {
        /// How many revisions it lost; 0 if they were overlays alone.
        revisions: u64,
        /// The oldest revision that is kept.
        oldest: u64,
    },
}

impl Window {
    /// An empty window of a store whose next revision is `next`.
    pub fn new(next: u64, limits: WindowLimits) -> Self {
        Self {
            limits,
            entries: VecDeque::new(),
            first: 0,
            changes: 0,
            bytes: 0,
            oldest: next,
            next,
        }
    }

    /// Adds what happened, and drops what is too old by then. Changes that are all of overlays
    /// carry the present revision, others the next one or a later one. Amortised O(changes).
    ///
    /// # Errors
    ///
    /// `OutOfOrder`: the revision is older than that. Nothing is added.
    pub fn push(&mut self, changes: impl Into<Arc<Changes>>) -> Result<(), WindowError> {
        self.push_with(changes, Departed::default())
    }

    /// Adds what happened, like [`push`](Self::push), and the nodes that went with the bags that it
    /// removed or filled anew, for readers that follow one of them and begin before.
    ///
    /// # Errors
    ///
    /// As those of `push`.
    pub fn push_with(
        &mut self,
        changes: impl Into<Arc<Changes>>,
        mut departed: Departed,
    ) -> Result<(), WindowError> {
        let changes = changes.into();
        let is_overlay = changes.list.iter().all(is_overlay);
        let found = changes.meta.revision;
        let due = if is_overlay {
            self.next.saturating_sub(1)
        } else {
            self.next
        };
        if found < due {
            return Err(WindowError::new(WindowErrorKind::OutOfOrder {
                next: self.next,
                found,
            }));
        }
        if changes.list.is_empty() {
            self.next = self.next.max(found.saturating_add(1));
            return Ok(());
        }
        departed.sort();
        let bytes = changes.list.iter().map(change_bytes).sum::<usize>() + departed.bytes();
        self.changes += changes.list.len();
        self.bytes += bytes;
        self.next = self.next.max(found.saturating_add(1));
        self.entries.push_back(Entry {
            changes,
            departed,
            bytes,
            is_overlay,
        });
        while self.entries.len() > 1
            && (self.changes > self.limits.changes_max || self.bytes > self.limits.bytes_max)
        {
            self.drop_oldest();
        }
        Ok(())
    }

    fn drop_oldest(&mut self) {
        let Some(entry) = self.entries.pop_front() else {
            return;
        };
        self.first += 1;
        self.changes -= entry.changes.list.len();
        self.bytes -= entry.bytes;
        if !entry.is_overlay {
            self.oldest = entry.changes.meta.revision.saturating_add(1);
        }
    }

    /// The oldest revision that is kept, or the next one if none is.
    pub const fn oldest(&self) -> u64 {
        self.oldest
    }

    /// The revision that comes next.
    pub const fn next_revision(&self) -> u64 {
        self.next
    }

    fn end(&self) -> u64 {
        self.first + self.entries.len() as u64
    }

    /// Begins to read with whatever happens next.
    pub fn begin_now(&self) -> Cursor {
        Cursor {
            entry: self.end(),
            live_from: self.end(),
            revision: self.next,
        }
    }

    /// Begins to read with what was pushed last, be it of overlays too. For a reader that had seen
    /// all before it.
    pub fn begin_at_last(&self) -> Cursor {
        let entry = self.end().saturating_sub(1).max(self.first);
        let revision = match self.entries.back() {
            Some(last) if !last.is_overlay => last.changes.meta.revision,
            _ => self.next,
        };
        Cursor {
            entry,
            live_from: entry,
            revision,
        }
    }

    /// Begins to read, or goes on after an interruption, at a revision. O(log n).
    ///
    /// # Errors
    ///
    /// `Compacted`: the revision is no longer kept. `Beyond`: it is beyond the next one.
    pub fn begin_at(&self, revision: u64) -> Result<Cursor, WindowError> {
        if revision < self.oldest {
            return Err(WindowError::new(WindowErrorKind::Compacted {
                oldest: self.oldest,
            }));
        }
        if revision > self.next {
            return Err(WindowError::new(WindowErrorKind::Beyond {
                next: self.next,
            }));
        }
        // Overlays carry the revision before them, so revisions never fall.
        let before = self
            .entries
            .partition_point(|entry| entry.changes.meta.revision < revision);
        Ok(Cursor {
            entry: self.first + before as u64,
            live_from: self.end(),
            revision,
        })
    }

    /// Where a node was just before what the cursor reads next, from where it is after all that is
    /// kept: nowhere, if it is gone. What has happened since is undone, so the node need not be there
    /// any more; one that never was is nowhere. O(changes since).
    ///
    /// # Errors
    ///
    /// `Compacted`: it is gone, and may have been among [too many](crate::DEPARTED_NODES_MAX) that
    /// went at once.
    pub fn place_at(
        &self,
        cursor: &Cursor,
        id: NodeId,
        now: Option<Place>,
    ) -> Result<Option<Place>, WindowError> {
        let from = usize::try_from(cursor.entry.saturating_sub(self.first)).unwrap_or(usize::MAX);
        let mut around = now.map(|place| place.ancestors);
        let mut is_known = true;
        for entry in self.entries.iter().skip(from).rev() {
            is_known &= around.is_some() || !entry.departed.is_incomplete();
            for change in entry.changes.list.iter().rev() {
                let before = match &around {
                    Some(ancestors) => ancestors_before(id, ancestors, change),
                    None if change.id == id => {
                        let was_made = change.kind == ChangeKind::Insert;
                        (!was_made).then(|| change.ancestors.clone())
                    }
                    None => entry.departed.around(id, change),
                };
                around = before.or(around);
            }
        }
        match around {
            Some(ancestors) => Ok(Some(Place { id, ancestors })),
            None if is_known => Ok(None),
            None => Err(WindowError::new(WindowErrorKind::Compacted {
                oldest: self.next,
            })),
        }
    }

    /// Moves a reader behind everything that is kept. For one that had caught up, when it is known
    /// (from [`Interests`](crate::Interests)) that what came since does not concern it: else it
    /// would count as lagging although it missed nothing. The selector of such a reader does not
    /// see what is skipped, so where it follows a node, the interest must include moves.
    pub fn skip(&self, cursor: &mut Cursor) {
        cursor.entry = self.end();
        cursor.revision = self.next;
    }

    /// Goes on to the next revision with changes that the selector selects. O(what is passed over).
    pub fn next(&self, cursor: &mut Cursor, selector: &mut Selector) -> Next {
        if cursor.entry < self.first {
            let revisions = self.oldest.saturating_sub(cursor.revision);
            cursor.entry = self.first;
            cursor.revision = cursor.revision.max(self.oldest);
            return Next::Lagged {
                revisions,
                oldest: self.oldest,
            };
        }
        while let Some(entry) = self.entries.get((cursor.entry - self.first) as usize) {
            let is_history = entry.is_overlay && cursor.entry < cursor.live_from;
            cursor.entry += 1;
            if is_history {
                continue;
            }
            let changes = &entry.changes;
            if !entry.is_overlay {
                cursor.revision = changes.meta.revision.saturating_add(1);
            }
            let selected = changes.list.iter().enumerate().filter_map(|(at, change)| {
                selector.selects(change, changes.transaction).then_some(at)
            });
            let matching: Vec<_> = selected.collect();
            if !matching.is_empty() {
                return Next::Delivered {
                    changes: Arc::clone(changes),
                    matching,
                };
            }
        }
        cursor.revision = self.next;
        Next::CaughtUp
    }
}

/// Whether the change is none of the store's history and took no revision.
fn is_overlay(change: &Change) -> bool {
    change.kind == ChangeKind::Resolve || change.invalidated
}

/// About how much memory a change takes.
pub fn change_bytes(change: &Change) -> usize {
    let shown = |shown: &Shown| match shown {
        Shown::Scalar(value) => value.encoded_bytes(),
        Shown::Absent | Shown::Branch { .. } => 0,
    };
    let attribute = |attribute: &AttributeChange| {
        let value = |value: &Option<Value>| value.as_ref().map_or(0, Value::encoded_bytes);
        let own = size_of::<AttributeChange>() + attribute.name.len();
        own + value(&attribute.old) + value(&attribute.new)
    };
    let path = change.path.as_str().len();
    let old_path = change
        .old_path
        .as_ref()
        .map_or(0, |path| path.as_str().len());
    let ancestors = change.ancestors.len() + change.old_ancestors.len();
    size_of::<Change>()
        + path
        + old_path
        + ancestors * 16
        + shown(&change.old)
        + shown(&change.new)
        + change.attributes.iter().map(attribute).sum::<usize>()
}
