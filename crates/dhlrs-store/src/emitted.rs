//! Writes that triggers answered with, until they are on disk.
//!
//! A trigger fires once. So what it answered with outlives a failed sync: what is certainly not in
//! the log that was read again is judged and ordered anew. Only the end of the process loses it.

use std::collections::VecDeque;

use dhlrs_codec as codec;
use dhlrs_wire::Intent;

use crate::port::Output;

/// What may wait, encoded. One more write of a trigger is dropped with a warning.
const EMITTED_BYTES_MAX: usize = 256 << 20;

#[derive(Debug, Default)]
pub(crate) struct Emitted {
    /// Not ordered yet: the gathering ticket was full.
    waiting: VecDeque<Waiting>,
    /// Ordered, and not on disk yet; with the revision that it made or was judged on.
    ordered: VecDeque<(u64, Waiting)>,
    bytes: usize,
}

#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) intent: Intent,
    bytes: usize,
}

impl Emitted {
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(crate) fn push(&mut self, intent: Intent, out: &mut Vec<Output>) {
        let room = EMITTED_BYTES_MAX - self.bytes;
        match codec::encode(&intent.edits, room) {
            Ok(edits) => {
                let bytes = edits.len();
                self.bytes += bytes;
                self.waiting.push_back(Waiting { intent, bytes });
            }
            Err(_) => out.push(Output::Warning(format!(
                "a trigger's write was dropped: more than {EMITTED_BYTES_MAX} bytes wait for the disk"
            ))),
        }
    }

    pub(crate) fn pop(&mut self) -> Option<Waiting> {
        self.waiting.pop_front()
    }

    /// What was popped has been judged, and head is at `revision` since.
    pub(crate) fn note_ordered(&mut self, revision: u64, emitted: Waiting) {
        self.ordered.push_back((revision, emitted));
    }

    /// Everything up to this revision is on disk.
    pub(crate) fn note_durable(&mut self, durable: u64) {
        while let Some((_, emitted)) = self
            .ordered
            .pop_front_if(|(revision, _)| *revision <= durable)
        {
            self.bytes -= emitted.bytes;
        }
    }

    /// The log has been read again and ends with this revision: what came later is to be ordered
    /// once more, before what waited.
    pub(crate) fn take_back(&mut self, revision: u64) {
        self.note_durable(revision);
        while let Some((_, emitted)) = self.ordered.pop_back() {
            self.waiting.push_front(emitted);
        }
    }
}
