//! Reads: what to read, and the pages that come back.

use dhlrs_bag::{Attributes, ResolverRef, Value};
use dhlrs_clock::Stamp;
use dhlrs_path::{Path, Pattern};
use serde::{Deserialize, Serialize};

use crate::revision::Revision;
use crate::text;

/// The rows of one page, encoded, by an estimate. The first row is taken however large it is.
pub const PAGE_BYTES_MAX: usize = 256 << 10;

/// What a read or a watch is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Selection {
    /// One node. A read takes what is below it as far as its depth says, a watch takes all below.
    Path(#[serde(with = "text")] Path<'static>),
    /// Every node that matches; what is below them only where it matches too.
    Pattern(#[serde(with = "text")] Pattern),
}

/// Which values a read shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum View {
    /// Resolves the addressed node and those on the way to it; below it, what is cached.
    Resolve,
    /// What is cached, else Null.
    Cached,
    /// What is stored: no resolved and no derived value.
    Stored,
}

/// A read of one store, all of it at one revision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Read {
    /// What to read.
    pub selection: Selection,
    /// Levels below a selected path: 0 is the node alone, 1 its children too. Not for patterns.
    pub depth: u16,
    /// Which values are shown.
    pub view: View,
    /// Arguments for the resolver of the addressed node; they override its attributes.
    pub arguments: Attributes,
    /// Shows a replicated store as all events up to this stamp left it, of those that are here now. Nothing is resolved.
    pub at: Option<Stamp>,
}

/// The next page of a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageCursor {
    /// Names the read in its store.
    pub read: u64,
    /// The page, counted from 0. The last one sent may be asked for again.
    pub page: u32,
}

/// Rows of a read, about [`PAGE_BYTES_MAX`] at most; a larger row comes alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Page {
    /// The revision that every page of this read shows.
    pub revision: Revision,
    /// Rows in document order. The first page of a missing path has none.
    pub rows: Vec<ReadRow>,
    /// How to get the next page; `None` on the last one, which ends the read.
    pub next: Option<PageCursor>,
}

/// One node of a page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReadRow {
    /// Levels below the selected path, which itself is row 0 at depth 0. Always 0 for patterns.
    pub depth: u16,
    /// The label; for patterns, and for row 0 of a path, the whole path as printed.
    pub name: String,
    /// The value; `None` is a bag.
    pub value: Option<Value>,
    /// The attributes in their order.
    pub attributes: Attributes,
    /// The resolver, by name and parameters.
    pub resolver: Option<ResolverRef>,
    /// The revision of the node's last change.
    pub revision: u64,
    /// Children that the node has, shown here or not.
    pub children: u64,
}

impl ReadRow {
    /// About as many bytes as the row takes on the wire, a few more rather than less.
    #[must_use]
    pub fn encoded_bytes(&self) -> usize {
        let value = self.value.as_ref().map_or(1, Value::encoded_bytes);
        let resolver = self.resolver.as_ref().map_or(1, ResolverRef::encoded_bytes);
        24 + self.name.len() + value + self.attributes.encoded_bytes() + resolver
    }
}
