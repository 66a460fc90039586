//! Writes that triggers answered with and that found the gathering ticket full.

use std::collections::VecDeque;

use dhlrs_codec as codec;
use dhlrs_wire::Intent;

use crate::port::Output;

/// What may wait, encoded. One more write of a trigger is dropped with a warning.
const EMITTED_BYTES_MAX: usize = 256 << 20;

#[derive(Debug, Default)]
pub(crate) struct Emitted {
    queue: VecDeque<(Intent, usize)>,
    bytes: usize,
}

impl Emitted {
    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub(crate) fn push(&mut self, intent: Intent, out: &mut Vec<Output>) {
        let room = EMITTED_BYTES_MAX - self.bytes;
        match codec::encode(&intent.edits, room) {
            Ok(edits) => {
                let bytes = edits.len();
                self.bytes += bytes;
                self.queue.push_back((intent, bytes));
            }
            Err(_) => out.push(Output::Warning(format!(
                "a trigger's write was dropped: more than {EMITTED_BYTES_MAX} bytes wait for the disk"
            ))),
        }
    }

    pub(crate) fn pop(&mut self) -> Option<Intent> {
        let (intent, bytes) = self.queue.pop_front()?;
        self.bytes -= bytes;
        Some(intent)
    }

    /// Gives up what waits, and says how many writes that were.
    pub(crate) fn clear(&mut self) -> usize {
        self.bytes = 0;
        std::mem::take(&mut self.queue).len()
    }
}
