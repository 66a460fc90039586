//! What is known about one node.

use std::sync::Arc;

use dhlrs_bag::Content;

use crate::call::Key;
use crate::error::ResolveError;
use crate::output::FlightId;

/// What an entry costs besides its content, as a round figure.
pub(crate) const ENTRY_BYTES: u64 = 256;
/// What a row of a branch costs besides what it encodes to, as a round figure.
const ROW_BYTES: usize = 32;

/// What is known about one slot.
#[derive(Debug)]
pub(crate) struct Entry {
    // The parameters of the last read. All that is kept below belongs to them.
    pub(crate) key: Arc<Key>,
    pub(crate) kept: Option<Kept>,
    pub(crate) negative: Option<Negative>,
    pub(crate) due_ms: Option<u64>,
    // All flights of the slot, the overtaken ones too, oldest first.
    pub(crate) flights: Vec<FlightId>,
    // Invariant: what `Cache` counted for this entry, and where it stands there.
    pub(crate) counted_bytes: u64,
    pub(crate) used: u64,
}

#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) resolved_ms: u64,
    pub(crate) bytes: u64,
    // None: the tree has it, and no read will be answered from here.
    pub(crate) content: Option<Arc<Content>>,
    pub(crate) stored: bool,
}

#[derive(Debug)]
pub(crate) struct Negative {
    pub(crate) until_ms: u64,
    pub(crate) error: ResolveError,
}

impl Entry {
    pub(crate) fn new(key: Arc<Key>) -> Self {
        Self {
            key,
            kept: None,
            negative: None,
            due_ms: None,
            flights: Vec::new(),
            counted_bytes: 0,
            used: 0,
        }
    }

    /// What an eviction would free; 0 if nothing.
    pub(crate) fn evictable_bytes(&self) -> u64 {
        if self.kept.is_none() && self.negative.is_none() && self.due_ms.is_none() {
            return 0;
        }
        let kept = self.kept.as_ref().map_or(0, |kept| kept.bytes);
        let negative = self
            .negative
            .as_ref()
            .map_or(0, |negative| negative.error.message().len() as u64);
        ENTRY_BYTES + self.key.bytes() + kept + negative
    }
}

pub(crate) fn content_bytes(content: &Content) -> u64 {
    let bytes = match content {
        Content::Value(value) => value.encoded_bytes(),
        Content::Branch(branch) => branch.encoded_bytes() + ROW_BYTES * branch.len(),
    };
    bytes as u64
}
