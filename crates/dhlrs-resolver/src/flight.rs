//! One resolution under way.

use std::collections::BTreeMap;
use std::sync::Arc;

use dhlrs_path::Path;

use crate::call::{Key, Rules, Slot};

/// One resolution under way.
#[derive(Debug)]
pub(crate) struct Flight {
    pub(crate) slot: Slot,
    pub(crate) key: Arc<Key>,
    pub(crate) path: Path<'static>,
    pub(crate) rules: Rules,
    pub(crate) deadline_ms: u64,
    pub(crate) state: State,
    pub(crate) failures: u32,
    // An invalidate came after its start: its result answers those who asked before, and nobody
    // else.
    pub(crate) overtaken: bool,
    // It was started for the cache, so it needs no reader.
    pub(crate) background: bool,
    // In the order in which they came.
    pub(crate) readers: BTreeMap<u64, Reader>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Calling,
    // Until the next attempt.
    Waiting { retry_ms: u64 },
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader {
    pub(crate) reader: u64,
    pub(crate) deadline_ms: u64,
}
