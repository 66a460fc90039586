//! Log: what is ordered together is logged together and released together, as a ticket.
//!
//! One ticket is out at a time. What is ordered meanwhile gathers in the next one, so that many
//! writers share one sync (group commit). A ticket without records, or of a store without a log,
//! completes as soon as those before it have.

use dhlrs_bag::{Changes, Snapshot};
use dhlrs_wire::{Refusal, Reply};

use crate::image::Image;
use crate::port::RequestId;

/// Records of one ticket. More are ordered only when it is out.
pub const TICKET_BYTES_MAX: usize = 8 << 20;

/// Changes of one revision on their way to the subscribers.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) changes: Changes,
    /// Held only where somebody who asked for it may be concerned.
    pub(crate) trees: Option<Trees>,
}

/// The tree after a revision, for subscribers, and before it, for forwards.
#[derive(Clone, Debug)]
pub(crate) struct Trees {
    pub(crate) before: Option<Snapshot>,
    pub(crate) after: Snapshot,
}

#[derive(Debug, Default)]
pub(crate) struct Ticket {
    pub(crate) number: u64,
    pub(crate) records: Vec<Vec<u8>>,
    pub(crate) record_bytes: usize,
    pub(crate) answers: Vec<(RequestId, Result<Reply, Refusal>)>,
    pub(crate) batches: Vec<Batch>,
}

impl Ticket {
    fn is_empty(&self) -> bool {
        self.records.is_empty() && self.answers.is_empty() && self.batches.is_empty()
    }
}

/// A ticket that nothing can be added to, with the tree as it leaves it.
#[derive(Debug)]
pub(crate) struct Sealed {
    pub(crate) ticket: Ticket,
    pub(crate) tree: Snapshot,
    pub(crate) revision: u64,
    /// A checkpoint of just this state, to be written when the ticket is on disk.
    pub(crate) image: Option<Box<Image>>,
}

/// The ticket that is out and the one that gathers.
#[derive(Debug)]
pub(crate) struct Tickets {
    logged: bool,
    gathering: Ticket,
    out: Option<Sealed>,
    released: u64,
}

impl Tickets {
    pub(crate) fn new(logged: bool) -> Self {
        Self {
            logged,
            gathering: Ticket {
                number: 1,
                ..Ticket::default()
            },
            out: None,
            released: 0,
        }
    }

    /// The number of the ticket that gathers.
    pub(crate) fn number(&self) -> u64 {
        self.gathering.number
    }

    /// The last ticket that was released.
    pub(crate) fn released(&self) -> u64 {
        self.released
    }

    pub(crate) fn note_released(&mut self, number: u64) {
        self.released = number;
    }

    /// The ticket that gathers.
    pub(crate) fn gathering(&mut self) -> &mut Ticket {
        &mut self.gathering
    }

    pub(crate) fn log(&mut self, record: Vec<u8>) {
        if self.logged {
            self.gathering.record_bytes += record.len();
            self.gathering.records.push(record);
        }
    }

    /// Whether the gathering ticket has taken as much as one should.
    pub(crate) fn is_full(&self) -> bool {
        self.gathering.record_bytes >= TICKET_BYTES_MAX
    }

    /// Adds an answer to the ticket of that number; to the gathering one if it has gone already.
    pub(crate) fn answer_with(
        &mut self,
        number: u64,
        request: RequestId,
        result: Result<Reply, Refusal>,
    ) {
        match &mut self.out {
            Some(out) if out.ticket.number == number => out.ticket.answers.push((request, result)),
            _ => self.gathering.answers.push((request, result)),
        }
    }

    /// Seals the gathering ticket if there is something in it and none is out.
    /// `image` is asked only where there is something to log.
    pub(crate) fn seal(
        &mut self,
        tree: impl FnOnce() -> (Snapshot, u64),
        image: impl FnOnce() -> Option<Box<Image>>,
    ) -> Option<Step> {
        if self.out.is_some() || self.gathering.is_empty() {
            return None;
        }
        let next = Ticket {
            number: self.gathering.number + 1,
            ..Ticket::default()
        };
        let mut ticket = std::mem::replace(&mut self.gathering, next);
        let (tree, revision) = tree();
        let records = std::mem::take(&mut ticket.records);
        let mut sealed = Sealed {
            ticket,
            tree,
            revision,
            image: None,
        };
        if records.is_empty() {
            return Some(Step::Release(sealed));
        }
        sealed.image = image();
        let number = sealed.ticket.number;
        self.out = Some(sealed);
        Some(Step::Persist {
            ticket: number,
            records,
        })
    }

    /// The ticket is on disk.
    pub(crate) fn durable(&mut self, number: u64) -> Option<Sealed> {
        self.out.take_if(|sealed| sealed.ticket.number == number)
    }

    /// Gives up what is out and what gathers: first the one of which nobody knows, then the one that
    /// was never tried.
    pub(crate) fn fail(&mut self) -> (Option<Ticket>, Ticket) {
        let out = self.out.take().map(|sealed| sealed.ticket);
        let next = Ticket {
            number: self.gathering.number + 1,
            ..Ticket::default()
        };
        (out, std::mem::replace(&mut self.gathering, next))
    }
}

/// What to do with a ticket that was just sealed.
#[derive(Debug)]
pub(crate) enum Step {
    Persist { ticket: u64, records: Vec<Vec<u8>> },
    Release(Sealed),
}
