//! What the driver was handed and has not sent yet.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::{LINK_BYTES_MAX, LINK_FRAMES_MAX, LinkId, LinkOutput};

/// Kept free for what is no message: greetings, one acknowledgement, questions, a farewell.
const CONTROL_FRAMES_MAX: usize = 16;

/// What one connection handed to the driver and the driver has not sent yet.
#[derive(Debug)]
pub(crate) struct Outbox {
    link: LinkId,
    unsent: VecDeque<Unsent>,
    unsent_bytes: usize,
    acks_unsent: usize,
}

#[derive(Clone, Copy, Debug)]
struct Unsent {
    bytes: usize,
    is_ack: bool,
}

impl Outbox {
    pub(crate) fn new(link: LinkId) -> Self {
        Self {
            link,
            unsent: VecDeque::new(),
            unsent_bytes: 0,
            acks_unsent: 0,
        }
    }

    pub(crate) fn takes_message(&self) -> bool {
        self.unsent.len() < LINK_FRAMES_MAX - CONTROL_FRAMES_MAX
            && self.unsent_bytes < LINK_BYTES_MAX
    }

    // A second one would say no more than the first will, made later.
    pub(crate) fn takes_ack(&self) -> bool {
        self.acks_unsent == 0 && self.takes_control()
    }

    pub(crate) fn takes_control(&self) -> bool {
        self.unsent.len() < LINK_FRAMES_MAX - 1
    }

    pub(crate) fn put(&mut self, frame: Bytes, outputs: &mut Vec<LinkOutput>) {
        self.push(frame, false, outputs);
    }

    pub(crate) fn put_ack(&mut self, frame: Bytes, outputs: &mut Vec<LinkOutput>) {
        self.acks_unsent += 1;
        self.push(frame, true, outputs);
    }

    fn push(&mut self, frame: Bytes, is_ack: bool, outputs: &mut Vec<LinkOutput>) {
        self.unsent_bytes += frame.len();
        self.unsent.push_back(Unsent {
            bytes: frame.len(),
            is_ack,
        });
        outputs.push(LinkOutput::Send {
            link: self.link,
            frame,
        });
    }

    pub(crate) fn sent(&mut self, frames: usize) {
        for unsent in self.unsent.drain(..frames.min(self.unsent.len())) {
            self.unsent_bytes -= unsent.bytes;
            self.acks_unsent -= usize::from(unsent.is_ack);
        }
    }
}
